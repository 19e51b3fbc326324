"""Orders that the timer cannot close: they hold up no others, are seen, and can be closed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models.orders import Order
from models.payments import Payment
from models.system import AuditEntry
from shop.context import Transactions
from shop.errors import Conflict, Invalid
from shop.orders.commands import place_order
from shop.payments import jobs, open_items
from shop.payments.commands import start_payment
from shop.payments.desk import finance_counts
from shop.payments.overdue import close_overdue, overdue
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund
from shop.payments.sync import sync_payment
from shop.readiness import gauges
from tests.payments.books import books
from tests.shop.test_orders_place import WISH

TOTAL = 13980


def order(transactions: Transactions) -> tuple[Any, str]:
    """A further order, and its page."""
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    start_payment(transactions, placed.number, token=placed.access_token)
    with transactions.begin() as ctx:
        of = select(Payment.reference).where(Payment.order_id == placed.id)
        return placed, ctx.session.execute(of).scalar_one()


def hand_in(transactions: Transactions, provider: Any, reference: str) -> None:
    """The buyer has done their part, and the provider forgets it."""
    provider.pend(reference)
    sync_payment(transactions, reference)
    del provider.checkouts[reference]


def seen(transactions: Transactions) -> tuple[int, tuple[int, int], list[tuple[str, bool]]]:
    with transactions.begin() as ctx:
        listed = [(row["number"], row["processing"]) for row in overdue(ctx)]
        return gauges(ctx)["orders_overdue"][1], finance_counts(ctx)["overdue"], listed


def refused(call: Any, *args: Any) -> str:
    with pytest.raises((Conflict, Invalid)) as refusal:
        call(*args)
    return refusal.value.error_code


def test_those_that_cannot_be_closed_hold_up_no_others(
    transactions, provider, placed, reference, time, monkeypatch
):
    monkeypatch.setattr(jobs, "SLICE", 1)
    _second, its_page = order(transactions)
    for page in (reference, its_page):
        hand_in(transactions, provider, page)
    order(transactions)
    time.forward(hours=2)
    jobs.expire_unpaid(transactions)
    assert books(transactions)["orders"] == ["pending_payment", "pending_payment", "cancelled"]
    provider.calls.clear()
    jobs.expire_unpaid(transactions)
    assert provider.calls == ["close", "close"], "each of the rest once, and then it ends"


def test_what_is_looked_at_by_the_clock_goes_past_what_stays_open(
    transactions, provider, reference, time, monkeypatch
):
    monkeypatch.setattr(open_items, "SLICE", 1)
    hand_in(transactions, provider, reference)
    last, page = order(transactions)
    provider.pay(page)
    time.forward(minutes=6)
    assert open_items.settle_attempts(transactions) == 1
    assert books(transactions)["orders"] == ["pending_payment", "paid"]
    provider.refund_outcome = "pending"
    with transactions.begin() as ctx:
        for fen in (100, 200, 300):
            request_refund(ctx, last.id, RefundWish(amount_fen=fen), "破损")
    time.forward(minutes=6)
    assert open_items.settle_refunds(transactions) == 3
    assert {fen: state for (_, state, fen) in books(transactions)["refunds"]} == {
        100: "sent",
        200: "sent",
        300: "sent",
    }


def test_somebody_sees_it_from_the_hour_on_and_can_close_it(
    transactions, provider, placed, reference, time
):
    hand_in(transactions, provider, reference)
    before = books(transactions)
    time.forward(minutes=89)
    jobs.expire_unpaid(transactions)
    assert seen(transactions) == (0, (0, 0), [])
    assert refused(close_overdue, transactions, placed.number, "查无此单") == "order_not_overdue"
    time.forward(minutes=1)
    assert seen(transactions) == (1, (1, TOTAL), [(placed.number, True)])
    assert refused(close_overdue, transactions, placed.number, " ") == "invalid"
    assert books(transactions) == before
    close_overdue(transactions, placed.number, "查无此单")
    close_overdue(transactions, placed.number, "又点了一次")
    found = books(transactions)
    assert (found["orders"], [state for state, *_ in found["payments"]]) == (
        ["cancelled"],
        ["expired"],
    )
    assert found["stock"] == (before["stock"][0], before["stock"][1] - 3)
    assert seen(transactions) == (0, (0, 0), [])
    with transactions.begin() as ctx:
        entries = select(AuditEntry.subject_id, AuditEntry.reason).where(
            AuditEntry.action == "order.close"
        )
        assert ctx.session.execute(entries).all() == [(placed.number, "查无此单")]


def test_money_that_comes_after_all_is_late(transactions, provider, placed, reference, time):
    provider.pend(reference)
    sync_payment(transactions, reference)
    lost = provider.checkouts.pop(reference)
    time.forward(minutes=90)
    close_overdue(transactions, placed.number, "查无此单")
    provider.checkouts[reference] = lost
    provider.pay(reference)
    sync_payment(transactions, reference)
    assert (books(transactions)["orders"], seen(transactions)[0]) == (["paid"], 0)


def test_the_provider_is_asked_once_more(transactions, provider, placed, reference, time):
    time.forward(minutes=90)
    provider.pend(reference)
    assert refused(close_overdue, transactions, placed.number, "超时") == "payment_processing"
    provider.pay(reference)
    assert refused(close_overdue, transactions, placed.number, "超时") == "order_paid"
    assert books(transactions)["orders"] == ["paid"]
    assert refused(close_overdue, transactions, placed.number, "超时") == "order_paid"


def test_goods_on_credit_are_overdue_elsewhere(transactions, placed, reference, time):
    with transactions.begin() as ctx:
        ctx.session.execute(update(Order).values(payment_terms="pay_after_delivery"))
    time.forward(hours=2)
    assert seen(transactions) == (0, (0, 0), [])
    assert refused(close_overdue, transactions, placed.number, "超时") == "order_not_overdue"
