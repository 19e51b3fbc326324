"""Reading goods for the managers they belong to, whatever state they are in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from models.catalog import Category, Cooperative, Product, Sku
from models.inventory import Stock
from shop.context import Actor
from shop.errors import NotFound
from shop.session import Session

SKUS = Sku.__table__
PRODUCTS = Product.__table__
CATEGORIES = Category.__table__
COOPERATIVES = Cooperative.__table__
STOCK = Stock.__table__

WITH_STOCK = select(
    SKUS,
    func.coalesce(STOCK.c.on_hand, 0).label("on_hand"),
    func.coalesce(STOCK.c.reserved, 0).label("reserved"),
    func.coalesce(STOCK.c.on_hand - STOCK.c.reserved, 0).label("available"),
).outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)


def managed_product(session: Session, actor: Actor, slug: str, *, for_update: bool = False) -> Any:
    """A product that the actor may manage.

    Raises:
        NotFound: there is none, or it belongs to another cooperative.
    """
    statement = select(PRODUCTS).where(PRODUCTS.c.slug == slug)
    if for_update:
        statement = statement.with_for_update()
    return _one(session, _managed(statement, actor))


def managed_sku(session: Session, actor: Actor, code: str) -> Any:
    """A SKU that the actor may manage.

    Raises:
        NotFound: there is none, or it belongs to another cooperative.
    """
    statement = (
        select(SKUS).join(PRODUCTS, PRODUCTS.c.id == SKUS.c.product_id).where(SKUS.c.code == code)
    )
    return _one(session, _managed(statement, actor))


def managed_sku_with_stock(session: Session, actor: Actor, code: str) -> dict[str, Any]:
    """`managed_sku` with what is on hand, reserved and available.

    Raises:
        NotFound: there is none, or it belongs to another cooperative.
    """
    statement = WITH_STOCK.join(PRODUCTS, PRODUCTS.c.id == SKUS.c.product_id).where(
        SKUS.c.code == code
    )
    return dict(_one(session, _managed(statement, actor))._mapping)  # noqa: SLF001 - its public name


def managed_products(
    session: Session, actor: Actor, *, limit: int, after: UUID | None = None
) -> tuple[list[dict[str, Any]], UUID | None]:
    """The actor's products in every state with their SKUs and stock, and where to go on."""
    statement = _managed(
        select(
            PRODUCTS, CATEGORIES.c.code.label("category"), COOPERATIVES.c.code.label("cooperative")
        )
        .join(CATEGORIES, CATEGORIES.c.id == PRODUCTS.c.category_id)
        .join(COOPERATIVES, COOPERATIVES.c.id == PRODUCTS.c.cooperative_id),
        actor,
    )
    if after is not None:
        statement = statement.where(PRODUCTS.c.id > after)
    rows = session.execute(statement.order_by(PRODUCTS.c.id).limit(limit + 1)).mappings().all()
    shown = rows[:limit]
    skus = _skus_with_stock(session, [row["id"] for row in shown])
    products = [
        {**row, "skus": [sku for sku in skus if sku["product_id"] == row["id"]]} for row in shown
    ]
    return products, (shown[-1]["id"] if len(rows) > limit else None)


def _skus_with_stock(session: Session, products: list[UUID]) -> list[dict[str, Any]]:
    rows = session.execute(
        WITH_STOCK.where(SKUS.c.product_id.in_(products)).order_by(SKUS.c.position, SKUS.c.id)
    ).mappings()
    return [dict(row) for row in rows]


def _managed(statement: Select[Any], actor: Actor) -> Select[Any]:
    """Rows of the actor's own cooperatives; all of them for the system itself."""
    if actor.system:
        return statement
    return statement.where(PRODUCTS.c.cooperative_id.in_(actor.cooperative_ids))


def _one(session: Session, statement: Select[Any]) -> Any:
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return row
