"""Taking money: charges that succeed and charges that are refused."""

from __future__ import annotations

from typing import Final

from shop.payments.sandbox.balance import Balance, fee_of
from shop.payments.sandbox.books import Json
from shop.payments.sandbox.faults import Fault, missing
from shop.payments.sandbox.ledger import Ledger, new_id

DECLINE: Final = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}
CARD: Final = {"brand": "visa", "country": "CN", "funding": "credit", "last4": "4242"}


class Charges:
    """Charges; every method runs inside the caller's transaction."""

    def __init__(self, ledger: Ledger, balance: Balance) -> None:
        self._ledger, self._balance = ledger, balance

    def succeed(self, intent: Json, method: str) -> str:
        """Take the money of an intent; returns the charge's id."""
        amount = intent["amount"]
        charge = self._new(intent, method, amount_captured=amount, captured=True, paid=True)
        kind = "charge" if method == "card" else "payment"
        line = self._balance.enter(
            kind, amount, charge["id"], fee=fee_of(amount), category="charge"
        )
        charge["balance_transaction"] = line["id"]
        shown = self._ledger.add(charge, parent=intent["id"])
        self._ledger.emit("charge.succeeded", shown)
        return str(charge["id"])

    def fail(self, intent: Json, method: str) -> str:
        """Write down a refused charge; returns its id."""
        charge = self._new(
            intent,
            method,
            status="failed",
            failure_code=DECLINE["code"],
            failure_message=DECLINE["message"],
        )
        self._ledger.emit("charge.failed", self._ledger.add(charge, parent=intent["id"]))
        return str(charge["id"])

    def captured(self, charge: str | None, intent: str | None) -> Json:
        """The charge that took the money, found by its own id or by its intent's.

        Raises:
            Fault: there is none, or it took nothing.
        """
        if charge is None:
            found = self._ledger.get(str(intent), "payment_intent")
            if found["status"] != "succeeded":
                text = f"This PaymentIntent ({found['id']}) has no successful charge to refund."
                raise Fault(text)
            charge = found["latest_charge"]
        taken = self._ledger.get(charge, "charge")
        if not taken["captured"]:
            raise missing("charge", taken["id"])
        return taken

    def _new(self, intent: Json, method: str, **values: object) -> Json:
        return self._ledger.blank(
            "charge",
            id=new_id("ch"),
            **{
                "amount": intent["amount"],
                "currency": intent["currency"],
                "description": intent["description"],
                "metadata": intent["metadata"],
                "payment_intent": intent["id"],
                "payment_method": new_id("pm"),
                "payment_method_details": {
                    "type": method,
                    method: CARD if method == "card" else {},
                },
                "receipt_email": intent["receipt_email"],
                "status": "succeeded",
                **values,
            },
        )
