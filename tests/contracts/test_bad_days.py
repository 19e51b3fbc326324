"""Stripe's adapter on a bad day: whatever breaks, a repeated call does its work once."""

from __future__ import annotations

import pytest

from shop.ids import new_id
from shop.payments import stripe_gateway
from shop.payments.gateway import GatewayUnavailable, RefundRequest

REFUNDS = "/v1/refunds"


@pytest.fixture
def knobs(sandbox):
    """Turns the sandbox's knobs; they are off again afterwards."""
    before = {name: getattr(sandbox.chaos, name) for name in sandbox.chaos.__dataclass_fields__}

    def turn(**wishes) -> None:
        for name, value in wishes.items():
            setattr(sandbox.chaos, name, value)

    yield turn
    turn(**before)


@pytest.fixture
def impatient(monkeypatch):
    """The SDK does not wait before it tries again."""
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0.01)
    monkeypatch.setattr("stripe.HTTPClient.MAX_DELAY", 0.01)


@pytest.fixture
def refund(stripe_till, checkout_request) -> RefundRequest:
    """A refund of a paid checkout that can be sent."""
    reference = stripe_till.gateway.open_checkout(checkout_request()).reference
    stripe_till.pay(reference)
    status = stripe_till.gateway.fetch_checkout(reference)
    return RefundRequest(
        refund_id=new_id(),
        intent_reference=status.intent_reference,
        amount_fen=180,
        order_number="26030112345674",
    )


@pytest.mark.parametrize("knob", ["fail_before", "fail_after", "cut"])
def test_the_client_tries_again_with_the_same_key(stripe_till, refund, knobs, impatient, knob):
    knobs(**{knob: 1})
    made = stripe_till.gateway.send_refund(refund)
    assert stripe_till.gateway.fetch_aftermath(refund.intent_reference).refunds == (made,)
    tries = [
        path for method, path, _ in stripe_till.sent[0].sent if (method, path) == ("post", REFUNDS)
    ]
    assert len(tries) == 2


@pytest.mark.parametrize(("knob", "made"), [("fail_before", 0), ("fail_after", 1), ("cut", 1)])
def test_we_try_again_when_the_client_gave_up(stripe_till, refund, knobs, impatient, knob, made):
    knobs(**{knob: 1 + stripe_gateway.RETRIES})
    with pytest.raises(GatewayUnavailable):
        stripe_till.gateway.send_refund(refund)
    before = stripe_till.gateway.fetch_aftermath(refund.intent_reference).refunds
    assert len(before) == made
    after = stripe_till.gateway.send_refund(refund)
    assert stripe_till.gateway.fetch_aftermath(refund.intent_reference).refunds == (after,)


def test_a_refund_is_sent_once_after_its_key_was_forgotten(stripe_till, refund, sandbox):
    made = stripe_till.gateway.send_refund(refund)
    with sandbox.books.writing():
        sandbox.books.forget_answers(2**40)
    assert stripe_till.gateway.send_refund(refund) == made
    assert stripe_till.gateway.fetch_aftermath(refund.intent_reference).refunds == (made,)
