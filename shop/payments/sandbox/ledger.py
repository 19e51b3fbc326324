"""Writing objects and events: the books, the shapes and the outbox behind one small face."""

from __future__ import annotations

import secrets
import time
from typing import Any

import orjson

from shop.clock import Clock
from shop.payments.sandbox.books import Books, Json
from shop.payments.sandbox.deliveries import Outbox
from shop.payments.sandbox.faults import missing
from shop.payments.sandbox.shapes import Shapes


def new_id(prefix: str, secret_bytes: int = 8) -> str:
    """A provider's id; begins with the time, so that the books' index grows at one end."""
    return f"{prefix}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(secret_bytes)}"


class Ledger:
    """Every change goes through here, inside the caller's transaction, and may tell an event."""

    def __init__(self, books: Books, shapes: Shapes, outbox: Outbox, clock: Clock) -> None:
        self.books, self.shapes, self._outbox, self._clock = books, shapes, outbox, clock

    def now(self) -> int:
        """The provider's present, in whole seconds."""
        return int(self._clock().timestamp())

    def blank(self, kind: str, **values: Any) -> Json:
        """A new object with all its fields."""
        return self.shapes.blank(kind, created=self.now(), **values)

    def add(
        self,
        thing: Json,
        *,
        label: str = "",
        parent: str | None = None,
        due: int | None = None,
        memo: Json | None = None,
    ) -> bytes:
        """Keep a new object; returns it as shown."""
        return self.books.add(
            thing,
            number=thing["id"],
            kind=thing["object"],
            created=thing["created"],
            label=label,
            parent=parent,
            due=due,
            memo=memo,
        )

    def change(self, thing: Json, *, due: int | None = None, memo: Json | None = None) -> bytes:
        """Keep an object's new state (and a new memo, if given); returns it as shown."""
        return self.books.change(thing, due=due, memo=memo)

    def get(self, number: str, kind: str) -> Json:
        """An object.

        Raises:
            Fault: there is none of that kind under that id.
        """
        thing = self.books.get(number, kind)
        if thing is None:
            raise missing(kind, number)
        return thing

    def emit(self, kind: str, shown: bytes, before: Json | None = None) -> None:
        """Tell an event; `shown`: the object as it now stands, `before`: what its fields held."""
        number, now = new_id("evt"), self.now()
        data: Json = {"object": orjson.Fragment(shown)}
        if before:
            data["previous_attributes"] = before
        event = {
            "id": number,
            "object": "event",
            "api_version": self.shapes.api_version,
            "created": now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.add(event, label=kind)
        self._outbox.take(number, kind)
