"""Webhooks: signed, at least once, across failures and restarts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import stripe

from shop.payments.sandbox import deliveries
from shop.payments.sandbox.server import Sandbox
from tests.payments.conftest import SECRET, Desk, until

COMPLETED = "checkout.session.completed"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Attempts follow each other at once."""
    monkeypatch.setattr(deliveries, "BACK_OFF", (0.01, 0.01, 0.05))


@pytest.fixture
def live_desk(live) -> Desk:
    return Desk(live)


def test_delivered_and_signed(live_desk, receiver):
    session = live_desk.paid()
    assert receiver.wait(1) == [COMPLETED]
    header, body = receiver.taken[0]
    event = stripe.Webhook.construct_event(body, header, SECRET)
    assert event.data.object.id == session["id"]
    assert event.data.object.payment_status == "paid"
    assert json.loads(body) == live_desk.get(f"/events/{event.id}").json


def test_signature_depends_on_body_secret_and_time():
    made = deliveries.signature(b"{}", "whsec_a", 1)
    assert made == stripe.WebhookSignature.generate_signature_header("{}", "whsec_a", 1)
    others = [(b"[]", "whsec_a", 1), (b"{}", "whsec_b", 1), (b"{}", "whsec_a", 2)]
    assert made not in [deliveries.signature(*other) for other in others]


def test_only_what_is_subscribed_goes_out(sandbox, desk):
    session = desk.opened()
    desk.press(session, "declined")
    desk.press(session, "paid")
    assert len(desk.kinds()) > 1
    [(_, event, _, _)] = sandbox.books.undelivered()
    assert desk.get(f"/events/{event}").json["type"] == COMPLETED


def test_the_subscription_can_be_changed(sandbox, desk):
    wish = {"enabled_events": ["payment_intent.*", "charge.succeeded"]}
    assert desk.web.post("/_control", json=wish).json["enabled_events"] == wish["enabled_events"]
    desk.paid()
    sent = [
        desk.get(f"/events/{event}").json["type"] for _, event, _, _ in sandbox.books.undelivered()
    ]
    assert sent == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize("answers", [[500], [404, 302, 503]])
def test_again_until_taken(live_desk, receiver, live, answers):
    receiver.answers = list(answers)
    live_desk.paid()
    assert receiver.wait(len(answers) + 1) == [COMPLETED] * (len(answers) + 1)
    assert len({body for _, body in receiver.taken}) == 1
    live.outbox.stop()
    assert live.books.undelivered() == []


def test_left_over_is_delivered_after_a_restart(sandbox, desk, receiver, sandbox_settings):
    session = desk.paid()["id"]
    assert len(sandbox.books.undelivered()) == 1
    sandbox.books.close()
    again = Sandbox(replace(sandbox_settings, port=receiver.port))
    again.start()
    assert receiver.wait(1) == [COMPLETED]
    assert json.loads(receiver.taken[0][1])["data"]["object"]["id"] == session
    again.stop()


def test_unreachable_receiver_is_tried_later(sandbox, desk):
    session = desk.paid()["id"]
    sandbox.outbox.start()
    until(lambda: sandbox.books.undelivered()[0][2] > 0)
    sandbox.outbox.stop()
    [event] = desk.get("/events", delivery_success="false").json["data"]
    assert event["data"]["object"]["id"] == session


def test_chaos_duplicates(live_desk, receiver):
    assert live_desk.web.post("/_control", json={"duplicate": 2}).json["chaos"]["duplicate"] == 2
    live_desk.paid()
    assert receiver.wait(3) == [COMPLETED] * 3
    assert len({body for _, body in receiver.taken}) == 1


def test_chaos_loses_an_attempt(live_desk, receiver, live):
    live_desk.web.post("/_control", json={"drop": 1})
    live_desk.paid()
    receiver.wait(1)
    assert live.outbox.chaos.drop == 0


def test_chaos_delays_and_shuffles(sandbox, desk):
    desk.web.post("/_control", json={"delay": 100, "shuffle": True})
    for _ in range(8):
        desk.paid()
    dues = [due for _, _, _, due in sandbox.books.undelivered()]
    assert len(dues) == 8
    assert dues != sorted(dues)


@pytest.mark.parametrize(
    "knobs",
    [
        {"speed": 1},
        {"drop": "x"},
        {"drop": -1},
        {"cut": 0.5},
        {"refunds": "lost"},
        {"enabled_events": "*"},
        [1],
    ],
)
def test_unknown_knob(desk, knobs):
    assert desk.web.post("/_control", json=knobs).status_code == 400


def test_control_answers_this_machine_only(desk):
    answer = desk.web.get("/_control", environ_base={"REMOTE_ADDR": "10.0.0.8"})
    assert answer.status_code == 403


def test_nothing_goes_out_when_the_transaction_fails(sandbox, desk):
    session = desk.opened()

    def press_and_die() -> None:
        with sandbox.books.writing():
            sandbox.machine.act(session, "paid", "")
            raise KeyError

    with pytest.raises(KeyError):
        press_and_die()
    assert desk.kinds() == []
    assert sandbox.books.undelivered() == []
    assert desk.get(f"/checkout/sessions/{session}").json["status"] == "open"
