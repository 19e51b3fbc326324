"""The SQL of the reports, built from a checked query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)

from models.aid import AidEntry, AidEntryKind
from models.organization import AidClass
from shop.reports.definitions import DIMENSIONS, MEASURES, NOT_GIVEN, Choice, Coded, Period
from shop.reports.rules import SalesQuery

ENTRIES = AidEntry.__table__

ADDS = (AidEntryKind.SALE, AidEntryKind.IMPORT, AidEntryKind.REATTRIBUTED_IN)
TAKES_BACK = (AidEntryKind.IMPORT_UNDO, AidEntryKind.REATTRIBUTED_OUT)
"""Corrections of a sale itself; a refund is neither: the sale stays a sale."""

DATE_WIDTH = 10
"""Characters of `2026-03-31`, which stand before a name while the latest one is looked for."""


def period_day(query: SalesQuery) -> ColumnElement[date]:
    """The day that decides about an entry's period, by the query's basis."""
    return ENTRIES.c.sale_day if query.basis == "cohort" else ENTRIES.c.day


def conditions(query: SalesQuery) -> ColumnElement[bool]:
    """Which entries a query is about; figures and the list behind them ask the same."""
    day = period_day(query)
    return and_(
        day >= query.start,
        day < query.end,
        *(_passes(query, name) for name in query.filters),
    )


def _passes(query: SalesQuery, name: str) -> ColumnElement[bool]:
    dimension = DIMENSIONS[name]
    wanted = query.wanted(name)
    if isinstance(dimension, Period):
        spelled = func.to_char(cast(period_day(query), DateTime), dimension.spelling)
        return spelled.in_(wanted)
    column = _code(name)
    named = column.in_([value for value in wanted if value != NOT_GIVEN])
    return or_(named, column.is_(None)) if NOT_GIVEN in wanted else named


def _code(name: str) -> ColumnElement[Any]:
    return ENTRIES.c[name] if isinstance(DIMENSIONS[name], Choice) else ENTRIES.c[f"{name}_code"]


def figures(query: SalesQuery, dimensions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Sums by order first, so that orders and buyers are counted once however many lines."""
    inner = _by_order(query, dimensions)
    counted = inner.c.sold > 0
    measures = (
        func.count().filter(counted).label("orders"),
        func.count(inner.c.buyer_key.distinct()).filter(counted).label("buyers"),
        *(_whole(inner.c[name]).label(name) for name in MEASURES if name in inner.c),
    )
    if not dimensions:
        return select(
            *measures, func.array_agg(inner.c.rule_set_code.distinct()).label("rule_sets")
        )
    return (
        select(*_labelled(inner, dimensions), *measures)
        .group_by(*(inner.c[f"by_{name}"] for name in dimensions))
        .order_by(*(inner.c[f"by_{name}"].asc().nulls_last() for name in dimensions))
    )


def _by_order(query: SalesQuery, dimensions: Sequence[str]) -> Subquery:
    """One row an order in each cell. An order has one buyer and, decided once, one rule set."""
    # Not labelled by the bare name: GROUP BY would take `day` for the column of that name.
    keys = [_key(query, name).label(f"by_{name}") for name in dimensions]
    names = [
        func.max(cast(ENTRIES.c.sale_day, Text) + ENTRIES.c[f"{name}_name"]).label(f"{name}_name")
        for name in dimensions
        if isinstance(DIMENSIONS[name], Coded)
    ]
    order = (ENTRIES.c.platform_code, ENTRIES.c.order_number, ENTRIES.c.buyer_key)
    kind, goods, aid_class = ENTRIES.c.kind, ENTRIES.c.goods_fen, ENTRIES.c.aid_class
    refund = kind == AidEntryKind.REFUND
    return (
        select(
            *keys,
            *names,
            ENTRIES.c.buyer_key,
            func.max(ENTRIES.c.rule_set_code).label("rule_set_code"),
            func.sum(case((kind.in_(ADDS), 1), (kind.in_(TAKES_BACK), -1), else_=0)).label("sold"),
            _sum(ENTRIES.c.quantity, ~refund).label("units_sold"),
            _sum(goods, ~refund).label("paid_goods_fen"),
            (-_sum(goods, refund)).label("refunded_goods_fen"),
            _sum(goods, aid_class.is_not(None)).label("aid_amount_fen"),
            _sum(goods, aid_class == AidClass.DIRECT_PURCHASE).label("direct_purchase_fen"),
            _sum(goods, aid_class == AidClass.HELP_SELL).label("help_sell_fen"),
            func.sum(ENTRIES.c.freight_fen).label("freight_fen"),
        )
        .where(conditions(query))
        .group_by(*keys, *order)
        .subquery()
    )


def _key(query: SalesQuery, name: str) -> ColumnElement[Any]:
    """What rows are told apart by; a period by its first day."""
    if isinstance(DIMENSIONS[name], Period):
        return func.date_trunc(name, cast(period_day(query), DateTime))
    return _code(name)


def _labelled(inner: Subquery, dimensions: Sequence[str]) -> list[ColumnElement[Any]]:
    columns: list[ColumnElement[Any]] = []
    for name in dimensions:
        dimension = DIMENSIONS[name]
        key = inner.c[f"by_{name}"]
        if isinstance(dimension, Period):
            columns.append(func.to_char(key, dimension.spelling).label(name))
            continue
        columns.append(key.label(name))
        if isinstance(dimension, Coded):
            latest = func.max(inner.c[f"{name}_name"])
            columns.append(func.substr(latest, DATE_WIDTH + 1).label(f"{name}_name"))
    return columns


def _sum(column: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column).filter(where), 0)


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A sum of bigints is numeric in PostgreSQL; money is whole."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
