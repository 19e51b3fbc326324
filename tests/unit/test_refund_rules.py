"""What of each line a refund returns: to the fen, and never more than was paid."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.errors import Conflict, Invalid
from shop.payments.refund_rules import Line, LineWish, Part, RefundWish, pieces_fen, plan, spread


def line(number: int = 1, **values: object) -> Line:
    """Three pieces for 100.00 and 7.00 of freight, nothing shipped."""
    plain = {
        "id": UUID(int=number),
        "sku_id": UUID(int=number),
        "consignment_id": UUID(int=number),
        "cooperative": "C01",
        "quantity": 3,
        "shipped": 0,
        "withdrawn": 0,
        "returned": 0,
        "paid_goods_fen": 10_000,
        "paid_freight_fen": 700,
        "back_goods_fen": 0,
        "back_freight_fen": 0,
    }
    return Line(**{**plain, **values})  # type: ignore[arg-type]


def after(one: Line, part: Part) -> Line:
    """The line as it stands once the refund has claimed its part."""
    return replace(
        one,
        withdrawn=one.withdrawn + part.withdrawn,
        returned=one.returned + part.returned,
        back_goods_fen=one.back_goods_fen + part.goods_fen,
        back_freight_fen=one.back_freight_fen + part.freight_fen,
    )


def told(parts: list[Part]) -> list[tuple[int, int, int, int, int]]:
    """(line, goods, freight, withdrawn, returned) of each part."""
    return [(p.line.id.int, p.goods_fen, p.freight_fen, p.withdrawn, p.returned) for p in parts]


def refusal(lines: list[Line], wish: RefundWish) -> str:
    with pytest.raises((Invalid, Conflict)) as refused:
        plan(lines, wish)
    return refused.value.error_code


def of(number: int, pieces: int | None = None, fen: int | None = None) -> LineWish:
    return LineWish(UUID(int=number), pieces, fen)


TWO = [line(1), line(2, quantity=2, paid_goods_fen=501, paid_freight_fen=0, shipped=2)]


def test_everything_goes_back_and_only_what_is_here_is_withdrawn():
    assert told(plan(TWO, RefundWish())) == [(1, 10_000, 700, 3, 0), (2, 501, 0, 0, 0)]


def test_everything_with_the_goods_back():
    wish = RefundWish(goods_returned=True)
    assert told(plan(TWO, wish)) == [(1, 10_000, 700, 3, 0), (2, 501, 0, 0, 2)]


def test_everything_but_the_freight():
    assert told(plan([line()], RefundWish(freight=False))) == [(1, 10_000, 0, 3, 0)]


def test_a_line_without_a_number_is_the_whole_line():
    assert told(plan(TWO, RefundWish(lines=(of(2),)))) == [(2, 501, 0, 0, 0)]


@pytest.mark.parametrize(
    ("gone", "pieces", "fen"), [(0, 1, 3_334), (1, 1, 3_333), (2, 1, 3_333), (0, 2, 6_667)]
)
def test_the_first_pieces_carry_the_odd_fen(gone, pieces, fen):
    assert pieces_fen(line(withdrawn=gone), pieces) == fen


def test_freight_goes_back_with_the_last_piece():
    first = line()
    [part] = plan([first], RefundWish(lines=(of(1, 2),)))
    assert told([part]) == [(1, 6_667, 0, 2, 0)]
    [rest] = plan([after(first, part)], RefundWish(lines=(of(1, 1),)))
    assert told([rest]) == [(1, 3_333, 700, 1, 0)]


def test_pieces_that_left_are_withdrawn_last_and_return_only_if_said():
    shipped = line(shipped=2)
    assert told(plan([shipped], RefundWish(lines=(of(1, 2),)))) == [(1, 6_667, 0, 1, 0)]
    wish = RefundWish(lines=(of(1, 2),), goods_returned=True)
    assert told(plan([shipped], wish)) == [(1, 6_667, 0, 1, 1)]


def test_so_much_for_so_many_pieces():
    assert told(plan([line()], RefundWish(lines=(of(1, 1, 500),)))) == [(1, 500, 0, 1, 0)]


def test_money_for_a_line_moves_no_pieces():
    assert told(plan([line()], RefundWish(lines=(of(1, fen=500),)))) == [(1, 500, 0, 0, 0)]


def test_an_amount_is_spread_over_the_goods_then_the_freight():
    assert told(plan(TWO, RefundWish(amount_fen=10_502))) == [
        (1, 10_000, 1, 0, 0),
        (2, 501, 0, 0, 0),
    ]
    assert told(plan(TWO, RefundWish(amount_fen=21))) == [(1, 20, 0, 0, 0), (2, 1, 0, 0, 0)]


@pytest.mark.parametrize(
    "wish",
    [
        RefundWish(amount_fen=500),
        RefundWish(lines=(of(2, fen=500),)),
        RefundWish(lines=(of(2, 1, 500),)),
        RefundWish(),
    ],
)
def test_the_last_of_the_money_takes_what_has_not_been_shipped_with_it(wish):
    spent = line(back_goods_fen=10_000, back_freight_fen=700, shipped=1)
    other = line(2, paid_goods_fen=501, paid_freight_fen=0, back_goods_fen=1)
    assert told(plan([spent, other], wish)) == [(1, 0, 0, 2, 0), (2, 500, 0, 3, 0)]


def test_a_fen_that_stays_keeps_the_pieces():
    assert told(plan([line()], RefundWish(amount_fen=10_699))) == [(1, 10_000, 699, 0, 0)]
    assert told(plan([line()], RefundWish(amount_fen=10_000))) == [(1, 10_000, 0, 0, 0)]
    assert told(plan([line()], RefundWish(amount_fen=10_700))) == [(1, 10_000, 700, 3, 0)]


def test_an_amount_without_freight_stops_at_the_goods():
    assert refusal(TWO, RefundWish(amount_fen=10_502, freight=False)) == "refund_exceeds_paid"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (RefundWish(lines=(of(1),), amount_fen=1), "refund_unclear"),
        (RefundWish(lines=(of(1), of(1))), "invalid"),
        (RefundWish(lines=(of(9),)), "invalid"),
        (RefundWish(lines=(of(1, 0),)), "invalid"),
        (RefundWish(lines=(of(1, -1),)), "invalid"),
        (RefundWish(lines=(of(1, 1, -1),)), "invalid"),
        (RefundWish(amount_fen=0), "invalid"),
        (RefundWish(amount_fen=-5), "invalid"),
        (RefundWish(amount_fen=11_202), "refund_exceeds_paid"),
        (RefundWish(lines=(of(1, 4),)), "refund_exceeds_paid"),
        (RefundWish(lines=(of(1, fen=10_001),)), "refund_exceeds_paid"),
        (RefundWish(lines=(of(1, 1, 0), of(2, 1, 0))), "nothing_to_refund"),
    ],
)
def test_wishes_that_make_no_sense(wish, code):
    assert refusal(TWO, wish) == code


def test_when_everything_is_back_there_is_nothing_left():
    spent = line(back_goods_fen=10_000, back_freight_fen=700, withdrawn=3)
    assert refusal([spent], RefundWish()) == "nothing_to_refund"
    assert refusal([spent], RefundWish(amount_fen=1)) == "refund_exceeds_paid"


PAID = st.builds(
    line,
    quantity=st.integers(1, 40),
    paid_goods_fen=st.integers(0, 1_000_000),
    paid_freight_fen=st.integers(0, 20_000),
)
STEPS = st.lists(
    st.one_of(
        st.builds(lambda n: RefundWish(lines=(of(1, n),)), st.integers(1, 40)),
        st.builds(lambda n: RefundWish(lines=(of(1, n),), goods_returned=True), st.integers(1, 40)),
        st.builds(lambda f: RefundWish(lines=(of(1, fen=f),)), st.integers(1, 1_000_000)),
        st.builds(
            lambda n, f: RefundWish(lines=(of(1, n, f),)), st.integers(1, 40), st.integers(0, 9_999)
        ),
        st.builds(
            lambda f, b: RefundWish(amount_fen=f, freight=b),
            st.integers(1, 1_020_000),
            st.booleans(),
        ),
        st.builds(lambda b: RefundWish(freight=b, goods_returned=b), st.booleans()),
    ),
    max_size=8,
)


def step(stands: Line, wish: RefundWish) -> tuple[Part | None, str]:
    """The part of the line, or why there is none."""
    try:
        return plan([stands], wish)[0], ""
    except Conflict as refused:
        return None, refused.error_code


@given(bought=PAID, shipped=st.integers(0, 40), steps=STEPS)
def test_no_order_of_refunds_returns_more_than_was_paid(bought, shipped, steps):
    stands = replace(bought, shipped=min(shipped, bought.quantity))
    for wish in steps:
        part, _ = step(stands, wish)
        if part is None:
            continue
        assert min(part.goods_fen, part.freight_fen, part.withdrawn, part.returned) >= 0
        stands = after(stands, part)
        assert min(stands.goods_left_fen, stands.freight_left_fen, stands.unshipped) >= 0
        assert 0 <= stands.returned <= stands.shipped
    left = stands.goods_left_fen + stands.freight_left_fen
    rest, why = step(stands, RefundWish())
    assert (rest.amount_fen if rest else 0, why) == (left, "" if left else "nothing_to_refund")
    paid = bought.paid_goods_fen + bought.paid_freight_fen
    assert left or not paid or not stands.unshipped, "nothing is shipped that was given back"


@given(bought=PAID, shipped=st.integers(0, 40), data=st.data())
def test_all_pieces_one_after_another_are_what_was_paid_and_freight_comes_once(
    bought, shipped, data
):
    stands = replace(bought, shipped=min(shipped, bought.quantity))
    freight = []
    while stands.pieces_left:
        pieces = data.draw(st.integers(1, stands.pieces_left))
        part, why = step(stands, RefundWish(lines=(of(1, pieces),), goods_returned=True))
        if part is None:
            # Pieces that cost nothing, before the last: there is no money in this refund.
            assert (why, pieces_fen(stands, pieces)) == ("nothing_to_refund", 0)
            withdrawn = min(pieces, stands.unshipped)
            part = Part(stands, 0, 0, withdrawn, pieces - withdrawn)
        stands = after(stands, part)
        freight.append(part.freight_fen)
    assert stands.back_goods_fen == bought.paid_goods_fen
    assert [fen for fen in freight if fen] in ([], [bought.paid_freight_fen])


@given(
    lines=st.lists(PAID, min_size=1, max_size=6),
    share=st.integers(1, 100),
    freight=st.booleans(),
)
def test_a_spread_amount_adds_up_and_fits(lines, share, freight):
    most = sum(one.goods_left_fen + one.freight_left_fen * freight for one in lines)
    amount = most * share // 100
    if not amount:
        return
    parts = spread(lines, amount, freight=freight)
    assert sum(part.amount_fen for part in parts) == amount
    for part in parts:
        assert part.goods_fen <= part.line.goods_left_fen
        assert part.freight_fen <= part.line.freight_left_fen * freight
        assert (part.withdrawn, part.returned) == (0, 0)
