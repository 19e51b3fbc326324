"""How a checkout session and its payment intent move: the table, and what each move does."""

from __future__ import annotations

import secrets
from typing import Final

from shop.payments.sandbox.books import Json
from shop.payments.sandbox.charges import DECLINE, Charges
from shop.payments.sandbox.faults import Fault
from shop.payments.sandbox.ledger import Ledger, new_id
from shop.payments.sandbox.parameters import CURRENCY, SessionRequest

MOVES: Final[dict[tuple[str, str], str]] = {
    ("open", "paid"): "capture",
    ("open", "declined"): "refuse",
    ("open", "pending"): "wait",
    ("open", "cancelled"): "leave",
    ("processing", "paid"): "capture",
    ("processing", "declined"): "refuse",
    ("processing", "cancelled"): "leave",
}
"""(how the session stands, what the payer does) -> move; any other pair changes nothing."""

NOBODY: Final = {
    "address": None,
    "business_name": None,
    "individual_name": None,
    "name": None,
    "phone": None,
    "tax_exempt": "none",
    "tax_ids": None,
}
SESSION: Final = "checkout.session"
INTENT: Final = "payment_intent"


class Machine:
    """Sessions and intents. Public methods that change something need `books.writing()`."""

    def __init__(self, ledger: Ledger, charges: Charges, pages: str) -> None:
        self._ledger, self._charges, self._pages = ledger, charges, pages

    def open(self, wanted: SessionRequest) -> bytes:
        """Open a session; the intent comes with the first attempt to pay, as at Stripe."""
        number = new_id("cs_test", 20)
        session = self._ledger.blank(
            SESSION,
            id=number,
            amount_subtotal=wanted.amount,
            amount_total=wanted.amount,
            currency=CURRENCY,
            status="open",
            payment_status="unpaid",
            payment_method_types=wanted.methods,
            allowed_payment_method_types=wanted.methods,
            expires_at=wanted.expires_at,
            success_url=wanted.success_url,
            cancel_url=wanted.cancel_url,
            locale=wanted.locale,
            client_reference_id=wanted.reference,
            customer_email=wanted.email,
            metadata=wanted.metadata,
            total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            ui_mode="hosted_page",
            url=f"{self._pages}/c/pay/{number}",
        )
        memo = {"name": wanted.name, "summary": wanted.summary, "intent": wanted.intent}
        return self._ledger.add(session, due=wanted.expires_at, memo=memo)

    def look(self, number: str) -> Json:
        """The session as it is now: one whose time has passed expires on the way.

        Raises:
            Fault: there is no such session.
        """
        session = self._ledger.get(number, SESSION)
        if not self._is_late(session):
            return session
        with self._ledger.books.writing():
            session = self._ledger.get(number, SESSION)
            if self._is_late(session):
                self._expire(session)
        return session

    def stands(self, session: Json) -> str:
        """open, processing, paid, failed or expired."""
        if session["status"] != "complete":
            return str(session["status"])
        if session["payment_status"] == "paid":
            return "paid"
        intent = self._ledger.get(session["payment_intent"], INTENT)
        return "processing" if intent["status"] == "processing" else "failed"

    def refused(self, session: Json) -> bool:
        """Whether the last attempt to pay was refused."""
        intent = session["payment_intent"]
        return bool(intent and self._ledger.get(intent, INTENT)["last_payment_error"])

    def act(self, number: str, outcome: str, method: str) -> tuple[Json, bool]:
        """What the payer did on the page; the session afterwards and whether it was possible."""
        session = self._ledger.get(number, SESSION)
        if self._is_late(session):
            self._expire(session)
        move = MOVES.get((self.stands(session), outcome))
        if move in {None, "leave"}:
            return session, move is not None
        method = self._method(session, outcome, method)
        steps = {"capture": self._capture, "refuse": self._refuse, "wait": self._wait}
        steps[str(move)](session, self._intent(session), method)
        return session, True

    def expire(self, number: str) -> bytes:
        """End an open session before its time.

        Raises:
            Fault: it is not open any more.
        """
        session = self._ledger.get(number, SESSION)
        if session["status"] != "open":
            raise Fault(
                "Only Checkout Sessions with a status in ['open'] can be expired. "
                f"This Checkout Session has a status of {session['status']}."
            )
        return self._expire(session)

    def cancel_intent(self, number: str, reason: str | None) -> bytes:
        """Give up an intent that no session holds open any more.

        Raises:
            Fault: a session holds it, or its state does not allow it.
        """
        intent = self._ledger.get(number, INTENT)
        session = self._ledger.get(self._ledger.books.memo(number)["session"], SESSION)
        if session["status"] == "open":
            raise Fault("Expire the Checkout Session of this PaymentIntent instead.")
        if intent["status"] != "requires_payment_method":
            text = f"This PaymentIntent cannot be canceled: its status is {intent['status']}."
            raise Fault(text, code="payment_intent_unexpected_state", payment_intent=intent)
        return self._cancel(intent, reason)

    def expire_overdue(self) -> None:
        """Expire every open session whose time has passed."""
        for number in self._ledger.books.overdue(self._ledger.now(), SESSION):
            self.look(number)

    def _is_late(self, session: Json) -> bool:
        return bool(session["status"] == "open" and session["expires_at"] <= self._ledger.now())

    def _method(self, session: Json, outcome: str, chosen: str) -> str:
        """The means of payment: the one under way, the chosen one, or the first that fits."""
        if session["status"] == "complete":
            return str(self._ledger.books.memo(session["payment_intent"])["method"])
        offered: list[str] = session["payment_method_types"]
        if chosen in offered:
            return chosen
        fitting = [method for method in offered if outcome != "pending" or method != "card"]
        return (fitting or offered)[0]

    def _intent(self, session: Json) -> Json:
        """The session's intent; made now if this is the first attempt."""
        if session["payment_intent"]:
            return self._ledger.get(session["payment_intent"], INTENT)
        number = new_id("pi")
        details = self._ledger.books.memo(session["id"])["intent"]
        intent = self._ledger.blank(
            INTENT,
            id=number,
            amount=session["amount_total"],
            capture_method="automatic_async",
            client_secret=f"{number}_secret_{secrets.token_hex(12)}",
            confirmation_method="automatic",
            currency=session["currency"],
            description=details["description"],
            metadata=details["metadata"],
            payment_method_types=session["payment_method_types"],
            receipt_email=session["customer_email"],
            status="requires_payment_method",
        )
        shown = self._ledger.add(intent, memo={"session": session["id"]})
        self._ledger.emit("payment_intent.created", shown)
        session["payment_intent"] = number
        return intent

    def _capture(self, session: Json, intent: Json, method: str) -> None:
        waited = session["status"] == "complete"
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "last_payment_error": None,
            "processing": None,
            "latest_charge": self._charges.succeed(intent, method),
        }
        self._ledger.emit("payment_intent.succeeded", self._ledger.change(intent))
        end = "async_payment_succeeded" if waited else "completed"
        self._complete(session, end, payment_status="paid")

    def _wait(self, session: Json, intent: Json, method: str) -> None:
        intent |= {"status": "processing", "last_payment_error": None}
        memo = {"session": session["id"], "method": method}
        self._ledger.emit("payment_intent.processing", self._ledger.change(intent, memo=memo))
        self._complete(session, "completed")

    def _refuse(self, session: Json, intent: Json, method: str) -> None:
        waited = session["status"] == "complete"
        charge = self._charges.fail(intent, method)
        intent |= {
            "status": "requires_payment_method",
            "processing": None,
            "latest_charge": charge,
            "last_payment_error": {**DECLINE, "charge": charge},
        }
        self._ledger.emit("payment_intent.payment_failed", self._ledger.change(intent))
        if waited:
            self._complete(session, "async_payment_failed")
        else:
            self._ledger.change(session, due=session["expires_at"])

    def _complete(self, session: Json, event: str, **values: str) -> None:
        """The payer has nothing left to do on the page."""
        details = {**NOBODY, "email": session["customer_email"]}
        session |= {"status": "complete", "url": None, "customer_details": details, **values}
        self._ledger.emit(f"{SESSION}.{event}", self._ledger.change(session))

    def _expire(self, session: Json) -> bytes:
        if session["payment_intent"]:
            intent = self._ledger.get(session["payment_intent"], INTENT)
            self._cancel(intent, "expired")
        session |= {"status": "expired", "url": None}
        shown = self._ledger.change(session)
        self._ledger.emit(f"{SESSION}.expired", shown)
        return shown

    def _cancel(self, intent: Json, reason: str | None) -> bytes:
        intent |= {
            "status": "canceled",
            "canceled_at": self._ledger.now(),
            "cancellation_reason": reason,
        }
        shown = self._ledger.change(intent)
        self._ledger.emit("payment_intent.canceled", shown)
        return shown
