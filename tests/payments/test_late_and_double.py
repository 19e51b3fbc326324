"""Money that comes late or twice: recorded, and either welcome after all or back once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from models.inventory import Stock
from models.payments import Payment, PaymentState
from models.refunds import Refund
from shop.context import Transactions
from shop.payments import jobs, webhooks
from shop.payments.bank_jobs import close_given_up
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import CLOSE, start_payment
from shop.payments.refund_writing import SEND
from shop.payments.sync import apply_status, sync_payment
from tests.jobs import outcomes, waiting
from tests.payments.books import balances, books

TOTAL = 13980
REOPENED = {
    "orders": ["paid"],
    "consignments": ["pending_shipment", "pending_shipment"],
    "payments": [("succeeded", TOTAL, 0, 0, 0)],
    "refunds": Counter(),
    "disputes": [],
    "differences": [],
    "aid": 12880,
}


def expire(transactions: Transactions, time: Any) -> None:
    time.forward(minutes=32)
    jobs.expire_unpaid(transactions)
    assert books(transactions)["orders"] == ["cancelled"]


def send_refunds(transactions: Transactions) -> list[Any]:
    sent = [arguments for task, arguments in waiting(transactions) if task == SEND]
    for arguments in sent:
        jobs.send_refund(transactions, **arguments)
    return sent


def without_stock(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "stock"}


def test_late_money_opens_the_order_again_while_the_goods_are_free(
    transactions, provider, reference, time
):
    before = books(transactions)["stock"]
    expire(transactions, time)
    provider.arrive(reference, TOTAL)
    assert sync_payment(transactions, reference) is True
    assert without_stock(books(transactions)) == REOPENED
    assert books(transactions)["stock"] == before
    assert sync_payment(transactions, reference) is False
    assert send_refunds(transactions) == []


def test_late_money_goes_back_when_somebody_else_has_the_goods(
    transactions, provider, reference, time
):
    expire(transactions, time)
    with transactions.begin() as ctx:
        ctx.session.execute(update(Stock).values(on_hand=Stock.reserved))
    stock = books(transactions)["stock"]
    provider.arrive(reference, TOTAL)
    sync_payment(transactions, reference)
    assert balances(transactions) == {"provider_clearing": TOTAL, "refunds_in_flight": -TOTAL}
    assert len(send_refunds(transactions)) == 1
    found = books(transactions)
    assert (found["orders"], found["aid"], found["stock"]) == (["cancelled"], 0, stock)
    assert found["payments"] == [("needs_refund", TOTAL, 0, TOTAL, 0)]
    assert found["refunds"] == {("late", "succeeded", TOTAL): 1}
    assert balances(transactions) == {}


@pytest.mark.parametrize(("hours", "state"), [(23, "paid"), (25, "cancelled")])
def test_the_window_for_late_money_ends(transactions, provider, reference, time, hours, state):
    expire(transactions, time)
    time.forward(hours=hours)
    provider.arrive(reference, TOTAL)
    sync_payment(transactions, reference)
    assert books(transactions)["orders"] == [state]


def test_an_order_that_the_buyer_cancelled_stays_cancelled(
    transactions, provider, placed, reference
):
    cancel_unpaid(transactions, placed.number, placed.access_token)
    provider.arrive(reference, TOTAL)
    for _ in range(3):
        sync_payment(transactions, reference)
    assert len(send_refunds(transactions)) == 1
    found = books(transactions)
    assert (found["orders"], found["refunds"]) == (
        ["cancelled"],
        {("late", "succeeded", TOTAL): 1},
    )


def two_attempts(transactions, provider, placed) -> tuple[str, str]:
    """Both open at the provider: the first one's answer was lost, and it seemed to be over."""
    start_payment(transactions, placed.number, token=placed.access_token)
    with transactions.begin() as ctx:
        ctx.session.execute(update(Payment).values(state=PaymentState.EXPIRED))
    start_payment(transactions, placed.number, token=placed.access_token)
    first, second = provider.checkouts
    return first, second


def test_a_second_payment_of_one_order_goes_back_once(transactions, provider, placed):
    first, second = two_attempts(transactions, provider, placed)
    for reference in (second, first):
        provider.pay(reference)
        sync_payment(transactions, reference)
    for reference in (first, second, first):
        sync_payment(transactions, reference)
    assert len(send_refunds(transactions)) == 1
    found = books(transactions)
    assert sorted(found["payments"]) == [
        ("needs_refund", TOTAL, 0, TOTAL, 0),
        ("succeeded", TOTAL, 0, 0, 0),
    ]
    assert (found["refunds"], found["aid"]) == ({("double", "succeeded", TOTAL): 1}, 12880)
    assert balances(transactions)["provider_clearing"] == TOTAL
    assert provider.left_of(provider.checkouts[second]) == TOTAL


def closed(transactions: Transactions) -> list[str]:
    """Run the jobs that close checkouts; which ones."""
    found = [arguments["reference"] for task, arguments in waiting(transactions) if task == CLOSE]
    for reference in found:
        close_given_up(transactions, reference)
    return found


def test_the_page_of_the_other_attempt_is_closed(transactions, provider, placed):
    """Its money would go back, but the payer had better not be asked for it."""
    first, second = two_attempts(transactions, provider, placed)
    provider.pay(first)
    sync_payment(transactions, first)
    assert books(transactions)["orders"] == ["paid"]
    assert closed(transactions) == [second]
    assert [provider.checkouts[one].state for one in (first, second)] == ["paid", "expired"]


def test_a_page_that_opens_when_its_order_is_closed_is_closed_too(
    transactions, provider, placed, monkeypatch
):
    opening = provider.open_checkout

    def meanwhile(request: Any) -> Any:
        cancel_unpaid(transactions, placed.number, placed.access_token)
        return opening(request)

    monkeypatch.setattr(provider, "open_checkout", meanwhile)
    start_payment(transactions, placed.number, token=placed.access_token)
    [reference] = provider.checkouts
    assert closed(transactions) == [reference]
    assert provider.checkouts[reference].state == "expired"
    assert books(transactions)["orders"] == ["cancelled"]


def test_the_automatic_refund_is_there_once_even_if_it_is_asked_for_twice(
    transactions, provider, reference, placed
):
    cancel_unpaid(transactions, placed.number, placed.access_token)
    provider.arrive(reference, TOTAL)
    status = provider.checkouts[reference]
    for _ in range(2):
        with transactions.begin() as ctx:
            apply_status(ctx, replace(status))
    with transactions.begin() as ctx:
        assert len(ctx.session.execute(select(Refund.id)).all()) == 1


def test_a_failed_automatic_refund_waits_for_a_person(transactions, provider, reference, placed):
    cancel_unpaid(transactions, placed.number, placed.access_token)
    provider.arrive(reference, TOTAL)
    sync_payment(transactions, reference)
    provider.refund_outcome = "failed"
    send_refunds(transactions)
    found = books(transactions)
    assert (found["payments"], found["refunds"]) == (
        [("needs_refund", TOTAL, 0, 0, 0)],
        {("late", "failed", TOTAL): 1},
    )
    assert balances(transactions) == {"provider_clearing": TOTAL, "suspense": -TOTAL}
    sync_payment(transactions, reference, aftermath=True)
    assert books(transactions) == found


def test_an_attempt_whose_page_was_never_told_makes_room_when_its_end_is_near(
    transactions, provider, placed, time
):
    provider.broken = 1
    with pytest.raises(Exception, match="payment_provider_unavailable"):
        start_payment(transactions, placed.number, token=placed.access_token)
    time.forward(minutes=2)
    attempt = start_payment(transactions, placed.number, token=placed.access_token)
    assert attempt.state == "pending"
    assert [state for state, *_ in books(transactions)["payments"]] == ["expired", "pending"]


def test_a_handler_that_crashes_leaves_the_event_to_be_replayed(
    transactions, provider, reference, monkeypatch
):
    provider.pay(reference)
    body = provider.event(reference)
    with transactions.begin() as ctx:
        event = provider.parse_event(body, "signed by the fake")
        assert webhooks.receive(ctx, "stripe", event, body) is True
    [(task, arguments)] = [one for one in waiting(transactions) if one[0] == webhooks.HANDLE]
    assert task == webhooks.HANDLE
    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "look", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            jobs.handle_event(transactions, **arguments)
    assert books(transactions)["orders"] == ["pending_payment"]
    assert webhooks.replay(transactions, UUID(arguments["event"])) == "applied"
    assert webhooks.replay(transactions, UUID(arguments["event"])) == "nothing_to_do"
    assert books(transactions)["orders"] == ["paid"]
    assert outcomes(transactions) == ["failed", "applied", "nothing_to_do"]


def test_an_event_of_a_checkout_that_the_provider_does_not_know_is_not_tried_again(
    transactions, provider
):
    body = provider.event("cs_of_another_account")
    with transactions.begin() as ctx:
        webhooks.receive(ctx, "stripe", provider.parse_event(body, "signed by the fake"), body)
    [(_, arguments)] = waiting(transactions)
    assert webhooks.handle(transactions, **arguments) == "failed"
    assert outcomes(transactions) == ["failed"]
