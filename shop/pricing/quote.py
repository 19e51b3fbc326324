"""Pricing a basket from what the catalogue holds now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shop.catalog.for_orders import SkuForPricing, skus_for_pricing
from shop.context import Ctx
from shop.divisions import lookup
from shop.errors import Invalid, Words
from shop.pricing.freight import parsed_template
from shop.pricing.rules import quote
from shop.pricing.values import PricedLine, Quote

Items = Sequence[tuple[str, int]]
"""(SKU code, quantity)."""


@dataclass(frozen=True, slots=True)
class Basket:
    """A quote with the catalogue rows it was made from, by SKU code."""

    quote: Quote
    skus: Mapping[str, SkuForPricing]


def price_basket(
    ctx: Ctx,
    items: Items,
    division_code: str | None = None,
    discounts: Mapping[str, int] | None = None,
) -> Quote:
    """What `items` cost, delivered to a division; without one no freight is charged.

    Raises:
        Invalid: `division_unknown`, there is no such county.
    """
    return load_basket(ctx, items, division_code, discounts).quote


def load_basket(
    ctx: Ctx,
    items: Items,
    division_code: str | None = None,
    discounts: Mapping[str, int] | None = None,
) -> Basket:
    """`price_basket`, keeping the rows: one SQL statement however many items."""
    rows = {row.code: row for row in skus_for_pricing(ctx.session, [sku for sku, _ in items])}
    lines = [
        _line(ctx, rows[sku], quantity, (discounts or {}).get(sku, 0))
        for sku, quantity in items
        if sku in rows
    ]
    unknown = [sku for sku, _ in items if sku not in rows]
    return Basket(quote(lines, province_of(division_code), unknown), rows)


def province_of(division_code: str | None) -> str | None:
    """The two digits of the province a division lies in.

    Raises:
        Invalid: `division_unknown`.
    """
    if division_code is None:
        return None
    path = lookup(division_code)
    if path is None:
        raise Invalid(
            "没有这个地区，请重新选择省、市、区县",
            "There is no such division",
            code="division_unknown",
            fields={"division_code": [Words("没有这个地区", "There is no such division")]},
        )
    return path.province_code


def _line(ctx: Ctx, row: SkuForPricing, quantity: int, discount_fen: int) -> PricedLine:
    return PricedLine(
        sku_id=row.id,
        sku_code=row.code,
        product_id=row.product_id,
        name=row.product_name,
        name_en=row.product_name_en,
        spec=row.name,
        cooperative_id=row.cooperative_id,
        cooperative_code=row.cooperative_code,
        cooperative_name=row.cooperative_name,
        quantity=quantity,
        unit_price_fen=row.price_fen,
        weight_g=row.weight_g,
        template=parsed_template(row.template_id, row.template),
        available=row.available,
        discount_fen=discount_fen,
        listed=row.listed,
        in_season=row.in_season(ctx.now),
    )
