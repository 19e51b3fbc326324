"""Knobs for tests and for showing what a bad day looks like; answers to this machine only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, request

from shop.payments.sandbox import parameters
from shop.payments.sandbox.books import Books
from shop.payments.sandbox.chaos import KNOBS, fits
from shop.payments.sandbox.deliveries import Outbox
from shop.payments.sandbox.desk import Desk, wanted
from shop.payments.sandbox.faults import Fault, missing

SUBSCRIPTION = "enabled_events"


class Control:
    """`GET /_control` tells the knobs and what is undelivered; `POST` sets knobs (JSON).

    `POST /_control/redeliver` sends an `event` again, or all that were given up or wait.
    """

    def __init__(self, books: Books, outbox: Outbox, desk: Desk) -> None:
        self._books, self._outbox, self._desk = books, outbox, desk

    def blueprint(self) -> Blueprint:
        """The routes."""
        control = Blueprint("control", __name__)
        control.before_request(_local_only)
        control.register_error_handler(Fault, _refused)
        control.add_url_rule("/healthz", "alive", lambda: {"status": "ok"})
        control.add_url_rule("/_control", "tell", self._tell, methods=["GET"])
        control.add_url_rule("/_control", "set", self._set, methods=["POST"])
        control.add_url_rule("/_control/redeliver", "redeliver", self._redeliver, methods=["POST"])
        self._desk.add_routes(control)
        return control

    def _tell(self) -> dict[str, Any]:
        return {
            "chaos": asdict(self._outbox.chaos),
            SUBSCRIPTION: list(self._outbox.enabled_events),
            "undelivered": len(self._books.undelivered()),
            "given_up": len(self._books.given_up()),
        }

    def _set(self) -> dict[str, Any]:
        wishes = request.get_json()
        if not isinstance(wishes, dict) or not all(map(_fits, wishes, wishes.values())):
            abort(400, f"knobs: {', '.join([*KNOBS, SUBSCRIPTION])}")
        for name, value in wishes.items():
            at = self._outbox if name == SUBSCRIPTION else self._outbox.chaos
            setattr(at, name, value)
        return self._tell()

    def _redeliver(self) -> dict[str, Any]:
        event = parameters.text(wanted("event"), "event")
        if event is not None and self._books.raw(event, "event") is None:
            raise missing("event", event)
        with self._books.writing():
            events = self._books.given_up() if event is None else [event]
            for number in events:
                self._books.forget_deliveries(number)
                self._outbox.send(number)
        if event is None:
            self._outbox.hurry()
        return {"redelivered": len(events)}


def _fits(name: str, value: object) -> bool:
    """Whether it can be set, and to that value."""
    if name == SUBSCRIPTION:
        return isinstance(value, list) and all(isinstance(pattern, str) for pattern in value)
    return fits(name, value)


def _refused(fault: Fault) -> tuple[dict[str, Any], int]:
    return fault.body, fault.status


def _local_only() -> None:
    if request.remote_addr not in {"127.0.0.1", "::1"}:
        abort(403)
