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
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from shop.payments.sandbox.books import Books
from shop.payments.sandbox.chaos import CHANCE, Chaos

log = logging.getLogger(__name__)

SENDERS = 4
TIMEOUT = 10
BACK_OFF = (0.5, 2, 10, 60, 300, 1800, 3600)
"""Seconds until the next attempt; the last one stays."""

SUBSCRIBED = (
    "checkout.session.*",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.*",
    "payout.*",
)
"""What the mall's endpoint is subscribed to, as one would choose it in the dashboard: the rest
tells nothing that these do not, and each delivery costs the mall a transaction."""


def signature(body: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header for a body sent at `moment`."""
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Outbox:
    """Takes events in the transaction that caused them and delivers them from threads."""

    def __init__(self, books: Books, address: str, secret: str, chaos: Chaos) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._host, self._port = parts.hostname, parts.port or 80
        self._path, self._secret, self._books = parts.path, secret, books
        self.chaos = chaos
        self._enabled: Sequence[str] = SUBSCRIBED
        self._subscribed: dict[str, bool] = {}
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

    @property
    def enabled_events(self) -> Sequence[str]:
        """The kinds of events the mall's endpoint wants; `*` stands for any part."""
        return self._enabled

    @enabled_events.setter
    def enabled_events(self, patterns: Sequence[str]) -> None:
        self._enabled = tuple(patterns)
        self._subscribed = {}

    def take(self, event: str, kind: str) -> None:
        """Queue an event inside the present transaction, if the endpoint wants its kind."""
        wanted = self._subscribed.get(kind)
        if wanted is None:
            wanted = any(fnmatchcase(kind, pattern) for pattern in self._enabled)
            self._subscribed[kind] = wanted
        if wanted:
            for _ in range(1 + self.chaos.duplicate):
                self.send(event)

    def send(self, event: str) -> None:
        """Queue an event inside the present transaction, whoever wants it."""
        chaos = self.chaos
        due = time.time() + chaos.delay + (CHANCE.random() if chaos.shuffle else 0)
        number = self._books.add_delivery(event, due)
        self._books.after(partial(self._push, (due, number, event, 0)))

    def hurry(self) -> None:
        """Try everything that waits for its next attempt now."""
        with self._bell:
            self._heap = [(0, number, event, tries) for _, number, event, tries in self._heap]
            heapq.heapify(self._heap)
            self._bell.notify_all()

    def _push(self, *entries: tuple[float, int, str, int]) -> None:
        with self._bell:
            for entry in entries:
                heapq.heappush(self._heap, entry)
            self._bell.notify(len(entries))

    def _run(self) -> None:
        line = HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        while (entry := self._next()) is not None:
            _, number, event, attempts = entry
            if self.chaos.used("lose"):
                with self._books.writing():
                    self._books.give_up(number)
                continue
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
        return self.chaos.used("drop") or CHANCE.random() < self.chaos.lossy

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
