"""The demonstration's reference data (units, channels, rule sets, …) and its catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select

from models.catalog import Category, Cooperative, FreightTemplateRow, ListingState, Product, Sku
from models.organization import (
    Campaign,
    Channel,
    RuleSetRow,
    SalesPlatform,
    Storefront,
    Target,
    Unit,
)
from shop.aid.rules import parse_rule_set
from shop.catalog.commands import bump_version, index_product
from shop.clock import day_start
from shop.context import Ctx
from shop.ids import new_id
from shop.inventory.commands import open_stock
from shop.pricing.freight import parse_template
from shop.seed.data import day, demo, moment

Row = dict[str, Any]


def load_reference(ctx: Ctx) -> None:
    """Units with their targets, platforms, storefronts, channels, campaigns and rule sets."""
    data = demo()
    _write(ctx, SalesPlatform, data["platforms"])
    _write(ctx, Storefront, data["storefronts"])
    _write(ctx, Channel, data["channels"])
    _write(
        ctx,
        Campaign,
        [
            {**row, "starts_at": moment(row["starts_at"]), "ends_at": moment(row["ends_at"])}
            for row in data["campaigns"]
        ],
    )
    _write(ctx, RuleSetRow, [_rule_set(row) for row in data["rule_sets"]])
    _load_units(ctx, data)


def load_catalogue(ctx: Ctx) -> None:
    """Cooperatives, categories, freight templates, products with SKUs, and their first stock."""
    data = demo()
    categories = _write(
        ctx,
        Category,
        [{**row, "position": place} for place, row in enumerate(data["categories"], start=1)],
    )
    cooperatives = _write(ctx, Cooperative, [_cooperative(row) for row in data["cooperatives"]])
    templates = _load_templates(ctx, data, cooperatives)
    products = _write(
        ctx,
        Product,
        [
            {
                **_product(row),
                "category_id": categories[row["category"]],
                "cooperative_id": cooperatives[row["cooperative"]],
                "freight_template_id": templates[row["cooperative"], row["freight_template"]],
                "created_at": ctx.now,
            }
            for row in data["products"]
        ],
    )
    # The stock was there before the first of the worked orders took from it.
    opened = replace(ctx, now=day_start(date(data["target_year"], 1, 1)))
    _load_skus(opened, data["products"], products)
    for product_id in products.values():
        index_product(ctx, product_id)
    bump_version(ctx)


def _load_units(ctx: Ctx, data: Mapping[str, Any]) -> None:
    units = _write(
        ctx,
        Unit,
        [
            # With the union it is agreed that the money follows the goods (worked order S07).
            {**_without(row, "target_fen"), "pay_after_delivery": row["kind"] == "union"}
            for row in data["units"]
        ],
    )
    goals = [{**row, "unit_id": None} for row in data["targets"]] + [
        {
            "year": data["target_year"],
            "indicator": "aid_amount",
            "unit_id": units[row["code"]],
            "amount_fen": row["target_fen"],
        }
        for row in data["units"]
    ]
    ctx.session.execute(insert(Target), [{**row, "id": new_id()} for row in goals])


def _load_templates(
    ctx: Ctx, data: Mapping[str, Any], cooperatives: Mapping[str, UUID]
) -> dict[tuple[str, str], UUID]:
    """One row for each template that a cooperative uses; refused here if pricing cannot read it."""
    definitions = {row["code"]: row for row in data["freight_templates"]}
    used = dict.fromkeys((row["cooperative"], row["freight_template"]) for row in data["products"])
    keys = {pair: new_id() for pair in used}
    rows = []
    for (cooperative, code), key in keys.items():
        template = parse_template(definitions[code])
        rows.append(
            {
                "id": key,
                "cooperative_id": cooperatives[cooperative],
                "code": code,
                "name": template.name,
                "definition": definitions[code],
            }
        )
    ctx.session.execute(insert(FreightTemplateRow), rows)
    return keys


def _load_skus(ctx: Ctx, rows: Iterable[Row], products: Mapping[str, UUID]) -> None:
    offered = [
        {**sku, "product_id": products[row["code"]], "position": place}
        for row in rows
        for place, sku in enumerate(row["skus"], start=1)
    ]
    keys = _write(ctx, Sku, [_without(row, "stock") for row in offered])
    open_stock(ctx, {keys[row["code"]]: row["stock"] for row in offered})


def _rule_set(row: Row) -> Row:
    rules = parse_rule_set(row)
    return {
        "code": rules.code,
        "name": rules.name,
        "name_en": row.get("name_en"),
        "measure": rules.measure,
        "effective_from": rules.effective_from,
        "effective_to": rules.effective_to,
        "definition": _without(row, "name_en"),
    }


def _cooperative(row: Row) -> Row:
    return {
        **_without(row, "township"),
        "township_code": row["township"],
        "image": None,
        "demo": True,
    }


def _product(row: Row) -> Row:
    sale = row.get("sale") or {}
    last_day = day(sale.get("last_day"))
    return {
        **_without(row, "origin", "sale", "skus", "category", "cooperative", "freight_template"),
        "origin_division": row["origin"],
        "state": ListingState.LISTED,
        "image": f"/static/products/{row['code'].lower()}.svg",
        "sale_from": _start(day(sale.get("first_day"))),
        "sale_until": _start(last_day + timedelta(days=1)) if last_day else None,
        "ship_by": day(sale.get("ship_by")),
        "search": "",
    }


def _start(of: date | None) -> Any:
    return day_start(of) if of else None


def _without(row: Row, *keys: str) -> Row:
    return {key: value for key, value in row.items() if key not in keys}


def _write(ctx: Ctx, model: type[Any], rows: Sequence[Row]) -> dict[str, UUID]:
    """Insert rows that have a code; their new keys by code."""
    keys = {row["code"]: new_id() for row in rows}
    table: Table = model.__table__
    ctx.session.execute(insert(table), [{**row, "id": keys[row["code"]]} for row in rows])
    return keys


def loaded(ctx: Ctx) -> bool:
    """Whether there is a catalogue already."""
    return ctx.session.execute(select(Cooperative.id).limit(1)).first() is not None
