"""Webhooks: signed as Stripe signs them, kept in the books until the receiver says 2xx.

At least once and in no promised order, as with the real provider; `Chaos` makes it worse on
purpose. Senders are few and keep their connections.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import logging
import threading
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from http.client import HTTPConnection, HTTPException
from random import SystemRandom
from urllib.parse import urlsplit

from shop.payments.sandbox.books import Books

log = logging.getLogger(__name__)

CHANCE = SystemRandom()
SENDERS = 4
TIMEOUT = 10
BACK_OFF = (0.5, 2, 10, 60, 300, 1800, 3600)
"""Seconds until the next attempt; the last one stays."""

SUBSCRIBED = (
    "checkout.session.*",
    "payment_intent.payment_failed",
    "charge.refunded",
    "charge.dispute.*",
    "refund.*",
)
"""What the mall's endpoint is subscribed to, as one would choose it in the dashboard: the rest
tells nothing that these do not, and each delivery costs the mall a transaction."""


@dataclass(slots=True)
class Chaos:
    """What goes wrong on purpose, from now on.

    `duplicate`: further copies of each delivery; `shuffle`: deliver in another order;
    `delay`: seconds; `drop`: how many of the next attempts are lost on the way.
    """

    duplicate: int = 0
    shuffle: bool = False
    delay: float = 0
    drop: int = 0


def signature(body: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header for a body sent at `moment`."""
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Outbox:
    """Takes events in the transaction that caused them and delivers them from threads."""

    def __init__(self, books: Books, address: str, secret: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._host, self._port = parts.hostname, parts.port or 80
        self._path, self._secret, self._books = parts.path, secret, books
        self.chaos = Chaos()
        self._bell = threading.Condition()
        self._heap: list[tuple[float, int, str, int]] = []
        self._stopped = False
        self._senders: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to deliver, first of all what an earlier run has left."""
        left = self._books.undelivered()
        self._push(*((due, number, event, tries) for number, event, tries, due in left))
        for place in range(SENDERS):
            sender = threading.Thread(target=self._run, name=f"webhook-{place}", daemon=True)
            self._senders.append(sender)
            sender.start()

    def stop(self) -> None:
        """Stop delivering; what is left stays in the books."""
        with self._bell:
            self._stopped = True
            self._bell.notify_all()
        for sender in self._senders:
            sender.join()

    def take(self, event: str, kind: str) -> None:
        """Queue an event inside the present transaction, if the endpoint wants its kind."""
        if not any(fnmatchcase(kind, wanted) for wanted in SUBSCRIBED):
            return
        chaos, now = self.chaos, time.time()
        for _ in range(1 + chaos.duplicate):
            due = now + chaos.delay + (CHANCE.random() if chaos.shuffle else 0)
            number = self._books.add_delivery(event, due)
            entry = (due, number, event, 0)
            self._books.after(partial(self._push, entry))

    def _push(self, *entries: tuple[float, int, str, int]) -> None:
        with self._bell:
            for entry in entries:
                heapq.heappush(self._heap, entry)
            self._bell.notify(len(entries))

    def _run(self) -> None:
        line = HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        while (entry := self._next()) is not None:
            _, number, event, attempts = entry
            if self._send(line, event):
                with self._books.writing():
                    self._books.delivered(number)
                continue
            wait = BACK_OFF[min(attempts, len(BACK_OFF) - 1)]
            later = (time.time() + wait, number, event, attempts + 1)
            with self._books.writing():
                self._books.postpone(number, attempts + 1, later[0])
            self._push(later)

    def _next(self) -> tuple[float, int, str, int] | None:
        """The next entry that is due; waits for it; None when stopped."""
        with self._bell:
            while not self._stopped:
                wait = self._heap[0][0] - time.time() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)
                self._bell.wait(wait)
            return None

    def _lost(self) -> bool:
        """Whether chaos swallows the next attempt."""
        with self._bell:
            lost = self.chaos.drop > 0
            self.chaos.drop -= lost
        return lost

    def _send(self, line: HTTPConnection, event: str) -> bool:
        """One attempt; True when the receiver took it."""
        if self._lost():
            return False
        body = self._books.raw(event)
        assert body is not None
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secret, int(time.time())),
        }
        kept = line.sock is not None
        try:
            return _post(line, self._path, body, headers)
        except (OSError, HTTPException) as error:
            line.close()
            if kept:  # The receiver may have hung up between two deliveries: once more, afresh.
                return self._send(line, event)
            log.warning("webhook %s was not delivered: %s", event, error)
            return False


def _post(line: HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> bool:
    line.request("POST", path, body, headers)
    response = line.getresponse()
    response.read()
    return str(response.status).startswith("2")
