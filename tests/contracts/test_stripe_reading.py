"""What the sandbox never shows: Stripe's other words for refunds, disputes, lines and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import stripe

from shop.payments import stripe_reading as reading
from shop.payments.gateway import BadEvent

MARCH = 1_772_366_400
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refund(**values):
    return {
        "id": "re_1",
        "status": "succeeded",
        "amount": 5,
        "currency": "cny",
        "created": MARCH,
        **values,
    }


def dispute(**values):
    return {
        "id": "dp_1",
        "status": "needs_response",
        "amount": 5,
        "currency": "cny",
        "reason": "fraudulent",
        "created": MARCH,
        **values,
    }


def line(**values):
    return {
        "id": "txn_1",
        "type": "charge",
        "reporting_category": "charge",
        "amount": 100,
        "fee": 3,
        "net": 97,
        "currency": "cny",
        "created": MARCH,
        "source": None,
        **values,
    }


def event(subject, **values):
    return {
        "id": "evt_1",
        "type": "charge.refunded",
        "created": MARCH,
        "livemode": False,
        "data": {"object": subject},
        **values,
    }


@pytest.mark.parametrize(
    ("status", "reason", "state", "code"),
    [
        ("pending", None, "pending", None),
        ("requires_action", None, "pending", None),
        (None, None, "pending", None),
        ("something_new", None, "pending", None),
        ("succeeded", None, "succeeded", None),
        ("failed", "lost_or_stolen_card", "failed", "lost_or_stolen_card"),
        ("canceled", None, "failed", "canceled"),
    ],
)
def test_refund(status, reason, state, code):
    found = reading.refund(refund(status=status, failure_reason=reason))
    assert (found.state, found.failure_code, found.created_at) == (state, code, NOON)


@pytest.mark.parametrize("metadata", [None, {}, {"refund_id": "R-17"}, {"order_no": "1"}])
def test_refund_that_is_not_ours(metadata):
    assert reading.refund(refund(metadata=metadata)).refund_id is None


@pytest.mark.parametrize(
    ("status", "state", "withheld"),
    [
        ("warning_needs_response", "open", False),
        ("warning_under_review", "open", False),
        ("warning_closed", "won", False),
        ("prevented", "won", False),
        ("needs_response", "open", True),
        ("under_review", "open", True),
        ("appeal_under_review", "lost", True),
        ("lost", "lost", True),
        ("won", "won", False),
        ("something_new", "open", True),
    ],
)
def test_dispute(status, state, withheld):
    found = reading.dispute(dispute(status=status))
    assert (found.state, found.withheld, found.evidence_due_at) == (state, withheld, None)


def test_every_status_of_a_dispute_that_the_sdk_knows_is_read():
    words, _ = get_args(stripe.Dispute.__annotations__["status"])
    assert set(get_args(words)) == set(reading.DISPUTES)


@pytest.mark.parametrize("due", [None, 0])
def test_dispute_without_a_last_day(due):
    assert reading.dispute(dispute(evidence_details={"due_by": due})).evidence_due_at is None


@pytest.mark.parametrize(
    ("kind", "category", "read"),
    [
        ("charge", "charge", "charge"),
        ("payment", "charge", "charge"),
        ("payment_refund", "refund", "refund"),
        ("refund_failure", "refund_failure", "refund_failed"),
        ("adjustment", "dispute", "dispute"),
        ("adjustment", "dispute_reversal", "dispute"),
        ("adjustment", "other_adjustment", "other"),
        ("payout", "payout", "payout"),
        ("payout_failure", "payout_reversal", "payout"),
        ("stripe_fee", "fee", "fee"),
        ("reserve_hold", "risk_reserved_funds", "other"),
    ],
)
def test_line(kind, category, read):
    found = reading.line(line(type=kind, reporting_category=category))
    assert (found.kind, found.amount_fen, found.fee_fen, found.net_fen) == (read, 100, 3, 97)


@pytest.mark.parametrize(
    ("source", "known", "intent"),
    [
        (None, None, None),
        ("ch_1", "ch_1", None),
        ({"id": "ch_1", "payment_intent": "pi_1"}, "ch_1", "pi_1"),
        ({"id": "ch_1", "payment_intent": {"id": "pi_1"}}, "ch_1", "pi_1"),
        ({"id": "po_1"}, "po_1", None),
    ],
)
def test_what_a_line_is_about(source, known, intent):
    found = reading.line(line(source=source))
    assert (found.source, found.intent_reference) == (known, intent)


@pytest.mark.parametrize(
    ("subject", "intent"),
    [
        ({"object": "payment_intent", "id": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "refund", "id": "re_1", "payment_intent": {"id": "pi_1"}}, "pi_1"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": None}, None),
        ({"object": "payout", "id": "po_1", "payment_intent": "pi_1"}, None),
        ({"object": "checkout.session", "id": "cs_1", "payment_intent": "pi_1"}, None),
    ],
)
def test_intent_of_an_event(subject, intent):
    assert reading.event(event(subject)).intent_reference == intent


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        "text",
        {},
        event(None),
        event({"object": "payment_intent"}),
        event({"object": "charge", "payment_intent": 7}),
        event({"object": "refund", "payment_intent": "x" * 256}),
        event({}, id=""),
        event({}, created="soon"),
        event({}, created=10**20),
    ],
)
def test_no_event(found):
    with pytest.raises(BadEvent):
        reading.event(found)


@pytest.mark.parametrize(
    ("flags", "touched"),
    [
        ({}, False),
        ({"amount_refunded": 1}, True),
        ({"refunded": True}, True),
        ({"disputed": True}, True),
        ({"amount_refunded": 0, "refunded": False, "disputed": False}, False),
    ],
)
def test_touched(flags, touched):
    charge = {"id": "ch_1", "created": MARCH, **flags}
    session = {
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 100,
        "currency": "cny",
        "metadata": None,
        "payment_intent": {"id": "pi_1", "amount_received": 100, "latest_charge": charge},
    }
    found = reading.checkout(session)
    assert (found.touched, found.charge_reference) == (touched, "ch_1")


@pytest.mark.parametrize(("micros", "whole"), [(0, MARCH), (1, MARCH + 1), (999_999, MARCH + 1)])
def test_bounds_in_whole_seconds(micros, whole):
    assert reading.seconds(NOON + timedelta(microseconds=micros)) == whole
