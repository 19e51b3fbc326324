"""Refunds as commands: money, pieces, stock, states, ledger and aid record, to the fen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from models.orders import OrderEvent
from models.payments import Payment, PaymentMethod
from models.refunds import Dispute, DisputeState, Refund, RefundState
from shop.errors import Conflict, Invalid, NotFound
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.ids import new_id
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import refund_payment, request_refund, retry_refund
from shop.reports.trail import audit_log
from tests import refund_factories as fact
from tests.conftest import acting
from tests.refund_factories import ask, bought, end, of

TOTAL = 22_360
"""3 tea for 144.00 of C01, 2 walnuts for 65.60 and 14.00 freight of C02."""

PAID = {
    "provider_clearing": TOTAL,
    "cooperative_payable C01": -14_400,
    "cooperative_payable C02": -7_960,
}

ASIDE = {**PAID, "provider_clearing": TOTAL + 5_000}
"""The same after 50.00 more arrived that nobody may keep."""


@pytest.fixture
def order(ctx):
    return bought(ctx)


def ship(ctx: Any, order_id: Any, name: str, place: int, pieces: int | None = None) -> None:
    """Bob (1) or Charlie (2) hands over pieces of the line at `place`."""
    line = fact.lines_of(ctx, order_id)[place - 1]
    number = ctx.session.execute(
        text("SELECT number FROM consignment WHERE id = :wanted"), {"wanted": line.consignment_id}
    ).scalar_one()
    wanted = None if pieces is None else ((line.id, pieces),)
    ship_parcel(acting(ctx, name), number, ShipParcel("zhongtong", f"ZT{place:06d}", wanted))


def everything(ctx: Any, order_id: Any) -> Any:
    """All that a refused refund must leave alone."""
    counted = [
        ctx.session.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (Refund, OrderEvent, text("journal_entry"), text("procrastinate_jobs"))
    ]
    return (
        fact.money(ctx, order_id),
        fact.gone(ctx, order_id),
        fact.stock(ctx),
        fact.parts(ctx, order_id),
        fact.aid(ctx, order_id),
        counted,
    )


def refused(ctx: Any, order_id: Any, call: Any) -> str:
    """The code of the refusal, which has changed nothing."""
    before = everything(ctx, order_id)
    with pytest.raises((Conflict, Invalid, NotFound)) as error:
        call()
    assert everything(ctx, order_id) == before
    return error.value.error_code


def test_a_whole_refund_before_anything_left(ctx, order):
    on_hand, reserved = fact.stock(ctx)
    refund = fact.refund_of(ctx, ask(acting(ctx, "fiona"), order))
    assert (refund.state, refund.cause, refund.reason) == ("requested", "staff", "包装破损")
    assert (refund.amount_fen, refund.goods_fen, refund.freight_fen) == (TOTAL, 20_960, 1_400)
    assert refund.requested_by == acting(ctx, "fiona").actor.user_id
    assert fact.money(ctx, order) == (TOTAL, TOTAL, 0)
    assert fact.gone(ctx, order) == [(14_400, 0, 3, 0), (6_560, 1_400, 2, 0)]
    assert fact.parts(ctx, order) == ["cancelled", "cancelled"]
    assert fact.stock(ctx) == (on_hand, reserved - 5)
    assert fact.moved(ctx, "release") == [(0, -3, ""), (0, -2, "")]
    assert fact.ledger(ctx, order) == {"provider_clearing": TOTAL, "refunds_in_flight": -TOTAL}
    assert [kind for kind, *_ in fact.aid(ctx, order)] == ["sale", "sale"]


def test_its_number_is_the_orders(ctx, order):
    first, second = (
        fact.refund_of(ctx, ask(ctx, order, amount_fen=100)),
        fact.refund_of(ctx, ask(ctx, order, amount_fen=100)),
    )
    assert first.number[-2:] + second.number[-2:] == "R1R2"
    assert first.number[:-2] == second.number[:-2]


def test_the_aid_record_follows_when_the_money_is_back(ctx, order):
    refund_id = ask(ctx, order)
    assert end(ctx, refund_id) is True
    assert fact.aid(ctx, order) == [
        ("sale", 3, 14_400, 0),
        ("sale", 2, 6_560, 1_400),
        ("refund", -3, -14_400, 0),
        ("refund", -2, -6_560, -1_400),
    ]
    assert fact.money(ctx, order) == (TOTAL, 0, TOTAL)
    assert fact.ledger(ctx, order) == {}
    refund = fact.refund_of(ctx, refund_id)
    assert (refund.state, refund.settled_at) == ("succeeded", ctx.now)


def test_told_twice_it_has_one_effect(ctx, order):
    refund_id = ask(ctx, order)
    end(ctx, refund_id)
    before = everything(ctx, order)
    assert end(ctx, refund_id) is False
    assert everything(ctx, order) == before


def test_a_line_by_pieces_gives_up_the_pieces(ctx, order):
    ask(ctx, order, of(ctx, order, 1, 2))
    assert fact.gone(ctx, order) == [(9_600, 0, 2, 0), (0, 0, 0, 0)]
    assert fact.parts(ctx, order) == ["pending_shipment", "pending_shipment"]
    assert fact.moved(ctx, "release") == [(0, -2, "")]
    assert fact.ledger(ctx, order) == {
        **PAID,
        "cooperative_payable C01": -4_800,
        "refunds_in_flight": -9_600,
    }


def test_freight_follows_the_last_piece_or_stays(ctx, order):
    ask(ctx, order, of(ctx, order, 2, 1))
    assert fact.gone(ctx, order)[1] == (3_280, 0, 1, 0)
    ask(ctx, order, of(ctx, order, 2, 1), freight=False)
    assert fact.gone(ctx, order)[1] == (6_560, 0, 2, 0)
    assert fact.parts(ctx, order) == ["pending_shipment", "cancelled"]


def test_freight_goes_with_the_whole_line(ctx, order):
    ask(ctx, order, of(ctx, order, 2))
    assert fact.gone(ctx, order) == [(0, 0, 0, 0), (6_560, 1_400, 2, 0)]


def test_an_amount_moves_money_only(ctx, order):
    before = fact.stock(ctx)
    refund_id = ask(ctx, order, amount_fen=500)
    assert fact.gone(ctx, order) == [(344, 0, 0, 0), (156, 0, 0, 0)]
    assert fact.stock(ctx) == before
    assert fact.parts(ctx, order) == ["pending_shipment", "pending_shipment"]
    end(ctx, refund_id)
    assert fact.aid(ctx, order)[2:] == [("refund", 0, -344, 0), ("refund", 0, -156, 0)]
    assert fact.ledger(ctx, order) == {
        "provider_clearing": TOTAL - 500,
        "cooperative_payable C01": -14_056,
        "cooperative_payable C02": -7_804,
    }


def test_several_in_turn_until_nothing_is_left(ctx, order):
    end(ctx, ask(ctx, order, of(ctx, order, 1, 1)))
    end(ctx, ask(ctx, order, amount_fen=60))
    end(ctx, ask(ctx, order, of(ctx, order, 2)))
    end(ctx, ask(ctx, order))
    assert fact.money(ctx, order) == (TOTAL, 0, TOTAL)
    assert fact.gone(ctx, order) == [(14_400, 0, 3, 0), (6_560, 1_400, 2, 0)]
    assert fact.ledger(ctx, order) == {}
    columns = zip(*fact.aid(ctx, order), strict=True)
    assert [sum(column) for column in list(columns)[1:]] == [0, 0, 0]
    assert refused(ctx, order, lambda: ask(ctx, order)) == "nothing_to_refund"


def test_never_more_than_was_captured(ctx, order):
    ask(ctx, order, amount_fen=TOTAL - 100)
    for wish in ({"amount_fen": 101}, {"amount_fen": TOTAL}):
        assert refused(ctx, order, lambda w=wish: ask(ctx, order, **w)) == "refund_exceeds_paid"
    line = of(ctx, order, 1, fen=14_401)
    assert refused(ctx, order, lambda: ask(ctx, order, line)) == "refund_exceeds_paid"


def test_goods_that_came_back_are_on_the_shelf(ctx, order):
    ship(ctx, order, "bob", 1)
    on_hand, reserved = fact.stock(ctx)
    refund_id = ask(ctx, order, of(ctx, order, 1, 2), goods_returned=True)
    assert fact.gone(ctx, order)[0] == (9_600, 0, 0, 2)
    assert fact.stock(ctx) == (on_hand + 2, reserved)
    assert fact.moved(ctx, "return") == [(2, 0, fact.refund_of(ctx, refund_id).number)]
    assert fact.parts(ctx, order) == ["shipped", "pending_shipment"]


def test_goods_that_were_shipped_and_stay_move_no_stock(ctx, order):
    ship(ctx, order, "bob", 1)
    before = fact.stock(ctx)
    end(ctx, ask(ctx, order, of(ctx, order, 1, 2)))
    assert fact.gone(ctx, order)[0] == (9_600, 0, 0, 0)
    assert fact.stock(ctx) == before
    assert fact.aid(ctx, order)[2:] == [("refund", 0, -9_600, 0)]


def test_the_rest_of_a_part_shipped_consignment_closes_it(ctx, order):
    ship(ctx, order, "bob", 1, 1)
    ask(ctx, order, of(ctx, order, 1))
    assert fact.gone(ctx, order)[0] == (14_400, 0, 2, 0)
    assert fact.parts(ctx, order) == ["shipped", "pending_shipment"]


def test_pieces_given_up_are_not_shipped(ctx, order):
    ask(ctx, order, of(ctx, order, 1, 2))
    with pytest.raises(Conflict) as over:
        ship(ctx, order, "bob", 1, 2)
    assert over.value.error_code == "over_shipped"
    ship(ctx, order, "bob", 1, 1)
    assert fact.parts(ctx, order) == ["shipped", "pending_shipment"]
    assert [line.shipped_quantity for line in fact.lines_of(ctx, order)] == [1, 0]


def test_a_refund_that_failed_owes_the_money_again(ctx, order):
    refund_id = ask(ctx, order, of(ctx, order, 2))
    assert end(ctx, refund_id, "card_expired") is True
    refund = fact.refund_of(ctx, refund_id)
    assert (refund.state, refund.failure_code) == ("failed", "card_expired")
    assert fact.money(ctx, order) == (TOTAL, 0, 0)
    assert fact.ledger(ctx, order) == PAID
    # The goods were given up all the same: nobody packs them on the chance of a bank's answer.
    assert fact.gone(ctx, order) == [(0, 0, 0, 0), (0, 0, 2, 0)]
    assert [kind for kind, *_ in fact.aid(ctx, order)] == ["sale", "sale"]


def test_a_failed_one_is_tried_again_as_a_new_one(ctx, order):
    failed = ask(ctx, order, of(ctx, order, 2))
    end(ctx, failed, "card_expired")
    held = fact.stock(ctx)
    again = retry_refund(acting(ctx, "fiona"), failed)
    refund = fact.refund_of(ctx, again)
    assert (refund.retry_of, refund.amount_fen, refund.reason) == (failed, 7_960, "包装破损")
    assert fact.stock(ctx) == held
    assert refused(ctx, order, lambda: retry_refund(ctx, failed)) == "refund_retried"
    end(ctx, again)
    assert fact.gone(ctx, order) == [(0, 0, 0, 0), (6_560, 1_400, 2, 0)]
    assert fact.aid(ctx, order)[2:] == [("refund", -2, -6_560, -1_400)]
    assert fact.ledger(ctx, order) == {
        "provider_clearing": 14_400,
        "cooperative_payable C01": -14_400,
    }


def test_one_that_failed_after_it_had_succeeded(ctx, order):
    refund_id = ask(ctx, order)
    end(ctx, refund_id)
    end(ctx, refund_id, "returned_by_bank")
    assert fact.money(ctx, order) == (TOTAL, 0, 0)
    assert fact.ledger(ctx, order) == PAID
    columns = list(zip(*fact.aid(ctx, order), strict=True))
    assert [sum(column) for column in columns[1:]] == [5, 20_960, 1_400]
    assert columns[0] == ("sale", "sale", "refund", "refund", "refund_undo", "refund_undo")


def test_the_last_of_the_money_frees_what_was_not_shipped(ctx, order):
    """Else it would wait for its parcel, and its stock for a buyer, for ever."""
    on_hand, reserved = fact.stock(ctx)
    ask(ctx, order, amount_fen=TOTAL - 1)
    assert (fact.stock(ctx), fact.parts(ctx, order)) == (
        (on_hand, reserved),
        ["pending_shipment", "pending_shipment"],
    )
    ask(ctx, order, amount_fen=1)
    assert fact.gone(ctx, order) == [(14_400, 0, 3, 0), (6_560, 1_400, 2, 0)]
    assert fact.parts(ctx, order) == ["cancelled", "cancelled"]
    assert fact.stock(ctx) == (on_hand, reserved - 5)
    assert fact.money(ctx, order) == (TOTAL, TOTAL, 0)
    assert refused(ctx, order, lambda: ask(ctx, order)) == "nothing_to_refund"


def test_of_a_failed_one_that_went_back_in_part_the_rest_is_tried(ctx, order):
    failed = ask(ctx, order, of(ctx, order, 2))
    end(ctx, failed, "card_expired")
    ask(ctx, order, of(ctx, order, 2, fen=6_000))
    again = fact.refund_of(ctx, retry_refund(acting(ctx, "fiona"), failed))
    assert (again.retry_of, again.amount_fen, again.goods_fen) == (failed, 1_960, 560)
    assert fact.gone(ctx, order) == [(0, 0, 0, 0), (6_560, 1_400, 2, 0)]
    assert fact.money(ctx, order) == (TOTAL, 7_960, 0)


def test_the_last_of_the_money_by_a_second_try(ctx, order):
    on_hand, reserved = fact.stock(ctx)
    failed = ask(ctx, order, amount_fen=100)
    end(ctx, failed, "card_expired")
    ask(ctx, order, amount_fen=TOTAL - 100)
    assert fact.parts(ctx, order) == ["pending_shipment", "pending_shipment"]
    retry_refund(ctx, failed)
    assert fact.gone(ctx, order) == [(14_400, 0, 3, 0), (6_560, 1_400, 2, 0)]
    assert fact.parts(ctx, order) == ["cancelled", "cancelled"]
    assert fact.stock(ctx) == (on_hand, reserved - 5)


def test_only_failed_ones_are_tried_again(ctx, order):
    refund_id = ask(ctx, order)
    assert refused(ctx, order, lambda: retry_refund(ctx, refund_id)) == "refund_requested"
    end(ctx, refund_id)
    assert refused(ctx, order, lambda: retry_refund(ctx, refund_id)) == "refund_succeeded"
    assert refused(ctx, order, lambda: retry_refund(ctx, new_id())) == "not_found"


def test_a_failed_one_whose_money_went_back_otherwise(ctx, order):
    failed = ask(ctx, order)
    end(ctx, failed, "card_expired")
    ask(ctx, order, amount_fen=TOTAL)
    assert refused(ctx, order, lambda: retry_refund(ctx, failed)) == "refund_exceeds_paid"


@pytest.mark.parametrize("reason", ["", "   ", "长" * 501])
def test_somebody_says_why(ctx, order, reason):
    assert (
        refused(ctx, order, lambda: request_refund(ctx, order, RefundWish(), reason)) == "invalid"
    )


def test_an_unpaid_order_has_nothing_to_refund(ctx):
    number = fact.place(ctx)
    order = ctx.session.execute(
        text("SELECT id FROM customer_order WHERE number = :number"), {"number": number}
    ).scalar_one()
    with pytest.raises(Conflict) as error:
        ask(ctx, order)
    assert error.value.error_code == "order_not_paid"


def test_a_disputed_payment_is_not_refunded(ctx, order):
    fact.disputed(ctx, order)
    assert refused(ctx, order, lambda: ask(ctx, order)) == "payment_disputed"
    ctx.session.execute(update(Dispute.__table__).values(state=DisputeState.WON))
    ask(ctx, order)
    assert fact.money(ctx, order) == (TOTAL, TOTAL, 0)


def test_who_asked_is_in_the_log(ctx, order):
    failed = ask(acting(ctx, "fiona"), order, amount_fen=100)
    end(ctx, failed, "declined")
    again = retry_refund(acting(ctx, "fiona"), failed)
    numbers = [fact.refund_of(ctx, one).number for one in (again, failed)]
    for entry, action, number in zip(
        audit_log(ctx, limit=2), ("refund.retry", "refund.request"), numbers, strict=True
    ):
        assert (entry["actor"], entry["action"]) == ("Fiona", action)
        assert (entry["subject"], entry["subject_id"]) == ("refund", number)
        assert (entry["after"], entry["reason"]) == ({"amount_fen": 100}, "包装破损")


def test_it_is_sent_by_a_job_of_its_commit(ctx, order):
    refund_id = ask(ctx, order)
    waiting = ctx.session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'payments.send_refund'")
    ).scalars()
    assert list(waiting) == [{"refund": str(refund_id)}]


def test_a_bank_transfer_is_sent_back_by_a_person(ctx):
    order = bought(ctx, method=PaymentMethod.BANK_TRANSFER)
    refund_id = ask(ctx, order)
    assert not ctx.session.execute(
        text("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'payments.send_refund'")
    ).all()
    assert fact.ledger(ctx, order) == {"suspense": TOTAL, "refunds_in_flight": -TOTAL}
    end(ctx, refund_id)
    assert fact.ledger(ctx, order) == {}


@pytest.mark.parametrize(
    ("why", "cause"), [("amount_mismatch", "amount_mismatch"), ("late", "staff")]
)
def test_money_that_no_order_may_keep_goes_back_whole(ctx, order, why, cause):
    payment_id = fact.unwanted(ctx, order, why=why)
    before = fact.gone(ctx, order), fact.aid(ctx, order), fact.stock(ctx)
    refund_id = refund_payment(ctx, payment_id, "付错金额")
    refund = fact.refund_of(ctx, refund_id)
    assert (refund.amount_fen, refund.goods_fen, refund.cause) == (5_000, 0, cause)
    assert fact.ledger(ctx, order) == {**ASIDE, "refunds_in_flight": -5_000}
    again = refused(ctx, order, lambda: refund_payment(ctx, payment_id, "再退"))
    assert again == "nothing_to_refund"
    end(ctx, refund_id)
    assert fact.money(ctx, order) == (TOTAL + 5_000, 0, 5_000)
    assert (fact.gone(ctx, order), fact.aid(ctx, order), fact.stock(ctx)) == before


def test_a_failed_one_of_unwanted_money_is_tried_again(ctx, order):
    failed = refund_payment(ctx, fact.unwanted(ctx, order), "付错金额")
    end(ctx, failed, "declined")
    assert fact.ledger(ctx, order) == {**ASIDE, "suspense": -5_000}
    again = retry_refund(ctx, failed)
    assert fact.refund_of(ctx, again).state is RefundState.REQUESTED
    assert fact.ledger(ctx, order) == {**ASIDE, "refunds_in_flight": -5_000}


def test_what_settles_an_order_is_refunded_by_the_order(ctx, order):
    payment_id = ctx.session.execute(
        select(Payment.id).where(Payment.order_id == order)
    ).scalar_one()
    call = refused(ctx, order, lambda: refund_payment(ctx, payment_id, "x"))
    assert call == "payment_succeeded"
    assert refused(ctx, order, lambda: refund_payment(ctx, new_id(), "x")) == "not_found"
