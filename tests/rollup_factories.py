"""Reports asked through roll-ups and straight from the entries, and a record full of corrections."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from models.aid import AidEntry, AidEntryKind, AidRollup, AidRollupCell
from models.identity import BuyerKind
from models.organization import Purpose
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.reports import jobs, rollups
from shop.reports.figures import from_entries
from shop.reports.queries import SalesReport, sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import FOREIGN, TEA, WALNUT, outside, part, refund, sell

ENTRIES, ROLLUPS, CELLS = AidEntry.__table__, AidRollup.__table__, AidRollupCell.__table__

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))
SHEET = SalesQuery(YEAR.start, YEAR.end, ("month", "unit", "channel"))
"""The question of the monthly sheet."""

Figures = list[tuple[Any, ...]]


def ask(transactions: Transactions, query: SalesQuery = SHEET) -> SalesReport:
    with transactions.begin() as ctx:
        return sales(ctx, query)


def told(report: SalesReport) -> tuple[Any, ...]:
    """Everything that a report says, in the order in which it says it."""
    return [list(row.items()) for row in report.rows], report.totals, report.definition


def straight(transactions: Transactions, query: SalesQuery = SHEET) -> tuple[Any, ...]:
    """The same report from the entries alone."""
    with transactions.begin() as ctx:
        forgotten = SalesQuery(query.start, query.end, query.group_by, query.basis, query.filters)
        ctx.session.execute(ROLLUPS.delete())
        report = told(sales(ctx, forgotten))
        ctx.session.execute(CELLS.delete())
        ctx.session.rollback()
        return report


def as_stored(transactions: Transactions) -> Figures:
    """Every cell of every roll-up."""
    with transactions.begin() as ctx:
        cells = select(ROLLUPS.c.key, *(c for c in CELLS.c if c.name != "rollup_id"))
        return sorted(
            (tuple(map(str, row)) for row in ctx.session.execute(cells.join_from(ROLLUPS, CELLS)))
        )
