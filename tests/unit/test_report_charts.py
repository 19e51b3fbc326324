"""Charts are well-formed, accessible, without script or style, and as tall as their figures."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from shop.reports.charts import Series, bars, columns

SVG = "{http://www.w3.org/2000/svg}"
PAID = Series("支付", (500_000, 0, 1_000_000))
REFUNDED = Series("退款", (0, 250_000, 0))


def drawn(svg: str, css: str) -> list[tuple[float, float]]:
    """(top, height) of the columns of a series; the first rectangle is the legend's."""
    root = ET.fromstring(svg)
    found = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == css]
    return [(float(rect.get("y", "")), float(rect.get("height", ""))) for rect in found[1:]]


def test_columns_are_as_tall_as_their_amounts():
    svg = columns("monthly", "每月", ("一月", "二月", "三月"), (PAID, REFUNDED))
    assert drawn(svg, "chart-s0") == [(143.0, 109.0), (252.0, 0.0), (34.0, 218.0)]
    assert [height for _, height in drawn(svg, "chart-s1")] == [0.0, 54.5, 0.0]


def test_the_names_of_series_have_room_beside_each_other():
    root = ET.fromstring(columns("monthly", "每月", ("一月", "二月", "三月"), (PAID, REFUNDED)))
    found = [text.get("x") for text in root.iter(f"{SVG}text") if text.get("y") == "20.0"]
    assert found == ["102.0", "302.0"]


def test_a_negative_column_hangs_below_zero():
    svg = columns("net", "净额", ("一月", "二月"), (Series("净额", (1_000, -1_000)),))
    (up, height), (down, depth) = drawn(svg, "chart-s0")
    assert (height, depth, up + height) == (109.0, 109.0, down)


@pytest.mark.parametrize(("months", "written"), [(12, 12), (13, 7), (24, 12), (36, 12)])
def test_labels_do_not_touch(months: int, written: int):
    labels = [f"{month}月" for month in range(months)]
    root = ET.fromstring(columns("x", "x", labels, (Series("额", (1,) * months),)))
    found = [text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "middle"]
    assert len(found) == written
    assert len(drawn(ET.tostring(root, "unicode"), "chart-s0")) == months


def test_a_chart_tells_what_it_shows():
    svg = columns("monthly", "每月销售", ("一月",), (Series("支付", (123_450,)),), "按付款时间")
    root = ET.fromstring(svg)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "monthly-title monthly-desc")
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles == ["每月销售", "支付", "一月 支付 ¥1,234.50"]
    assert [desc.text for desc in root.iter(f"{SVG}desc")] == ["按付款时间"]


def test_a_column_that_leads_on_is_named_once():
    """What its link is called is what stands in it; said twice, it is another name."""
    series = Series("支付", (100, 200), ("/a?x=1&y=2", None))
    root = ET.fromstring(columns("x", "x", ("一月", "二月"), (series,)))
    [link] = root.iter(f"{SVG}a")
    assert (link.get("href"), link.get("aria-label")) == ("/a?x=1&y=2", "一月 支付 ¥1.00")
    assert [title.text for title in link.iter(f"{SVG}title")] == ["一月 支付 ¥1.00"]
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles == ["x", "支付", "一月 支付 ¥1.00", "二月 支付 ¥2.00"]


def test_bars_are_as_long_as_their_amounts():
    root = ET.fromstring(bars("units", "单位", (("校工会", 1000), ("经济学院", 250))))
    assert [rect.get("width") for rect in root.iter(f"{SVG}rect")] == ["420.0", "105.0"]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["校工会", "¥10.00", "经济学院", "¥2.50"]


def test_a_long_label_is_cut_and_told_in_full():
    label = "云雾岭茶叶专业合作社联合社(演示)"
    svg = bars("coops", "合作社", ((label, 100),))
    assert f"<title>{label} ¥1.00</title>" in svg
    assert f">{label[:13]}…</text>" in svg


def test_a_negative_bar_has_no_length():
    root = ET.fromstring(bars("units", "单位", (("校工会", -500),)))
    assert [rect.get("width") for rect in root.iter(f"{SVG}rect")] == ["0.0"]


@pytest.mark.parametrize(
    "svg",
    [
        columns("x", "<b>", ("<i>&\"'",), (Series("</svg><script>", (1,)),), "<script>"),
        bars('x"', "<script>", (("<script>alert(1)</script>", 1),)),
        columns("empty", "空", (), (PAID,)),
        bars("empty", "空", ()),
    ],
)
def test_nothing_breaks_out_of_a_chart(svg: str):
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "text",
        "line",
    }
    assert "style=" not in svg


@pytest.mark.parametrize(
    ("amount", "ticks"),
    [
        (0, ["¥0", "¥0.01"]),
        (1_000_000, ["¥0", "¥5,000", "¥10,000"]),
        (390_000_000, ["¥0", "¥1,000,000", "¥2,000,000", "¥3,000,000", "¥4,000,000"]),
        (-700, ["-¥8", "-¥6", "-¥4", "-¥2", "¥0"]),
    ],
)
def test_the_grid_stands_on_round_amounts(amount: int, ticks: list[str]):
    root = ET.fromstring(columns("x", "x", ("一月",), (Series("额", (amount,)),)))
    found = [text.text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    assert found == ticks


def test_a_column_leads_to_its_list_and_an_empty_place_nowhere():
    linked = Series("支付", (500_000, 0, 1_000_000), ("/a?x=1&y=2", "/b", None))
    root = ET.fromstring(columns("monthly", "每月", ("一月", "二月", "三月"), (linked,)))
    assert root.get("role") == "group"
    found = [(one.get("href"), one.get("aria-label")) for one in root.iter(f"{SVG}a")]
    assert found == [("/a?x=1&y=2", "一月 支付 ¥5,000.00")]
