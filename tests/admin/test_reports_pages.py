"""帮扶统计: the page says what the API says, and every figure opens to its entries."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from shop.formatting import yuan
from shop.reports.definitions import MEASURES
from shop.seed.orders import place_scenarios
from tests.admin.conftest import buy
from tests.aid_factories import part, refund, sell
from tests.conftest import counted

YEAR = "from=2026-01-01&to=2027-01-01"
ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)


@pytest.fixture
def lived(transactions):
    """The eight worked orders."""
    return place_scenarios(transactions)


def said(name, value):
    return yuan(value) if MEASURES[name].money else f"{value:,}"


def rows(desk):
    """Every row of the page's tables as one line of text."""
    found = (re.sub(r"<[^>]+>", " ", row) for row in ROW.findall(desk.text))
    return [re.sub(r"\s+", " ", unescape(row)).strip() for row in found]


SHOWN = ("aid_amount_fen", *(name for name in MEASURES if name != "aid_amount_fen"))
"""The columns of a breakdown in their order."""


def table_in(text):
    """Headings, rows and total of a file: what stands below the empty line."""
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    return lines[lines.index([]) + 1 :]


def link(desk, text):
    """Where the first link with this text leads, below /admin."""
    found = re.search(rf'href="/admin([^"]+)">\s*(?:<span[^>]*>)?{re.escape(text)}<', desk.text)
    assert found is not None, text
    return unescape(found[1])


class OnPaper(HTMLParser):
    """What is read on a page that was printed: nothing of what is marked as not for paper."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(page.partition("<main")[2].partition("</main>")[0])

    def handle_starttag(self, tag, attrs):
        if tag not in ("input", "br", "img", "link", "meta"):
            classes = (dict(attrs).get("class") or "").split()
            self.open.append("no-print" in classes)

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        if not any(self.open):
            self.text += data


@pytest.mark.parametrize("path", ["/reports", "/reports/by/channel", "/entries"])
def test_on_paper_stands_what_a_report_was_asked_for(olga, path, lived):
    """A printed sum that does not say of which unit it is passes for the whole."""
    olga.get(f"{path}?{YEAR}&unit=U03&basis=cohort")
    printed = OnPaper(olga.text).text
    assert "单位：经济学院" in printed
    assert "按销售批次：退款从原销售" in printed
    assert "起始日" not in printed


@pytest.mark.parametrize("path", ["/", f"/reports?{YEAR}", f"/entries?{YEAR}"])
def test_a_list_of_figures_holds_terms_and_figures_alone(olga, lived, path):
    """Whatever else stands in it, a screen reader does not read as a figure."""
    olga.get(path)
    figures = olga.text.partition('<dl class="headline')[2].partition("</dl>")[0]
    bare = re.sub(r"<(dt|dd)\b.*?</\1>", "", figures, flags=re.DOTALL)
    assert set(re.findall(r"<(\w+)", bare)) == {"div"}


def test_the_headline_is_the_apis_total(olga, api, lived):
    totals = api.get(f"/reports/sales?{YEAR}", as_="olga").json["totals"]
    head = olga.get("/reports").get_data(as_text=True).partition("<dl")[2].partition("</dl>")[0]
    found = re.findall(r"<dd[^>]*><a[^>]*>([^<]+)</a>", head)
    names = (
        "aid_amount_fen",
        "direct_purchase_fen",
        "help_sell_fen",
        "paid_goods_fen",
        "refunded_goods_fen",
        "orders",
        "buyers",
        "units_sold",
        "freight_fen",
    )
    assert found == [said(name, totals[name]) for name in names]
    assert found[0] == "¥69,905.40"


@pytest.mark.parametrize("basis", ["event", "cohort"])
def test_a_breakdown_is_the_apis_breakdown(olga, api, lived, basis):
    for dimension in ("month", "unit", "channel", "cooperative", "category", "platform"):
        path = f"{YEAR}&basis={basis}"
        wanted = api.get(f"/reports/sales?{path}&group_by={dimension}", as_="olga").json
        olga.get(f"/reports/by/{dimension}?{path}")
        lines = [*wanted["rows"], {**wanted["totals"], dimension: "合计"}]
        names = [line.get(f"{dimension}_name", line[dimension]) for line in lines]
        figures = [" ".join(said(name, line[name]) for name in SHOWN) for line in lines]
        assert sorted(rows(olga)[1:]) == sorted(
            f"{name} {figure}" for name, figure in zip(names, figures, strict=True)
        )


def test_the_months_of_the_worked_orders(olga, lived):
    olga.get(f"/reports?{YEAR}")
    found = [row for row in rows(olga) if row.startswith("2026-")]
    assert [row.split()[:2] for row in found] == [
        ["2026-02", "¥111.80"],
        ["2026-03", "¥211.70"],
        ["2026-04", "-¥18.10"],
        ["2026-05", "¥30,000.00"],
        ["2026-09", "¥39,600.00"],
    ]


def test_every_figure_opens_to_its_entries(olga, lived):
    olga.get(f"/reports?{YEAR}")
    olga.get(link(olga, "-¥18.10"))
    assert "¥49.90 ¥0.00 帮助销售" in rows(olga)[1]
    assert "退款" in rows(olga)[2]
    assert "-¥68.00" in rows(olga)[2]
    assert len(rows(olga)) == 3
    assert olga.plain.count("-¥18.10") == 1
    olga.get(link(olga, lived["S02"]))
    assert f"{lived['S02']} 已完成" in olga.plain
    assert "破损一瓶" in olga.plain
    assert "¥161.80" in olga.plain


def test_the_part_that_is_not_counted_stays_out_of_the_aid_amounts_entries(olga, lived):
    olga.get(f"/reports?{YEAR}")
    aid = link(olga, "¥30,000.00")
    assert "aid_class=direct_purchase&aid_class=help_sell" in aid
    olga.get(f"/reports/by/channel?{YEAR}")
    assert "aid_class" not in olga.text.partition("side=sold")[0].rpartition("href")[2]


def test_an_order_of_another_platform_has_no_page_here(olga, lived):
    olga.get(f"/entries?{YEAR}&platform=p832")
    assert "832-DEMO-0001 " in rows(olga)[1]
    assert "/admin/orders/832" not in olga.text


def test_filters_are_named_and_can_be_taken_away(olga, lived):
    olga.get(f"/reports?{YEAR}&unit=U13&unit=none&buyer_kind=alumni")
    assert "只看 单位：上海校友会、（未填写单位） × 购买者类型：校友 ×" in olga.plain
    assert "2026 年目标进度" not in olga.plain
    hrefs = [unescape(href) for href in re.findall(r'href="([^"]+)" aria-label="去掉', olga.text)]
    assert ["unit=" in href for href in hrefs] == [False, True]
    assert ["buyer_kind=" in href for href in hrefs] == [True, False]


def test_a_filter_is_named_where_nothing_was_sold(olga):
    olga.get("/reports?period=last_year&unit=U13&sku=P01-1&sku=GONE&within_unit=U03")
    assert (
        "只看 单位：上海校友会 × 规格：罐装100g、GONE × 单位（含下级）：经济学院 ×"
    ) in olga.plain


def test_one_breakdown_within_another(olga, api, lived):
    path = f"/reports/by/unit?{YEAR}&then=month&basis=cohort"
    wanted = api.get(f"/reports/sales?{YEAR}&group_by=unit,month&basis=cohort", as_="olga").json
    olga.get(path)
    shown = [" ".join(row.split(" ")[:3]) for row in rows(olga)[1:-1]]
    assert sorted(shown) == sorted(
        f"{row['unit_name']} {row['month']} {yuan(row['aid_amount_fen'])}" for row in wanted["rows"]
    )
    assert "单位 / 月" in olga.plain
    assert shown[0] == "校工会 2026-09 ¥39,600.00"
    olga.get(link(olga, "¥39,600.00"))
    assert "以下全部明细之和" in olga.plain
    text = olga.get(f"/reports/by/unit.csv?{YEAR}&then=month").get_data(as_text=True)
    assert table_in(text)[0][:3] == ["单位代码", "单位", "月"]


def test_a_long_breakdown_says_that_it_is_cut(olga, lived, monkeypatch):
    monkeypatch.setattr("admin.reports.MOST_ROWS", 2)
    olga.get(f"/reports/by/month?{YEAR}")
    assert len(rows(olga)) == 2 + 2
    assert "还有 3 行没有列出" in olga.plain


def test_what_came_late_is_told_and_listed(olga, transactions):
    with transactions.begin() as ctx:
        first = sell(ctx, "2026-03-10T10:00:00", part(fen=900))
        refund(ctx, first.line, "2026-03-11T10:00:00", 100)
    told = "期间结束后补记 2 条明细 ，商品金额合计 ¥8.00，其中消费帮扶额 ¥8.00"
    olga.get("/reports?from=2026-03-01&to=2026-04-01")
    assert told in olga.plain
    olga.get(link(olga, "2 条明细"))
    assert "记录时间：期间结束一天后补记 ×" in olga.plain
    assert len(rows(olga)) == 3
    for period in ("from=2026-03-01&to=2026-11-23", "period=this_year", "period=last_year"):
        olga.get(f"/reports?{period}")
        assert "期间结束后补记" not in olga.plain, period


def test_names_are_told_in_english_and_kept_in_the_file(olga, lived):
    olga.get(f"/reports/by/unit?{YEAR}&lang=en")
    assert rows(olga)[1].startswith("Staff Union ¥39,600.00")
    olga.get(f"/entries?{YEAR}&unit=U01")
    assert "Staff Union" in rows(olga)[1]
    assert "High-mountain green tea" in rows(olga)[1]
    text = olga.get(f"/reports/by/unit.csv?{YEAR}").get_data(as_text=True)
    assert ["U01", "校工会"] in [line[:2] for line in table_in(text)]


def test_the_basis_moves_the_refund(olga, lived):
    found = {}
    for basis in ("event", "cohort"):
        olga.get(f"/reports?{YEAR}&basis={basis}")
        found[basis] = [row.split()[1] for row in rows(olga) if row.startswith("2026-03")]
        assert f"统计基准 {'按发生时间' if basis == 'event' else '按销售批次'}" in olga.plain
    assert found == {"event": ["¥211.70"], "cohort": ["¥143.70"]}


def test_the_definition_is_printed(olga, lived):
    olga.get(f"/reports?{YEAR}")
    for text in (
        "2026-01-01 起（含）至 2027-01-01 止（不含），北京时间",
        "数据截至 2026年11月23日 10:00",
        "aid2026",
        "不含运费",
        "计入平台： 示例助农微商城、",
        "售出时为已认证帮扶产品，或产地为云南省",
        "直接购买：教职工、学生、单位账户",
    ):
        assert text in olga.plain, text


@pytest.mark.parametrize(
    ("asked", "status", "note"),
    [
        ("from=2026-05-01&to=2026-05-01", 422, "结束日须晚于起始日（结束日当天不计入）"),
        ("from=2026-05-01", 422, "请填写起始日与结束日"),
        ("from=x&to=y", 422, "请填写起始日与结束日"),
        ("from=1900-01-01&to=2026-01-01", 422, "报表条件有误"),
        ("from=0202-01-01&to=0202-03-01", 422, "报表条件有误"),
        ("from=9999-01-01&to=9999-12-31", 422, "报表条件有误"),
        ("period=tomorrow&basis=guess", 200, None),
        ("buyer_kind=cat", 422, "报表条件有误"),
    ],
)
def test_a_question_without_an_answer(olga, asked, status, note):
    assert olga.get(f"/reports?{asked}").status_code == status
    assert olga.notes == ([note] if note else [])
    assert "本季度" in olga.plain


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "/reports?buyer_kind=cat&month=2026-13",
            ["月：没有这个值：2026-13", "购买者类型：没有这个值：cat"],
        ),
        ("/entries?side=cat&lang=en", ["Side: No such value: cat"]),
        ("/reports/by/township", ["统计维度：没有维度 township"]),
        ("/reports?from=1900-01-01&to=2026-01-01", []),
    ],
)
def test_a_refused_filter_is_named(olga, path, said):
    """The form has fields for the days alone; where else the fault lies, it says beside."""
    olga.get(path)
    assert re.findall(r"<li>(.*?)</li>", olga.text.partition("<main")[2]) == said


def test_a_refused_day_loses_nothing_else(olga):
    """The form leads back to the same page with the same filters; a fault is not kept."""
    asked = "from=2026-05-02&to=2026-05-01&basis=cohort&unit=U03&unit=none&buyer_kind=cat"
    for path in ("/reports", "/reports/by/unit", "/entries"):
        olga.get(f"{path}?{asked.replace('&buyer_kind=cat', '')}&then=month")
        assert f'action="/admin{path}"' in olga.text
        hidden = re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', olga.text)
        kept = [("basis", "cohort"), ("then", "month"), ("unit", "U03"), ("unit", "none")]
        assert [one for one in hidden if one[0] != "csrf_token"] == kept
        [preset] = re.findall(r'href="([^"]*period=last_year[^"]*)"', olga.text)
        assert "basis=cohort" in preset
        assert "unit=U03&unit=none" in unescape(preset)
    olga.get(f"/reports?{asked.replace('2026-05-02', '2026-04-02')}")
    assert 'name="buyer_kind"' not in olga.text


def test_unknown_dimensions_and_places(olga):
    assert olga.get("/reports/by/township").status_code == 422
    assert olga.get("/reports/by/unit?from=2026-02-02&to=2026-01-01").status_code == 422
    assert olga.get("/entries?after=x").status_code == 422
    assert olga.get("/entries.csv?unit=").status_code == 200


def test_a_period_without_sales(olga):
    olga.get("/reports?period=last_year")
    assert "这段时间没有计入的销售" in olga.plain
    assert "<svg xmlns" not in olga.text


def test_progress_stands_beside_a_straight_line(olga, lived):
    olga.get("/reports")
    assert "消费帮扶额 1.00% 已完成 ¥69,905.40 / 目标 ¥7,000,000.00" in olga.plain
    assert "按日均摊应完成 ¥6,271,232.87" in olga.plain
    assert "落后 ¥6,201,327.47" in olga.plain
    assert "校工会 ¥39,600.00 ¥900,000.00 4.40% ¥806,301.36 -¥766,701.36" in rows(olga)


def test_the_landing_has_the_years_total(olga, lived):
    olga.get("/")
    assert "2026 年消费帮扶" in olga.plain
    assert "消费帮扶额 ¥69,905.40 6.99 万元" in olga.plain


def test_the_entries_are_turned_over_without_loss(olga, transactions):
    for _ in range(52):
        buy(transactions, ("P01-1", 1))
    olga.get(f"/entries?{YEAR}")
    first = rows(olga)[1:]
    olga.get(unescape(re.search(r'href="/admin(/entries\?[^"]*after=[^"]*)"', olga.text)[1]))
    assert (len(first), len(rows(olga)[1:])) == (50, 2)
    assert "¥2,496.00" in olga.plain


def test_files_hold_the_same_figures(olga, lived):
    text = olga.get(f"/reports/by/unit.csv?{YEAR}").get_data(as_text=True)
    assert text.startswith("\ufeff")
    total = list(csv.reader(io.StringIO(text)))[-1]
    assert (total[0], total[7]) == ("合计", "69905.40")
    assert olga.shown.headers["Content-Disposition"] == (
        'attachment; filename="aid-unit-2026-01-01-2027-01-01.csv"'
    )


def test_the_file_of_entries_adds_up(olga, lived):
    text = olga.get(f"/entries.csv?{YEAR}").get_data(as_text=True)
    head, *lines, total = table_in(text)
    goods = [line[head.index("商品金额（元）")] for line in lines]
    assert sum(round(float(amount) * 100) for amount in goods) == 6_990_540
    assert (total[0], total[head.index("商品金额（元）")]) == ("合计", "69905.40")
    assert {line[head.index("订单号")] for line in lines if line[2] == "退款"} == {
        f'="{lived["S02"]}"',
        f'="{lived["S06"]}"',
    }


def test_the_page_asks_no_more_the_more_was_sold(olga, lived, database, transactions):
    found = []
    for _ in range(2):
        with counted(database) as issued:
            olga.get(f"/reports?{YEAR}")
        found.append(len(issued))
        buy(transactions, ("P03-1", 2), unit="U04")
    assert found[0] == found[1] <= 48
