"""The file: what a spreadsheet program opens holds the same figures, and no formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.aid import AidEntry
from models.money import parse_yuan
from models.organization import RuleSetRow
from shop.context import Ctx
from shop.reports.entry_file import entries_csv
from shop.reports.exports import kept, safe, sales_csv
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import TEA, WALNUT, part, refund, sell

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1), group_by=("month", "unit"))


@pytest.fixture
def sold(ctx: Ctx) -> None:
    boxes = part(fen=9600, quantity=2, freight_fen=600)
    first = sell(ctx, "2026-02-03T10:00:00", boxes, unit="U03")
    sell(ctx, "2026-03-03T10:00:00", part(WALNUT, 4990))
    refund(ctx, first.line, "2026-03-04T10:00:00", 4801, quantity=1)


def opened(ctx: Ctx, query: SalesQuery = YEAR) -> list[list[str]]:
    text = "".join(sales_csv(sales(ctx, query)))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def table(rows: list[list[str]]) -> list[list[str]]:
    """Headings, rows and total: what stands below the empty line."""
    return rows[rows.index([]) + 1 :]


def test_the_table_holds_the_report(ctx: Ctx, sold: None) -> None:
    headings, *rows, total = table(opened(ctx))
    assert headings[:4] == ["月", "单位代码", "单位", "订单数"]
    assert headings[6:8] == ["支付商品额（元）", "商品退款额（元）"]
    assert [row[:3] for row in rows] == [
        ['="2026-02"', "U03", "经济学院"],
        ['="2026-03"', "U03", "经济学院"],
        ['="2026-03"', "", "（未填写单位）"],
    ]
    assert rows[1][3:9] == ["0", "0", "0", "0.00", "48.01", "-48.01"]
    assert total[:4] == ["合计", "", "", "2"]


def test_file_page_and_database_say_the_same(ctx: Ctx, sold: None) -> None:
    headings, *rows, total = table(opened(ctx))
    column = headings.index("消费帮扶额（元）")
    in_file = sum(parse_yuan(row[column]) for row in rows)
    in_database = ctx.session.execute(
        select(func.sum(AidEntry.goods_fen)).where(AidEntry.aid_class.is_not(None))
    ).scalar_one()
    assert in_file == parse_yuan(total[column]) == in_database == 9789
    assert sales(ctx, YEAR).totals["aid_amount_fen"] == in_database


def test_the_definition_stands_on_top(ctx: Ctx, sold: None) -> None:
    query = replace(YEAR, basis="cohort", filters={"unit": ["U03"]})
    rows = opened(ctx, query)
    top = dict(row for row in rows[1 : rows.index([])])
    assert rows[0] == ["消费帮扶销售统计"]
    assert top["统计期间"] == "2026-01-01 起（含）至 2027-01-01 止（不含），北京时间"
    assert top["统计基准"].startswith("按销售批次")
    assert (top["筛选"], top["统计口径"].split()[0]) == ("单位：经济学院", "aid2026")
    assert top["数据截至"] == "2026年11月23日 10:00"
    assert "不含运费" in top["消费帮扶额"]


@pytest.mark.parametrize(
    ("period", "cells"),
    [
        ("day", ["2026-02-03", "2026-03-03", "2026-03-04"]),
        ("week", ["2026-W06", "2026-W10"]),
        ("month", ['="2026-02"', '="2026-03"']),
        ("quarter", ["2026-Q1"]),
        ("year", ["2026"]),
    ],
)
def test_a_day_is_a_day_and_a_month_stays_what_it_is_called(
    ctx: Ctx, sold: None, period: str, cells: list[str]
) -> None:
    """Of a bare 2026-03 a spreadsheet program makes the first of March, and shows `Mar-26`."""
    _, *rows, _ = table(opened(ctx, replace(YEAR, group_by=(period,))))
    assert [row[0] for row in rows] == cells


def test_a_name_like_a_number_stays_a_name(ctx: Ctx) -> None:
    odd = replace(TEA, sku_name="1/2", product_name="2026-03")
    sell(ctx, "2026-02-03T10:00:00", part(odd))
    _, row, _ = table(opened(ctx, replace(YEAR, group_by=("product", "sku"))))
    assert row[:4] == ["P01", '="2026-03"', "P01-1", '="1/2"']
    text = entries_csv(ctx, YEAR).removeprefix("\ufeff")
    headings, line, _ = table(list(csv.reader(io.StringIO(text))))
    found = dict(zip(headings, line, strict=True))
    assert (found["商品"], found["规格"]) == ('="2026-03"', '="1/2"')
    assert (found["日期"], found["原销售日期"]) == ("2026-02-03", "2026-02-03")


def test_in_english(ctx: Ctx, sold: None) -> None:
    headings, *_, total = table(opened(replace(ctx, language="en")))
    assert headings[:4] == ["Month", "Unit code", "Unit", "Orders"]
    assert (headings[8], total[0]) == ("Aid amount (yuan)", "Total")


@pytest.mark.parametrize(
    ("name_en", "told"),
    [("What counts", "aid2026 What counts"), (None, "aid2026 消费帮扶统计口径(2026, 演示)")],
)
def test_a_rule_set_without_an_english_name_keeps_its_own(
    ctx: Ctx, sold: None, name_en: str | None, told: str
) -> None:
    ctx.session.execute(update(RuleSetRow.__table__).values(name_en=name_en))
    rows = opened(replace(ctx, language="en"))
    assert dict(row for row in rows[1 : rows.index([])])["Rule set"] == told


def test_without_dimensions_there_is_the_total_alone(ctx: Ctx, sold: None) -> None:
    _, *rows, total = table(opened(ctx, replace(YEAR, group_by=())))
    assert (rows, total[:2]) == ([], ["合计", "2"])


def test_a_name_that_is_a_formula_stays_text(ctx: Ctx) -> None:
    evil = replace(TEA, product_name='=HYPERLINK("http://example.org","茶")', product_code="@P")
    sell(ctx, "2026-02-03T10:00:00", part(evil))
    _, row, _ = table(opened(ctx, replace(YEAR, group_by=("product",))))
    assert row[:2] == ["'@P", "'" + evil.product_name]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1"])
def test_cells_that_would_run_are_quoted(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "茶叶", "1=1", "(演示)", "'"])
def test_other_cells_stay(text: str) -> None:
    assert safe(text) == text


def test_the_file_comes_in_pieces(ctx: Ctx, sold: None) -> None:
    pieces: Any = sales_csv(sales(ctx, YEAR))
    assert (next(pieces), next(pieces)) == ("\ufeff", "消费帮扶销售统计\r\n")


@pytest.mark.parametrize("text", ["26020300000011", "007", "12E3", "1-2", "3/4", "5.0"])
def test_a_name_made_of_digits_keeps_them(text: str) -> None:
    assert kept(text) == f'="{text}"'


@pytest.mark.parametrize(
    ("text", "cell"), [("P01-1", "P01-1"), ("", ""), ("=1", "'=1"), ('1"&A1', '1"&A1')]
)
def test_any_other_name_is_a_text_cell(text: str, cell: str) -> None:
    assert kept(text) == cell


def test_the_file_of_entries_says_what_it_is_and_sums_up(ctx: Ctx, sold: None) -> None:
    query = replace(YEAR, filters={"unit": ("U03", "none"), "side": "sold"})
    text = entries_csv(ctx, query)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    top = dict(rows[1 : rows.index([])])
    assert rows[0] == ["消费帮扶明细"]
    assert top["统计期间"] == "2026-01-01 起（含）至 2027-01-01 止（不含），北京时间"
    assert top["筛选"] == "单位：经济学院、（未填写单位）；收付：售出"
    assert list(top) == ["统计期间", "统计基准", "筛选", "统计口径", "金额单位", "数据截至"]
    headings, *lines, total = table(rows)
    for column, values, whole in (
        ("单位代码", ["U03", ""], ""),
        ("规格代码", ["P01-1", "P07-2"], ""),
        ("合作社代码", ["C01", "C02"], ""),
        ("件数", ["2", "1"], "3"),
        ("商品金额（元）", ["96.00", "49.90"], "145.90"),
        ("运费（元）", ["6.00", "0.00"], "6.00"),
    ):
        place = headings.index(column)
        assert ([line[place] for line in lines], total[place]) == (values, whole), column
    assert total[0] == "合计"


def test_the_file_of_entries_tells_the_reason(ctx: Ctx, sold: None) -> None:
    text = entries_csv(ctx, replace(YEAR, filters={"side": "refunded"}))
    headings, line, _ = table(list(csv.reader(io.StringIO(text))))
    assert line[headings.index("原因")] == "破损"
