"""Who may tell us of a payment: the holder of a secret, lately, in words that we can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from shop.app import create_app
from tests.api.mall import Mall
from tests.api.refusals import refused
from tests.cast import Api
from tests.conftest import SHARED
from tests.jobs import outcomes, waiting

NOW, BEFORE = "whsec_now", "whsec_before"
EVENTS = SHARED / "data/stripe/events"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "created": 1_795_000_000,
    "livemode": False,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


@pytest.fixture(scope="module")
def till(mall: Mall) -> Mall:
    """The same mall with the real gateway and two secrets, the one of today and the last one."""
    settings = replace(mall.settings, stripe_webhook_secrets=(NOW, BEFORE))
    app = create_app(settings, mall.database, mall.time)
    app.testing = True
    return replace(mall, settings=settings, api=Api(app.test_client(), mall.transactions))


def event(**more: Any) -> bytes:
    return json.dumps({**EVENT, **more}).encode()


def signed(body: bytes, secret: str = NOW, age: float = 0) -> dict[str, str]:
    moment = int(time.time() - age)
    seal = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={seal}"}


def told(till: Mall, body: bytes, headers: dict[str, str]) -> Any:
    return till.api.call("POST", "/webhooks/stripe", data=body, headers=headers)


BODY = event()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "nonsense"},
        {"Stripe-Signature": "t=1,v1=00"},
        {"Stripe-Signature": "t=-1,v1=00"},
        {"Stripe-Signature": "t=" + "9" * 5_000 + ",v1=00"},
        {"Stripe-Signature": "é=1"},
        {"Stripe-Signature": signed(BODY)["Stripe-Signature"].replace("v1", "v0")},
        signed(BODY, "whsec_theirs"),
        signed(BODY, age=301),
        signed(event(id="evt_2")),
        signed(BODY + b" "),
    ],
)
def test_a_forged_stale_or_foreign_signature(till, headers):
    refused(till, "POST", "/webhooks/stripe", 400, "bad_signature", data=BODY, headers=headers)


def test_a_signature_is_good_for_one_body(till):
    assert told(till, BODY, signed(BODY)).status_code == 200
    other = {"data": BODY.replace(b"cus_1", b"cus_2"), "headers": signed(BODY)}
    refused(till, "POST", "/webhooks/stripe", 400, "bad_signature", **other)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"hello", b"null", b"[]", b"{}", b'"x"', b"[" * 900 + b"]" * 900, b'{"id": NaN}',
        b'{"id": "\\ud800"}',
        *[event(id=id_) for id_ in ("", 3, None, {}, [1], "a\x00", "x" * 256, "a\nb")],
        *[event(type=type_) for type_ in ("", 3, None, {}, ["x"], "a\x00", "x" * 9_000)],
        *[event(created=when) for when in ("x", None, 10**20, -(10**15), {}, 1e18)],
        *[event(data=data) for data in (None, [], {}, {"object": None}, {"object": 1})],
        *[event(data={"object": {"object": "checkout.session", "id": id_}})
          for id_ in (None, "", 1, {}, "a\x00", "x" * 256)],
        event(data={"object": {"metadata": [1]}}),
    ],
    ids=lambda body: repr(body[:60]),
)  # fmt: skip
def test_signed_and_yet_no_event(till, body):
    more = {"data": body, "headers": signed(body)}
    refused(till, "POST", "/webhooks/stripe", 400, "bad_event", **more)


def test_a_body_that_is_no_text_cannot_be_signed(till):
    body = b"\xff\xfe{}"
    more = {"data": body, "headers": signed(body)}
    refused(till, "POST", "/webhooks/stripe", 400, "bad_signature", **more)


@pytest.mark.parametrize("secret", [NOW, BEFORE])
def test_while_a_secret_is_replaced_both_count(till, secret):
    body = event(id=f"evt_{secret}")
    assert told(till, body, signed(body, secret)).status_code == 200


def test_an_event_of_a_type_we_do_not_know_is_stored_and_left_alone(till):
    jobs, before = waiting(till.transactions), outcomes(till.transactions)
    body = event(id="evt_strange", type="moon.rose", more={"a": "\x00", "b": "😀"})
    for _ in range(3):
        assert told(till, body, signed(body)).json == {"received": True}
    assert outcomes(till.transactions) == [*before, "ignored"]
    assert waiting(till.transactions) == jobs


@pytest.mark.skipif(not EVENTS.exists(), reason="needs ../shared")
def test_every_event_that_stripe_sends_is_stored_once(till):
    bodies = [one.read_bytes() for one in sorted(EVENTS.glob("*.json"))]
    ids = {json.loads(body)["id"] for body in bodies}
    before = till.rows("provider_event")
    for body in bodies * 2:
        assert told(till, body, signed(body)).status_code == 200
    assert till.rows("provider_event") - before == len(ids) > 10
