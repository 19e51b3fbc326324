"""Which entries a checked query is about, in SQL: the figures and the list behind them ask it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, FromClause, and_, cast, func, or_

from models.aid import AidEntry, AidEntryKind
from shop.clock import day_start
from shop.reports.definitions import (
    DIMENSIONS,
    FILTERS,
    GRACE_DAYS,
    NOT_GIVEN,
    Choice,
    Part,
    Period,
    Tree,
)
from shop.reports.rules import SalesQuery

ENTRIES = AidEntry.__table__

REFUNDS = (AidEntryKind.REFUND, AidEntryKind.REFUND_UNDO)


def period_day(query: SalesQuery, entries: FromClause = ENTRIES) -> ColumnElement[date]:
    """The day that decides about an entry's period, by the query's basis."""
    return entries.c.sale_day if query.basis == "cohort" else entries.c.day


def conditions(query: SalesQuery, entries: FromClause = ENTRIES) -> ColumnElement[bool]:
    """What an entry must be like to belong to the query, whose units stand with all below them."""
    day = period_day(query, entries)
    return and_(
        day >= query.start,
        day < query.end,
        *(_passes(query, name, entries) for name in query.filters),
    )


def code(name: str, entries: FromClause) -> ColumnElement[Any]:
    """The column of a dimension other than time."""
    return entries.c[name if isinstance(DIMENSIONS[name], Choice) else f"{name}_code"]


def _passes(query: SalesQuery, name: str, entries: FromClause) -> ColumnElement[bool]:
    asked, wanted = FILTERS[name], query.wanted(name)
    if isinstance(asked, Period):
        spelled = func.to_char(cast(period_day(query, entries), DateTime), asked.spelling)
        return spelled.in_(wanted)
    if isinstance(asked, Part):
        return or_(*(_in_part(query, name, value, entries) for value in wanted))
    if isinstance(asked, Tree):
        return entries.c.unit_code.in_(wanted)
    column = code(name, entries)
    named = column.in_([value for value in wanted if value != NOT_GIVEN])
    return or_(named, column.is_(None)) if NOT_GIVEN in wanted else named


def _in_part(query: SalesQuery, name: str, value: str, entries: FromClause) -> ColumnElement[bool]:
    returned = entries.c.kind.in_(REFUNDS)
    late = entries.c.recorded_at >= day_start(query.end + timedelta(days=GRACE_DAYS))
    parts: dict[tuple[str, str], ColumnElement[bool]] = {
        ("side", "sold"): ~returned,
        ("side", "refunded"): returned,
        ("recorded", "late"): late,
    }
    return parts[name, value]
