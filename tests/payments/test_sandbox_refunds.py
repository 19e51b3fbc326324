"""Money that goes back: at once, later, not at all; by us or by somebody at the desk."""

from __future__ import annotations

import threading

import pytest

from tests.payments.conftest import Desk


@pytest.fixture
def slow(desk) -> dict:
    """A session for 161.80 paid with Alipay, its intent expanded."""
    session = desk.opened()
    desk.press(session, "paid", method="alipay")
    return desk.get(f"/checkout/sessions/{session}", **{"expand[]": "payment_intent"}).json


def refund(desk: Desk, session: dict, **form) -> dict:
    answer = desk.post("/refunds", {"payment_intent": session["payment_intent"]["id"], **form})
    assert answer.status_code == 200, answer.json
    return answer.json


def charge_of(desk: Desk, session: dict) -> tuple[int, bool]:
    charge = desk.get(f"/charges/{session['payment_intent']['latest_charge']}").json
    return charge["amount_refunded"], charge["refunded"]


def lines(desk: Desk) -> list[tuple[str, str, int]]:
    """Type, category and amount of the lines after the charge's, oldest first."""
    shown = desk.get("/balance_transactions", limit=100).json["data"]
    return [(one["type"], one["reporting_category"], one["amount"]) for one in shown[-2::-1]]


def test_on_a_card_it_is_done_at_once(desk):
    assert refund(desk, desk.paid(), amount=180)["status"] == "succeeded"
    assert desk.kinds()[-2:] == ["charge.refunded", "refund.created"]
    assert lines(desk) == [("refund", "refund", -180)]


def test_by_alipay_it_takes_a_while(sandbox, desk, clock, slow):
    made = refund(desk, slow, amount=180)
    assert made["status"] == "pending"
    assert charge_of(desk, slow) == (180, False)
    sandbox.refunds.settle_overdue()
    assert desk.get(f"/refunds/{made['id']}").json["status"] == "pending"
    clock.move(seconds=2)
    sandbox.refunds.settle_overdue()
    sandbox.refunds.settle_overdue()
    assert desk.get(f"/refunds/{made['id']}").json["status"] == "succeeded"
    assert desk.kinds()[-3:] == ["refund.created", "refund.updated", "charge.refund.updated"]
    assert lines(desk) == [("payment_refund", "refund", -180)]


def test_one_that_fails_gives_its_money_back(sandbox, desk, clock):
    session = desk.paid()
    desk.web.post("/_control", json={"refunds": "failed", "refund_seconds": 0.5})
    made = refund(desk, session)
    assert (made["status"], charge_of(desk, session)) == ("pending", (16180, True))
    clock.move(seconds=1)
    sandbox.refunds.settle_overdue()
    shown = desk.get(f"/refunds/{made['id']}").json
    assert (shown["status"], shown["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert shown["failure_balance_transaction"].startswith("txn_")
    assert charge_of(desk, session) == (0, False)
    assert lines(desk) == [
        ("refund", "refund", -16180),
        ("refund_failure", "refund_failure", 16180),
    ]
    assert desk.kinds()[-4:] == [
        "charge.updated",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]


def test_one_that_is_to_stay_pending_does(sandbox, desk, clock):
    desk.web.post("/_control", json={"refunds": "pending"})
    made = refund(desk, desk.paid())
    clock.move(days=30)
    sandbox.refunds.settle_overdue()
    assert desk.get(f"/refunds/{made['id']}").json["status"] == "pending"


@pytest.mark.parametrize(
    ("steps", "answers"),
    [
        (["succeeded"], [200]),
        (["failed"], [200]),
        (["succeeded", "failed"], [200, 200]),
        (["succeeded", "succeeded"], [200, 400]),
        (["failed", "succeeded"], [200, 400]),
        (["pending"], [400]),
        (["lost"], [400]),
    ],
)
def test_by_hand_step_by_step(desk, slow, steps, answers):
    number = refund(desk, slow)["id"]
    given = [
        desk.web.post(f"/_control/refunds/{number}", json={"status": step}).status_code
        for step in steps
    ]
    assert given == answers


def test_at_the_desk_it_knows_nothing_of_us(desk):
    session = desk.paid()
    wish = {"session": session["id"], "amount": 1000}
    made = desk.web.post("/_control/refunds", json=wish).json
    assert (made["amount"], made["metadata"], made["reason"]) == (
        1000,
        {},
        "requested_by_customer",
    )
    assert refund(desk, session)["amount"] == 15180


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"session": "cs_none"}, 404),
        ({"charge": "ch_none"}, 404),
        ({"charge": "ch_none", "amount": 0}, 400),
        ({"whole": True}, 400),
    ],
)
def test_bad_wish_at_the_desk(desk, wish, status):
    desk.paid()
    answer = desk.web.post("/_control/refunds", json=wish)
    assert answer.status_code == status
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert desk.get("/refunds").json["data"] == []


def test_nothing_was_paid_at_the_desk(desk):
    answer = desk.web.post("/_control/refunds", json={"session": desk.opened()})
    assert answer.status_code == 404


def test_list_by_intent(desk):
    first, second = desk.paid(), desk.paid()
    made = [refund(desk, first, amount=fen)["id"] for fen in (1, 2)]
    refund(desk, second)
    found = desk.get("/refunds", payment_intent=first["payment_intent"]["id"]).json["data"]
    assert [one["id"] for one in found] == made[::-1]
    assert desk.get("/refunds", payment_intent="pi_none").json["data"] == []


def test_two_at_once_never_give_back_more_than_was_paid(sandbox, desk):
    intent = desk.paid()["payment_intent"]["id"]
    start, answers = threading.Barrier(4, timeout=30), []

    def click(web) -> None:
        start.wait()
        answers.append(web.post("/refunds", {"payment_intent": intent, "amount": 9000}).status_code)

    clicks = [threading.Thread(target=click, args=(Desk(sandbox),)) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(answers) == [200, 400, 400, 400]
