"""Which orders a line of the bank's is for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.orders import OrderState
from shop.ids import check_digit, is_order_number, order_number
from shop.payments.bank_matching import (
    Found,
    Match,
    Receipt,
    Wanted,
    alike,
    decide,
    names_payout,
    near_numbers,
    numbers_in,
    refund_numbers_in,
)

ONE, TWO = ("2611231234567", "2611239876543")
ONE, TWO = (f"{body}{check_digit(body)}" for body in (ONE, TWO))
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
R, R2, A, B = (UUID(int=number) for number in range(1, 5))

FIRST = Wanted(A, ONE, OrderState.PENDING_PAYMENT, 1000, ("校工会", "采购员"))
SECOND = Wanted(B, TWO, OrderState.PENDING_PAYMENT, 500, ("食堂",))
LINE = Receipt(R, 1000, "永平大学校工会委员会", ONE)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"订单{ONE}货款",
        ONE.translate(WIDE),
        f"{ONE[:6]} {ONE[6:10]} {ONE[10:]}",
        f"{ONE[:6]}-{ONE[6:]}",
        f"单号：{ONE[:2]}、{ONE[2:]}。",
        f"1000.00 {ONE}",
        f"99{ONE}",
    ],
)
def test_a_number_is_found_however_it_is_written(text):
    assert ONE in numbers_in(text)


def test_several_numbers_are_found_in_their_order():
    assert [one for one in numbers_in(f"{TWO},{ONE}") if one in {ONE, TWO}] == [TWO, ONE]


@pytest.mark.parametrize("text", ["", "货款", ONE[:-1], f"{ONE[:6]}X{ONE[6:]}", "26133212345678"])
def test_what_is_no_number(text):
    assert ONE not in numbers_in(text)


@given(st.text(max_size=200))
def test_whatever_is_found_can_be_a_number(text):
    assert all(is_order_number(one) for one in numbers_in(text) + near_numbers(text))


@given(st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_is_mended(place, change):
    number = order_number(date(2026, 11, 23))
    digit = (int(number[place]) + change) % 10
    wrong = f"{number[:place]}{digit}{number[place + 1 :]}"
    assert number in near_numbers(f"货款 {wrong}")
    assert len(near_numbers(wrong)) <= 14


def test_a_right_number_is_not_mended():
    assert near_numbers(f"货款 {ONE}") == []


def test_number_and_amount_are_certain():
    found = decide(LINE, Found(named=(FIRST,)))
    assert found.matches == (Match(R, A, 1000, "number_and_amount", certain=True),)
    assert found.reason == ""


@pytest.mark.parametrize(
    ("fen", "matched", "reason"), [(999, 999, "underpaid"), (1001, 1000, "overpaid")]
)
def test_an_amount_that_is_off_is_proposed(fen, matched, reason):
    found = decide(replace(LINE, open_fen=fen), Found(named=(FIRST,)))
    assert (found.matches, found.reason) == ((Match(R, A, matched, reason),), reason)


def test_several_lines_that_add_up_are_certain():
    found = decide(
        replace(LINE, open_fen=600), Found(named=(FIRST,), beside=(Receipt(R2, 400, "", ONE),))
    )
    assert found.matches == (
        Match(R, A, 600, "adds_up", certain=True),
        Match(R2, A, 400, "adds_up", certain=True),
    )


def test_lines_that_do_not_add_up_are_proposed_each_by_itself():
    found = decide(
        replace(LINE, open_fen=600), Found(named=(FIRST,), beside=(Receipt(R2, 300, "", ONE),))
    )
    assert found.matches == (Match(R, A, 600, "underpaid"),)


def test_the_rest_of_what_is_owed_is_certain():
    rest = replace(FIRST, missing_fen=400)
    found = decide(replace(LINE, open_fen=400), Found(named=(rest,)))
    assert [one.certain for one in found.matches] == [True]


def test_one_line_for_two_orders_that_sums():
    found = decide(replace(LINE, open_fen=1500), Found(named=(FIRST, SECOND)))
    assert [(one.order_id, one.amount_fen, one.certain) for one in found.matches] == [
        (A, 1000, True),
        (B, 500, True),
    ]


@pytest.mark.parametrize("fen", [1499, 1501, 1000, 500])
def test_one_line_for_two_orders_that_does_not(fen):
    found = decide(replace(LINE, open_fen=fen), Found(named=(FIRST, SECOND)))
    assert (found.matches, found.reason) == ((), "several_do_not_sum")


def test_two_orders_of_which_one_is_paid_are_left_to_a_person():
    paid = replace(SECOND, state=OrderState.PAID)
    found = decide(replace(LINE, open_fen=1000), Found(named=(FIRST, paid)))
    assert (found.matches, found.reason) == ((), "several_do_not_sum")


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.CANCELLED])
def test_money_for_an_order_that_does_not_wait(state):
    found = decide(LINE, Found(named=(replace(FIRST, state=state),)))
    assert (found.matches, found.reason) == ((), f"order_{state}")


def test_a_mistyped_number_with_the_amount_is_proposed():
    found = decide(LINE, Found(near=(FIRST,)))
    assert found.matches == (Match(R, A, 1000, "near_number"),)


def test_a_mistyped_number_alone_is_not():
    found = decide(replace(LINE, open_fen=7, payer_name="路人甲"), Found(near=(FIRST,)))
    assert (found.matches, found.reason) == ((), "no_order")


def test_amount_and_payer_are_proposed():
    found = decide(replace(LINE, remark="货款"), Found(same_amount=(FIRST,)))
    assert found.matches == (Match(R, A, 1000, "payer_and_amount"),)


def test_two_orders_of_one_payer_are_left_to_a_person():
    found = decide(LINE, Found(same_amount=(FIRST, replace(FIRST, id=B))))
    assert (found.matches, found.reason) == ((), "several_candidates")


def test_another_payer_is_nobody():
    found = decide(replace(LINE, payer_name="路人甲"), Found(same_amount=(FIRST,)))
    assert (found.matches, found.reason) == ((), "no_order")


amounts = st.integers(1, 10**9)


@given(amounts, st.lists(amounts, max_size=3), st.lists(amounts, max_size=3))
def test_no_line_gives_more_than_it_has_and_no_order_gets_more_than_it_lacks(have, beside, lack):
    orders = tuple(
        replace(FIRST, id=UUID(int=90 + n), missing_fen=one) for n, one in enumerate(lack)
    )
    others = tuple(Receipt(UUID(int=50 + n), one) for n, one in enumerate(beside))
    found = decide(replace(LINE, open_fen=have), Found(named=orders, beside=others))
    left = {R: have, **{one.id: one.open_fen for one in others}}
    lacks = {one.id: one.missing_fen for one in orders}
    for one in found.matches:
        left[one.receipt_id] -= one.amount_fen
        lacks[one.order_id] -= one.amount_fen
        assert one.amount_fen > 0
    assert min(left.values()) >= 0
    assert min(lacks.values(), default=0) >= 0
    if any(one.certain for one in found.matches):
        assert {lacks[one.order_id] for one in found.matches} == {0}


@pytest.mark.parametrize(
    ("payer", "name", "same"),
    [
        ("校工会", "校工会", True),
        ("永平大学校工会委员会", "校工会", True),
        ("林晓", "林晓", True),
        ("林晓东", "林晓", False),
        ("后勤服务中心（食堂）", "后勤服务中心(食堂)", True),
        ("经济学院", "管理学院", False),
        ("", "", False),
    ],
)
def test_names_that_are_alike(payer, name, same):
    assert alike(payer, (name,)) is same


def test_refund_numbers():
    assert refund_numbers_in(f"退款 {ONE}R1 谢谢") == [f"{ONE}R1"]
    assert refund_numbers_in(f"{ONE[:6]} {ONE[6:]} r 02") == [f"{ONE}R2"]
    assert refund_numbers_in(f"{ONE}") == []


def test_payouts_however_they_are_spaced():
    assert names_payout(("STRIPE PAYOUT PO_1A 2B",), ("po_1A2B",))
    assert not names_payout(("STRIPE",), ("po_1A2B", ""))
