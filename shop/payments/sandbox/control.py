"""Knobs for tests and for showing what a bad day looks like; answers to this machine only."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, abort, request

from shop.payments.sandbox.books import Books
from shop.payments.sandbox.deliveries import Chaos, Outbox

KNOBS = asdict(Chaos())


class Control:
    """`GET /_control` tells the knobs and what is undelivered; `POST` sets knobs (JSON)."""

    def __init__(self, books: Books, outbox: Outbox) -> None:
        self._books, self._outbox = books, outbox

    def blueprint(self) -> Blueprint:
        """The routes."""
        control = Blueprint("control", __name__)
        control.before_request(_local_only)
        control.add_url_rule("/healthz", "alive", lambda: {"status": "ok"})
        control.add_url_rule("/_control", "tell", self._tell, methods=["GET"])
        control.add_url_rule("/_control", "set", self._set, methods=["POST"])
        return control

    def _tell(self) -> dict[str, Any]:
        return {"chaos": asdict(self._outbox.chaos), "undelivered": len(self._books.undelivered())}

    def _set(self) -> dict[str, Any]:
        wishes = request.get_json()
        if not isinstance(wishes, dict) or not all(map(_fits, wishes, wishes.values())):
            abort(400, f"knobs: {', '.join(KNOBS)}")
        self._outbox.chaos = replace(self._outbox.chaos, **wishes)
        return self._tell()


def _fits(name: str, value: object) -> bool:
    """Whether it is a knob and the value is of its kind."""
    return name in KNOBS and isinstance(value, (int, type(KNOBS[name])))


def _local_only() -> None:
    if request.remote_addr not in {"127.0.0.1", "::1"}:
        abort(403)
