"""The merchant's account with the provider: a line for every movement, and what is paid out."""

from __future__ import annotations

from typing import Final

from shop.payments.sandbox.books import Json
from shop.payments.sandbox.faults import Fault
from shop.payments.sandbox.ledger import Ledger, new_id
from shop.payments.sandbox.parameters import CURRENCY

FEE_PER_MILLE: Final = 34
FEE_FIXED_FEN: Final = 235
DISPUTE_FEE_FEN: Final = 10_000
"""Kept when a dispute takes its money, also if it is won later."""
AVAILABLE_AFTER: Final = 7 * 24 * 3600
ARRIVES_AFTER: Final = 24 * 3600
LINE: Final = "balance_transaction"


def fee_of(amount: int) -> int:
    """The provider's fee in fen: 3.4 % to the nearest fen and 2.35."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED_FEN


class Balance:
    """The lines and the payouts; whatever writes runs inside the caller's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def enter(
        self, kind: str, amount: int, source: str, *, fee: int = 0, category: str | None = None
    ) -> Json:
        """Enter a movement of `amount` fen, out of the balance if negative; returns the line."""
        now = self._ledger.now()
        waits = amount > 0 and kind in {"charge", "payment"}
        line = self._ledger.blank(
            LINE,
            id=new_id("txn"),
            amount=amount,
            fee=fee,
            fee_details=[_fee_detail(fee)] if fee else [],
            net=amount - fee,
            currency=CURRENCY,
            balance_type="payments",
            type=kind,
            reporting_category=category or kind,
            source=source,
            status="pending" if waits else "available",
            available_on=now + AVAILABLE_AFTER if waits else now,
        )
        self._ledger.add(line, parent=source, label=kind)
        return line

    def show(self) -> Json:
        """What is available and what is still pending, re-added from the lines."""
        now, sums = self._ledger.now(), {"available": 0, "pending": 0}
        for line in self._ledger.books.every(LINE):
            sums["available" if line["available_on"] <= now else "pending"] += line["net"]
        shown = {
            name: [{"amount": fen, "currency": CURRENCY, "source_types": {"card": fen}}]
            for name, fen in sums.items()
        }
        return {"object": "balance", "livemode": False, **shown}

    def total(self) -> int:
        """The whole balance in fen."""
        return sum(line["net"] for line in self._ledger.books.every(LINE))

    def pay_out(self, amount: int | None = None) -> Json:
        """Send money to the merchant's bank, all there is if `amount` is None.

        Money that is not available yet may be taken too, so that nobody must wait a week for it.

        Raises:
            Fault: there is not as much, or nothing at all.
        """
        there = self.total()
        amount = there if amount is None else amount
        if not 0 < amount <= there:
            text = f"You have insufficient funds in your account: {there} is there."
            raise Fault(text, code="balance_insufficient", param="amount")
        payout = self._ledger.blank(
            "payout",
            id=new_id("po"),
            amount=amount,
            currency=CURRENCY,
            arrival_date=self._ledger.now() + ARRIVES_AFTER,
            automatic=False,
            description="STRIPE PAYOUT",
            method="standard",
            source_type="card",
            status="pending",
            type="bank_account",
        )
        payout["balance_transaction"] = self.enter("payout", -amount, payout["id"])["id"]
        self._ledger.emit("payout.created", self._ledger.add(payout))
        payout["status"] = "paid"
        self._ledger.emit("payout.paid", self._ledger.change(payout), {"status": "pending"})
        return payout


def _fee_detail(fee: int) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": CURRENCY,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
