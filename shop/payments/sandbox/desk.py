"""What somebody may do in the provider's dashboard, or a payer at a bank; and the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, request

from shop.payments.sandbox import audit, parameters
from shop.payments.sandbox.balance import Balance
from shop.payments.sandbox.books import Json
from shop.payments.sandbox.disputes import Disputes
from shop.payments.sandbox.faults import BadParameter
from shop.payments.sandbox.ledger import Ledger
from shop.payments.sandbox.machine import SESSION
from shop.payments.sandbox.parameters import RefundRequest
from shop.payments.sandbox.refunds import Refunds


class Desk:
    """Refunds, disputes and payouts by hand. Every body is a JSON record."""

    def __init__(
        self, ledger: Ledger, refunds: Refunds, disputes: Disputes, balance: Balance
    ) -> None:
        self._ledger, self._refunds = ledger, refunds
        self._disputes, self._balance = disputes, balance

    def add_routes(self, control: Blueprint) -> None:
        """Hang the routes on the control's."""
        rules: dict[str, Callable[..., Json]] = {
            "/_control/refunds": self._refund,
            "/_control/refunds/<number>": self._settle,
            "/_control/disputes": self._dispute,
            "/_control/disputes/<number>": self._move,
            "/_control/payouts": self._pay_out,
        }
        for rule, view in rules.items():
            control.add_url_rule(rule, rule, view, methods=["POST"])
        control.add_url_rule("/_control/books", "books", self._books, methods=["GET"])

    def _books(self) -> Json:
        return audit.books(self._ledger.books, each="each" in request.args)

    def _refund(self) -> Json:
        """A refund made in the dashboard: it knows nothing of the merchant's ids."""
        wishes = wanted("session", "charge", "payment_intent", "amount")
        with self._ledger.books.writing():
            charge, intent = self._subject(wishes)
            refund = RefundRequest(
                charge=charge,
                intent=intent,
                amount=_amount(wishes),
                reason="requested_by_customer",
                metadata={},
            )
            shown: Json = orjson.loads(self._refunds.make(refund))
        return shown

    def _settle(self, number: str) -> Json:
        with self._ledger.books.writing():
            return self._refunds.settle(number, str(wanted("status").get("status")))

    def _dispute(self) -> Json:
        wishes = wanted("session", "charge", "payment_intent", "amount", "reason", "inquiry")
        with self._ledger.books.writing():
            charge, intent = self._subject(wishes)
            return self._disputes.open(
                charge,
                intent,
                amount=_amount(wishes),
                reason=parameters.text(wishes, "reason") or "fraudulent",
                inquiry=wishes.get("inquiry") is True,
            )

    def _move(self, number: str) -> Json:
        with self._ledger.books.writing():
            return self._disputes.move(number, str(wanted("status").get("status")))

    def _pay_out(self) -> Json:
        amount = _amount(wanted("amount"))
        with self._ledger.books.writing():
            return self._balance.pay_out(amount)

    def _subject(self, wishes: Json) -> tuple[str | None, str | None]:
        """The charge or the intent that is meant: by itself or by its session.

        Raises:
            Fault: there is no such session.
        """
        session = parameters.text(wishes, "session")
        if session is not None:
            return None, self._ledger.get(session, SESSION)["payment_intent"]
        charge = parameters.text(wishes, "charge")
        intent = parameters.text(wishes, "payment_intent")
        if charge is None and intent is None:
            raise BadParameter(
                "session", "One of session, charge and payment_intent must be given."
            )
        return charge, intent


def wanted(*known: str) -> dict[str, Any]:
    """The record in the request; an empty body is an empty one.

    Raises:
        BadParameter: it is none, or has a field that is not `known`.
    """
    found = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(found, dict):
        raise BadParameter("body", "A JSON record is wanted.")
    parameters.only(found, list(known))
    return found


def _amount(wishes: Json) -> int | None:
    """In fen, if it is there."""
    if wishes.get("amount") is None:
        return None
    return parameters.whole(wishes, "amount", least=1)
