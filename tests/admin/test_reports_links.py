"""A figure leads to the list that it sums, to the fen, or nowhere."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest

from admin.forms.report import behind
from shop.reports.definitions import DIMENSIONS, MEASURES
from shop.reports.queries import entries, sales
from shop.reports.rules import SalesQuery
from shop.seed.orders import place_scenarios
from tests.aid_factories import FOREIGN, part, refund, sell

YEAR = "from=2026-01-01&to=2027-01-01"
WHOLE = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))
OPENED = re.compile(r'<a href="/admin(/entries\?[^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
HEAD = re.compile(r"<dd[^>]*>([^<]+)</dd>")


@pytest.fixture
def lived(transactions):
    """The eight worked orders, and one of goods that the rule set does not count."""
    place_scenarios(transactions)
    with transactions.begin() as ctx:
        other = sell(ctx, "2026-06-01T10:00:00", part(FOREIGN, 1000, freight_fen=300))
        refund(ctx, other.line, "2026-06-02T10:00:00", 1)


def summed(ctx, query, measure):
    """What a figure is by the list behind it alone."""
    found = entries(ctx, query, limit=1000)
    if measure == "buyers":  # a list does not say who bought
        return sales(ctx, query).totals["buyers"]
    if measure == "orders":
        return len({(one["platform_code"], one["order_number"]) for one in found})
    if measure == "units_sold":
        return sum(one["quantity"] for one in found)
    if measure == "freight_fen":
        return sum(one["freight_fen"] for one in found)
    goods = sum(one["goods_fen"] for one in found)
    return -goods if measure == "refunded_goods_fen" else goods


@pytest.mark.parametrize("basis", ["event", "cohort"])
@pytest.mark.parametrize(
    ("filters", "dimensions", "least"),
    [
        ({}, list(DIMENSIONS), 600),
        ({"aid_class": ("help_sell",)}, ["month", "aid_class"], 30),
        ({"aid_class": ("none",)}, ["unit", "aid_class"], 10),
        ({"side": ("refunded",)}, ["month", "aid_class"], 10),
        ({"side": ("sold",), "cooperative": ("C01",)}, ["unit"], 10),
    ],
)
def test_every_figure_is_the_sum_of_the_list_behind_it(
    lived, transactions, basis, filters, dimensions, least
):
    compared = 0
    for dimension in dimensions:
        query = replace(WHOLE, basis=basis, filters=filters, group_by=(dimension,))
        with transactions.begin() as ctx:
            report = sales(ctx, query)
            cells = [(query, row) for row in report.rows]
            for asked, row in [*cells, (replace(query, group_by=()), report.totals)]:
                for measure in MEASURES:
                    more = behind(asked, row, measure)
                    if more is None:
                        assert row[measure] == 0
                        continue
                    lists = {
                        name: (value,) if isinstance(value, str) else tuple(value)
                        for name, value in more.items()
                    }
                    narrow = replace(asked, group_by=(), filters={**filters, **lists})
                    assert summed(ctx, narrow, measure) == row[measure], (row, measure)
                    compared += 1
    assert compared > least


def opened(desk, path):
    """Every figure of a page with the address of its list."""
    desk.get(path)
    found = []
    for href, more, text in OPENED.findall(desk.text):
        label = re.search(r'aria-label="([^"]*)"', more)
        plain = label[1] if label else re.sub(r"<[^>]+>", "", text)
        found.append((unescape(href), plain.split()[-1] if plain.split() else ""))
    return [(href, text) for href, text in found if re.fullmatch(r"-?¥?[\d,.]+", text)]


PAGES = ["/", f"/reports?{YEAR}", f"/reports/by/aid_class?{YEAR}", f"/reports/by/unit?{YEAR}"]


@pytest.mark.parametrize("path", PAGES)
def test_the_list_says_the_figure_that_it_was_opened_for(olga, lived, path):
    figures = opened(olga, path)
    assert len(figures) > len(MEASURES)
    said = {}
    for href, text in dict.fromkeys(figures):
        if href not in said:
            olga.get(href)
            said[href] = [one.strip() for one in HEAD.findall(olga.text)]
        assert text in said[href], href


def test_paid_and_returned_goods_lead_to_their_own_lists(olga, lived):
    olga.get("/reports?" + YEAR)
    said = {}
    for href, _ in opened(olga, f"/reports?{YEAR}")[:9]:
        olga.get(href)
        [figure] = re.findall(r'lead-figure"><dt>(.*?)</dt>', olga.text)
        said[figure] = "以下全部明细之和" in olga.plain, olga.text.count("<tr>") - 1
    assert said == {
        "消费帮扶额": (False, 16),  # freight: all of them
        "支付商品额": (True, 13),
        "商品退款额": (True, 3),
    }


def test_a_list_with_uncounted_entries_does_not_claim_to_sum_to_the_aid_amount(olga, lived):
    olga.get(f"/entries?{YEAR}")
    assert "消费帮扶额 ¥69,905.40 以下明细商品金额合计 ¥69,915.39，含不计入帮扶额的" in olga.plain
    olga.get(f"/entries?{YEAR}&aid_class=help_sell&aid_class=direct_purchase")
    assert "消费帮扶额 ¥69,905.40 以下全部明细之和" in olga.plain


@pytest.mark.parametrize("path", ["/", f"/reports?{YEAR}"])
def test_columns_and_goals_lead_to_their_lists(olga, lived, path):
    found = dict(opened(olga, path))
    drawn = [text for href, text in found.items() if "month=2026-02&aid_class=direct" in href]
    assert set(drawn) == {"¥111.80"}
    goals = re.findall(r'<span><a href="([^"]+)">已完成 ([^<]+)</a>', olga.text)
    assert [text for _, text in goals] == ["¥69,905.40", "¥69,761.70", "¥143.70"]
    assert ["direct_purchase" in href for href, _ in goals] == [True, True, False]


def test_a_units_target_leads_to_its_list(olga, lived):
    olga.get(f"/reports?{YEAR}")
    [href] = [one for one in OPENED.findall(olga.text) if "within_unit=U01" in one[0]]
    assert olga.get(unescape(href[0])).status_code == 200
    assert "消费帮扶额 ¥39,600.00 以下全部明细之和" in olga.plain
    assert "单位（含下级）：校工会" in olga.plain
