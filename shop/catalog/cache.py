"""Ready answers of the catalogue, kept by each process and dropped when they are no longer true.

What a process keeps is checked against the database at most every quarter of a second, by one
small statement. A change of the catalogue (a price, a listing) counts its version up and drops
everything; a change of stock drops the pages that show that stock. So an answer is at most 0.25 s
behind another process, and in the process where a manager changed something it is exact.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from shop.catalog.feed_queries import Levels, Position, changes
from shop.catalog.rules import Availability, availability
from shop.clock import system_clock
from shop.context import Ctx, Transactions
from shop.session import Session

POLL_SECONDS = 0.25
"""How far behind another process an answer may be."""

MAX_AGE = timedelta(seconds=30)
"""What nobody foresaw (a document expires, a favourite sells) shows after this long."""

MAX_BYTES = 16 * 1024 * 1024
"""Of answers in one process; the least recently used go first."""

OVERHEAD = 2_000
"""Bytes that an entry takes besides its answer: the question itself may be long, and anybody can
make up questions that nothing is found for."""

Begin = Callable[[], AbstractContextManager[Ctx]]
Seen = Levels | Availability


@dataclass(frozen=True, slots=True)
class Built:
    """A fresh answer. `shows` says what of which product's stock it was made from.

    Exact `Levels` for a page that prints them, an `Availability` for one that shows the tag
    alone. `any_tag`: what sells out elsewhere, be it one size, matters too (a shelf of what is in
    stock). `until`: when time alone will change it, where that is known (a sale begins or ends).
    """

    body: bytes
    shows: Mapping[UUID, Seen] = field(default_factory=dict)
    any_tag: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to send, with a strong ETag over its bytes, and what it was kept under."""

    key: Hashable
    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    kept: Kept
    built: Built
    at: datetime

    def fresh(self, now: datetime) -> bool:
        until = self.built.until
        return self.at <= now < self.at + MAX_AGE and (until is None or now < until)


class CatalogueCache:
    """The answers of one process over one database. Safe to use from several threads."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._watchers: dict[UUID, set[Hashable]] = {}
        self._told: dict[UUID, tuple[object, ...]] = {}
        self._bytes = 0
        self._version = 0
        self._polls = 0
        self._position: Position | None = None
        self._due = 0.0
        self._lock = Lock()
        self._polling = Lock()

    def expire(self) -> None:
        """Look at the database before the next answer, however recently that was done."""
        self._due = 0.0

    def answer(
        self, begin: Begin, now: datetime, key: Hashable, build: Callable[[Ctx], Built]
    ) -> Kept:
        """The kept answer for `key`, or a fresh one. No lock is held while it is built.

        Args:
            begin: opens the transaction for looking and building; not called on a hit.
            now: the caller's time; the sale windows go by it.
            key: what was asked, in full.
            build: makes the answer; what it raises, the caller gets.
        """
        ready = self.ready(begin, now, key)
        if ready is not None:
            return ready
        polls = self._polls
        with begin() as ctx:
            built = build(ctx)
        kept = Kept(key, built.body, etag_of(built.body))
        self._keep(key, _Entry(kept, built, now), polls)
        return kept

    def ready(self, begin: Begin, now: datetime, key: Hashable) -> Kept | None:
        """The kept answer for `key`, if it is still true."""
        if self._ticks() >= self._due:
            self._poll(begin)
        entry = self._entries.get(key)
        if entry is None or not entry.fresh(now):
            return None
        self._touch(key)
        return entry.kept

    def _poll(self, begin: Begin) -> None:
        # After a write of our own everybody waits for the answer; else one asks for all.
        if not self._polling.acquire(blocking=self._due == 0.0):
            return
        try:
            if self._ticks() < self._due:
                return
            self._due = self._ticks() + POLL_SECONDS
            with begin() as ctx:
                found = changes(ctx.session, system_clock(), self._position)
            with self._lock:
                self._apply(found.version, found.levels)
                self._position = found.position
                self._polls += 1
        except BaseException:
            self._due = 0.0
            raise
        finally:
            self._polling.release()

    def _apply(self, version: int, levels: Mapping[UUID, Levels]) -> None:
        if version != self._version:
            self._version = version
            self._clear()
        crossed = False
        for product, now in levels.items():
            tag = availability(sum(now))
            told = (tag, *(pieces > 0 for pieces in now))
            crossed = self._told.get(product) != told or crossed
            self._told[product] = told
            for key in list(self._watchers.get(product, ())):
                seen = self._entries[key].built.shows[product]
                if seen != (tag if isinstance(seen, Availability) else now):
                    self._drop(key)
        if crossed:
            for key in [key for key, entry in self._entries.items() if entry.built.any_tag]:
                self._drop(key)

    def _keep(self, key: Hashable, entry: _Entry, polls: int) -> None:
        with self._lock:
            # Whatever a poll found while this was being built was not held against it.
            if polls != self._polls:
                return
            self._drop(key)
            self._entries[key] = entry
            self._bytes += OVERHEAD + len(entry.kept.body)
            for product in entry.built.shows:
                self._watchers.setdefault(product, set()).add(key)
            while self._bytes > MAX_BYTES and len(self._entries) > 1:
                self._drop(next(iter(self._entries)))

    def _touch(self, key: Hashable) -> None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._bytes -= OVERHEAD + len(entry.kept.body)
        for product in entry.built.shows:
            watching = self._watchers[product]
            watching.discard(key)
            if not watching:
                del self._watchers[product]

    def _clear(self) -> None:
        self._entries.clear()
        self._watchers.clear()
        self._bytes = 0


_caches: WeakKeyDictionary[Engine, CatalogueCache] = WeakKeyDictionary()
_creating = Lock()


def cache_of(engine: Engine) -> CatalogueCache:
    """This process's cache over one database."""
    found = _caches.get(engine)
    if found is None:
        with _creating:
            found = _caches.setdefault(engine, CatalogueCache())
    return found


def cached(opened: Transactions | Ctx, key: Hashable, build: Callable[[Ctx], Built]) -> Kept:
    """`CatalogueCache.answer` for an endpoint (`Transactions`) or inside a page (`Ctx`).

    With `Transactions` a hit opens no transaction.
    """
    if isinstance(opened, Transactions):
        engine = opened.database.engine
        return cache_of(engine).answer(opened.reading, opened.clock(), key, build)
    cache = cache_of(opened.session.engine)
    return cache.answer(lambda: nullcontext(opened), opened.now, key, build)


def refresh_after_commit(session: Session) -> None:
    """Once this transaction has committed, this process shows what it wrote at once."""
    session.after_commit(cache_of(session.engine).expire)


def etag_of(body: bytes) -> str:
    """A strong ETag: the same bytes have the same in every process."""
    digest = hashlib.blake2b(body, digest_size=12).digest()
    return f'"{base64.urlsafe_b64encode(digest).decode()}"'
