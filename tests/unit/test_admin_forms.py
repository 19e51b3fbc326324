"""What the back office's forms and addresses mean."""

from __future__ import annotations

from datetime import date

import pytest

from admin.forms.fields import cut, fen_of, pieces_of
from admin.forms.period import PRESETS, month_start, quarter_start, span_of
from shop.errors import Invalid

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("today", "name", "start", "end"),
    [
        (TODAY, "this_month", "2026-11-01", "2026-12-01"),
        (TODAY, "last_month", "2026-10-01", "2026-11-01"),
        (TODAY, "this_quarter", "2026-10-01", "2027-01-01"),
        (TODAY, "this_year", "2026-01-01", "2027-01-01"),
        (TODAY, "last_year", "2025-01-01", "2026-01-01"),
        (date(2026, 1, 31), "last_month", "2025-12-01", "2026-01-01"),
        (date(2026, 12, 31), "this_month", "2026-12-01", "2027-01-01"),
        (date(2026, 3, 31), "this_quarter", "2026-01-01", "2026-04-01"),
        (date(2026, 4, 1), "this_quarter", "2026-04-01", "2026-07-01"),
        (date(2024, 2, 29), "last_year", "2023-01-01", "2024-01-01"),
    ],
)
def test_usual_periods(today, name, start, end):
    days = PRESETS[name](today)
    assert tuple(map(str, days)) == (start, end)
    assert span_of({"period": name}, today).preset == name
    assert span_of({"from": start, "to": end}, today).preset == name


def test_a_period_of_ones_own_ends_before_its_end():
    span = span_of({"from": "2026-02-01", "to": "2026-03-01"}, TODAY)
    assert (span.preset, span.last_day) == ("custom", date(2026, 2, 28))


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2026-02-01"},
        {"to": "2026-02-01"},
        {"from": "1.2.2026", "to": "2026-03-01"},
        {"from": "2026-02-30", "to": "2026-03-01"},
        {"from": "2026-03-01", "to": "2026-03-01"},
    ],
)
def test_a_period_that_is_none(asked):
    with pytest.raises(Invalid):
        span_of(asked, TODAY)


def test_months_and_quarters_far_away():
    assert month_start(TODAY, -23) == date(2024, 12, 1)
    assert quarter_start(TODAY, 5) == date(2028, 1, 1)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("48", 4800),
        (" 48.5 ", 4850),
        ("¥48.00", 4800),
        ("￥1,234.05", 123_405),
        ("0.01", 1),
    ],
)
def test_amounts(text, fen):
    assert fen_of({"price": text}, "price") == fen


@pytest.mark.parametrize("text", ["", "48.005", "1e3", "四十八", "48元", "nan", "--5", "9" * 40])
def test_amounts_that_are_none(text):
    with pytest.raises(Invalid):
        fen_of({"price": text}, "price")


@pytest.mark.parametrize(("text", "pieces"), [("", 0), ("0", 0), (" 12 ", 12), ("１２", 12)])
def test_pieces(text, pieces):
    assert pieces_of({"n": text}, "n") == pieces


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "十", "9999999999", "²"])
def test_pieces_that_are_none(text):
    with pytest.raises(Invalid):
        pieces_of({"n": text}, "n")


def test_a_page_is_cut_where_the_next_begins():
    rows = [{"id": number} for number in range(4)]
    assert cut(list(rows), 3) == (rows[:3], 2)
    assert cut(rows[:3], 3) == (rows[:3], None)
    assert cut([], 3) == ([], None)
