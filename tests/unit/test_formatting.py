from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.formatting import day, jin, minute, percent, wan_yuan, weight, yuan

BEFORE_MIDNIGHT = datetime(2026, 3, 31, 15, 59, 30, tzinfo=UTC)
AFTER_MIDNIGHT = datetime(2026, 3, 31, 16, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (123450, "¥1,234.50"),
        (5, "¥0.05"),
        (0, "¥0.00"),
        (-500, "-¥5.00"),
        (70035000000, "¥700,350,000.00"),
    ],
)
def test_yuan(fen, text):
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (700_350_000, "700.35"),
        (4_999, "0.00"),
        (5_000, "0.01"),
        (14_999, "0.01"),
        (15_000, "0.02"),
        (-5_000, "-0.01"),
        (-4_999, "0.00"),
        (0, "0.00"),
    ],
)
def test_wan_yuan_is_rounded_half_away_from_zero(fen, text):
    assert wan_yuan(fen) == text


def test_rounded_rows_need_not_make_the_rounded_total():
    assert [wan_yuan(5_000), wan_yuan(5_000), wan_yuan(10_000)] == ["0.01", "0.01", "0.01"]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (24251, 22673, "106.96%"),
        (1, 3, "33.33%"),
        (2, 3, "66.67%"),
        (0, 5, "0.00%"),
        (-1, 8, "-12.50%"),
        (1, -8, "-12.50%"),
        (5, 0, ""),
        (5, None, ""),
    ],
)
def test_percent(part, whole, text):
    assert percent(part, whole) == text


@pytest.mark.parametrize(
    ("grams", "text"),
    [
        (180, "180 g"),
        (999, "999 g"),
        (1000, "1 kg"),
        (3600, "3.6 kg"),
        (3605, "3.605 kg"),
        (0, "0 g"),
        (2000000, "2000 kg"),
        (-3600, "-3.6 kg"),
    ],
)
def test_weight(grams, text):
    assert weight(grams) == text


@pytest.mark.parametrize(
    ("grams", "zh", "en"),
    [
        (3600, "7.2斤", "7.2 jin"),
        (500, "1斤", "1 jin"),
        (180, "0.36斤", "0.36 jin"),
        (1, "0.002斤", "0.002 jin"),
    ],
)
def test_jin(grams, zh, en):
    assert (jin(grams), jin(grams, "en")) == (zh, en)


def test_days_and_minutes_are_those_of_shanghai():
    assert (day(BEFORE_MIDNIGHT), day(AFTER_MIDNIGHT)) == ("2026年3月31日", "2026年4月1日")
    assert minute(BEFORE_MIDNIGHT) == "2026年3月31日 23:59"
    assert minute(AFTER_MIDNIGHT, "en") == "1 Apr 2026, 00:00"


def test_a_date_is_its_own_day():
    assert (day(date(2026, 2, 3), "zh_Hans_CN"), day(date(2026, 2, 3), "en")) == (
        "2026年2月3日",
        "3 Feb 2026",
    )


def test_a_naive_time_is_refused():
    naive = datetime(2026, 2, 3)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="naive"):
        minute(naive)


@given(st.integers(-(10**12), 10**12))
def test_wan_yuan_is_never_off_by_more_than_half_a_step(fen):
    hundredths = int(wan_yuan(fen).replace(".", ""))
    assert abs(hundredths * 10_000 - fen) <= 5_000
