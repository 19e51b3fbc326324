"""Expiry, payment, webhooks and keys at the same moment: exactly one effect."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from models.aid import AidEntry
from models.inventory import Stock
from models.ledger import JournalEntry
from models.orders import Order
from models.payments import Payment, ProviderEvent
from models.refunds import Refund
from shop.context import Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.orders.access import locked_order
from shop.orders.commands import place_order
from shop.orders.payment_commands import close_order
from shop.payments.commands import start_payment
from shop.payments.proof import prove
from shop.payments.refunds import refund_unwanted
from shop.payments.sync import apply_status, sync_payment
from tests.api.test_orders import orders as order_count
from tests.cast import Api, order_body
from tests.concurrency.conftest import ONE_ENTRY, ROW_LOCKS
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


def refunds_of(transactions: Transactions, order_id: Any) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(
            select(func.count()).select_from(Refund).where(Refund.order_id == order_id)
        ).scalar_one()


ROUNDS = 200


def test_expiry_against_payment_that_may_not_come_late(transactions, provider, together):
    """Exactly one wins. Money that lost goes back, once, and the goods are free."""
    strict = replace(transactions, settings=replace(transactions.settings, late_payment_hours=-1))
    held, seen = 0, set()
    for _ in range(ROUNDS):
        order_id, reference = opened(transactions, provider)
        provider.pay(reference)
        ends = together(
            partial(expire, strict, order_id), partial(pay, strict, provider, reference)
        )
        seen.add(tuple(ends))
        found = truth(transactions, order_id)
        if ends == ["order_paid", True]:
            held += 3
            assert (found, refunds_of(transactions, order_id)) == (
                ("paid", "succeeded", 2, held),
                0,
            )
        else:
            assert (ends, found) == (["expired", True], ("cancelled", "needs_refund", 0, held))
            assert refunds_of(transactions, order_id) == 1
    assert seen == {("order_paid", True), ("expired", True)}


def test_expiry_against_payment_that_may_come_late(transactions, provider, together):
    """Whichever was first, the order ends paid: the goods were free, and are promised once."""
    seen = set()
    for rounds in range(1, 41):
        order_id, reference = opened(transactions, provider)
        provider.pay(reference)
        ends = together(
            partial(expire, transactions, order_id), partial(pay, transactions, provider, reference)
        )
        seen.add(tuple(ends))
        assert truth(transactions, order_id) == ("paid", "succeeded", 2, 3 * rounds)
        assert refunds_of(transactions, order_id) == 0
    assert {("expired", True)} <= seen <= {("expired", True), ("order_paid", True)}


def test_late_money_against_another_buyer_of_the_last_goods(transactions, provider, together):
    """The goods go to one of them, and the other's money goes back."""
    for _ in range(20):
        with transactions.begin() as ctx:
            ctx.session.execute(update(Stock).values(on_hand=Stock.reserved + 10))
        order_id, reference = opened(transactions, provider)
        provider.pay(reference)
        expire(transactions, order_id)
        with transactions.begin() as ctx:
            ctx.session.execute(update(Stock).values(on_hand=Stock.reserved + 3))
            held = ctx.session.execute(select(func.sum(Stock.reserved))).scalar_one()

        def another() -> str:
            with transactions.begin() as ctx:
                wish = replace(WISH, lines=(("P01-1", 3),))
                try:
                    place_order(ctx, wish)
                except Conflict as error:
                    return error.error_code
            return "placed"

        bought, known = together(another, partial(pay, transactions, provider, reference))
        assert known is True
        state = truth(transactions, order_id)
        if bought == "placed":
            assert (state[:2], refunds_of(transactions, order_id)) == (
                ("cancelled", "needs_refund"),
                1,
            )
        else:
            assert (bought, state) == ("out_of_stock", ("paid", "succeeded", 2, held + 3))


def late_money(transactions: Transactions, provider: FakeGateway) -> tuple[Any, str]:
    """An order that its buyer has cancelled, and whose money is there after all."""
    order_id, reference = opened(transactions, provider)
    with transactions.begin() as ctx:
        close_order(ctx, order_id, "cancel", "buyer")
    provider.pay(reference)
    return order_id, reference


def test_late_money_that_is_told_four_times_at_once_goes_back_once(
    transactions, provider, together
):
    order_id, reference = late_money(transactions, provider)
    results = together(*[partial(sync_payment, transactions, reference)] * 4)
    assert sorted(results) == [False, False, False, True]
    assert truth(transactions, order_id) == ("cancelled", "needs_refund", 0, 0)
    assert refunds_of(transactions, order_id) == 1


def test_control_without_the_lock_and_the_constraints_it_goes_back_twice(
    transactions, provider, together, loose
):
    order_id, reference = late_money(transactions, provider)
    loose.drop("uq_refund_automatic", "refund.uq_refund_number", "payment.ck_payment_captured")
    loose.without(ROW_LOCKS)
    loose.meet(before="UPDATE payment")
    results = together(*[partial(sync_payment, transactions, reference)] * 2)
    assert results == [True, True]
    assert refunds_of(transactions, order_id) == 2


def test_the_database_itself_refuses_a_second_automatic_refund(transactions, provider):
    """What keeps the refund of late money single is a constraint, not a habit."""
    order_id, reference = late_money(transactions, provider)
    pay(transactions, provider, reference)
    with transactions.begin() as ctx:
        payment = ctx.session.execute(select(Payment.id)).scalar_one()
        order = locked_order(ctx, order_id)
        with pytest.raises(IntegrityError, match=r"uq_refund_automatic|ck_payment_captured"):
            refund_unwanted(ctx, order, payment, 13980, "late")
        ctx.session.rollback()
    assert refunds_of(transactions, order_id) == 1


def test_control_without_the_lock_the_order_is_paid_and_closed(
    transactions, provider, together, loose
):
    """Whoever is last, its goods are free and its money is kept."""
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    loose.drop("customer_order.ck_customer_order_paid_at")
    loose.without(ROW_LOCKS)
    loose.meet(before="UPDATE customer_order")
    ends = together(
        partial(expire, transactions, order_id), partial(pay, transactions, provider, reference)
    )
    assert ends == ["expired", True]
    assert truth(transactions, order_id)[1:] == ("succeeded", 2, 0)


def test_the_webhook_and_the_return_page_together(transactions, provider, together):
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    results = together(*[partial(sync_payment, transactions, reference)] * 4)
    assert sorted(results) == [False, False, False, True]
    assert truth(transactions, order_id) == ("paid", "succeeded", 2, 3)


def test_control_without_the_lock_and_the_cause_the_money_is_booked_twice(
    transactions, provider, together, loose
):
    _, reference = opened(transactions, provider)
    provider.pay(reference)
    loose.drop("uq_journal_entry_cause")
    loose.without(ROW_LOCKS, ONE_ENTRY)
    loose.meet(before="UPDATE payment")
    results = together(*[partial(sync_payment, transactions, reference)] * 2)
    assert results == [True, True]
    with transactions.begin() as ctx:
        captured = JournalEntry.event == "captured"
        found = select(func.count()).select_from(JournalEntry).where(captured)
        assert ctx.session.execute(found).scalar_one() == 2
        assert not prove(ctx).proved


def delivered(app: Any, together: Any, body: bytes) -> list[int]:
    """The provider sends one event three times at once; what it is answered."""

    def deliver() -> int:
        return (
            app.test_client()
            .post("/api/v1/webhooks/stripe", data=body, headers={"Stripe-Signature": SIGNATURE})
            .status_code
        )

    return together(*[deliver] * 3)


def stored(transactions: Transactions) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(ProviderEvent)).scalar_one()


def test_the_same_webhook_three_times_at_once(app, transactions, provider, together):
    order_id, reference = opened(transactions, provider)
    provider.pay(reference)
    assert delivered(app, together, provider.event(reference)) == [200, 200, 200]
    assert (stored(transactions), len(waiting(transactions))) == (1, 1)
    assert truth(transactions, order_id)[0] == "pending_payment"


def test_control_without_the_guard_one_event_is_stored_and_queued_three_times(
    app, transactions, provider, together, loose
):
    _, reference = opened(transactions, provider)
    provider.pay(reference)
    loose.drop("provider_event.uq_provider_event_event_id")
    loose.without(r"ON CONFLICT \(event_id\) DO NOTHING")
    assert delivered(app, together, provider.event(reference)) == [200, 200, 200]
    assert (stored(transactions), len(waiting(transactions))) == (3, 3)


def ordered_twice(app: Any, transactions: Transactions, together: Any) -> list[int]:
    """The same request with the same key, twice at once."""

    def order() -> int:
        body = order_body(("P01-1", 1))
        return Api(app.test_client(), transactions).post("/orders", body, key="same").status_code

    return sorted(together(order, order))


def test_the_same_key_twice_at_once(app, transactions, together):
    assert ordered_twice(app, transactions, together) in ([201, 201], [201, 409])
    assert order_count(transactions) == 1


def test_control_without_the_claim_one_key_makes_two_orders(app, transactions, together, loose):
    loose.drop("idempotency_key.pk_idempotency_key")
    loose.without(r"ON CONFLICT DO NOTHING")
    assert ordered_twice(app, transactions, together) == [201, 201]
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


@pytest.mark.parametrize("lost", [False, True])
def test_a_page_is_kept_exactly_when_its_answer_is(api, transactions, provider, lost):
    from models.payments import Payment
    from models.system import IdempotencyKey

    def open_checkout(request):
        if lost:  # while the provider takes its time, another has taken the claim over
            with transactions.begin() as ctx:
                ctx.session.execute(update(IdempotencyKey).values(claim=new_id()))
        return FakeGateway.open_checkout(provider, request)

    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    provider.open_checkout = open_checkout
    path = f"/orders/{placed.number}/payments?access_token={placed.access_token}"
    answer = api.post(path, {"method": "stripe"}, key="k")
    assert answer.status_code == (409 if lost else 201)
    with transactions.begin() as ctx:
        known = ctx.session.execute(select(Payment.redirect_url)).scalar_one()
        kept = ctx.session.execute(select(IdempotencyKey.answer)).scalar_one()
    assert ((known is None), (kept is None)) == (lost, lost)


def test_two_payments_of_one_order_at_once_are_one_attempt(transactions, provider, together):
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    start = partial(start_payment, transactions, placed.number, token=placed.access_token)
    results = together(start, start, start)
    assert len({one.id for one in results}) == 1
    assert len(provider.checkouts) == 1


def test_control_without_the_lock_one_order_has_two_checkouts(
    transactions, provider, together, loose
):
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    loose.drop("uq_payment_live")
    loose.without(ROW_LOCKS)
    loose.meet(before="INSERT INTO payment")
    start = partial(start_payment, transactions, placed.number, token=placed.access_token)
    results = together(start, start)
    assert len({one.id for one in results}) == 2
    assert len(provider.checkouts) == 2
