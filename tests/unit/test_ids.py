from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.errors import NotFound
from shop.ids import (
    check_digit,
    id_floor,
    id_in,
    is_order_number,
    new_id,
    order_number,
    secret_token,
)
from shop.web import key_of

BODIES = st.text("0123456789", min_size=13, max_size=13)
DIGITS = st.sampled_from("0123456789")


@pytest.mark.parametrize(
    ("body", "digit"), [("7992739871", "3"), ("0", "0"), ("1", "8"), ("2602031234567", "9")]
)
def test_the_luhn_digit(body, digit):
    assert check_digit(body) == digit


@given(BODIES, st.integers(0, 13), DIGITS)
def test_every_single_wrong_digit_is_found(body, place, digit):
    number = body + check_digit(body)
    wrong = number[:place] + digit + number[place + 1 :]
    assert is_order_number(number)
    assert is_order_number(wrong) is (wrong == number)


@given(BODIES, st.integers(0, 12))
def test_swapped_neighbours_are_found_except_0_and_9(body, place):
    number = body + check_digit(body)
    left, right = number[place], number[place + 1]
    swapped = number[:place] + right + left + number[place + 2 :]
    unseen = left == right or {left, right} == {"0", "9"}
    assert is_order_number(swapped) is unseen


def test_an_order_number_carries_its_day():
    number = order_number(date(2026, 2, 3))
    assert number.startswith("260203")
    assert len(number) == 14
    assert is_order_number(number)


def test_order_numbers_of_a_day_differ():
    assert len({order_number(date(2026, 2, 3)) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "text",
    ["", "260203", "2602031234567", "２６０２０３１２３４５６７３", "26020312345678x", "²" * 14],
)
def test_other_text_is_no_order_number(text):
    assert is_order_number(text) is False


@given(st.text(max_size=16))
def test_any_text_may_be_asked(text):
    assert is_order_number(text) in {True, False}


def test_ids_are_uuid7_and_in_the_order_of_their_making():
    ids = [new_id() for _ in range(100)]
    assert {one.version for one in ids} == {7}
    assert ids == sorted(ids)


def test_the_floor_of_a_moment_parts_earlier_from_later_ids():
    moment = datetime(2026, 3, 31, 16, tzinfo=UTC)
    floor = id_floor(moment)
    assert floor.version == 7
    assert floor.int >> 80 == 1774972800000
    assert (
        id_floor(moment - timedelta(milliseconds=1)) < floor < id_floor(moment + timedelta(hours=1))
    )


def test_a_key_is_read_back_from_its_text():
    key = new_id()
    assert (id_in(str(key)), id_in(key.hex)) == (key, key)


@pytest.mark.parametrize("text", ["", "x", "12", "0190-", "z" * 32, f"{'0' * 33}"])
def test_what_is_no_key_is_none(text):
    assert id_in(text) is None


def test_a_path_that_names_no_key_leads_nowhere():
    key = new_id()
    assert key_of(str(key)) == key
    with pytest.raises(NotFound):
        key_of("x")


def test_secrets_are_long_and_differ():
    assert len(secret_token()) >= 43
    assert secret_token() != secret_token()
