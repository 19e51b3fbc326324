"""What an alarm listens to: each number counts what waits, and falls when it is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shop.context import Transactions
from shop.payments import jobs, webhooks
from shop.payments.closing import cancel_unpaid
from shop.payments.refund_rules import RefundWish
from shop.payments.refund_writing import SEND
from shop.payments.refunds import request_refund, retry_refund
from shop.payments.sync import sync_payment
from shop.readiness import gauges
from tests.fakes.gateway import SIGNATURE
from tests.jobs import waiting
from tests.payments.books import books

MONEY = (
    "payments_needing_refund",
    "refunds_open",
    "refunds_failed",
    "disputes_open",
    "differences_open",
    "provider_events_failed",
)


def read(transactions: Transactions) -> dict[str, int]:
    with transactions.begin() as ctx:
        return {name: gauges(ctx)[name][1] for name in MONEY if gauges(ctx)[name][1]}


def sent(transactions: Transactions) -> list[Any]:
    return [arguments for task, arguments in waiting(transactions) if task == SEND]


def test_money_that_goes_back_by_itself_and_does_not(transactions, provider, placed, reference):
    assert read(transactions) == {}
    cancel_unpaid(transactions, placed.number, placed.access_token)
    provider.arrive(reference, 13980)
    sync_payment(transactions, reference)
    assert read(transactions) == {"refunds_open": 1}
    provider.refund_outcome = "failed"
    [first] = sent(transactions)
    jobs.send_refund(transactions, **first)
    assert read(transactions) == {"payments_needing_refund": 1, "refunds_failed": 1}
    with transactions.begin() as ctx:
        retry_refund(ctx, UUID(first["refund"]))
    provider.refund_outcome = "succeeded"
    jobs.send_refund(transactions, **sent(transactions)[-1])
    assert read(transactions) == {}
    assert books(transactions)["payments"] == [("needs_refund", 13980, 0, 13980, 0)]


def test_a_wrong_sum_and_a_dispute(transactions, provider, reference):
    provider.arrive(reference, 13981)
    sync_payment(transactions, reference)
    assert read(transactions) == {"payments_needing_refund": 1, "differences_open": 1}
    number = provider.dispute(reference)
    sync_payment(transactions, reference, aftermath=True)
    assert read(transactions) == {"differences_open": 1, "disputes_open": 1}
    provider.close_dispute(number, "won")
    sync_payment(transactions, reference, aftermath=True)
    assert read(transactions) == {"payments_needing_refund": 1, "differences_open": 1}


def test_a_refund_that_another_one_overtook_is_nobodys_work(
    transactions, provider, placed, reference
):
    provider.pay(reference)
    sync_payment(transactions, reference)
    with transactions.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=5_000), "破损")
    provider.refund_at_desk(reference, 13980)
    sync_payment(transactions, reference)
    assert books(transactions)["refunds"]["staff", "failed", 5_000] == 1
    assert read(transactions) == {}


def test_an_event_that_failed_until_it_is_replayed(transactions, provider, reference):
    provider.pay(reference)
    body = provider.event(reference)
    with transactions.begin() as ctx:
        webhooks.receive(ctx, "stripe", provider.parse_event(body, SIGNATURE), body)
    arguments = waiting(transactions)[-1][1]
    provider.broken = 1
    with pytest.raises(Exception, match="payment_provider_unavailable"):
        jobs.handle_event(transactions, **arguments)
    assert read(transactions) == {"provider_events_failed": 1}
    jobs.handle_event(transactions, **arguments)
    assert read(transactions) == {}
