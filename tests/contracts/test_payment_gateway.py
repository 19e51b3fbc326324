"""One suite over Stripe's adapter (against the sandbox) and the fake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shop.clock import system_clock
from shop.errors import TryAgain
from shop.payments.gateway import (
    LONGEST_CHECKOUT,
    SHORTEST_CHECKOUT,
    BadEvent,
    BadSignature,
    CheckoutStatus,
    GatewayRejected,
    GatewayUnavailable,
    checkout_expiry,
)
from shop.payments.stripe_gateway import StripeGateway
from shop.payments.stripe_reading import own_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_opened_checkout_is_open(till, checkout_request):
    request = checkout_request()
    opened = till.gateway.open_checkout(request)
    assert opened.expires_at == request.expires_at
    assert opened.reference in opened.redirect_url
    assert till.gateway.fetch_checkout(opened.reference) == CheckoutStatus(
        reference=opened.reference,
        state="open",
        amount_fen=16180,
        currency="CNY",
        attempt_id=request.attempt_id,
        order_number="26030112345674",
    )


def test_same_attempt_yields_the_same_page(till, checkout_request):
    request = checkout_request()
    assert till.gateway.open_checkout(request) == till.gateway.open_checkout(request)


def test_same_attempt_in_other_words_is_rejected(till, checkout_request):
    request = checkout_request()
    till.gateway.open_checkout(request)
    other = checkout_request(attempt_id=request.attempt_id, amount_fen=1)
    with pytest.raises(GatewayRejected):
        till.gateway.open_checkout(other)


def test_no_money_is_no_checkout(till, checkout_request):
    with pytest.raises(GatewayRejected) as refusal:
        till.gateway.open_checkout(checkout_request(amount_fen=0))
    assert refusal.value.error_code == "payment_provider_rejected"


def test_paid(till, checkout_request):
    before = system_clock() - timedelta(seconds=1)
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.pay(reference)
    status = till.gateway.fetch_checkout(reference)
    assert (status.state, status.amount_fen, status.failure_code) == ("paid", 16180, None)
    assert status.intent_reference is not None
    assert before <= status.paid_at <= system_clock()


def test_declined_stays_open_and_can_be_paid(till, checkout_request):
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.decline(reference)
    status = till.gateway.fetch_checkout(reference)
    assert (status.state, status.failure_code) == ("open", "generic_decline")
    till.pay(reference)
    assert till.gateway.fetch_checkout(reference).state == "paid"


@pytest.mark.parametrize(("settle", "state"), [("pay", "paid"), ("decline", "failed")])
def test_slow_method_settles_later(till, checkout_request, settle, state):
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.pend(reference)
    waiting = till.gateway.fetch_checkout(reference)
    assert (waiting.state, waiting.paid_at) == ("processing", None)
    getattr(till, settle)(reference)
    assert till.gateway.fetch_checkout(reference).state == state


def test_expired(till, checkout_request):
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.expire(reference)
    till.pay(reference)
    assert till.gateway.fetch_checkout(reference).state == "expired"


def test_closing_an_open_checkout_expires_it(till, checkout_request):
    reference = till.gateway.open_checkout(checkout_request()).reference
    assert till.gateway.close_checkout(reference).state == "expired"
    assert till.gateway.close_checkout(reference).state == "expired"


@pytest.mark.parametrize(("act", "state"), [("pay", "paid"), ("pend", "processing")])
def test_closing_a_complete_checkout_changes_nothing(till, checkout_request, act, state):
    reference = till.gateway.open_checkout(checkout_request()).reference
    getattr(till, act)(reference)
    before = till.gateway.fetch_checkout(reference)
    assert till.gateway.close_checkout(reference) == before
    assert before.state == state


@pytest.mark.parametrize("reference", ["cs_test_nothing", "../refunds", "数", "%00"])
def test_unknown_reference_is_rejected(till, reference):
    for call in (till.gateway.fetch_checkout, till.gateway.close_checkout):
        with pytest.raises(GatewayRejected):
            call(reference)


def test_event(till, checkout_request):
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.pay(reference)
    body = till.event(reference)
    event = till.gateway.parse_event(body, till.signature(body))
    assert event.type == "checkout.session.completed"
    assert event.checkout_reference == reference
    assert event.livemode is False
    assert abs(event.created - system_clock()) < timedelta(seconds=10)


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "t=x", "v1=é", "t=1,v1=签", "," * 999])
def test_forged_signature(till, header):
    with pytest.raises(BadSignature) as refusal:
        till.gateway.parse_event(b"{}", header)
    assert refusal.value.error_code == "bad_signature"


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"{}", b'{"id": 1, "data": {"object": 3}}'])
def test_signed_nonsense(till, body):
    with pytest.raises(BadEvent):
        till.gateway.parse_event(body, till.signature(body))


def test_body_that_is_no_text(till):
    with pytest.raises((BadSignature, BadEvent)):
        till.gateway.parse_event(b"\xff\xfe", till.signature(b"\xff\xfe"))


def test_event_carries_the_attempt(stripe_till, checkout_request):
    request = checkout_request()
    stripe_till.decline(stripe_till.gateway.open_checkout(request).reference)
    body = stripe_till.event(None, "payment_intent.payment_failed")
    event = stripe_till.gateway.parse_event(body, stripe_till.signature(body))
    assert (event.checkout_reference, event.attempt_id) == (None, request.attempt_id)


def test_signature_of_six_minutes_ago_is_refused(stripe_till):
    stale = system_clock() - timedelta(minutes=6)
    with pytest.raises(BadSignature):
        stripe_till.gateway.parse_event(b"{}", stripe_till.signature(b"{}", stale))


def test_unreachable_provider_is_try_again(checkout_request, monkeypatch):
    monkeypatch.setattr("shop.payments.stripe_gateway.RETRIES", 0)
    gateway = StripeGateway("sk_test_x", [], api_base="http://127.0.0.1:9")
    with pytest.raises(GatewayUnavailable) as failure:
        gateway.open_checkout(checkout_request())
    assert isinstance(failure.value, TryAgain)


def test_wrong_key_is_rejected(sandbox, checkout_request):
    gateway = StripeGateway("sk_live_never", [], api_base=sandbox.address)
    with pytest.raises(GatewayRejected) as refusal:
        gateway.open_checkout(checkout_request())
    assert refusal.value.extra["provider_code"] == "AuthenticationError"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (NOON + timedelta(minutes=1), NOON + SHORTEST_CHECKOUT),
        (NOON + timedelta(hours=2), NOON + timedelta(hours=2)),
        (NOON + timedelta(days=30), NOON + LONGEST_CHECKOUT),
        (NOON + timedelta(hours=2, microseconds=7), NOON + timedelta(hours=2)),
    ],
)
def test_checkout_expiry(wanted, given):
    assert checkout_expiry(wanted, NOON) == given


def test_foreign_metadata_is_not_ours():
    assert own_id("not a number") is None
    assert own_id(None) is None
    assert own_id("0197c1a2-0000-7000-8000-000000000001") == UUID(
        int=0x0197C1A2000070008000000000000001
    )
