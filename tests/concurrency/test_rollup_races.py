"""Entries become part of a roll-up once, in whatever order their transactions commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from shop.context import Ctx, Transactions
from shop.reports import rollups
from shop.reports.queries import sales
from tests.aid_factories import part, sell
from tests.rollup_factories import (
    ROLLUPS,
    SHEET,
    Life,
    ask,
    bring_up,
    nothing_rolled_up,
    roll_up,
    straight,
    told,
)

pytestmark = pytest.mark.race

Figures = tuple[int, int, int]


def paid(transactions: Transactions) -> Figures:
    totals = ask(transactions).totals
    return totals["paid_goods_fen"], totals["orders"], totals["buyers"]


def quick_sale(transactions: Transactions, fen: int = 7) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=fen), buyer="user:quick")


@contextmanager
def slow_sale(transactions: Transactions, fen: int = 5) -> Iterator[Callable[[], None]]:
    """A sale that is written at once and committed when the yielded is called."""
    written, may_commit = threading.Event(), threading.Event()

    def run() -> None:
        with transactions.begin() as ctx:
            sell(ctx, "2026-03-10T10:00:00", part(fen=fen), buyer="user:slow")
            written.set()
            may_commit.wait(20)

    def commit() -> None:
        may_commit.set()
        thread.join(20)

    thread = threading.Thread(target=run)
    thread.start()
    assert written.wait(20)
    yield commit
    commit()


def overtaken(transactions: Transactions) -> tuple[Figures, Figures, Figures]:
    """A sale overtakes another and is rolled up: what a report says then, later and at last."""
    ask(transactions)
    bring_up(transactions)
    quick_sale(transactions)
    with slow_sale(transactions) as commit:
        quick_sale(transactions)
        bring_up(transactions)
        then = paid(transactions)
        commit()
        later = paid(transactions)
    roll_up(transactions)
    return then, later, paid(transactions)


def test_who_commits_after_a_roll_up_is_neither_lost_nor_doubled(transactions):
    assert overtaken(transactions) == ((14, 2, 1), (19, 3, 2), (19, 3, 2))


def test_control_without_the_horizon_the_late_one_is_lost(transactions, monkeypatch):
    monkeypatch.setattr(rollups, "_running", rollups._to_come)
    assert overtaken(transactions) == ((14, 2, 1), (14, 2, 1), (14, 2, 1))


def test_nobody_waits_for_a_roll_up(transactions, time):
    """Its rows are locked while it is brought up, and both a sale and a report pass by."""
    ask(transactions)
    roll_up(transactions)
    time.forward(hours=1)
    with transactions.begin() as ctx:
        ctx.session.execute(select(ROLLUPS).with_for_update(key_share=True)).all()
        there = []
        other = threading.Thread(
            target=lambda: there.append((quick_sale(transactions), paid(transactions)))
        )
        other.start()
        other.join(10)
        assert there == [(None, (7, 1, 1))]


def at_once(transactions: Transactions, together: Any) -> tuple[Any, Any]:
    """Two workers bring the same roll-up up: what a report says then, and what the entries say."""
    for _ in range(3):
        quick_sale(transactions)
    together(*[partial(bring_up, transactions)] * 2)
    return told(ask(transactions)), straight(transactions)


def test_two_workers_add_what_is_new_once(transactions, together):
    ask(transactions)
    roll_up(transactions)
    rolled_up, entries = at_once(transactions, together)
    assert rolled_up == entries


def test_control_without_the_lock_they_add_it_twice(transactions, together, monkeypatch):
    ask(transactions)
    roll_up(transactions)
    both_have_read = threading.Barrier(2)

    def unlocked(ctx: Ctx, rollup_id: Any) -> Any:
        columns = (ROLLUPS.c.question, ROLLUPS.c.horizon, ROLLUPS.c.cluster)
        found = select(*columns, rollups._cluster().label("ours")).where(ROLLUPS.c.id == rollup_id)
        row = ctx.session.execute(found).one()
        both_have_read.wait(20)
        return row

    monkeypatch.setattr(rollups, "_claimed", unlocked)
    monkeypatch.setattr(rollups, "_running", rollups._to_come)  # tests beside us must not save it
    rolled_up, entries = at_once(transactions, together)
    assert rolled_up != entries


def test_at_every_moment_a_report_says_what_the_entries_say(transactions, together):
    """Two write, one rolls up, one reads the same snapshot both ways."""
    ask(transactions)
    roll_up(transactions)
    writing = [threading.Event(), threading.Event()]
    seen: set[int] = set()

    def write(seed: int) -> None:
        Life(seed).go_on(transactions, 15)
        writing[seed].set()

    def work() -> None:
        while not all(done.is_set() for done in writing):
            bring_up(transactions)

    def read() -> None:
        while not all(done.is_set() for done in writing):
            rolled_up, entries = same_snapshot(transactions)
            assert rolled_up == entries
            seen.add(entries[1]["paid_goods_fen"])

    results = together(partial(write, 0), partial(write, 1), work, read)
    assert (results, len(seen) > 1) == ([None] * 4, True)


def same_snapshot(transactions: Transactions) -> tuple[Any, Any]:
    with transactions.begin() as ctx:
        ctx.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        rolled_up = told(sales(ctx, SHEET))
        with nothing_rolled_up():
            return rolled_up, told(sales(ctx, SHEET))
