"""A thousand products with stock: the demonstration's own goods, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from models.catalog import ListingState, Product, Sku
from shop.catalog.commands import bump_version, index_product
from shop.context import Ctx
from shop.ids import new_id
from shop.inventory.commands import open_stock

PRODUCTS, SKUS = Product.__table__, Sku.__table__

PIECES = 1_000_000
"""Of each: nobody runs out of anything while we measure something else."""

Row = dict[str, Any]


def fill(ctx: Ctx, count: int = 1_000) -> None:
    """Offer `count` products more, each with one SKU, copied from the demonstration in turn."""
    patterns = _patterns(ctx)
    copies = [_copy(ctx, patterns[number % len(patterns)], number) for number in range(count)]
    _write(ctx, copies, PIECES)


def offer(ctx: Ctx, name: str, pieces: int) -> str:
    """Offer one product of which there are so many `pieces`; its slug."""
    product, sku = _copy(ctx, _patterns(ctx)[0], 0)
    product |= {"code": name, "slug": name}
    sku |= {"code": f"{name}-1"}
    _write(ctx, [(product, sku)], pieces)
    return name


def _patterns(ctx: Ctx) -> list[tuple[Row, Row]]:
    """What the demonstration sells all year, to anybody: (product, its first SKU)."""
    products = ctx.session.execute(
        select(PRODUCTS)
        .where(PRODUCTS.c.sale_from.is_(None), PRODUCTS.c.code.regexp_match("^P[0-9]{2}$"))
        .order_by(PRODUCTS.c.code)
    ).mappings()
    first = {
        row["product_id"]: dict(row)
        for row in ctx.session.execute(
            select(SKUS).order_by(SKUS.c.product_id, SKUS.c.position.desc())
        ).mappings()
    }
    return [(dict(product), first[product["id"]]) for product in products]


def _copy(ctx: Ctx, pattern: tuple[Row, Row], number: int) -> tuple[Row, Row]:
    product, sku = pattern
    key = new_id()
    return (
        product
        | {
            "id": key,
            "code": f"B{number:04}",
            "slug": f"bench-{number:04}",
            "name": f"{product['name']} {number:04}",
            "state": ListingState.LISTED,
            "search": "",
            "created_at": ctx.now,
        },
        sku
        | {
            "id": new_id(),
            "product_id": key,
            "code": f"B{number:04}-1",
            "gtin": None,
            "price_fen": 1_000 + number * 37 % 9_000,
        },
    )


def _write(ctx: Ctx, copies: Sequence[tuple[Row, Row]], pieces: int) -> None:
    ctx.session.execute(insert(PRODUCTS), [product for product, _ in copies])
    ctx.session.execute(insert(SKUS), [sku for _, sku in copies])
    open_stock(ctx, {sku["id"]: pieces for _, sku in copies})
    for product, _ in copies:
        index_product(ctx, product["id"])
    bump_version(ctx)
