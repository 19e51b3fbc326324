"""Whatever the provider tells, in whatever order and however often: the end is the same.

A test plays out a story at the provider and draws when, in what order and how many times the mall
hears of it: while it happens, or all at the end, some of it never.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from models.inventory import Stock
from shop.context import Transactions
from shop.orders.commands import place_order
from shop.payments import jobs, webhooks
from shop.payments.commands import start_payment
from shop.payments.refund_writing import SEND
from tests.fakes.gateway import SIGNATURE, FakeGateway
from tests.jobs import waiting
from tests.payments.books import balances, books
from tests.shop.test_orders_place import WISH

TOTAL = 13980
SESSION = "checkout.session."

STORIES: dict[str, tuple[list[tuple[str, str]], dict[str, Any]]] = {
    # name -> ([(what happens at the provider, the event it sends)], how the books end)
    "paid": (
        [
            ("pay", "payment_intent.succeeded"),
            ("", "charge.succeeded"),
            ("", SESSION + "completed"),
        ],
        {"orders": ["paid"], "payments": [("succeeded", TOTAL, 0, 0, 0)], "aid": 12880},
    ),
    "slow and paid": (
        [
            ("pend", SESSION + "completed"),
            ("pay", "payment_intent.succeeded"),
            ("", SESSION + "async_payment_succeeded"),
        ],
        {"orders": ["paid"], "payments": [("succeeded", TOTAL, 0, 0, 0)], "aid": 12880},
    ),
    "slow and refused": (
        [
            ("pend", SESSION + "completed"),
            ("decline", "payment_intent.payment_failed"),
            ("", SESSION + "async_payment_failed"),
        ],
        {"orders": ["pending_payment"], "payments": [("failed", 0, 0, 0, 0)], "aid": 0},
    ),
    "expired": (
        [("expire", "payment_intent.canceled"), ("", SESSION + "expired")],
        {"orders": ["pending_payment"], "payments": [("expired", 0, 0, 0, 0)], "aid": 0},
    ),
    "refunded in parts at the provider": (
        [
            ("pay", SESSION + "completed"),
            ("refund 4000", "charge.refunded"),
            ("refund 9980", "charge.refunded"),
            ("", "refund.created"),
            ("", "charge.refund.updated"),
        ],
        {
            "payments": [("succeeded", TOTAL, 0, TOTAL, 0)],
            "refunds": Counter(
                {("at_provider", "succeeded", 4000): 1, ("at_provider", "succeeded", 9980): 1}
            ),
            "aid": 0,
        },
    ),
    "a refund that fails afterwards": (
        [
            ("pay", SESSION + "completed"),
            ("refund 4000", "charge.refunded"),
            ("refund fails", "refund.failed"),
            ("", "refund.updated"),
        ],
        {"payments": [("succeeded", TOTAL, 0, 0, 0)], "aid": 12880},
    ),
    "disputed and lost": (
        [
            ("pay", SESSION + "completed"),
            ("dispute", "charge.dispute.created"),
            ("", "charge.dispute.funds_withdrawn"),
            ("lose", "charge.dispute.closed"),
        ],
        {
            "payments": [("succeeded", TOTAL, 0, 0, TOTAL)],
            "disputes": [("lost", TOTAL)],
            "aid": 0,
        },
    ),
    "disputed and won": (
        [
            ("pay", SESSION + "completed"),
            ("dispute", "charge.dispute.created"),
            ("", "charge.dispute.funds_withdrawn"),
            ("win", "charge.dispute.funds_reinstated"),
            ("", "charge.dispute.closed"),
        ],
        {
            "payments": [("succeeded", TOTAL, 0, 0, 0)],
            "disputes": [("won", 0)],
            "aid": 12880,
        },
    ),
    "refunded in part, then disputed and lost": (
        [
            ("pay", SESSION + "completed"),
            ("refund 4000", "refund.created"),
            ("dispute", "charge.dispute.created"),
            ("lose", "charge.dispute.closed"),
        ],
        {
            "payments": [("succeeded", TOTAL, 0, 4000, 9980)],
            "disputes": [("lost", 9980)],
            "aid": 0,
        },
    ),
}

CASH = {
    "paid": TOTAL,
    "slow and paid": TOTAL,
    "a refund that fails afterwards": TOTAL,
    "disputed and won": TOTAL,
}
"""What the provider holds for us at the end; 0 where it is not named."""


def happen(provider: FakeGateway, reference: str, what: str) -> None:
    match what.split():
        case ["refund", "fails"]:
            provider.settle_refund(list(provider.refunds)[-1], "failed")
        case ["refund", fen]:
            provider.refund_at_desk(reference, int(fen))
        case ["dispute"]:
            provider.dispute(reference, provider.left_of(provider.checkouts[reference]))
        case ["win"] | ["lose"]:
            outcome = {"win": "won", "lose": "lost"}[what]
            provider.close_dispute(list(provider.disputes)[-1], outcome)
        case [move]:
            getattr(provider, move)(reference)


def hear(transactions: Transactions, provider: FakeGateway, body: bytes) -> None:
    """The webhook, and then the job it left behind, if it did."""
    event = provider.parse_event(body, SIGNATURE)
    with transactions.begin() as ctx:
        webhooks.receive(ctx, "stripe", event, body)


def work(transactions: Transactions, done: set[str]) -> None:
    for task, arguments in waiting(transactions):
        key = f"{task}{arguments}"
        if key not in done and task in {webhooks.HANDLE, SEND}:
            done.add(key)
            run = jobs.handle_event if task == webhooks.HANDLE else jobs.send_refund
            run(transactions, **arguments)


@pytest.mark.parametrize("story", STORIES)
@settings(
    max_examples=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_end_is_the_same(transactions, provider, story, data):
    moves, end = STORIES[story]
    play(transactions, provider, moves, end, CASH.get(story, 0), data)


def play(
    transactions: Transactions,
    provider: FakeGateway,
    moves: list[tuple[str, str]],
    end: dict[str, Any],
    cash: int,
    data: st.DataObject,
) -> None:
    with transactions.begin() as ctx:
        ctx.session.execute(update(Stock).values(on_hand=1_000_000))
        placed = place_order(ctx, WISH)
    start_payment(transactions, placed.number, token=placed.access_token)
    reference = list(provider.checkouts)[-1]
    # What an example before left in the queue is none of this one's.
    done = {f"{task}{arguments}" for task, arguments in waiting(transactions)}
    bodies: list[bytes] = []
    for what, kind in moves:
        if what:
            happen(provider, reference, what)
        bodies.append(provider.event(reference, kind))
        if data.draw(st.booleans(), label="heard at once"):
            hear(transactions, provider, bodies[-1])
            if data.draw(st.booleans(), label="handled at once"):
                work(transactions, done)
    late = data.draw(
        st.lists(st.sampled_from(bodies), max_size=8)
        .map(lambda some: [*some, *bodies])
        .flatmap(st.permutations),
        label="heard at the end",
    )
    for body in late:
        hear(transactions, provider, body)
        if data.draw(st.booleans(), label="handled"):
            work(transactions, done)
    work(transactions, done)
    found = books(transactions, placed.id)
    assert {name: found[name] for name in end} == end
    money = balances(transactions, placed.id)
    assert (money.get("provider_clearing", 0), sum(money.values())) == (cash, 0)
    # Looking at everything once more changes nothing.
    for kind in ("charge.refunded", "charge.dispute.closed", SESSION + "completed"):
        hear(transactions, provider, provider.event(reference, kind, serial=1))
    work(transactions, done)
    assert (books(transactions, placed.id), balances(transactions, placed.id)) == (found, money)
