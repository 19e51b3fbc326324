"""Calls that fail, deliveries that are given up, and the books that must be right all the same."""

from __future__ import annotations

import pytest

from shop.payments.sandbox.chaos import KNOBS
from shop.payments.sandbox.machine import INTENT
from tests.conftest import ROOT
from tests.payments.conftest import Desk, session_form, until

SESSIONS = "/checkout/sessions"


def knobs(desk: Desk, **wishes) -> None:
    assert desk.web.post("/_control", json=wishes).status_code == 200


def books(desk: Desk, query: str = "") -> dict:
    return desk.web.get(f"/_control/books{query}").json


def test_500_before_anything_was_done(desk):
    knobs(desk, fail_before=1)
    first = desk.post(SESSIONS, session_form(), key="k1")
    assert (first.status_code, first.json["error"]["type"]) == (500, "api_error")
    assert desk.get(SESSIONS).json["data"] == []
    again = desk.post(SESSIONS, session_form(), key="k1")
    assert (again.status_code, "Idempotent-Replayed" in again.headers) == (200, False)


def test_500_after_all_was_done(desk):
    knobs(desk, fail_after=1)
    assert desk.post(SESSIONS, session_form(), key="k1").status_code == 500
    [made] = desk.get(SESSIONS).json["data"]
    again = desk.post(SESSIONS, session_form(), key="k1")
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (made["id"], "true")


def test_connection_that_breaks_after_all_was_done(desk):
    knobs(desk, cut=1)
    answer = desk.post(SESSIONS, session_form(), key="k1")
    assert len(answer.data) < int(answer.headers["Content-Length"])
    [made] = desk.get(SESSIONS).json["data"]
    assert desk.post(SESSIONS, session_form(), key="k1").json["id"] == made["id"]


def test_counted_knobs_spare_those_who_only_look(desk):
    knobs(desk, fail_before=2)
    assert desk.get(SESSIONS).status_code == 200
    assert desk.web.get("/_control").json["chaos"]["fail_before"] == 2


def test_a_share_of_all_calls_fails(desk):
    knobs(desk, faults=1)
    seen = {(a.status_code, len(a.data)) for a in (desk.get(SESSIONS) for _ in range(60))}
    assert {status for status, _ in seen} == {200, 500}
    knobs(desk, faults=0)
    assert desk.get(SESSIONS).status_code == 200


class Drawn:
    """A chance that comes up as a test wants it."""

    def __init__(self, *numbers: float) -> None:
        self.left = list(numbers)

    def random(self) -> float:
        return self.left.pop(0)


def test_a_lost_share_of_deliveries_comes_later(live, receiver, monkeypatch):
    """With a share of one half a draw below it is lost, and the next try is drawn anew."""
    monkeypatch.setattr("shop.payments.sandbox.deliveries.BACK_OFF", (0, 0, 3600))
    drawn = Drawn(0.49, 0, 0.49, 0.5)
    monkeypatch.setattr("shop.payments.sandbox.deliveries.CHANCE", drawn)
    desk = Desk(live)
    knobs(desk, lossy=0.5)
    desk.paid()
    until(lambda: [tries for *_, tries, _ in live.books.undelivered()] == [3])
    assert (receiver.taken, drawn.left) == ([], [0.5])
    until(lambda: live.outbox._heap)
    desk.web.post("/_control/redeliver")
    assert receiver.wait(1) == ["checkout.session.completed"]
    until(lambda: live.books.undelivered() == [])


def test_given_up_deliveries_are_missed_until_they_are_asked_for(live, receiver):
    desk = Desk(live)
    knobs(desk, lose=1)
    session = desk.paid()["id"]
    until(lambda: desk.web.get("/_control").json["given_up"] == 1)
    [missed] = desk.get("/events", delivery_success="false").json["data"]
    assert missed["data"]["object"]["id"] == session
    assert (live.books.undelivered(), receiver.taken) == ([], [])
    assert desk.web.post("/_control/redeliver").json == {"redelivered": 1}
    assert receiver.wait(1) == ["checkout.session.completed"]
    until(lambda: desk.get("/events", delivery_success="false").json["data"] == [])
    assert desk.web.get("/_control").json["given_up"] == 0


def test_deliveries_that_wait_can_be_hurried(live, receiver):
    desk = Desk(live)
    receiver.answers = [500] * 4
    desk.paid()
    for tries in range(1, 5):
        receiver.wait(tries)
        until(lambda tries=tries: live.books.undelivered()[0][2] == tries)
        until(lambda: live.outbox._heap)
        desk.web.post("/_control/redeliver")
    receiver.wait(5)
    until(lambda: live.books.undelivered() == [])


def test_one_event_again(sandbox, desk):
    desk.paid()
    [event] = desk.get("/events", type="charge.succeeded").json["data"]
    assert desk.web.post("/_control/redeliver", json={"event": event["id"]}).status_code == 200
    assert [one for _, one, _, _ in sandbox.books.undelivered()][-1] == event["id"]
    assert desk.web.post("/_control/redeliver", json={"event": "evt_none"}).status_code == 404


def test_events_that_were_taken(sandbox, desk):
    desk.paid()
    [(number, event, _, _)] = sandbox.books.undelivered()
    for taken in (False, True):
        if taken:
            with sandbox.books.writing():
                sandbox.books.delivered(number)
        missed = desk.get("/events", delivery_success="false").json["data"]
        heard = desk.get("/events", delivery_success="true").json["data"]
        assert (event in [one["id"] for one in missed]) is not taken
        assert (event in [one["id"] for one in heard]) is taken


def test_empty_books(desk):
    assert books(desk) == {
        "captured": 0,
        "refunded": 0,
        "refunds_pending": 0,
        "disputed": 0,
        "fees": 0,
        "payouts": 0,
        "balance": 0,
        "disagree": [],
    }


@pytest.fixture
def busy(sandbox, desk, clock) -> dict[str, str]:
    """A day with a bit of everything; the intents by name."""
    paid = {name: desk.paid() for name in ("refunded", "won", "lost", "desk", "failed", "plain")}
    intents = {name: session["payment_intent"]["id"] for name, session in paid.items()}
    desk.press(desk.opened(), "declined")
    desk.press(desk.opened(), "pending")
    desk.post("/refunds", {"payment_intent": intents["refunded"], "amount": 180})
    wish = {"session": paid["desk"]["id"], "amount": 1000}
    desk.web.post("/_control/refunds", json=wish)
    knobs(desk, refunds="failed", refund_seconds=1)
    desk.post("/refunds", {"payment_intent": intents["failed"]})
    clock.move(seconds=1)
    sandbox.refunds.settle_overdue()
    knobs(desk, refunds="pending")
    desk.post("/refunds", {"payment_intent": intents["plain"], "amount": 7})
    for end in ("won", "lost"):
        made = desk.web.post("/_control/disputes", json={"session": paid[end]["id"]}).json["id"]
        desk.web.post(f"/_control/disputes/{made}", json={"status": end})
    desk.web.post("/_control/payouts", json={"amount": 5000})
    return intents


def test_books_of_a_busy_day(desk, busy):
    fees = 6 * 785 + 2 * 10_000
    assert books(desk) == {
        "captured": 6 * 16180,
        "refunded": 1180,
        "refunds_pending": 7,
        "disputed": 16180,
        "fees": fees,
        "payouts": 5000,
        "balance": 6 * 16180 - 1180 - 7 - 16180 - fees - 5000,
        "disagree": [],
    }


def test_books_payment_by_payment(desk, busy):
    found = books(desk, "?each")["payments"]
    assert set(found) == set(busy.values())
    sums = {name: list(found[intent].values()) for name, intent in busy.items()}
    assert sums == {  # captured, disputed, refunded, pending: a record's fields come sorted
        "refunded": [16180, 0, 180, 0],
        "won": [16180, 0, 0, 0],
        "lost": [16180, 16180, 0, 0],
        "desk": [16180, 0, 1000, 0],
        "failed": [16180, 0, 0, 0],
        "plain": [16180, 0, 0, 7],
    }


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        ("charge", {"amount_refunded": 1}, "says 1 is refunded"),
        ("charge", {"amount_captured": 1}, "took 1 and gave back 180"),
        (INTENT, {"amount_received": 1}, "says 16180 arrived"),
        ("checkout.session", {"payment_status": "unpaid"}, "says 0 was paid"),
        ("balance_transaction", {"amount": 1}, "should come to"),
        ("balance_transaction", {"net": 1}, "the balance should be"),
        ("refund", {"status": "failed"}, "says 180 is refunded, its refunds say 0"),
        ("refund", {"charge": "ch_none"}, "ch_none gave money back"),
    ],
)
def test_books_that_contradict_themselves(sandbox, desk, kind, wrong, said):
    desk.post("/refunds", {"payment_intent": desk.paid()["payment_intent"]["id"], "amount": 180})
    assert books(desk)["disagree"] == []
    thing = next(sandbox.books.every(kind))
    with sandbox.books.writing():
        sandbox.books.change(thing | wrong)
    assert any(said in complaint for complaint in books(desk)["disagree"])


def test_books_of_many_are_read_in_pieces(sandbox, desk, monkeypatch):
    monkeypatch.setattr("shop.payments.sandbox.books.CHUNK", 2)
    for _ in range(5):
        desk.paid()
    assert books(desk)["captured"] == 5 * 16180


def test_desk_answers_this_machine_only(desk):
    for method, path in (("GET", "books"), ("POST", "payouts"), ("POST", "redeliver")):
        far = {"REMOTE_ADDR": "10.0.0.8"}
        answer = desk.web.open(f"/_control/{path}", method=method, environ_base=far)
        assert answer.status_code == 403


def test_every_knob_and_address_stands_in_the_manual(sandbox):
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("## The sandbox's bad days")[2].partition("\n## ")[0]
    rules = [rule.rule for rule in sandbox.app().url_map.iter_rules() if "_control/" in rule.rule]
    wanted = [f"| `{name}` |" for name in [*KNOBS, "enabled_events"]]
    wanted += [f" {rule.replace('<number>', '{id}')}`" for rule in rules]
    assert [name for name in wanted if name not in section] == []
    assert len(rules) == 7
