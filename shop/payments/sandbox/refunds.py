"""Giving money back: at once on a card, after a while by Alipay and WeChat Pay."""

from __future__ import annotations

import math
from typing import Final

from shop.payments.sandbox.balance import Balance
from shop.payments.sandbox.books import Json
from shop.payments.sandbox.chaos import Chaos
from shop.payments.sandbox.charges import Charges
from shop.payments.sandbox.disputes import holds_money
from shop.payments.sandbox.faults import Fault
from shop.payments.sandbox.ledger import Ledger, new_id
from shop.payments.sandbox.parameters import CURRENCY, RefundRequest

REFUND: Final = "refund"
NEXT: Final = {"pending": ("succeeded", "failed"), "succeeded": ("failed",)}
"""What may become of a refund; one that had succeeded may still come back."""
WHY_FAILED: Final = "expired_or_canceled_card"


class Refunds:
    """Refunds; whatever writes runs inside the caller's transaction, unless it says otherwise."""

    def __init__(self, ledger: Ledger, charges: Charges, balance: Balance, chaos: Chaos) -> None:
        self._ledger, self._charges, self._balance, self._chaos = ledger, charges, balance, chaos

    def make(self, wanted: RefundRequest) -> bytes:
        """Give money back, wholly or in part.

        Raises:
            Fault: no such charge, nothing charged, more than is left of it, or it is disputed.
        """
        charge = self._charges.captured(wanted.charge, wanted.intent)
        amount = self._amount(charge, wanted.amount)
        card = charge["payment_method_details"]["type"] == "card"
        pending = not card or self._chaos.refunds != ""
        refund = self._ledger.blank(
            REFUND,
            id=new_id("re"),
            amount=amount,
            currency=CURRENCY,
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            status="pending" if pending else "succeeded",
            reason=wanted.reason,
            metadata=wanted.metadata,
        )
        kind = "refund" if card else "payment_refund"
        line = self._balance.enter(kind, -amount, refund["id"], category="refund")
        refund["balance_transaction"] = line["id"]
        due, memo = self._fate() if pending else (None, None)
        shown = self._ledger.add(refund, parent=charge["id"], due=due, memo=memo)
        self._note(charge, amount)
        self._ledger.emit("refund.created", shown)
        return shown

    def settle(self, number: str, status: str) -> Json:
        """Let a refund succeed or fail; the money of a failed one returns to the balance.

        Raises:
            Fault: there is none, or that cannot become of it any more.
        """
        refund = self._ledger.get(number, REFUND)
        before = refund["status"]
        if status not in NEXT.get(before, ()):
            raise Fault(f"This Refund cannot become {status}: its status is {before}.")
        refund["status"] = status
        if status == "failed":
            refund["failure_reason"] = WHY_FAILED
            line = self._balance.enter("refund_failure", refund["amount"], number)
            refund["failure_balance_transaction"] = line["id"]
            charge = self._ledger.get(refund["charge"], "charge")
            self._note(charge, -refund["amount"])
        shown = self._ledger.change(refund)
        for kind in ("refund.updated", "charge.refund.updated"):
            self._ledger.emit(kind, shown, {"status": before})
        if status == "failed":
            self._ledger.emit("refund.failed", shown)
        return refund

    def settle_overdue(self) -> None:
        """Let every refund end whose time has come, each in a transaction of its own."""
        for number in self._ledger.books.overdue(self._ledger.now(), REFUND):
            with self._ledger.books.writing():
                if self._ledger.get(number, REFUND)["status"] == "pending":
                    self.settle(number, self._ledger.books.memo(number)["end"])

    def _amount(self, charge: Json, wanted: int | None) -> int:
        """How much to give back, in fen."""
        left: int = charge["amount_captured"] - charge["amount_refunded"]
        if charge["disputed"] and holds_money(self._ledger, charge["id"]):
            text = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise Fault(text, code="charge_disputed")
        if left == 0:
            text = f"Charge {charge['id']} has already been refunded."
            raise Fault(text, code="charge_already_refunded")
        if wanted is not None and wanted > left:
            text = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
            raise Fault(text, param="amount")
        return left if wanted is None else wanted

    def _fate(self) -> tuple[int | None, Json | None]:
        """When a pending refund ends, and how; never by itself if chaos wants it to stay so."""
        if self._chaos.refunds == "pending":
            return None, None
        due = self._ledger.now() + math.ceil(self._chaos.refund_seconds)
        return due, {"end": self._chaos.refunds or "succeeded"}

    def _note(self, charge: Json, amount: int) -> None:
        before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        shown = self._ledger.change(charge)
        self._ledger.emit("charge.refunded" if amount > 0 else "charge.updated", shown, before)
