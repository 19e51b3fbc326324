"""The figures: exact to the fen, on the right day, under either basis, by any dimension."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from models.identity import BuyerKind
from models.organization import Campaign, Channel, Purpose, Unit
from shop.context import Ctx
from shop.errors import Invalid
from shop.reports.definitions import DIMENSIONS, MEASURES
from shop.reports.queries import entries, sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import (
    FOREIGN,
    WALNUT,
    outside,
    part,
    refund,
    sell,
    year_of_everything,
)
from tests.conftest import counted

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))


def figures(ctx: Ctx, *names: str, **change: Any) -> list[tuple[Any, ...]]:
    """Rows as (dimensions…, aid amount)."""
    query = replace(YEAR, group_by=names, **change)
    return [
        (*(row[name] for name in names), row["aid_amount_fen"]) for row in sales(ctx, query).rows
    ]


def test_the_totals_of_a_year(ctx: Ctx) -> None:
    year_of_everything(ctx)
    assert sales(ctx, YEAR).totals == {
        "orders": 5,
        "buyers": 4,
        "units_sold": 406,
        "paid_goods_fen": 3_027_570,
        "refunded_goods_fen": 9_790,
        "aid_amount_fen": 3_014_780,
        "direct_purchase_fen": 3_014_780,
        "help_sell_fen": 0,
        "freight_fen": 500,
    }


def test_an_empty_period_has_zeros_and_no_rows(ctx: Ctx) -> None:
    report = sales(ctx, replace(YEAR, group_by=("month",)))
    assert (report.rows, set(report.totals.values())) == ([], {0})
    assert list(report.totals) == list(MEASURES)


def test_without_dimensions_the_row_is_the_total(ctx: Ctx) -> None:
    year_of_everything(ctx)
    report = sales(ctx, YEAR)
    assert report.rows == [report.totals]


@pytest.mark.parametrize(
    ("dimension", "march", "april"),
    [
        ("day", "2026-03-31", "2026-04-01"),
        ("month", "2026-03", "2026-04"),
        ("quarter", "2026-Q1", "2026-Q2"),
        ("week", "2026-W14", "2026-W14"),
        ("year", "2026", "2026"),
    ],
)
def test_35_seconds_apart_and_in_different_quarters(
    ctx: Ctx, dimension: str, march: str, april: str
) -> None:
    sell(ctx, "2026-03-31T23:59:30", part(fen=4990))
    sell(ctx, "2026-04-01T00:00:05", part(fen=1))
    rows = figures(ctx, dimension)
    assert rows == ([(march, 4991)] if march == april else [(march, 4990), (april, 1)])


@pytest.mark.parametrize(
    ("moment", "week"),
    [
        ("2026-12-31T12:00:00", "2026-W53"),
        ("2027-01-01T00:00:00", "2026-W53"),
        ("2027-01-04T00:00:00", "2027-W01"),
    ],
)
def test_weeks_are_iso_weeks(ctx: Ctx, moment: str, week: str) -> None:
    sell(ctx, moment)
    assert figures(ctx, "week", end=date(2028, 1, 1)) == [(week, 4800)]


def test_the_period_is_half_open(ctx: Ctx) -> None:
    sell(ctx, "2025-12-31T23:59:59", part(fen=1))
    sell(ctx, "2026-01-01T00:00:00", part(fen=10))
    sell(ctx, "2026-12-31T23:59:59", part(fen=100))
    sell(ctx, "2027-01-01T00:00:00", part(fen=1000))
    assert sales(ctx, YEAR).totals["paid_goods_fen"] == 110


def test_by_event_a_refund_counts_when_it_happens(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-03-30T21:01:00", part(fen=16180, quantity=3))
    refund(ctx, sold.line, "2026-04-09T15:00:00", 6800, quantity=1)
    assert figures(ctx, "month") == [("2026-03", 16180), ("2026-04", -6800)]
    assert figures(ctx, "month", basis="cohort") == [("2026-03", 9380)]
    assert figures(ctx, "day", basis="cohort") == [("2026-03-30", 9380)]


def test_a_month_of_refunds_alone_has_no_orders(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-03-30T21:01:00", part(fen=16180, quantity=3))
    refund(ctx, sold.line, "2026-04-09T15:00:00", 6800, quantity=1)
    april = sales(ctx, replace(YEAR, group_by=("month",))).rows[1]
    assert (april["orders"], april["buyers"], april["units_sold"]) == (0, 0, 0)
    assert (april["paid_goods_fen"], april["refunded_goods_fen"]) == (0, 6800)


def test_freight_is_kept_apart(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-05-27T20:11:00", part(fen=5900, freight_fen=6700))  # S06
    assert sales(ctx, YEAR).totals["aid_amount_fen"] == 5900
    refund(ctx, sold.line, "2026-05-28T09:00:00", 5900, quantity=1, freight_fen=6700)
    totals = sales(ctx, YEAR).totals
    assert (totals["aid_amount_fen"], totals["freight_fen"]) == (0, 0)
    assert (totals["orders"], totals["refunded_goods_fen"]) == (1, 5900)


def test_one_order_of_two_cooperatives_is_one_order(ctx: Ctx) -> None:
    sell(ctx, "2026-02-03T10:02:10", part(), part(WALNUT, 4990))
    report = sales(ctx, replace(YEAR, group_by=("cooperative",)))
    assert [(row["cooperative"], row["orders"]) for row in report.rows] == [("C01", 1), ("C02", 1)]
    assert report.totals["orders"] == 1


def test_buyers_do_not_add_up(ctx: Ctx) -> None:
    for moment in ("2026-02-03T10:00:00", "2026-03-03T10:00:00", "2026-03-04T10:00:00"):
        sell(ctx, moment, buyer="user:a")
    report = sales(ctx, replace(YEAR, group_by=("month",)))
    assert [row["buyers"] for row in report.rows] == [1, 1]
    assert (report.totals["buyers"], report.totals["orders"]) == (1, 3)


def test_a_union_order_has_one_buyer(ctx: Ctx) -> None:
    sell(
        ctx,
        "2026-09-21T11:00:00",
        part(fen=960_000, quantity=200),
        unit="U01",
        campaign="K3",
        kind=BuyerKind.UNIT_ACCOUNT,
        purpose=Purpose.UNION_GIFT,
    )  # S07
    [row] = sales(ctx, replace(YEAR, group_by=("campaign", "purpose"))).rows
    assert (row["campaign"], row["purpose"], row["purpose_name"]) == (
        "K3",
        "union_gift",
        "工会慰问",
    )
    assert (row["orders"], row["buyers"], row["units_sold"]) == (1, 1, 200)


def test_lines_of_one_outside_order_are_one_order(ctx: Ctx) -> None:
    outside(ctx, "2026-05-18T09:00:00", "832-1", 100)
    outside(ctx, "2026-05-18T09:00:00", "832-1", 200, external_line_no=2)
    outside(ctx, "2026-05-18T09:00:00", "832-2", 300)
    totals = sales(ctx, YEAR).totals
    assert (totals["orders"], totals["buyers"], totals["aid_amount_fen"]) == (2, 1, 600)


def test_rows_are_sorted_and_what_is_empty_comes_last(ctx: Ctx) -> None:
    sell(ctx, "2026-03-10T10:00:00", part(fen=3))
    sell(ctx, "2026-03-10T10:00:00", part(fen=2), unit="U10")
    sell(ctx, "2026-03-10T10:00:00", part(fen=1), unit="U03")
    sell(ctx, "2026-02-10T10:00:00", part(fen=4), unit="U10")
    assert figures(ctx, "unit") == [("U03", 1), ("U10", 6), (None, 3)]
    assert figures(ctx, "month", "unit") == [
        ("2026-02", "U10", 4),
        ("2026-03", "U03", 1),
        ("2026-03", "U10", 2),
        ("2026-03", None, 3),
    ]


@pytest.mark.parametrize(
    ("language", "unit", "campaign", "kind", "aid_class"),
    [
        ("zh", "（未填写单位）", "（无活动）", "社会公众", "（不计入帮扶额）"),
        ("en", "Not given", "No campaign", "The public", "Not counted"),
    ],
)
def test_what_is_empty_has_a_name(
    ctx: Ctx, language: str, unit: str, campaign: str, kind: str, aid_class: str
) -> None:
    sell(ctx, "2026-03-10T10:00:00", part(FOREIGN), kind=BuyerKind.PUBLIC)
    names = ("unit", "campaign", "buyer_kind")
    [row] = sales(replace(ctx, language=language), replace(YEAR, group_by=names)).rows
    assert [row["unit"], row["campaign"], row["buyer_kind"]] == [None, None, "public"]
    assert [row[f"{name}_name"] for name in names] == [unit, campaign, kind]
    [row] = sales(replace(ctx, language=language), replace(YEAR, group_by=("aid_class",))).rows
    assert (row["aid_class"], row["aid_class_name"]) == (None, aid_class)


def test_a_row_holds_its_dimensions_then_the_measures(ctx: Ctx) -> None:
    sell(ctx, "2026-03-10T10:00:00", unit="U03")
    [row] = sales(ctx, replace(YEAR, group_by=("month", "unit"))).rows
    assert list(row) == ["month", "unit", "unit_name", *MEASURES]


@pytest.mark.parametrize(
    "filters",
    [
        {"unit": "U03"},
        {"unit": ["U03", "U99"]},
        {"month": "2026-02"},
        {"quarter": ("2026-Q1",)},
        {"buyer_kind": "staff", "cooperative": "C01"},
        {"aid_class": "direct_purchase"},
    ],
)
def test_filters_let_through_what_they_name(ctx: Ctx, filters: dict[str, Any]) -> None:
    sell(ctx, "2026-02-03T10:00:00", part(fen=7), unit="U03")
    sell(ctx, "2026-05-03T10:00:00", part(WALNUT, 9), unit="U13", kind=BuyerKind.ALUMNI)
    assert sales(ctx, replace(YEAR, filters=filters)).totals["paid_goods_fen"] == 7


@pytest.mark.parametrize(("value", "fen"), [("none", 9), (("none", "U03"), 16), ("U03", 7)])
def test_what_is_empty_can_be_asked_for(ctx: Ctx, value: Any, fen: int) -> None:
    sell(ctx, "2026-02-03T10:00:00", part(fen=7), unit="U03")
    sell(ctx, "2026-02-03T10:00:00", part(fen=9))
    sell(ctx, "2026-02-03T10:00:00", part(fen=100), unit="U10")
    assert sales(ctx, replace(YEAR, filters={"unit": value})).totals["paid_goods_fen"] == fen


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end": date(2026, 1, 1)}, "to"),
        ({"end": date(2025, 1, 1)}, "to"),
        ({"end": date(2047, 1, 1)}, "to"),
        ({"start": date(202, 1, 1), "end": date(202, 3, 1)}, "from"),
        ({"start": date(1999, 12, 31), "end": date(2000, 2, 1)}, "from"),
        ({"start": date(9999, 1, 1), "end": date(9999, 12, 31)}, "from"),
        ({"start": date(2100, 1, 1), "end": date(2101, 1, 2)}, "to"),
        ({"filters": {"side": "none"}}, "side"),
        ({"filters": {"recorded": "early"}}, "recorded"),
        ({"filters": {"within_unit": ""}}, "within_unit"),
        ({"group_by": ("side",)}, "group_by"),
        ({"group_by": ("township",)}, "group_by"),
        ({"group_by": ("unit", "unit")}, "group_by"),
        ({"group_by": ("day", "unit", "channel", "sku")}, "group_by"),
        ({"basis": "paid"}, "basis"),
        ({"filters": {"township": "1"}}, "township"),
        ({"filters": {"buyer_kind": "dean"}}, "buyer_kind"),
        ({"filters": {"month": "2026-3"}}, "month"),
        ({"filters": {"unit": ""}}, "unit"),
    ],
)
def test_what_cannot_be_answered_is_refused(ctx: Ctx, change: dict[str, Any], field: str) -> None:
    for asked in (sales, entries):
        with pytest.raises(Invalid) as refused:
            asked(ctx, replace(YEAR, **change))  # type: ignore[operator]
        assert (refused.value.error_code, list(refused.value.fields)) == ("invalid_report", [field])


ADDITIVE = [name for name in MEASURES if name not in {"orders", "buyers"}]


@pytest.mark.parametrize("dimensions", list(combinations(DIMENSIONS, 2)), ids="-".join)
def test_rows_add_up_by_every_pair_of_dimensions(ctx: Ctx, dimensions: tuple[str, str]) -> None:
    year_of_everything(ctx)
    report = sales(ctx, replace(YEAR, group_by=dimensions))
    sums = {name: sum(row[name] for row in report.rows) for name in ADDITIVE}
    assert sums == {name: report.totals[name] for name in ADDITIVE}


def test_renaming_leaves_past_reports_byte_identical(ctx: Ctx) -> None:
    year_of_everything(ctx)
    queries = [replace(YEAR, group_by=pair) for pair in combinations(DIMENSIONS, 2)]
    before = [orjson.dumps(sales(ctx, query).rows) for query in queries]
    for kind in (Unit, Channel, Campaign):
        ctx.session.execute(update(kind).values(name=kind.name + "（新）"))
    assert [orjson.dumps(sales(ctx, query).rows) for query in queries] == before


def test_of_two_names_in_a_period_the_later_is_printed(ctx: Ctx) -> None:
    sell(ctx, "2026-02-03T10:00:00", unit="U03")
    ctx.session.execute(update(Unit).where(Unit.code == "U03").values(name="上经济学院"))
    sell(ctx, "2026-03-03T10:00:00", unit="U03")
    [row] = sales(ctx, replace(YEAR, group_by=("unit",))).rows
    assert (row["unit_name"], row["orders"]) == ("上经济学院", 2)
    rows = sales(ctx, replace(YEAR, group_by=("month", "unit"))).rows
    assert [row["unit_name"] for row in rows] == ["经济学院", "上经济学院"]


def test_a_first_report_costs_five_statements(ctx: Ctx, worker_database: Any) -> None:
    year_of_everything(ctx)
    with counted(worker_database) as issued:
        sales(ctx, replace(YEAR, group_by=("month", "unit", "product")))
    assert len(issued) == 5
