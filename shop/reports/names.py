"""What codes are called today. An entry keeps the name of its day, in Chinese."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select

from models.catalog import Category, Cooperative, Product, Sku
from models.organization import Campaign, Channel, SalesPlatform, Storefront, Unit
from shop.catalog.sizes import size_name
from shop.context import Ctx
from shop.reports.definitions import FILTERS, NOT_GIVEN, Choice, Coded, Part
from shop.reports.rules import SalesQuery

NAMED: dict[str, Table] = {
    "platform": SalesPlatform.__table__,
    "storefront": Storefront.__table__,
    "channel": Channel.__table__,
    "campaign": Campaign.__table__,
    "unit": Unit.__table__,
    "within_unit": Unit.__table__,
    "cooperative": Cooperative.__table__,
    "category": Category.__table__,
    "product": Product.__table__,
    "sku": Sku.__table__,
}


def filter_texts(ctx: Ctx, query: SalesQuery) -> dict[str, str]:
    """What each filter of a checked query lets through, in the reader's language."""
    comma = "、" if ctx.language.startswith("zh") else ", "
    found = {}
    for name in query.filters:
        wanted = query.wanted(name)
        names = _names(ctx, name, wanted) if name in NAMED else {}
        found[name] = comma.join(_said(ctx, name, value, names) for value in wanted)
    return found


def in_english(
    ctx: Ctx, rows: Sequence[dict[str, Any]], dimensions: Collection[str], code: str = "{}"
) -> list[dict[str, Any]]:
    """The rows of a report or a list with today's English names, for who does not read Chinese.

    What has none keeps its name. `code` is how a row calls the code of a dimension. A file that is
    handed in is not for this: it keeps the names of the day.
    """
    told = list(rows)
    if ctx.language.startswith("zh"):
        return told
    if "sku" in dimensions:
        told = [{**row, "sku_name": size_name(row["sku_name"], ctx.language)} for row in told]
    for name in dimensions:
        if name not in NAMED or "name_en" not in NAMED[name].c:
            continue
        key = code.format(name)
        names = _names(ctx, name, {row[key] for row in told if row[key] is not None})
        told = [{**row, f"{name}_name": names.get(row[key], row[f"{name}_name"])} for row in told]
    return told


def _names(ctx: Ctx, name: str, codes: Collection[str]) -> dict[str, str]:
    """Names by code; a code of another platform that we do not know has none."""
    table = NAMED[name]
    rows = ctx.session.execute(select(table).where(table.c.code.in_(codes))).mappings()
    chinese = ctx.language.startswith("zh")
    return {
        row["code"]: row["name"]
        if chinese
        else row.get("name_en") or size_name(row["name"], ctx.language)
        for row in rows
    }


def _said(ctx: Ctx, name: str, value: str, names: Mapping[str, str]) -> str:
    one = FILTERS[name]
    if isinstance(one, (Choice, Part)) and value in one.values:
        return one.values[value].in_(ctx.language)
    if value == NOT_GIVEN and isinstance(one, (Choice, Coded)):
        return one.empty.in_(ctx.language)
    return names.get(value, value)
