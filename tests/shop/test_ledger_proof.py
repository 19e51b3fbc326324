"""The proof finds nothing in an honest ledger, and each lie where it is."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from models.payments import PaymentMethod
from shop.context import Ctx
from shop.ids import new_id
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, legs
from shop.payments.proof import CHECKS, prove
from tests.refund_factories import ask, bought, end, of


def wrong(ctx: Ctx) -> dict[str, int]:
    """Name of each check that fails -> the difference in fen."""
    return {check.name: check.difference for check in prove(ctx).checks if not check.proved}


@pytest.fixture
def lived(ctx: Ctx):
    """Two paid orders; of the first a refund has ended, one is on its way and one failed."""
    order = bought(ctx)
    bought(ctx, ("P01-1", 1), method=PaymentMethod.BANK_TRANSFER)
    end(ctx, ask(ctx, order, of(ctx, order, 1, 1)))
    ask(ctx, order, of(ctx, order, 2, 1))
    end(ctx, ask(ctx, order, of(ctx, order, 1, fen=100)), failure="expired_or_canceled_card")
    return order


def test_nothing_is_proved_too(ctx):
    proof = prove(ctx)
    assert (proof.proved, proof.entries) == (True, 0)


def test_every_check_has_something_to_say_of_a_refunded_order(ctx, lived):
    proof = prove(ctx)
    assert wrong(ctx) == {}
    assert (proof.proved, proof.entries) == (True, 8)
    found = {check.name: (check.ours, check.expected) for check in proof.checks}
    assert found["refunds_in_flight"] == (3280, 3280)
    assert found["payments_captured"][0] == found["payments_captured"][1] > 0
    assert found["payments_refunding"] == (3280, 3280)
    assert found["payments_refunded"] == (4800, 4800)
    assert found.keys() > CHECKS.keys()


def test_a_refund_that_came_back_counts_no_more(ctx):
    order = bought(ctx)
    refund = ask(ctx, order, of(ctx, order, 1, 1))
    end(ctx, refund)
    end(ctx, refund, failure="lost_or_stolen_card")
    assert wrong(ctx) == {}


LIES = {
    "UPDATE payment SET captured_fen = captured_fen + 1 WHERE method = 'stripe'": {
        "payments_captured": -1,
        "aid_entries": -1,
        "provider_clearing": -1,
    },
    "UPDATE payment SET refunding_fen = refunding_fen + 1 WHERE method = 'stripe'": {
        "payments_refunding": -1,
        "refunds_of_payments": 1,
    },
    "UPDATE payment SET disputed_fen = 1 WHERE method = 'stripe'": {
        "payments_disputed": -1,
        "disputes_of_payments": 1,
        "provider_clearing": 1,
    },
    "UPDATE refund SET amount_fen = amount_fen + 1, goods_fen = goods_fen + 1"
    " WHERE state = 'requested'": {"refunds_of_payments": -1, "refunds_in_flight": -1},
    "UPDATE order_line SET back_goods_fen = back_goods_fen + 1"
    " WHERE position = 1 AND back_goods_fen > 0": {"lines_claimed": 1, "cooperative_payable": 1},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_row_that_says_something_else_is_found(ctx, lived, lie):
    ctx.session.execute(text(lie))
    assert wrong(ctx) == LIES[lie]


def test_an_entry_without_a_cause_in_our_books_is_found_by_account(ctx, lived):
    cause = Cause(subject="mistake", subject_id=new_id(), event="made", at=ctx.now)
    post(ctx, cause, legs((Account.BANK, 500), (Account.SUSPENSE, -500)))
    assert wrong(ctx) == {"bank": 500, "suspense": 500}


def test_rows_that_only_cancel_out_are_found(ctx, lived):
    shift = "CASE method WHEN 'stripe' THEN 1 ELSE -1 END"
    ctx.session.execute(text("UPDATE payment SET captured_fen = captured_fen + " + shift))
    check = {one.name: one for one in prove(ctx).checks}["payments_captured"]
    assert (check.difference, check.wrong, check.rows, len(check.samples)) == (0, 2, 2, 2)
