"""Figures from a roll-up and what came since are the figures of the entries, to the fen."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from models.aid import AidEntryKind
from models.organization import Unit
from shop.context import Transactions
from shop.reports import jobs, rollups
from shop.reports.definitions import DIMENSIONS
from shop.reports.figures import from_entries, from_rollup
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery, asked, query_of, question
from tests.aid_factories import outside, part, refund, sell, year_of_everything
from tests.conftest import Time, counted
from tests.rollup_factories import (
    CELLS,
    ENTRIES,
    ROLLUPS,
    SHEET,
    YEAR,
    Life,
    ask,
    bring_up,
    cells,
    copy,
    roll_up,
    straight,
    told,
)

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"unit": ("U03", "none")},
    {"buyer_kind": "staff", "cooperative": "C01"},
    {"month": ("2026-03", "2026-04", "2026-05")},
    {"aid_class": "none"},
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here runs side by side; what other tests have under way on the server is not ours."""
    monkeypatch.setattr(rollups, "_running", rollups._to_come)


PARTS = 3


def questions(seed: int) -> list[SalesQuery]:
    """A third of: every dimension, some pairs and triples, by both bases, with filters."""
    chance = Random(seed // PARTS)
    triples = chance.sample(list(combinations(DIMENSIONS, 3)), 3)
    pairs = chance.sample(list(combinations(DIMENSIONS, 2)), 3)
    groups: list[tuple[str, ...]] = [(), *((name,) for name in DIMENSIONS), *pairs, *triples]
    return [
        replace(YEAR, group_by=group, basis=basis, filters=chance.choice(FILTERS))
        for group in groups
        for basis in ("event", "cohort")
    ][seed % PARTS :: PARTS]


@pytest.mark.parametrize("seed", range(PARTS))
def test_whatever_happens_a_report_says_what_the_entries_say(
    transactions: Transactions, seed: int
) -> None:
    life, asked_for = Life(seed), questions(seed)
    life.go_on(transactions)
    for query in asked_for:
        ask(transactions, query)
    for days in (8, 0):
        roll_up(transactions)
        life.go_on(transactions, days)
        for query in asked_for:
            assert told(ask(transactions, query)) == straight(transactions, query), query


def test_what_was_added_up_bit_by_bit_is_what_is_worked_out_anew(
    transactions: Transactions,
) -> None:
    life = Life(4)
    for query in questions(4)[::2]:
        ask(transactions, query)
    for _ in range(4):
        life.go_on(transactions, 3)
        roll_up(transactions)
    added_up = cells(transactions)
    jobs.rebuild(transactions)
    roll_up(transactions)
    assert added_up == cells(transactions) != []


def test_a_question_is_noted_and_then_answered_from_its_cells(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        year_of_everything(ctx)
    first = told(ask(transactions))
    with transactions.begin() as ctx:
        [(noted, horizon)] = ctx.session.execute(select(ROLLUPS.c.question, ROLLUPS.c.horizon))
    assert (query_of(noted), horizon, cells(transactions)) == (SHEET, None, [])
    roll_up(transactions)
    assert len(cells(transactions)) == len(first[0]) + 1
    assert told(ask(transactions)) == first


def test_the_first_answer_costs_five_statements_and_every_other_three(
    transactions: Transactions,
) -> None:
    issued = []
    for _ in range(2):
        with counted(transactions.database) as statements:
            ask(transactions)
        issued.append(len(statements))
        bring_up(transactions)
    assert issued == [5, 3]


def test_a_renamed_unit_leaves_the_past_as_it_was(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        year_of_everything(ctx)
    ask(transactions)
    roll_up(transactions)
    before = ask(transactions).rows
    with transactions.begin() as ctx:
        ctx.session.execute(update(Unit).values(name=Unit.name + "（新）"))
    assert ask(transactions).rows == before
    jobs.rebuild(transactions)
    assert ask(transactions).rows == before


def test_of_two_names_the_later_is_printed_wherever_it_stands(transactions: Transactions) -> None:
    by_unit = replace(YEAR, group_by=("unit",))
    for when, name in (
        ("2026-05-03", "经济学院"),
        ("2026-06-03", "上经济学院"),
        ("2026-02-01", "旧"),
    ):
        with transactions.begin() as ctx:
            ctx.session.execute(update(Unit).where(Unit.code == "U03").values(name=name))
            sell(ctx, f"{when}T10:00:00", unit="U03")
        [row] = ask(transactions, by_unit).rows
        roll_up(transactions)
        [stored] = ask(transactions, by_unit).rows
        assert row == stored
    assert (row["unit_name"], row["orders"]) == ("上经济学院", 3)


def test_an_order_goes_on_counting_once(transactions: Transactions) -> None:
    """Its second line comes when the first is rolled up already."""
    ask(transactions)
    for place in (1, 2):
        with transactions.begin() as ctx:
            outside(ctx, "2026-05-18T09:00:00", "832-1", 100, external_line_no=place)
        totals = ask(transactions).totals
        roll_up(transactions)
    assert (totals["orders"], totals["buyers"], totals["aid_amount_fen"]) == (1, 1, 200)
    assert ask(transactions).totals == totals


def test_a_refund_of_a_rolled_up_sale_keeps_the_order(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sold = sell(ctx, "2026-03-10T10:00:00", part(fen=900))
    ask(transactions)
    roll_up(transactions)
    with transactions.begin() as ctx:
        refund(ctx, sold.line, "2026-03-11T10:00:00", 900, quantity=1)
    totals = ask(transactions).totals
    assert (totals["orders"], totals["refunded_goods_fen"], totals["aid_amount_fen"]) == (1, 900, 0)


def both_ways(transactions: Transactions, query: SalesQuery, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of a report, which says the same before and after it is rolled up."""
    found = [[tuple(row[name] for name in names) for row in ask(transactions, query).rows]]
    roll_up(transactions)
    found.append([tuple(row[name] for name in names) for row in ask(transactions, query).rows])
    assert found[0] == found[1]
    return found[0]


def correct(transactions: Transactions, *signs: tuple[AidEntryKind, int], **change: Any) -> None:
    with transactions.begin() as ctx:
        entry = ctx.session.execute(select(ENTRIES)).mappings().one()
        for kind, sign in signs:
            copy(ctx, entry, kind, sign, **(change if sign > 0 else {}))


def test_an_import_that_is_taken_back_leaves_no_order(transactions: Transactions) -> None:
    by_unit, names = replace(YEAR, group_by=("unit",)), ("unit", "orders", "buyers")
    with transactions.begin() as ctx:
        outside(ctx, "2026-05-18T09:00:00", "832-1", 100)
    assert both_ways(transactions, by_unit, *names) == [("U02", 1, 1)]
    correct(transactions, (AidEntryKind.IMPORT_UNDO, -1))
    assert both_ways(transactions, by_unit, *names) == [("U02", 0, 0)]
    assert ask(transactions, by_unit).totals["paid_goods_fen"] == 0


def test_an_order_that_is_moved_counts_where_it_went(transactions: Transactions) -> None:
    by_unit, names = replace(YEAR, group_by=("unit",)), ("unit", "orders", "buyers")
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", unit="U03")
    assert both_ways(transactions, by_unit, *names) == [("U03", 1, 1)]
    there = {"unit_code": "U07", "unit_name": "新闻学院"}
    moved = ((AidEntryKind.REATTRIBUTED_OUT, -1), (AidEntryKind.REATTRIBUTED_IN, 1))
    correct(transactions, *moved, **there)
    assert both_ways(transactions, by_unit, *names) == [("U03", 0, 0), ("U07", 1, 1)]
    assert ask(transactions, by_unit).totals["orders"] == 1


# Who writes decides nothing about where an entry belongs.


def test_a_refund_bears_its_own_transaction(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sold = sell(ctx, "2026-03-10T10:00:00", part(fen=900))
    with transactions.begin() as ctx:
        refund(ctx, sold.line, "2026-03-11T10:00:00", 1)
        own = ctx.session.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
    with transactions.begin() as ctx:
        sale, returned = ctx.session.execute(select(ENTRIES.c.xid).order_by(ENTRIES.c.id)).scalars()
    assert sale < returned == own


def test_nobody_writes_under_another_transaction(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00")
        entry = ctx.session.execute(select(ENTRIES)).mappings().one()
        other = {"order_line_id": entry["cause_id"], "id": entry["order_id"], "xid": 5}
        ctx.session.execute(insert(ENTRIES).values({**entry, **other}))
        stamped = ctx.session.execute(select(ENTRIES.c.xid).distinct()).scalars().all()
    assert stamped == [entry["xid"]]


# What the job does, and what it leaves.


def horizons(transactions: Transactions) -> list[int | None]:
    with transactions.begin() as ctx:
        in_order = select(ROLLUPS.c.horizon).order_by(ROLLUPS.c.asked_at, ROLLUPS.c.id)
        return list(ctx.session.execute(in_order).scalars())


def test_the_worker_waits_for_a_tail_worth_it(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "SHORT_TAIL", 2)
    ask(transactions)
    jobs.roll_up(transactions)
    moved = []
    for _ in range(2):
        before = horizons(transactions)
        with transactions.begin() as ctx:
            sell(ctx, "2026-03-10T10:00:00")
        jobs.roll_up(transactions)
        moved.append(horizons(transactions) != before)
    assert moved == [False, True]


def test_what_nobody_looks_at_may_have_a_longer_tail(
    transactions: Transactions, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "SHORT_TAIL", 1)
    monkeypatch.setattr(rollups, "LONG_TAIL", 3)
    ask(transactions)
    jobs.roll_up(transactions)
    time.forward(hours=2)
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(), part())
        assert rollups.due(ctx) == []
        sell(ctx, "2026-03-10T10:00:00")
        assert [waited for _, waited in rollups.due(ctx)] == [False]
    ask(transactions)
    with transactions.begin() as ctx:
        assert [waited for _, waited in rollups.due(ctx)] == [True]


def test_a_question_is_kept_for_a_month_after_it_was_last_asked(
    transactions: Transactions, time: Time
) -> None:
    ask(transactions)
    jobs.roll_up(transactions)
    time.forward(days=20)
    ask(transactions)
    time.forward(days=20)
    jobs.roll_up(transactions)
    assert len(horizons(transactions)) == 1
    time.forward(days=11)
    jobs.roll_up(transactions)
    assert (horizons(transactions), cells(transactions)) == ([], [])


def test_too_many_questions_are_forgotten_oldest_first(
    transactions: Transactions, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "MOST_QUESTIONS", 2)
    for name in ("unit", "channel", "month"):
        ask(transactions, replace(YEAR, group_by=(name,)))
        time.forward(minutes=1)
    jobs.roll_up(transactions)
    with transactions.begin() as ctx:
        kept = ctx.session.execute(select(ROLLUPS.c.question)).scalars().all()
    assert sorted(one["group_by"] for one in kept) == [["channel"], ["month"]]


def test_a_roll_up_that_waits_too_long_lets_the_others_pass(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(transactions, YEAR)
    ask(transactions, SHEET)
    monkeypatch.setattr(rollups, "PATIENCE_MS", 1)
    real = rollups.take_time
    patient = iter([False, True])

    def sometimes(ctx: Any) -> None:
        real(ctx)
        if next(patient):
            ctx.session.execute(text("SET LOCAL statement_timeout = 0"))
        else:
            ctx.session.execute(text("SELECT pg_sleep(1)"))

    monkeypatch.setattr(rollups, "take_time", sometimes)
    jobs.roll_up(transactions)
    assert sorted(one is None for one in horizons(transactions)) == [False, True]


# A copy restored elsewhere.


def test_what_another_server_rolled_up_is_not_believed(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=7))
    ask(transactions)
    roll_up(transactions)
    with transactions.begin() as ctx:
        ctx.session.execute(update(ROLLUPS).values(cluster=1))
        ctx.session.execute(update(CELLS).values(paid_goods_fen=0))
    assert ask(transactions).totals["paid_goods_fen"] == 7
    jobs.roll_up(transactions)
    roll_up(transactions)
    assert ask(transactions).totals["paid_goods_fen"] == 7
    assert {row[-6] for row in cells(transactions)} == {"7"}


def test_entries_of_another_server_count_once_and_are_renumbered(
    transactions: Transactions,
) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=7))
        ctx.session.execute(
            text("ALTER TABLE aid_entry ALTER COLUMN xid TYPE bigint USING 4000000000000")
        )
    ask(transactions)
    bring_up(transactions)
    assert ask(transactions).totals["paid_goods_fen"] == 7
    jobs.rebuild(transactions)
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(func.max(ENTRIES.c.xid))).scalar_one() == 0
    assert ask(transactions).totals["paid_goods_fen"] == 7


# How it is read.


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def plan(transactions: Transactions, statement: Any) -> list[dict[str, Any]]:
    """The plan's nodes, reading whole tables only where there is no other way."""
    engine = transactions.database.engine
    compiled = statement.compile(
        engine, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    with transactions.begin() as ctx:
        ctx.session.execute(text("SET LOCAL enable_seqscan = off"))
        explained = (
            ctx.session.connection()
            .exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}".replace("%", "%%"))
            .scalar_one()
        )
    return nodes(explained[0]["Plan"])


def test_a_report_reads_cells_and_the_tail_by_index_and_no_order(
    transactions: Transactions,
) -> None:
    bound = from_rollup(SHEET).params(rollup=ENTRIES.c.id.type.python_type(int=1), since=1)
    found = plan(transactions, bound)
    assert {node["Relation Name"] for node in found if "Relation Name" in node} == {
        "aid_rollup",
        "aid_rollup_cell",
        "aid_entry",
    }
    of_entries = [node for node in found if node.get("Relation Name") == "aid_entry"]
    assert {node["Node Type"] for node in of_entries} <= {"Index Scan", "Bitmap Heap Scan"}
    assert {node["Index Name"] for node in found if "aid_entry" in node.get("Index Name", "")} == {
        "ix_aid_entry_xid",
        "ix_aid_entry_buyer_key",
    }


def test_without_a_roll_up_only_the_entries_are_read(transactions: Transactions) -> None:
    found = plan(transactions, from_entries(SHEET))
    assert {node["Relation Name"] for node in found if "Relation Name" in node} == {"aid_entry"}


def test_who_asks_the_same_asks_one_question() -> None:
    one = replace(YEAR, filters={"unit": ["U03", "U01"], "month": "2026-03"})
    other = replace(YEAR, filters={"month": ("2026-03",), "unit": ("U01", "U03", "U01")})
    assert asked(one) == asked(other)
    assert question(query_of(question(one))) == question(one)
    assert asked(one) != asked(replace(one, basis="cohort"))


def test_a_report_inside_the_transaction_of_a_sale_counts_it(transactions: Transactions) -> None:
    ask(transactions, YEAR)
    roll_up(transactions)
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=7))
        assert sales(ctx, YEAR).totals["paid_goods_fen"] == 7
