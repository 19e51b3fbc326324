"""Every pair of state and event of every machine, beside the tables as they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from models.orders import ConsignmentState as C
from models.orders import OrderState as O
from shop.catalog.states import LISTING
from shop.errors import Conflict
from shop.machine import Machine, decide
from shop.orders.states import CONSIGNMENT, ORDER, reading
from shop.payments.states import DISPUTE, LIVE, PAYMENT, REFUND

MACHINES = {
    machine.subject: machine for machine in (ORDER, CONSIGNMENT, PAYMENT, REFUND, DISPUTE, LISTING)
}

# subject -> event -> from -> to
MEANT: dict[str, dict[str, dict[str, str]]] = {
    "order": {
        "pay": {"pending_payment": "paid"},
        "cancel": {"pending_payment": "cancelled"},
        "expire": {"pending_payment": "cancelled"},
        "reopen": {"cancelled": "pending_payment"},
    },
    "consignment": {
        "pay": {"pending_payment": "pending_shipment"},
        "ship_on_credit": {"pending_payment": "pending_shipment"},
        "cancel": {"pending_payment": "cancelled", "pending_shipment": "cancelled"},
        "ship_part": {
            "pending_shipment": "partially_shipped",
            "partially_shipped": "partially_shipped",
        },
        "ship_all": {"pending_shipment": "shipped", "partially_shipped": "shipped"},
        "withdraw_rest": {"partially_shipped": "shipped"},
        "complete": {"shipped": "completed"},
        "reopen": {"cancelled": "pending_payment"},
    },
    "payment": {
        "open": {"created": "pending"},
        "succeed": dict.fromkeys(("created", "pending", "failed", "expired"), "succeeded"),
        "arrive_unwanted": dict.fromkeys(
            ("created", "pending", "failed", "expired"), "needs_refund"
        ),
        "fail": {"created": "failed", "pending": "failed"},
        "expire": {"created": "expired", "pending": "expired"},
    },
    "refund": {
        "send": {"requested": "sent"},
        "succeed": dict.fromkeys(("requested", "sent"), "succeeded"),
        "fail": dict.fromkeys(("requested", "sent", "succeeded"), "failed"),
    },
    "dispute": {"win": {"open": "won"}, "lose": {"open": "lost"}},
    "product": {
        "submit": {"draft": "in_review", "unlisted": "in_review"},
        "approve": {"in_review": "listed", "unlisted": "listed"},
        "reject": {"in_review": "draft"},
        "withdraw": {"in_review": "draft", "listed": "unlisted"},
    },
}

PAIRS = [
    (machine, state, event)
    for machine in MACHINES.values()
    for state in machine.states
    for event in sorted({str(name) for _, name in machine.transitions})
]


def decided(machine: Machine, state: Any, event: str) -> str:
    """The state after, or the code of the refusal and the state it names."""
    try:
        return str(decide(machine, state, event))
    except Conflict as error:
        return f"refused: {error.error_code}, {error.extra['state']}"


def meant(subject: str, state: str, event: str) -> str:
    """Where the table leads; already there: quiet; from anywhere else: a conflict."""
    leads = MEANT[subject][event]
    if state in leads:
        return leads[state]
    return state if state in leads.values() else f"refused: {subject}_{state}, {state}"


@pytest.mark.parametrize(
    ("machine", "state", "event"),
    PAIRS,
    ids=[f"{machine.subject}-{state}-{event}" for machine, state, event in PAIRS],
)
def test_every_state_and_event(machine, state, event):
    assert decided(machine, state, event) == meant(machine.subject, str(state), event)


@pytest.mark.parametrize("subject", MEANT)
def test_no_event_is_missing_here(subject):
    found = {str(event) for _, event in MACHINES[subject].transitions}
    assert found == MEANT[subject].keys()


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_an_event_nobody_knows_is_a_bug(machine):
    state = next(iter(machine.states))
    with pytest.raises(ValueError, match=rf"{machine.subject} knows no event 'vanish'"):
        decide(machine, state, "vanish")


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_every_state_can_be_reached_and_one_is_the_first(machine):
    first = next(iter(machine.states))
    assert {first, *machine.transitions.values()} == set(machine.states)


def test_a_paid_order_and_a_settled_payment_stay_what_they_are():
    assert not [event for state, event in ORDER.transitions if state is O.PAID]
    assert [event for state, event in ORDER.transitions if state is O.CANCELLED] == ["reopen"]
    assert not [event for state, event in PAYMENT.transitions if state == "succeeded"]


def test_live_attempts_are_those_that_can_still_fail():
    assert set(LIVE) == {state for state, event in PAYMENT.transitions if event == "fail"}


READINGS = [
    (O.PENDING_PAYMENT, [C.PENDING_PAYMENT], "pending_payment"),
    (O.PENDING_PAYMENT, [C.PENDING_PAYMENT, C.PENDING_PAYMENT], "pending_payment"),
    (O.CANCELLED, [C.CANCELLED], "cancelled"),
    (O.CANCELLED, [C.CANCELLED, C.CANCELLED], "cancelled"),
    (O.PAID, [C.PENDING_SHIPMENT], "pending_shipment"),
    (O.PAID, [C.PENDING_SHIPMENT, C.PENDING_SHIPMENT], "pending_shipment"),
    (O.PAID, [C.PARTIALLY_SHIPPED], "partially_shipped"),
    (O.PAID, [C.SHIPPED, C.PENDING_SHIPMENT], "partially_shipped"),
    (O.PAID, [C.SHIPPED, C.PARTIALLY_SHIPPED], "partially_shipped"),
    (O.PAID, [C.COMPLETED, C.PENDING_SHIPMENT], "partially_shipped"),
    (O.PAID, [C.SHIPPED], "shipped"),
    (O.PAID, [C.SHIPPED, C.COMPLETED], "shipped"),
    (O.PAID, [C.COMPLETED], "completed"),
    (O.PAID, [C.COMPLETED, C.COMPLETED], "completed"),
    # A part that was refunded before it left does not hold the others back.
    (O.PAID, [C.CANCELLED, C.PENDING_SHIPMENT], "pending_shipment"),
    (O.PAID, [C.CANCELLED, C.SHIPPED], "shipped"),
    (O.PAID, [C.CANCELLED, C.COMPLETED], "completed"),
    # Nothing is left to ship: the money is on its way back.
    (O.PAID, [C.CANCELLED], "refunding"),
    (O.PAID, [C.CANCELLED, C.CANCELLED], "refunding"),
]


@pytest.mark.parametrize(("order", "consignments", "status"), READINGS)
def test_what_the_buyer_reads(order, consignments, status):
    assert reading(order, consignments) == status
    assert reading(order, reversed(consignments)) == status
    # Once it is there the order reads as refunded; a refund of a part changes nothing.
    settled = "refunded" if status == "refunding" else status
    assert reading(order, consignments, refunded=True) == settled
