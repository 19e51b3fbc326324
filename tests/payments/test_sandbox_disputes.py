"""Payers who object, what is paid out, and the balance that has it all."""

from __future__ import annotations

import pytest

from shop.payments.sandbox.balance import DISPUTE_FEE_FEN
from tests.payments.conftest import MARCH, Desk

NINE_DAYS = 9 * 24 * 3600


def dispute(desk: Desk, session: dict, **wish) -> dict:
    answer = desk.web.post("/_control/disputes", json={"session": session["id"], **wish})
    assert answer.status_code == 200, answer.json
    return answer.json


def move(desk: Desk, number: str, status: str) -> int:
    return desk.web.post(f"/_control/disputes/{number}", json={"status": status}).status_code


def lines(desk: Desk) -> list[tuple[str, str, int, int]]:
    """Type, category, amount and fee of the lines after the charge's, oldest first."""
    shown = desk.get("/balance_transactions", limit=100).json["data"][-2::-1]
    return [(one["type"], one["reporting_category"], one["amount"], one["fee"]) for one in shown]


def test_the_money_is_withdrawn_at_once(desk):
    session = desk.paid()
    made = dispute(desk, session, reason="product_not_received")
    assert (made["status"], made["amount"], made["reason"]) == (
        "needs_response",
        16180,
        "product_not_received",
    )
    assert made["evidence_details"]["due_by"] == int(MARCH.timestamp()) + NINE_DAYS
    assert lines(desk) == [("adjustment", "dispute", -16180, DISPUTE_FEE_FEN)]
    assert desk.kinds()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert desk.get(f"/charges/{made['charge']}").json["disputed"] is True
    assert desk.get(f"/disputes/{made['id']}").json["balance_transactions"][0]["net"] == -26180


def test_won_money_is_reinstated_without_the_fee(desk):
    made = dispute(desk, desk.paid(), amount=6000)
    assert move(desk, made["id"], "under_review") == 200
    assert move(desk, made["id"], "won") == 200
    assert lines(desk) == [
        ("adjustment", "dispute", -6000, DISPUTE_FEE_FEN),
        ("adjustment", "dispute_reversal", 6000, 0),
    ]
    assert desk.kinds()[-3:] == [
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_lost_money_is_gone(desk):
    made = dispute(desk, desk.paid())
    assert move(desk, made["id"], "lost") == 200
    assert len(lines(desk)) == 1
    assert desk.kinds()[-1] == "charge.dispute.closed"


@pytest.mark.parametrize("steps", [["won", "lost"], ["lost", "won"], ["warning_closed"], ["open"]])
def test_no_other_way(desk, steps):
    made = dispute(desk, desk.paid())
    *fine, wrong = steps
    assert [move(desk, made["id"], step) for step in fine] == [200] * len(fine)
    assert move(desk, made["id"], wrong) == 400


def test_inquiry_moves_nothing_until_it_becomes_one_in_earnest(desk):
    session = desk.paid()
    made = dispute(desk, session, inquiry=True)
    assert (made["status"], made["is_charge_refundable"]) == ("warning_needs_response", True)
    assert lines(desk) == []
    assert move(desk, made["id"], "needs_response") == 200
    assert len(lines(desk)) == 1
    assert desk.get(f"/disputes/{made['id']}").json["is_charge_refundable"] is False


def test_inquiry_can_be_closed(desk):
    made = dispute(desk, desk.paid(), inquiry=True)
    assert move(desk, made["id"], "warning_closed") == 200
    assert (lines(desk), desk.kinds()[-1]) == ([], "charge.dispute.closed")


@pytest.mark.parametrize(("end", "status"), [(None, 400), ("lost", 400), ("won", 200)])
def test_no_refund_while_the_money_is_withheld(desk, end, status):
    session = desk.paid()
    made = dispute(desk, session, amount=100)
    if end:
        move(desk, made["id"], end)
    answer = desk.post("/refunds", {"payment_intent": session["payment_intent"]["id"]})
    assert answer.status_code == status
    if status == 400:
        assert answer.json["error"]["code"] == "charge_disputed"


@pytest.mark.parametrize("wish", [{"amount": 16181}, {"amount": 0}, {"reason": 7}, {"why": ""}])
def test_bad_dispute(desk, wish):
    wish = {"session": desk.paid()["id"], **wish}
    assert desk.web.post("/_control/disputes", json=wish).status_code == 400
    assert desk.get("/disputes").json["data"] == []


def test_a_second_dispute_of_the_same_charge_is_refused(desk):
    session = desk.paid()
    dispute(desk, session, amount=1)
    answer = desk.web.post("/_control/disputes", json={"session": session["id"], "amount": 1})
    assert answer.status_code == 400


def test_list_by_intent(desk):
    first, second = desk.paid(), desk.paid()
    made = dispute(desk, first)["id"]
    dispute(desk, second)
    found = desk.get("/disputes", payment_intent=first["payment_intent"]["id"]).json["data"]
    assert [one["id"] for one in found] == [made]


def test_balance_becomes_available_after_a_week(desk, clock):
    desk.paid()
    waiting = desk.get("/balance").json
    clock.move(days=7)
    there = desk.get("/balance").json
    sums = [(b["available"][0]["amount"], b["pending"][0]["amount"]) for b in (waiting, there)]
    assert sums == [(0, 15395), (15395, 0)]


def test_payout_of_a_part_and_of_the_rest(desk):
    desk.paid()
    pay_out = desk.web.post
    assert pay_out("/_control/payouts", json={"amount": 395}).json["amount"] == 395
    rest = pay_out("/_control/payouts").json
    assert (rest["amount"], rest["status"], rest["currency"]) == (15000, "paid", "cny")
    assert lines(desk) == [("payout", "payout", -395, 0), ("payout", "payout", -15000, 0)]
    assert desk.kinds()[-2:] == ["payout.created", "payout.paid"]
    assert desk.get("/payouts").json["data"][0] == rest
    assert pay_out("/_control/payouts").status_code == 400


@pytest.mark.parametrize("amount", [15396, 0, -1, "x"])
def test_no_payout_of_what_is_not_there(desk, amount):
    desk.paid()
    assert desk.web.post("/_control/payouts", json={"amount": amount}).status_code == 400
    assert desk.get("/payouts").json["data"] == []


def test_lines_with_what_they_are_about(desk):
    session = desk.paid()
    intent = session["payment_intent"]["id"]
    assert desk.web.post("/_control/payouts", json={"amount": 1}).status_code == 200
    desk.post("/refunds", {"payment_intent": intent, "amount": 1})
    dispute(desk, session)
    query = {"limit": 100, "expand[]": "data.source"}
    found = desk.get("/balance_transactions", **query).json["data"]
    assert [(one["source"]["object"], one["source"].get("payment_intent")) for one in found] == [
        ("dispute", intent),
        ("refund", intent),
        ("payout", None),
        ("charge", intent),
    ]
