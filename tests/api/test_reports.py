"""The figures over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from api.schemas import reports as schemas
from models.identity import BuyerKind
from shop.reports.definitions import FILTERS, MEASURES
from tests.aid_factories import WALNUT, part, refund, sell

YEAR = "from=2026-01-01&to=2027-01-01"


@pytest.fixture
def sold(transactions: Any) -> None:
    with transactions.begin() as ctx:
        first = sell(ctx, "2026-03-31T23:59:30", part(fen=9600, quantity=2), unit="U03")
        sell(
            ctx,
            "2026-04-01T00:00:05",
            part(WALNUT, 4990, freight_fen=600),
            kind=BuyerKind.ALUMNI,
            unit="U14",
        )
        refund(ctx, first.line, "2026-04-09T15:00:00", 4800, quantity=1)


def test_the_figures_of_a_year_by_month_and_unit(api: Any, sold: None) -> None:
    answer = api.get(f"/reports/sales?{YEAR}&group_by=month,unit", as_="olga")
    assert answer.status_code == 200
    assert [(row["month"], row["unit"], row["aid_amount_fen"]) for row in answer.json["rows"]] == [
        ("2026-03", "U03", 9600),
        ("2026-04", "U03", -4800),
        ("2026-04", "U14", 4990),
    ]
    assert answer.json["totals"] == {
        "orders": 2,
        "buyers": 2,
        "units_sold": 3,
        "paid_goods_fen": 14590,
        "refunded_goods_fen": 4800,
        "aid_amount_fen": 9790,
        "direct_purchase_fen": 4800,
        "help_sell_fen": 4990,
        "freight_fen": 600,
    }


def test_a_row_holds_what_was_asked_for_and_nothing_else(api: Any, sold: None) -> None:
    [row, _] = api.get(f"/reports/sales?{YEAR}&group_by=quarter", as_="olga").json["rows"]
    assert set(row) == {"quarter", *MEASURES}


def test_the_definition_comes_with_the_figures(api: Any, sold: None) -> None:
    query = f"{YEAR}&basis=cohort&unit=U03,U14&lang=en"
    found = api.get(f"/reports/sales?{query}", as_="fiona").json
    definition = found["definition"]
    assert (definition["from"], definition["to"]) == ("2026-01-01", "2027-01-01")
    assert (definition["basis"], definition["zone"]) == ("cohort", "Asia/Shanghai")
    assert definition["filters"] == {"unit": ["U03", "U14"]}
    assert definition["rule_sets"][0]["code"] == "aid2026"
    assert definition["measures"]["orders"] == "Orders: paid orders, each counted once"
    assert found["as_of"] == "2026-11-23T10:00:00+08:00"


def test_the_file_says_the_same(api: Any, sold: None) -> None:
    answer = api.get(f"/reports/sales.csv?{YEAR}&group_by=month", as_="olga")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "sales_2026-01-01_2027-01-01.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[-3:] == [
        ['="2026-03"', "1", "1", "2", "96.00", "0.00", "96.00", "96.00", "0.00", "0.00"],
        ['="2026-04"', "1", "1", "1", "49.90", "48.00", "1.90", "-48.00", "49.90", "6.00"],
        ["合计", "2", "2", "3", "145.90", "48.00", "97.90", "48.00", "49.90", "6.00"],
    ]


def test_every_figure_opens_to_its_entries(api: Any, sold: None) -> None:
    cell = f"/reports/entries?{YEAR}&month=2026-04&unit=U03"
    page = api.get(cell, as_="olga").json
    assert [(one["kind"], one["goods_fen"], one["day"]) for one in page["items"]] == [
        ("refund", -4800, "2026-04-09")
    ]
    assert page["next_cursor"] is None


def test_the_entries_go_page_by_page(api: Any, sold: None) -> None:
    kinds, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/reports/entries?{YEAR}&limit=2{cursor}", as_="olga").json
        kinds += [one["kind"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert kinds == ["sale", "sale", "refund"]


def test_names_are_told_in_english(api: Any, sold: None) -> None:
    [row, _] = api.get(f"/reports/sales?{YEAR}&group_by=unit&lang=en", as_="olga").json["rows"]
    assert (row["unit"], row["unit_name"]) == ("U03", "School of Economics")
    [entry, *_] = api.get(f"/reports/entries?{YEAR}&lang=en", as_="olga").json["items"]
    assert entry["unit_name"] == "School of Economics"
    assert entry["cooperative_name"] == "Yunwuling Tea Cooperative (demo)"
    assert (entry["product_name"], entry["sku_name"]) == ("High-mountain green tea", "Tin 100g")


def test_a_side_of_the_figures_is_asked_for(api: Any, sold: None) -> None:
    page = api.get(f"/reports/entries?{YEAR}&side=refunded", as_="olga").json
    assert [one["goods_fen"] for one in page["items"]] == [-4800]
    found = api.get(f"/reports/sales?{YEAR}&side=refunded", as_="olga").json
    assert (found["totals"]["orders"], found["totals"]["refunded_goods_fen"]) == (0, 4800)
    assert found["definition"]["filter_texts"] == {"side": "退款"}


PATHS = ("/reports/sales", "/reports/sales.csv", "/reports/entries")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("name", "status"), [("bob", 403), ("alice", 403), (None, 401)])
def test_figures_are_for_staff(api: Any, path: str, name: str | None, status: int) -> None:
    assert api.get(f"{path}?{YEAR}", as_=name).status_code == status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-01-01", "to"),
        ("from=2026-01-01&to=2026-01-01", "to"),
        ("from=2026-13-01&to=2027-01-01", "from"),
        (f"{YEAR}&township=1", "township"),
        (f"{YEAR}&units=U03", "units"),
        (f"{YEAR}&unit=", "unit"),
        (f"{YEAR}&unit=U03&unit=U04", "unit"),
        (f"{YEAR}&buyer_kind=dean", "buyer_kind"),
        (f"{YEAR}&basis=paid", "basis"),
        (f"{YEAR}&side=both", "side"),
        ("from=0202-01-01&to=0202-03-01", "from"),
        ("from=9999-01-01&to=9999-12-31", "from"),
    ],
)
def test_a_question_that_means_nothing_is_refused(
    api: Any, path: str, query: str, field: str
) -> None:
    answer = api.get(f"{path}?{query}", as_="olga")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("group_by", ["day,unit,channel,sku", "unit,unit", "township", "unit,"])
def test_dimensions_are_known_different_and_at_most_three(api: Any, group_by: str) -> None:
    answer = api.get(f"/reports/sales?{YEAR}&group_by={group_by}", as_="olga")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_report")
    assert list(answer.json["errors"]) == ["group_by"]


def test_the_schema_knows_every_dimension_and_measure() -> None:
    assert FILTERS.keys() <= schemas.SalesParams().fields.keys()
    assert list(schemas.MEASURES) == list(MEASURES)
