"""Money that moved: charges, the balance they enter, refunds."""

from __future__ import annotations

from typing import Final

from shop.payments.sandbox.books import Json
from shop.payments.sandbox.faults import Fault, missing
from shop.payments.sandbox.ledger import Ledger, new_id
from shop.payments.sandbox.parameters import CURRENCY, RefundRequest

FEE_PER_MILLE: Final = 34
FEE_FIXED_FEN: Final = 235
AVAILABLE_AFTER: Final = 7 * 24 * 3600
DECLINE: Final = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}
CARD: Final = {"brand": "visa", "country": "CN", "funding": "credit", "last4": "4242"}


def fee_of(amount: int) -> int:
    """The provider's fee in fen: 3.4 % to the nearest fen and 2.35."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED_FEN


class Charges:
    """Charges and refunds; every method runs inside the caller's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def succeed(self, intent: Json, method: str) -> str:
        """Take the money of an intent; returns the charge's id."""
        amount = intent["amount"]
        charge = self._new(intent, method, amount_captured=amount, captured=True, paid=True)
        charge["balance_transaction"] = self._balance(
            "charge", amount, fee_of(amount), charge["id"]
        )
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

    def refund(self, wanted: RefundRequest) -> bytes:
        """Give money back, wholly or in part.

        Raises:
            Fault: no such charge, nothing charged, or more than is left of it.
        """
        charge = self._charged(wanted)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = left if wanted.amount is None else wanted.amount
        if left == 0:
            text = f"Charge {charge['id']} has already been refunded."
            raise Fault(text, code="charge_already_refunded")
        if amount > left:
            text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise Fault(text, param="amount")
        refund = self._ledger.blank(
            "refund",
            id=new_id("re"),
            amount=amount,
            currency=CURRENCY,
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            status="succeeded",
            reason=wanted.reason,
            metadata=wanted.metadata,
        )
        refund["balance_transaction"] = self._balance("refund", -amount, 0, refund["id"])
        shown = self._ledger.add(refund, parent=charge["id"])
        self._note_refund(charge, amount)
        self._ledger.emit("refund.created", shown)
        return shown

    def _note_refund(self, charge: Json, amount: int) -> None:
        before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._ledger.emit("charge.refunded", self._ledger.change(charge), before)

    def _charged(self, wanted: RefundRequest) -> Json:
        if wanted.charge is not None:
            charge = self._ledger.get(wanted.charge, "charge")
        else:
            intent = self._ledger.get(str(wanted.intent), "payment_intent")
            if intent["status"] != "succeeded":
                text = f"This PaymentIntent ({intent['id']}) has no successful charge to refund."
                raise Fault(text)
            charge = self._ledger.get(intent["latest_charge"], "charge")
        if not charge["captured"]:
            raise missing("charge", charge["id"])
        return charge

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

    def _balance(self, kind: str, amount: int, fee: int, source: str) -> str:
        """Enter a movement of the balance; returns its id."""
        now = self._ledger.now()
        entry = self._ledger.blank(
            "balance_transaction",
            id=new_id("txn"),
            amount=amount,
            fee=fee,
            fee_details=[_fee_detail(fee)] if fee else [],
            net=amount - fee,
            currency=CURRENCY,
            balance_type="payments",
            type=kind,
            reporting_category=kind,
            source=source,
            status="pending",
            available_on=now + AVAILABLE_AFTER,
        )
        self._ledger.add(entry, parent=source, label=kind)
        return str(entry["id"])


def _fee_detail(fee: int) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": CURRENCY,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
