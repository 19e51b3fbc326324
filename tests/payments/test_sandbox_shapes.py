"""The sandbox's objects have the fields of Stripe's, by the SDK and by sample events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from shop.payments.sandbox import shapes
from shop.payments.sandbox.balance import fee_of
from shop.payments.sandbox.forms import decode

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "stripe" / "events"
KINDS = [
    "charge.dispute.closed__won",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.failed",
    "charge.refunded__full",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "payout.paid",
    "refund.created",
    "refund.failed",
    "refund.updated",
]
NEWER = {"source"}
"""In the samples, but not in the SDK's classes any more."""


@pytest.fixture
def told(desk) -> dict[str, dict]:
    """One event of every kind that the sandbox tells."""
    first, second, third = desk.opened(), desk.opened(), desk.opened()
    desk.press(first, "declined")
    desk.post(f"/checkout/sessions/{first}/expire")
    for session, outcome in ((second, "paid"), (third, "declined")):
        desk.press(session, "pending")
        desk.press(session, outcome)
    refund = desk.post("/refunds", {"payment_intent": desk.paid()["payment_intent"]["id"]}).json
    desk.web.post(f"/_control/refunds/{refund['id']}", json={"status": "failed"})
    dispute = desk.web.post("/_control/disputes", json={"session": desk.paid()["id"]}).json
    desk.web.post(f"/_control/disputes/{dispute['id']}", json={"status": "won"})
    desk.web.post("/_control/payouts", json={"amount": 1})
    events = desk.get("/events", limit=100).json["data"]
    return {event["type"]: event for event in events}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample events lie beside the project")
@pytest.mark.parametrize("kind", KINDS)
def test_events_have_the_fields_of_the_samples(told, kind):
    sample = json.loads((SAMPLES / f"{kind}.json").read_text())
    ours = told[kind.partition("__")[0]]
    assert set(sample) - {"data"} == set(ours) - {"data"}
    assert set(sample["data"]["object"]) - set(ours["data"]["object"]) <= NEWER
    assert sample["data"]["object"]["object"] == ours["data"]["object"]["object"]


def test_events_name_the_version_that_the_sdk_speaks(told):
    assert {event["api_version"] for event in told.values()} == {stripe.api_version}


def test_the_sdk_reads_our_objects(told):
    event = stripe.Event.construct_from(told["checkout.session.completed"], "sk_test_x")
    assert isinstance(event.data.object, stripe.checkout.Session)
    assert event.data.object.metadata["order_number"] == "26030112345674"


def test_shapes_are_kept(tmp_path, monkeypatch):
    first = shapes.load(tmp_path)
    monkeypatch.setattr(shapes, "read_sdk", lambda: pytest.fail("read again"))
    assert shapes.load(tmp_path) == first


def test_parameters_that_stripe_has_removed_are_not_known(tmp_path):
    known = shapes.load(tmp_path).params["checkout.session.create"]
    assert "payment_method_types" not in known
    assert "allowed_payment_method_types" in known
    assert "api_key" not in known


@pytest.mark.parametrize(("amount", "fee"), [(50, 237), (4990, 405), (16180, 785), (100_000, 3635)])
def test_fee(amount, fee):
    assert fee_of(amount) == fee


@pytest.mark.parametrize(
    ("form", "params"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[x][y]=1&a[z]=2", {"a": {"x": {"y": "1"}, "z": "2"}}),
        ("a[1]=x", {"a": {"1": "x"}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("n=%E8%8C%B6+1", {"n": "茶 1"}),
        ("", {}),
    ],
)
def test_forms(form, params):
    assert decode(form) == params


@given(st.text(alphabet="a[]0=&1%", max_size=40))
def test_any_form_is_read_or_refused(form):
    assert isinstance(decode(form), dict)
