"""Expiry, payment, webhooks and keys at the same moment: exactly one effect."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.aid import AidEntry
from models.inventory import Stock
from models.orders import Order
from models.payments import Payment, ProviderEvent
from shop.context import Transactions
from shop.errors import Conflict
from shop.orders.commands import close_order, place_order
from shop.payments.commands import start_payment
from shop.payments.sync import apply_status, sync_payment
from tests.api.test_orders import orders as order_count
from tests.cast import Api, order_body
from tests.fakes.gateway import SIGNATURE, FakeGateway
from tests.jobs import waiting
from tests.shop.test_orders_place import WISH

pytestmark = pytest.mark.race


def opened(transactions: Transactions, provider: FakeGateway) -> tuple[Any, str]:
    """An order with an open checkout: (order id, reference)."""
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    attempt = start_payment(transactions, placed.number, token=placed.access_token)
    with transactions.begin() as ctx:
        order_id = ctx.session.execute(
            select(Order.id).where(Order.number == placed.number)
        ).scalar_one()
    return order_id, f"cs_fake_{attempt.id.hex}"


def expire(transactions: Transactions, order_id: Any) -> str:
    with transactions.begin() as ctx:
        try:
            close_order(ctx, order_id, "expire", "timer")
        except Conflict as error:
            return error.error_code
    return "expired"


def pay(transactions: Transactions, provider: FakeGateway, reference: str) -> bool:
    with transactions.begin() as ctx:
        return apply_status(ctx, provider.checkouts[reference])


def truth(transactions: Transactions, order_id: Any) -> tuple[str, str, int, int]:
    with transactions.begin() as ctx:
        run = ctx.session.execute
        return (
            run(select(Order.state).where(Order.id == order_id)).scalar_one(),
            run(select(Payment.state).where(Payment.order_id == order_id)).scalar_one(),
            run(select(func.count()).where(AidEntry.order_id == order_id)).scalar_one(),
            run(select(func.sum(Stock.reserved))).scalar_one(),
        )


ROUNDS = 200


def test_expiry_against_payment(transactions, provider, together):
    held = 0
    for _ in range(ROUNDS):
        order_id, reference = opened(transactions, provider)
        provider.pay(reference)
        together(
            partial(expire, transactions, order_id), partial(pay, transactions, provider, reference)
        )
        found = truth(transactions, order_id)
        held += 3 if found[0] == "paid" else 0
        assert found in {("paid", "succeeded", 2, held), ("cancelled", "needs_refund", 0, held)}
    assert held > 0


def blind_expire(transactions: Transactions, order_id: Any) -> None:
    """What a shop does that cancels by id, without looking whether it was paid."""
    with transactions.begin() as ctx:
        ctx.session.execute(
            update(Order)
            .where(Order.id == order_id)
            .values(state="cancelled", paid_at=None, cancelled_at=ctx.now)
        )


def test_control_a_blind_timer_cancels_a_paid_order(transactions, provider, together):
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    pay(transactions, provider, reference)
    together(partial(blind_expire, transactions, order_id))
    assert truth(transactions, order_id)[:2] == ("cancelled", "succeeded")


def test_the_webhook_and_the_return_page_together(transactions, provider, together):
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    results = together(*[partial(sync_payment, transactions, reference)] * 4)
    assert sorted(results) == [False, False, False, True]
    assert truth(transactions, order_id) == ("paid", "succeeded", 2, 3)


def test_the_same_webhook_three_times_at_once(app, transactions, provider, together):
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    body = provider.event(reference)

    def deliver() -> int:
        return (
            app.test_client()
            .post("/api/v1/webhooks/stripe", data=body, headers={"Stripe-Signature": SIGNATURE})
            .status_code
        )

    assert together(*[deliver] * 3) == [200, 200, 200]
    assert len(waiting(transactions)) == 1
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(func.count()).select_from(ProviderEvent)).scalar() == 1
    assert truth(transactions, order_id)[0] == "pending_payment"


def test_the_same_key_twice_at_once(app, transactions, together):
    body = order_body(("P01-1", 1))

    def order() -> int:
        return Api(app.test_client(), transactions).post("/orders", body, key="same").status_code

    assert sorted(together(order, order)) in ([201, 201], [201, 409])
    assert order_count(transactions) == 1


def test_control_two_keys_are_two_orders(app, transactions, together):
    body = order_body(("P01-1", 1))

    def order() -> int:
        return Api(app.test_client(), transactions).post("/orders", body).status_code

    assert together(order, order) == [201, 201]
    assert order_count(transactions) == 2


def test_a_dead_workers_claim_is_taken_over(api, transactions, time):
    from models.system import IdempotencyKey

    body = order_body(("P01-1", 1))
    api.post("/orders", body, key="k")
    with transactions.begin() as ctx:
        ctx.session.execute(update(IdempotencyKey).values(status=None, answer=None))
    assert api.post("/orders", body, key="k").json["code"] == "idempotency_in_flight"
    time.forward(seconds=61)
    assert api.post("/orders", body, key="k").status_code == 201


def test_two_payments_of_one_order_at_once_are_one_attempt(transactions, provider, together):
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    start = partial(start_payment, transactions, placed.number, token=placed.access_token)
    results = together(start, start, start)
    assert len({one.id for one in results}) == 1
    assert len(provider.checkouts) == 1
