"""The bank's lines and their matches, as tables."""

from __future__ import annotations

from models.bank import BankMatch, BankReceipt, MatchState, ReceiptState
from shop.machine import Machine

B = ReceiptState
M = MatchState

RECEIPT = Machine(
    subject="bank_receipt",
    table=BankReceipt.__table__,
    states=ReceiptState,
    transitions={
        (B.OPEN, "match"): B.MATCHED,
        # Its order was closed, so its money waits for a person again.
        (B.MATCHED, "release"): B.OPEN,
        (B.OPEN, "set_aside"): B.SET_ASIDE,
        (B.SET_ASIDE, "reopen"): B.OPEN,
    },
)

MATCH = Machine(
    subject="bank_match",
    table=BankMatch.__table__,
    states=MatchState,
    transitions={
        (M.PROPOSED, "enter"): M.ENTERED,
        # What is certain needs nobody: the rules approve it.
        (M.PROPOSED, "match"): M.APPROVED,
        (M.ENTERED, "approve"): M.APPROVED,
        (M.PROPOSED, "reject"): M.REJECTED,
        (M.ENTERED, "reject"): M.REJECTED,
        (M.APPROVED, "release"): M.REJECTED,
    },
)
