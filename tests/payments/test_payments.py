"""From the cashier to the aid record: each fact counts once, in any order."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from models.aid import AidEntry
from models.inventory import Stock
from models.orders import Order, OrderState
from models.payments import Payment, PaymentState
from models.reconciliation import Difference
from shop.context import Transactions
from shop.errors import Conflict, NotFound
from shop.payments import jobs
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import start_payment
from shop.payments.gateway import GatewayUnavailable
from shop.payments.sync import apply_status, sync_payment
from tests.jobs import waiting


def facts(transactions: Transactions) -> dict[str, Any]:
    with transactions.begin() as ctx:
        run = ctx.session.execute
        return {
            "order": run(select(Order.state)).scalar_one(),
            "payments": [*run(select(Payment.state).order_by(Payment.id)).scalars()],
            "aid": run(select(func.coalesce(func.sum(AidEntry.goods_fen), 0))).scalar_one(),
            "reserved": run(select(func.sum(Stock.reserved))).scalar_one(),
        }


PAID = {"order": "paid", "payments": ["succeeded"], "aid": 12880, "reserved": 3}
OPEN = {"order": "pending_payment", "payments": ["pending"], "aid": 0, "reserved": 3}
CLOSED = {"order": "cancelled", "payments": ["expired"], "aid": 0, "reserved": 0}


def test_paying_counts_the_goods_and_keeps_them_reserved(transactions, provider, reference):
    provider.pay(reference)
    assert sync_payment(transactions, reference) is True
    assert facts(transactions) == PAID


def test_telling_it_again_changes_nothing(transactions, provider, reference):
    provider.pay(reference)
    assert [sync_payment(transactions, reference) for _ in range(3)] == [True, False, False]
    assert facts(transactions) == PAID


def test_a_live_attempt_is_returned_not_doubled(transactions, provider, placed, reference):
    again = start_payment(transactions, placed.number, token=placed.access_token)
    assert again.redirect_url == f"https://pay.example/{reference}"
    assert (provider.calls, facts(transactions)) == (["open"], OPEN)


def test_a_decline_leaves_the_order_payable(transactions, provider, reference):
    provider.decline(reference)
    sync_payment(transactions, reference)
    assert facts(transactions) == OPEN


def test_a_slow_method_that_fails_makes_room_for_another(transactions, provider, placed, reference):
    provider.pend(reference)
    sync_payment(transactions, reference)
    provider.decline(reference)
    sync_payment(transactions, reference)
    start_payment(transactions, placed.number, token=placed.access_token)
    assert facts(transactions)["payments"] == ["failed", "pending"]


def test_what_is_handed_in_is_noted_once(transactions, provider, placed, reference):
    opened = start_payment(transactions, placed.number, token=placed.access_token)
    provider.pend(reference)
    assert [sync_payment(transactions, reference) for _ in range(2)] == [True, False]
    again = start_payment(transactions, placed.number, token=placed.access_token)
    assert (opened.processing, again.processing, facts(transactions)) == (False, True, OPEN)
    provider.pay(reference)
    sync_payment(transactions, reference)
    assert facts(transactions) == PAID


@pytest.mark.parametrize(("amount", "currency"), [(13979, "CNY"), (13981, "CNY"), (13980, "USD")])
def test_one_fen_off_is_never_called_paid(transactions, provider, reference, amount, currency):
    provider.arrive(reference, amount, currency)
    sync_payment(transactions, reference)
    found = facts(transactions)
    assert (found["order"], found["payments"], found["aid"]) == (
        "pending_payment",
        ["needs_refund"],
        0,
    )
    with transactions.begin() as ctx:
        stored = ctx.session.execute(select(Payment.captured_fen, Payment.failure_code)).one()
        wrong = ctx.session.execute(select(Difference)).scalars().one()
    # Another currency's cents are no fen: that sum stands in the difference alone.
    assert stored == (amount if currency == "CNY" else 0, "amount_mismatch")
    assert (wrong.kind, wrong.theirs_fen, wrong.ours_fen, wrong.detail, wrong.state) == (
        "amount_mismatch",
        amount,
        13980,
        currency,
        "open",
    )
    assert waiting(transactions) == []


def test_past_the_deadline_but_not_yet_closed_is_in_time(transactions, provider, reference, time):
    time.forward(minutes=45)
    provider.pay(reference)
    sync_payment(transactions, reference)
    assert facts(transactions) == PAID


def test_the_timer_asks_the_provider_first(transactions, provider, reference, time):
    provider.pay(reference)
    time.forward(minutes=31)
    jobs.expire_unpaid(transactions)
    assert facts(transactions) == PAID


def test_nothing_is_closed_while_the_money_is_under_way(transactions, provider, reference, time):
    provider.pend(reference)
    time.forward(minutes=31)
    jobs.expire_unpaid(transactions)
    assert facts(transactions) == OPEN


def test_an_unreachable_provider_postpones_the_closing(transactions, provider, reference, time):
    time.forward(minutes=31)
    provider.broken = 1
    jobs.expire_unpaid(transactions)
    assert facts(transactions) == OPEN
    jobs.expire_unpaid(transactions)
    assert facts(transactions) == CLOSED


def test_a_provider_that_does_not_know_the_checkout_is_in_the_log(
    transactions, provider, reference, time, monkeypatch
):
    """Its order stays open as long as its page may be: then nobody can pay on it any more."""
    said: list[tuple[str, str]] = []
    log = SimpleNamespace(warning=lambda event, **more: said.append((event, more["code"])))
    monkeypatch.setattr(jobs, "log", log)
    provider.checkouts.clear()
    time.forward(minutes=30)
    jobs.expire_unpaid(transactions)
    assert said == [("order.expiry_postponed", "payment_provider_rejected")]
    assert facts(transactions) == OPEN
    time.forward(minutes=1)
    jobs.expire_unpaid(transactions)
    assert (len(said), facts(transactions)) == (1, CLOSED)


def test_the_buyer_cancels_and_the_goods_go_back(transactions, provider, placed, reference):
    cancel_unpaid(transactions, placed.number, placed.access_token)
    assert facts(transactions) == CLOSED
    assert provider.checkouts[reference].state == "expired"


def test_a_paid_order_is_not_cancelled(transactions, provider, placed, reference):
    provider.pay(reference)
    with pytest.raises(Conflict) as refused:
        cancel_unpaid(transactions, placed.number, placed.access_token)
    assert (refused.value.error_code, facts(transactions)) == ("order_paid", PAID)


def test_a_provider_that_fails_leaves_an_attempt_to_repeat(transactions, provider, placed):
    provider.broken = 1
    with pytest.raises(GatewayUnavailable):
        start_payment(transactions, placed.number, token=placed.access_token)
    assert facts(transactions)["payments"] == [PaymentState.CREATED]
    start_payment(transactions, placed.number, token=placed.access_token)
    assert facts(transactions) == OPEN


def test_money_for_an_attempt_whose_answer_was_lost_is_found_by_our_id(
    transactions, provider, placed
):
    start_payment(transactions, placed.number, token=placed.access_token)
    reference = next(iter(provider.checkouts))
    with transactions.begin() as ctx:
        ctx.session.execute(
            Payment.__table__.update().values(reference=None, redirect_url=None, state="created")
        )
    provider.pay(reference)
    sync_payment(transactions, reference)
    assert facts(transactions) == PAID


def test_a_stranger_cannot_pay_or_cancel(transactions, provider, placed):
    from shop.context import ANONYMOUS

    stranger = transactions.acting(ANONYMOUS)
    for use in (start_payment, cancel_unpaid):
        with pytest.raises(NotFound):
            use(stranger, placed.number)
    assert facts(transactions)["payments"] == []


def test_a_foreign_call_inside_a_transaction_is_a_bug(transactions, provider, reference):
    with transactions.begin(), pytest.raises(RuntimeError):
        sync_payment(transactions, reference)


def test_a_checkout_that_is_not_ours_is_left_alone(transactions, provider, reference):
    status = replace(provider.checkouts[reference], reference="cs_other", attempt_id=None)
    with transactions.begin() as ctx:
        assert apply_status(ctx, status) is False
    assert facts(transactions)["order"] is OrderState.PENDING_PAYMENT
