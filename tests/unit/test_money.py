from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import MixedCurrencies, Money, parse_yuan, split, yuan_text

AMOUNTS = st.integers(-(10**15), 10**15)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)


def test_adds_subtracts_multiplies():
    assert Money(1280) + Money(20) - Money(300) == Money(1000)
    assert Money(1280) * 3 == 3 * Money(1280) == Money(3840)
    assert -Money(5) == Money(-5)


def test_compares_amounts_of_one_currency():
    assert Money(1) < Money(2) <= Money(2) < Money(3)
    assert Money(3) > Money(2) >= Money(2)
    assert sorted([Money(3), Money(-1), Money(2)]) == [Money(-1), Money(2), Money(3)]
    assert bool(Money(0)) is False
    assert bool(Money(-1)) is True


@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_refuses_mixed_currencies(operator):
    with pytest.raises(MixedCurrencies, match="CNY and USD"):
        getattr(Money(1), operator)(Money(1, "USD"))


def test_amounts_of_two_currencies_are_never_equal():
    assert Money(1) != Money(1, "USD")
    assert Money(0) != 0


@pytest.mark.parametrize("fen", [True, 1.0, "1", Decimal(1), None])
def test_refuses_what_is_not_a_whole_number(fen):
    with pytest.raises(TypeError):
        Money(fen)
    with pytest.raises(TypeError):
        Money(1) * fen
    with pytest.raises(TypeError):
        Money(1) + fen


@pytest.mark.parametrize("currency", ["", "cny", "RMB1", "¥"])
def test_refuses_an_unknown_currency(currency):
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


def test_is_frozen_and_usable_as_a_key():
    assert {Money(1): "a"}[Money(1)] == "a"
    with pytest.raises(AttributeError):
        Money(1).fen = 2


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (1, [1, 1, 1], [1, 0, 0]),
        (2, [1, 2, 1], [1, 1, 0]),
        (100, [1, 2, 3], [17, 33, 50]),
        (14000, [960000, 1500000, 998000, 516000], [3382, 5284, 3516, 1818]),
        (5, [0, 3, 0, 2], [0, 3, 0, 2]),
        (7, [0, 0], [4, 3]),
        (0, [5, 0], [0, 0]),
        (0, [], []),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (-1, [0, 1], [0, -1]),
        (3, [10**30, 10**30], [2, 1]),
    ],
)
def test_splits_by_largest_remainder(total, weights, parts):
    assert split(total, weights) == parts
    assert Money(total).split(weights) == [Money(part) for part in parts]


@pytest.mark.parametrize(
    ("total", "weights", "kind"),
    [
        (1, [], ValueError),
        (-1, [], ValueError),
        (1, [2, -1], ValueError),
        (1.0, [1], TypeError),
        (True, [1], TypeError),
        (1, [1.5], TypeError),
    ],
)
def test_refuses_what_cannot_be_split(total, weights, kind):
    with pytest.raises(kind):
        split(total, weights)


@given(AMOUNTS, WEIGHTS)
def test_no_fen_is_lost(total, weights):
    assert sum(split(total, weights)) == total


@given(AMOUNTS, WEIGHTS)
def test_nobody_is_off_by_a_whole_fen(total, weights):
    parts = split(total, weights)
    whole = sum(weights)
    if whole:
        pairs = zip(parts, weights, strict=True)
        assert all(abs(part * whole - total * weight) < whole for part, weight in pairs)


@given(AMOUNTS, WEIGHTS)
def test_a_reversal_mirrors_the_split(total, weights):
    assert split(-total, weights) == [-part for part in split(total, weights)]


@given(WEIGHTS, st.data())
def test_a_part_never_exceeds_its_weight(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    assert all(part <= weight for part, weight in zip(split(total, weights), weights, strict=True))


@pytest.mark.parametrize(
    ("fen", "text"),
    [(1280, "12.80"), (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-1280, "-12.80"), (100, "1.00")],
)
def test_yuan_as_text(fen, text):
    assert yuan_text(fen) == text


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("12.80", 1280),
        ("12.8", 1280),
        ("12", 1200),
        ("0.05", 5),
        ("-0.05", -5),
        ("0", 0),
        ("9999999999999.99", 999999999999999),
    ],
)
def test_reads_yuan(text, fen):
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "1.",
        ".5",
        "1.234",
        "1,000",
        "1e3",
        "01",
        "１２",
        "--1",
        "NaN",
        "¥1",
        "1\n",
        "10000000000000",
    ],
)
def test_refuses_other_spellings(text):
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)


@pytest.mark.parametrize("value", [12.8, 12, None, b"12"])
def test_yuan_are_read_from_text_alone(value):
    with pytest.raises(TypeError):
        parse_yuan(value)


@given(AMOUNTS)
def test_text_and_back(fen):
    assert parse_yuan(yuan_text(fen % 10**15)) == fen % 10**15
