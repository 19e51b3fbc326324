"""A SKU as its cooperative's manager works on it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.catalog import Product
from shop.catalog.queries import managed_sku_with_stock
from shop.context import Ctx

PRODUCTS = Product.__table__


def sku_on_desk(ctx: Ctx, code: str) -> dict[str, Any]:
    """A SKU that the actor may manage, with its stock and the product it belongs to.

    The product's name, name_en, slug and state stand under `product`.

    Raises:
        NotFound: there is none, or it belongs to another cooperative.
    """
    sku = managed_sku_with_stock(ctx.session, ctx.actor, code)
    product = ctx.session.execute(
        select(PRODUCTS.c.name, PRODUCTS.c.name_en, PRODUCTS.c.slug, PRODUCTS.c.state).where(
            PRODUCTS.c.id == sku["product_id"]
        )
    ).mappings()
    return {**sku, "product": dict(product.one())}
