"""A unit with all that stands below it: by filter, by target, and rolled up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from models.organization import Unit
from shop.context import Ctx, Transactions
from shop.reports import rollups
from shop.reports.progress import year_progress
from shop.reports.queries import entries, sales
from shop.reports.rules import SalesQuery
from shop.reports.tree import descending
from tests.aid_factories import part, sell
from tests.rollup_factories import ask, roll_up, straight, told

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))


def put_below(ctx: Ctx, unit: str, parent: str | None) -> None:
    above = select(Unit.id).where(Unit.code == parent).scalar_subquery()
    ctx.session.execute(update(Unit).where(Unit.code == unit).values(parent_id=above))


def sold(ctx: Ctx) -> None:
    """1 to each of three units, one below the other, and to a fourth that stands apart."""
    for unit, fen in (("U03", 1), ("U04", 10), ("U05", 100), ("U06", 1000)):
        sell(ctx, "2026-03-10T10:00:00", part(fen=fen), unit=unit)
    put_below(ctx, "U04", "U03")
    put_below(ctx, "U05", "U04")


@pytest.mark.parametrize(
    ("filters", "fen"),
    [
        ({"within_unit": "U03"}, 111),
        ({"within_unit": "U04"}, 110),
        ({"within_unit": ("U04", "U06")}, 1110),
        ({"within_unit": "U03", "unit": "U05"}, 100),
        ({"within_unit": "U99"}, 0),
        ({"unit": "U03"}, 1),
    ],
)
def test_a_unit_with_all_below_it(ctx: Ctx, filters: dict[str, Any], fen: int) -> None:
    sold(ctx)
    query = replace(YEAR, filters=filters)
    assert sales(ctx, query).totals["paid_goods_fen"] == fen
    assert sum(one["goods_fen"] for one in entries(ctx, query)) == fen


def test_a_row_stays_the_units_own(ctx: Ctx) -> None:
    sold(ctx)
    rows = sales(ctx, replace(YEAR, group_by=("unit",), filters={"within_unit": "U03"})).rows
    assert [(row["unit"], row["paid_goods_fen"]) for row in rows] == [
        ("U03", 1),
        ("U04", 10),
        ("U05", 100),
    ]


def test_a_target_is_reached_with_all_below(ctx: Ctx) -> None:
    sold(ctx)
    found = {(one.indicator, one.unit_code): one.done_fen for one in year_progress(ctx, 2026)}
    assert (found["aid_amount", "U03"], found["aid_amount", None]) == (111, 1111)


def test_a_ring_of_units_comes_to_an_end() -> None:
    assert descending("A", {"A": ["B", "C"], "B": ["A"]}) == ["A", "C", "B"]


def test_an_answer_rolled_up_for_yesterdays_tree_is_not_told_today(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "_running", rollups._to_come)
    query = replace(YEAR, filters={"within_unit": "U03"})
    with transactions.begin() as ctx:
        sold(ctx)
    ask(transactions, query)
    roll_up(transactions)
    assert told(ask(transactions, query)) == straight(transactions, query)
    with transactions.begin() as ctx:
        put_below(ctx, "U06", "U05")
    assert ask(transactions, query).totals["paid_goods_fen"] == 1111
    assert told(ask(transactions, query)) == straight(transactions, query)
