"""A refund on its way to the provider: once, whatever breaks in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from models.reconciliation import Difference
from models.refunds import Refund
from shop.context import Transactions
from shop.errors import Conflict
from shop.payments import aftermath, jobs, open_items, refund_sending
from shop.payments.gateway import GatewayUnavailable
from shop.payments.refund_queries import refund_by_id
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund, retry_refund
from shop.payments.sync import sync_payment
from tests.payments.books import balances, books

TOTAL = 13980


@pytest.fixture
def paid(transactions, provider, reference, placed) -> UUID:
    provider.pay(reference)
    sync_payment(transactions, reference)
    return placed.id


@pytest.fixture
def asked(transactions, paid) -> UUID:
    with transactions.begin() as ctx:
        return request_refund(ctx, paid, RefundWish(amount_fen=5_000), "破损")


def refund(transactions: Transactions) -> Any:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(Refund.__table__)).one()


def test_it_is_sent_once_and_then_left_alone(transactions, provider, asked):
    for _ in range(3):
        jobs.send_refund(transactions, str(asked))
    assert provider.calls.count("refund") == 1
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 0, 5_000, 0)]
    assert balances(transactions)["provider_clearing"] == TOTAL - 5_000


def test_an_answer_that_is_lost_is_found_in_the_list(transactions, provider, asked, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(refund_sending, "apply_refund", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refund_sending.carry(transactions, asked)
    assert refund(transactions).state == "sent"
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 5_000, 0, 0)]
    refund_sending.carry(transactions, asked)
    assert provider.calls.count("refund") == 1
    assert len(provider.refunds) == 1
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 0, 5_000, 0)]


def test_an_unreachable_provider_leaves_it_to_the_next_look(transactions, provider, asked, time):
    provider.broken = 1
    with pytest.raises(GatewayUnavailable):
        refund_sending.carry(transactions, asked)
    assert refund(transactions).state == "sent"
    assert open_items.settle_refunds(transactions) == 0, "it is on its ordinary way still"
    time.forward(minutes=6)
    assert open_items.settle_refunds(transactions) == 1
    assert refund(transactions).state == "succeeded"
    assert open_items.settle_refunds(transactions) == 0


def test_one_that_the_provider_has_pending_ends_when_it_ends(transactions, provider, asked, time):
    provider.refund_outcome = "pending"
    refund_sending.carry(transactions, asked)
    found = refund(transactions)
    assert (found.state, found.reference) == ("sent", next(iter(provider.refunds)))
    assert books(transactions)["aid"] == 12880
    provider.settle_refund(found.reference, "succeeded")
    time.forward(minutes=6)
    open_items.settle_refunds(transactions)
    assert (refund(transactions).state, books(transactions)["aid"]) == ("succeeded", 7880)


def test_one_that_the_provider_refuses_returns_to_the_list(transactions, provider, paid, asked):
    provider.refund_at_desk(next(iter(provider.checkouts)), 10_000)
    refund_sending.carry(transactions, asked)
    found = books(transactions)
    assert found["refunds"] == {
        ("staff", "failed", 5_000): 1,
        ("at_provider", "succeeded", 10_000): 1,
    }
    assert found["payments"] == [("succeeded", TOTAL, 0, 10_000, 0)]
    assert found["aid"] == 2880


def test_a_refund_made_elsewhere_goes_before_one_that_nobody_has_sent(
    transactions, provider, reference, asked
):
    provider.refund_at_desk(reference, TOTAL)
    sync_payment(transactions, reference)
    found = books(transactions)
    assert found["refunds"] == {
        ("staff", "failed", 5_000): 1,
        ("at_provider", "succeeded", TOTAL): 1,
    }
    with transactions.begin() as ctx:
        codes = ctx.session.execute(select(Refund.failure_code).order_by(Refund.id)).scalars().all()
    assert codes == ["overtaken", None]
    assert found["consignments"] == ["cancelled", "cancelled"]
    assert (found["aid"], found["stock"][1]) == (0, 0)
    assert balances(transactions) == {}


def test_a_part_refunded_elsewhere_gives_up_no_pieces(transactions, provider, reference, paid):
    before = books(transactions)["stock"]
    provider.refund_at_desk(reference, 4_000)
    sync_payment(transactions, reference)
    found = books(transactions)
    assert (found["aid"], found["stock"]) == (8_880, before)
    assert found["consignments"] == ["pending_shipment", "pending_shipment"]


@pytest.mark.parametrize("amount", [4_000, 10_000])
def test_one_made_elsewhere_and_still_under_way_is_never_asked_for_again(
    transactions, provider, reference, paid, time, amount
):
    """Money must not go back twice, and a refusal of the second must not fail the first."""
    provider.refund_outcome = "pending"
    number = provider.refund_at_desk(reference, amount)
    sync_payment(transactions, reference)
    time.forward(minutes=6)
    assert open_items.settle_refunds(transactions) == 1
    assert (refund(transactions).state, refund(transactions).reference) == ("sent", number)
    assert list(provider.refunds) == [number]
    assert provider.calls.count("refund") == 0
    provider.settle_refund(number, "succeeded")
    assert open_items.settle_refunds(transactions) == 1
    found = books(transactions)
    assert found["refunds"] == {("at_provider", "succeeded", amount): 1}
    assert found["payments"] == [("succeeded", TOTAL, 0, amount, 0)]


def test_the_clock_looks_at_open_attempts_and_at_missed_events(
    transactions, provider, reference, time
):
    provider.pay(reference)
    assert open_items.settle_attempts(transactions) == 0
    time.forward(minutes=6)
    assert open_items.settle_attempts(transactions) == 1
    assert books(transactions)["orders"] == ["paid"]
    provider.unheard.append(provider.event(reference, "charge.dispute.created"))
    assert open_items.fetch_missed(transactions) == 1
    assert open_items.fetch_missed(transactions) == 0


def test_one_item_that_cannot_be_looked_at_does_not_hold_up_the_others(
    transactions, provider, reference, time
):
    time.forward(minutes=6)
    provider.broken = 1
    assert open_items.settle_attempts(transactions) == 0
    provider.pay(reference)
    assert open_items.settle_attempts(transactions) == 1


def test_a_refund_of_another_amount_is_a_difference(transactions, provider, asked):
    refund_sending.carry(transactions, asked)
    [seen] = provider.refunds.values()
    found = books(transactions)
    with transactions.begin() as ctx:
        order = aftermath.locked_order(ctx, ctx.session.execute(select(Refund.order_id)).scalar())
        payment_id = ctx.session.execute(select(Refund.payment_id)).scalar()
        wrong = replace(seen, amount_fen=5_001)
        assert aftermath.apply_refund(ctx, order, payment_id, wrong) is True
        assert aftermath.apply_refund(ctx, order, payment_id, wrong) is False
    assert books(transactions) == {**found, "differences": ["refund_amount"]}


def test_what_did_not_fit_fits_when_ours_has_failed(transactions, provider, reference, asked):
    """Seen from elsewhere between our asking and the refusal, it is a difference for a while."""
    with transactions.begin() as ctx:
        refund_sending._about_to_send(ctx, asked)
    provider.refund_at_desk(reference, 10_000)
    sync_payment(transactions, reference)
    assert books(transactions)["differences"] == ["refund_exceeds_payment"]
    refund_sending.carry(transactions, asked)
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(Difference.state)).scalars().all() == ["vanished"]
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 0, 10_000, 0)]


def test_a_refusal_that_somebody_has_overcome_fails_nothing(
    transactions, provider, asked, monkeypatch
):
    """One worker is refused and reads the list; before it writes, another one is not refused."""
    provider.refund_outcome = "pending"
    provider.refused.add(asked)
    reading = provider.fetch_aftermath

    def slow(intent: str) -> Any:
        seen = reading(intent)
        monkeypatch.undo()
        provider.refused.clear()
        refund_sending.carry(transactions, asked)
        return seen

    monkeypatch.setattr(provider, "fetch_aftermath", slow)
    refund_sending.carry(transactions, asked)
    [number] = provider.refunds
    assert (refund(transactions).state, refund(transactions).reference) == ("sent", number)
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 5_000, 0, 0)]


def told(transactions: Transactions) -> list[tuple[str, str]]:
    with transactions.begin() as ctx:
        return [
            tuple(row) for row in ctx.session.execute(select(Difference.kind, Difference.state))
        ]


def retried(transactions: Transactions, failed: UUID) -> str:
    """The code of a refusal, or nothing; what the desk offers is what it does."""
    with transactions.begin() as ctx:
        offered = refund_by_id(ctx, failed)["can_retry"]
        try:
            retry_refund(ctx, failed)
        except Conflict as error:
            assert not offered
            return error.error_code
    assert offered
    return ""


def test_one_that_arrived_after_failing_is_not_sent_again(transactions, provider, asked, reference):
    refund_sending.carry(transactions, asked)
    [number] = provider.refunds
    arrived = provider.refunds[number]
    provider.settle_refund(number, "failed")
    sync_payment(transactions, reference)
    provider.refunds[number] = arrived
    sync_payment(transactions, reference, aftermath=True)
    assert told(transactions) == [("refund_succeeded_after_failing", "open")]
    assert retried(transactions, asked) == "refund_arrived"
    assert list(provider.refunds) == [number]


def test_what_was_read_before_it_failed_keeps_nobody_from_trying_again(
    transactions, provider, asked, reference
):
    refund_sending.carry(transactions, asked)
    [number] = provider.refunds
    old = provider.fetch_aftermath(f"pi_{reference}")
    provider.settle_refund(number, "failed")
    sync_payment(transactions, reference)
    payment_id = refund(transactions).payment_id
    for _ in range(2):
        with transactions.begin() as ctx:
            aftermath.apply_aftermath(ctx, payment_id, old)
        assert told(transactions) == [("refund_succeeded_after_failing", "open")]
        sync_payment(transactions, reference, aftermath=True)
        assert told(transactions) == [("refund_succeeded_after_failing", "vanished")]
    assert retried(transactions, asked) == ""


def test_one_that_did_not_fit_and_came_to_nothing_is_no_difference(
    transactions, provider, reference, asked
):
    with transactions.begin() as ctx:
        refund_sending._about_to_send(ctx, asked)
    provider.refund_outcome = "pending"
    number = provider.refund_at_desk(reference, 10_000)
    sync_payment(transactions, reference)
    assert told(transactions) == [("refund_exceeds_payment", "open")]
    provider.settle_refund(number, "failed")
    sync_payment(transactions, reference, aftermath=True)
    assert told(transactions) == [("refund_exceeds_payment", "vanished")]
    assert refund(transactions).state == "sent"
