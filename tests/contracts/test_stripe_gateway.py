"""What the sandbox never answers: Stripe's adapter over canned answers."""

from __future__ import annotations

import json

import pytest
import stripe

from shop.errors import Declined
from shop.payments import stripe_gateway
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.payments.stripe_gateway import StripeGateway


class Canned(stripe.HTTPClient):
    """Answers every request with one status and body."""

    name = "canned"

    def __init__(self, status, body) -> None:
        super().__init__()
        self.status, self.body = status, body

    def request(self, method, url, headers, post_data=None):
        return self.body, self.status, {}


@pytest.fixture
def canned(monkeypatch):
    """Makes a gateway to which Stripe always answers the same."""

    def make(status, body):
        monkeypatch.setattr(stripe_gateway, "_pooled", lambda _: Canned(status, body))
        monkeypatch.setattr(stripe_gateway, "RETRIES", 0)
        return StripeGateway("sk_test_x", [])

    return make


def error(kind, code=None):
    return json.dumps({"error": {"type": kind, "code": code, "message": "no"}}).encode()


def session(status, payment, intent):
    return json.dumps(
        {
            "id": "cs_1",
            "status": status,
            "payment_status": payment,
            "amount_total": 100,
            "currency": "cny",
            "metadata": None,
            "payment_intent": {"id": "pi_1", "amount_received": 0} | intent,
        }
    ).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (402, error("card_error", "card_declined"), Declined, "card_declined"),
        (
            400,
            error("invalid_request_error", "amount_too_small"),
            GatewayRejected,
            "amount_too_small",
        ),
        (400, error("idempotency_error"), GatewayRejected, "IdempotencyError"),
        (401, error("invalid_request_error"), GatewayRejected, "AuthenticationError"),
        (403, error("invalid_request_error"), GatewayRejected, "PermissionError"),
        (409, error("idempotency_error", "idempotency_key_in_use"), GatewayUnavailable, None),
        (429, error("rate_limit_error"), GatewayUnavailable, "RateLimitError"),
        (500, error("api_error"), GatewayUnavailable, "APIError"),
        (502, b"<html>Bad gateway", GatewayUnavailable, "APIError"),
        (200, b"half an ans", GatewayUnavailable, "APIError"),
    ],
)
def test_errors_in_our_words(canned, status, body, kind, code):
    with pytest.raises(kind) as refusal:
        canned(status, body).fetch_checkout("cs_1")
    assert code is None or refusal.value.extra["provider_code"] == code


def test_paid_is_what_arrived(canned):
    intent = {"amount_received": 99, "latest_charge": {"created": 1_772_366_400}}
    body = session("complete", "paid", intent)
    status = canned(200, body).fetch_checkout("cs_1")
    assert (status.state, status.amount_fen) == ("paid", 99)
    assert status.paid_at.isoformat() == "2026-03-01T12:00:00+00:00"
    assert (status.attempt_id, status.order_number) == (None, None)


@pytest.mark.parametrize(
    ("intent", "state"),
    [
        ("processing", "processing"),
        ("requires_action", "processing"),
        ("requires_payment_method", "failed"),
        ("canceled", "failed"),
        ("succeeded", "processing"),
        ("something_new", "processing"),
    ],
)
def test_complete_but_unpaid(canned, intent, state):
    body = session("complete", "unpaid", {"status": intent})
    assert canned(200, body).fetch_checkout("cs_1").state == state
