"""The tables of the bank's lines and matches, pair by pair."""

from __future__ import annotations

import pytest

from shop.errors import Conflict
from shop.machine import decide
from shop.payments.bank_states import MATCH, RECEIPT

MEANT = {
    "bank_receipt": {
        "match": {"open": "matched"},
        "release": {"matched": "open"},
        "set_aside": {"open": "set_aside"},
        "reopen": {"set_aside": "open"},
    },
    "bank_match": {
        "enter": {"proposed": "entered"},
        "match": {"proposed": "approved"},
        "approve": {"entered": "approved"},
        "reject": {"proposed": "rejected", "entered": "rejected"},
        "release": {"approved": "rejected"},
    },
}
PAIRS = [
    (machine, state, event)
    for machine in (RECEIPT, MATCH)
    for state in machine.states
    for event in MEANT[machine.subject]
]


def test_no_event_is_missing_here():
    for machine in (RECEIPT, MATCH):
        assert {event for _, event in machine.transitions} == MEANT[machine.subject].keys()


@pytest.mark.parametrize(("machine", "state", "event"), PAIRS)
def test_every_state_and_event(machine, state, event):
    leads = MEANT[machine.subject][event]
    if state in leads or state in leads.values():
        assert decide(machine, state, event) == leads.get(state, state)
        return
    with pytest.raises(Conflict) as caught:
        decide(machine, state, event)
    assert caught.value.error_code == f"{machine.subject}_{state}"
