"""Payers who object: the money is taken out of the balance at once, and comes back if it is won."""

from __future__ import annotations

from typing import Final

import orjson

from shop.payments.sandbox.balance import DISPUTE_FEE_FEN, Balance
from shop.payments.sandbox.books import Json, Page
from shop.payments.sandbox.charges import Charges
from shop.payments.sandbox.faults import BadParameter, Fault
from shop.payments.sandbox.ledger import Ledger, new_id
from shop.payments.sandbox.parameters import CURRENCY

DISPUTE: Final = "dispute"
DUE_IN: Final = 9 * 24 * 3600
NEXT: Final = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
}
"""What may become of a dispute; a warning (an inquiry) may turn into one in earnest."""
HELD: Final = frozenset({"needs_response", "under_review", "lost"})
ENDED: Final = frozenset({"warning_closed", "won", "lost"})
MANY: Final = 100


def held(dispute: Json) -> bool:
    """Whether its money is out of the merchant's balance."""
    return dispute["status"] in HELD


def holds_money(ledger: Ledger, charge: str) -> bool:
    """Whether any dispute keeps money of a charge."""
    bodies, _ = ledger.books.page(DISPUTE, Page(limit=MANY, parent=charge))
    return any(held(orjson.loads(body)) for body in bodies)


class Disputes:
    """Disputes; every method runs inside the caller's transaction."""

    def __init__(self, ledger: Ledger, charges: Charges, balance: Balance) -> None:
        self._ledger, self._charges, self._balance = ledger, charges, balance

    def open(
        self,
        charge: str | None,
        intent: str | None,
        *,
        amount: int | None = None,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Json:
        """Object to a charge, to what is left of it if `amount` is None.

        Raises:
            Fault: no such charge, or more than is left of it.
        """
        taken = self._charges.captured(charge, intent)
        left = taken["amount_captured"] - taken["amount_refunded"]
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise BadParameter("amount", f"Only {left} of charge {taken['id']} can be disputed.")
        if holds_money(self._ledger, taken["id"]):
            raise Fault(f"Charge {taken['id']} is disputed already.")
        dispute = self._ledger.blank(
            DISPUTE,
            id=new_id("dp"),
            amount=amount,
            currency=CURRENCY,
            charge=taken["id"],
            payment_intent=taken["payment_intent"],
            reason=reason,
            status="warning_needs_response" if inquiry else "needs_response",
            is_charge_refundable=inquiry,
            evidence_details=self._evidence(),
            metadata={},
        )
        shown = self._ledger.add(dispute, parent=taken["id"])
        self._ledger.change(taken | {"disputed": True})
        self._ledger.emit("charge.dispute.created", shown)
        if not inquiry:
            self._withdraw(dispute)
        return dispute

    def move(self, number: str, status: str) -> Json:
        """Let a dispute go on or end.

        Raises:
            Fault: there is none, or that cannot become of it any more.
        """
        dispute = self._ledger.get(number, DISPUTE)
        before = dispute["status"]
        if status not in NEXT.get(before, ()):
            raise Fault(f"This Dispute cannot become {status}: its status is {before}.")
        was_held = held(dispute)
        dispute |= {"status": status, "is_charge_refundable": status.startswith("warning")}
        if held(dispute) and not was_held:
            self._withdraw(dispute)
        elif was_held and not held(dispute):
            self._reinstate(dispute)
        end = "closed" if status in ENDED else "updated"
        shown = self._ledger.change(dispute)
        self._ledger.emit(f"charge.dispute.{end}", shown, {"status": before})
        return dispute

    def _withdraw(self, dispute: Json) -> None:
        self._enter(dispute, -dispute["amount"], "dispute", DISPUTE_FEE_FEN)
        shown = self._ledger.change(dispute)
        self._ledger.emit("charge.dispute.funds_withdrawn", shown)

    def _reinstate(self, dispute: Json) -> None:
        self._enter(dispute, dispute["amount"], "dispute_reversal", 0)
        shown = self._ledger.change(dispute)
        self._ledger.emit("charge.dispute.funds_reinstated", shown)

    def _enter(self, dispute: Json, amount: int, category: str, fee: int) -> None:
        line = self._balance.enter("adjustment", amount, dispute["id"], fee=fee, category=category)
        dispute["balance_transactions"] = [*dispute["balance_transactions"], line]

    def _evidence(self) -> Json:
        return {
            "due_by": self._ledger.now() + DUE_IN,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        }
