"""Reports asked through roll-ups and straight from the entries, and a record full of corrections."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import func, insert, select

from models.aid import AidEntry, AidEntryKind, AidRollup, AidRollupCell
from models.identity import BuyerKind
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.reports import rollups
from shop.reports.queries import SalesReport, sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import FOREIGN, TEA, WALNUT, outside, part, refund, sell

ENTRIES, ROLLUPS, CELLS = AidEntry.__table__, AidRollup.__table__, AidRollupCell.__table__

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))
SHEET = replace(YEAR, group_by=("month", "unit", "channel"))
"""The question of the monthly sheet."""


def ask(transactions: Transactions, query: SalesQuery = SHEET) -> SalesReport:
    with transactions.begin() as ctx:
        return sales(ctx, query)


def told(report: SalesReport) -> tuple[Any, ...]:
    """Everything that a report says, in the order in which it says it."""
    return [list(row.items()) for row in report.rows], report.totals, report.definition


@contextmanager
def nothing_rolled_up() -> Iterator[None]:
    """Reports sum the entries and leave no trace."""
    with patch.object(rollups, "find", lambda *_: None), patch.object(rollups, "note"):
        yield


def straight(transactions: Transactions, query: SalesQuery = SHEET) -> tuple[Any, ...]:
    """What a report says without roll-ups."""
    with nothing_rolled_up():
        return told(ask(transactions, query))


def bring_up(transactions: Transactions) -> None:
    """Every roll-up once, to wherever the horizon is."""
    with transactions.begin() as ctx:
        every = ctx.session.execute(select(ROLLUPS.c.id)).scalars().all()
    for rollup in every:
        with transactions.begin() as ctx:
            rollups.bring_up(ctx, rollup)


def roll_up(transactions: Transactions, patience: float = 30) -> None:
    """Until everything is rolled up: tests beside us hold the server's horizon back."""
    deadline = clock.monotonic() + patience
    behind = ENTRIES.c.xid >= select(func.min(ROLLUPS.c.horizon)).scalar_subquery()
    while True:
        bring_up(transactions)
        with transactions.begin() as ctx:
            if not ctx.session.execute(select(ENTRIES.c.id).where(behind)).first():
                return
        assert clock.monotonic() < deadline, "a transaction holds the horizon back"
        clock.sleep(0.05)


def cells(transactions: Transactions) -> list[tuple[str, ...]]:
    """Every cell of every roll-up."""
    held = select(ROLLUPS.c.key, *(column for column in CELLS.c if column.name != "rollup_id"))
    with transactions.begin() as ctx:
        rows = ctx.session.execute(held.join(CELLS, CELLS.c.rollup_id == ROLLUPS.c.id)).all()
    return sorted(tuple(map(str, row)) for row in rows)


class Life:
    """Sales, refunds, imports, and corrections of all of them, as chance has it.

    Nobody corrects what another has written: of two that would take the same entry back at the
    same moment, the table refuses one.
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.chance = seed, Random(seed)
        self.lines: set[UUID] = set()

    def go_on(self, transactions: Transactions, days: int = 8) -> None:
        """Some transactions with some moves each; the last one takes everything back."""
        moves = (self.sell, self.sell, self.sell, self.refund, self.outside, self.undo, self.move)
        for _ in range(days):
            with transactions.begin() as ctx:
                for _ in range(self.chance.randint(1, 4)):
                    self.chance.choice(moves)(ctx)

    def moment(self) -> str:
        return f"2026-{self.chance.randint(1, 12):02}-{self.chance.randint(1, 28):02}T12:00:00"

    def sell(self, ctx: Ctx) -> None:
        any_of = self.chance.choice
        lines = [
            part(
                any_of([TEA, WALNUT, FOREIGN]),
                self.chance.randint(0, 9999),
                any_of([1, 2, 5]),
                any_of([0, 600]),
            )
            for _ in range(any_of([1, 1, 2, 3]))
        ]
        self.lines.update(line.order_line_id for line in lines)
        sell(
            ctx,
            self.moment(),
            *lines,
            buyer=f"user:{self.chance.randint(1, 6)}",
            kind=any_of(list(BuyerKind)),
            unit=any_of([None, "U01", "U03", "U13"]),
            channel=any_of(["direct", "livestream"]),
            campaign=any_of([None, "K1"]),
        )

    def refund(self, ctx: Ctx) -> None:
        for entry in self._some(ctx, AidEntryKind.SALE):
            line = replace(part(), order_line_id=entry["order_line_id"])
            try:
                refund(ctx, line, self.moment(), self.chance.randint(1, 5000))
            except Conflict:
                continue

    def outside(self, ctx: Ctx) -> None:
        number = f"832-{self.seed}-{self.chance.randint(1, 5)}"
        found = select(func.count()).where(ENTRIES.c.order_number == number)
        line = ctx.session.execute(found).scalar_one() + 1
        outside(ctx, self.moment(), number, self.chance.randint(1, 9999), external_line_no=line)

    def undo(self, ctx: Ctx) -> None:
        for entry in self._some(ctx, AidEntryKind.IMPORT):
            copy(ctx, entry, AidEntryKind.IMPORT_UNDO, -1)

    def move(self, ctx: Ctx) -> None:
        for entry in self._some(ctx, AidEntryKind.SALE):
            moved = {"unit_code": "U07", "unit_name": "新闻学院"}
            copy(ctx, entry, AidEntryKind.REATTRIBUTED_OUT, -1)
            copy(ctx, entry, AidEntryKind.REATTRIBUTED_IN, 1, **moved)

    def _some(self, ctx: Ctx, kind: AidEntryKind) -> list[Any]:
        """One entry of our own, or none; never one that has been taken back."""
        ours = ENTRIES.c.order_line_id.in_(self.lines)
        if kind is AidEntryKind.IMPORT:
            ours = ENTRIES.c.order_number.startswith(f"832-{self.seed}-")
        taken = select(ENTRIES.c.cause_id).where(
            ENTRIES.c.kind.in_((AidEntryKind.IMPORT_UNDO, AidEntryKind.REATTRIBUTED_OUT))
        )
        wanted = select(ENTRIES).where(ENTRIES.c.kind == kind, ours, ENTRIES.c.id.not_in(taken))
        rows = ctx.session.execute(wanted.order_by(ENTRIES.c.id)).mappings().all()
        return [self.chance.choice(rows)] if rows else []


def copy(ctx: Ctx, entry: Any, kind: AidEntryKind, sign: int, **change: Any) -> None:
    """An entry that corrects another: its cause is the corrected one."""
    amounts = {
        name: sign * entry[name] for name in ("quantity", "weight_g", "goods_fen", "freight_fen")
    }
    later = {"day": entry["day"] + timedelta(days=40), "at": entry["at"] + timedelta(days=40)}
    ctx.session.execute(
        insert(ENTRIES).values(
            {
                **entry,
                **amounts,
                **later,
                **change,
                "id": new_id(),
                "kind": kind,
                "cause_id": entry["id"],
            }
        )
    )
