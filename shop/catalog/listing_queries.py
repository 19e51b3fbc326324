"""The shelves: filtered, sorted, page by page, with counts to filter further by.

Two statements, however many products there are and however many are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, true, tuple_

from models.catalog import Category, Cooperative, Product, Sku
from models.inventory import Stock
from shop.catalog.filters import ProductFilter, conditions, ranking
from shop.catalog.rules import Availability, SaleState, availability, next_turn, sale_state
from shop.context import Ctx

P = Product.__table__.c
S = Sku.__table__.c
C = Category.__table__.c
W = Cooperative.__table__.c
STOCK = Stock.__table__.c

Key = tuple[int, UUID]
"""Where a page ended: the sort's number and the product."""


@dataclass(frozen=True, slots=True)
class ProductItem:
    """A product as the shelf shows it. Prices in fen, from the cheapest to the dearest SKU."""

    id: UUID
    code: str
    slug: str
    name: str
    name_en: str
    category: str
    cooperative: dict[str, str]
    image_url: str | None
    price_fen: int
    price_max_fen: int
    available: int
    availability: Availability
    on_sale: bool
    sale_from: datetime | None
    sale_until: datetime | None
    ship_by: date | None
    aid_certified: bool
    age_restricted: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """How many products a further filter would leave."""

    code: str
    name: str
    name_en: str
    count: int


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page; `next_key` is where the next begins, None on the last."""

    items: list[ProductItem]
    next_key: Key | None
    facets: dict[str, list[Facet]]

    @property
    def shows(self) -> dict[UUID, Availability]:
        """The tags by product, for whoever keeps the page (`shop.catalog.cache.Built`)."""
        return {item.id: availability(item.available) for item in self.items}

    def until(self, now: datetime) -> datetime | None:
        """When the first sale on this page begins or ends."""
        turns = (turn for item in self.items for turn in (item.sale_from, item.sale_until))
        return next_turn(now, *turns)


def list_products(
    ctx: Ctx, wanted: ProductFilter, *, limit: int, after: Key | None = None
) -> ProductPage:
    """One page of the products on the shelf, and the counts by category and cooperative."""
    rows = ctx.session.execute(_page(ctx, wanted, limit + 1, after)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return ProductPage(
        items=[_item(ctx, row) for row in rows],
        next_key=(rows[-1].sort_key, rows[-1].id) if more else None,
        facets=_facets(ctx, wanted),
    )


def _page(ctx: Ctx, wanted: ProductFilter, limit: int, after: Key | None) -> Select[Any]:
    by = ranking(ctx, wanted)
    chosen = select(P.id, by.key.label("sort_key")).where(*conditions(ctx, wanted))
    if by.figures is not None:
        chosen = chosen.outerjoin(by.figures, by.figures.c.product_id == P.id)
    if after is not None:
        chosen = chosen.where(tuple_(by.key, P.id) > tuple_(*after))
    page = chosen.order_by("sort_key", P.id).limit(limit).cte("page")
    offered = (
        select(
            func.min(S.price_fen).label("price_fen"),
            func.max(S.price_fen).label("price_max_fen"),
            func.coalesce(func.sum(func.coalesce(STOCK.on_hand - STOCK.reserved, 0)), 0).label(
                "available"
            ),
        )
        .select_from(Sku.__table__.outerjoin(Stock.__table__, STOCK.sku_id == S.id))
        .where(S.product_id == page.c.id, S.active)
        .lateral("offered")
    )
    return (
        select(
            page.c.sort_key,
            P.id,
            P.code,
            P.slug,
            P.name,
            P.name_en,
            P.image,
            P.sale_from,
            P.sale_until,
            P.ship_by,
            P.aid_certified,
            P.age_restricted,
            C.code.label("category"),
            W.code.label("cooperative_code"),
            W.name.label("cooperative_name"),
            W.name_en.label("cooperative_name_en"),
            offered.c.price_fen,
            offered.c.price_max_fen,
            offered.c.available,
        )
        .select_from(page)
        .join(Product.__table__, P.id == page.c.id)
        .join(Category.__table__, C.id == P.category_id)
        .join(Cooperative.__table__, W.id == P.cooperative_id)
        .join(offered, true())
        .order_by(page.c.sort_key, page.c.id)
    )


def _item(ctx: Ctx, row: Any) -> ProductItem:
    on_sale = sale_state(ctx.now, row.sale_from, row.sale_until) is SaleState.OPEN
    available = int(row.available)
    return ProductItem(
        id=row.id,
        code=row.code,
        slug=row.slug,
        name=row.name,
        name_en=row.name_en,
        category=row.category,
        cooperative={
            "code": row.cooperative_code,
            "name": row.cooperative_name,
            "name_en": row.cooperative_name_en,
        },
        image_url=row.image,
        price_fen=row.price_fen,
        price_max_fen=row.price_max_fen,
        available=available,
        availability=availability(available, on_sale=on_sale),
        on_sale=on_sale,
        sale_from=row.sale_from,
        sale_until=row.sale_until,
        ship_by=row.ship_by,
        aid_certified=row.aid_certified,
        age_restricted=row.age_restricted,
    )


def _facets(ctx: Ctx, wanted: ProductFilter) -> dict[str, list[Facet]]:
    """Each count leaves its own filter aside, so that one can change one's mind."""
    counted = (
        select(P.category_id, P.cooperative_id, func.count().label("products"))
        .where(*conditions(ctx, replace(wanted, category=None, cooperative=None)))
        .group_by(P.category_id, P.cooperative_id)
        .subquery()
    )
    rows = ctx.session.execute(
        select(
            C.code,
            C.slug,
            C.name,
            C.name_en,
            W.code.label("seller"),
            W.name.label("seller_name"),
            W.name_en.label("seller_name_en"),
            counted.c.products,
        )
        .select_from(counted)
        .join(Category.__table__, C.id == counted.c.category_id)
        .join(Cooperative.__table__, W.id == counted.c.cooperative_id)
        .order_by(C.position, W.code)
    ).all()
    shelf, seller = wanted.category, wanted.cooperative
    by_category = (
        Facet(row.code, row.name, row.name_en, row.products)
        for row in rows
        if seller in (None, row.seller)
    )
    by_cooperative = (
        Facet(row.seller, row.seller_name, row.seller_name_en, row.products)
        for row in sorted(rows, key=lambda row: str(row.seller))
        if shelf in (None, row.code, row.slug)
    )
    return {"category": _summed(by_category), "cooperative": _summed(by_cooperative)}


def _summed(facets: Iterable[Facet]) -> list[Facet]:
    """One for each code, in the order in which the codes first come."""
    found: dict[str, Facet] = {}
    for facet in facets:
        before = found.get(facet.code)
        found[facet.code] = replace(facet, count=facet.count + before.count) if before else facet
    return list(found.values())
