"""The sandbox's own books: one SQLite file that belongs to it alone and outlives it.

The sandbox plays a foreign company, so nothing of it may stand in the mall's PostgreSQL.
One connection, one lock: a transaction costs some 50 microseconds, and the writers of a
foreign system wait for each other inside it, never in the mall.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS thing (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    type TEXT NOT NULL,
    parent TEXT,
    created INTEGER NOT NULL,
    due INTEGER,
    body BLOB NOT NULL,
    memo BLOB
);
CREATE INDEX IF NOT EXISTS thing_kind ON thing (kind, seq);
CREATE INDEX IF NOT EXISTS thing_parent ON thing (parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS thing_due ON thing (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    print TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due) WHERE done = 0;
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event);
"""

OPEN_DELIVERIES = "SELECT event FROM delivery WHERE done <> 1"
"""`done`: 0 under way, 1 taken, 2 given up."""

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to an idempotency key: the request's line and fingerprint, the answer."""

    request: str
    print: str
    request_id: str
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted, in the provider's terms; newest first."""

    limit: int = 10
    after: str | None = None
    before: str | None = None
    types: Sequence[str] = ()
    parent: str | None = None
    intent: str | None = None
    since: int = 0
    until: int = 2**62
    delivered: bool | None = None
    only: str | None = None
    """The id of the one thing that may be in it."""


class Books:
    """Storage; knows nothing of payments. Reads see committed rows and the own transaction's."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._sql.executescript(SCHEMA)
        self._after: list[Callable[[], None]] = []

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing; the only writer meanwhile. `after` runs once the rows are safe."""
        with self._lock:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sql.execute("ROLLBACK")
                self._after.clear()
                raise
            self._sql.execute("COMMIT")
            steps, self._after = self._after, []
        for step in steps:
            step()

    def after(self, step: Callable[[], None]) -> None:
        """Run `step` after the present transaction, not at all if it fails."""
        self._after.append(step)

    def close(self) -> None:
        """Close the file; later calls fail."""
        with self._lock:
            self._sql.close()

    def add(
        self,
        thing: Json | bytes,
        *,
        number: str,
        kind: str,
        created: int,
        label: str = "",
        parent: str | None = None,
        due: int | None = None,
        memo: Json | None = None,
    ) -> bytes:
        """Keep a new thing; returns it as it will be shown. `memo` is ours and never shown.

        `number` is the provider's id, `label` its type (of events and balance entries).
        """
        body = thing if isinstance(thing, bytes) else orjson.dumps(thing)
        self._sql.execute(
            "INSERT INTO thing (id, kind, type, parent, created, due, body, memo)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, kind, label, parent, created, due, body, orjson.dumps(memo) if memo else None),
        )
        return body

    def change(self, thing: Json, *, due: int | None = None, memo: Json | None = None) -> bytes:
        """Keep the new state of a thing; `due` is when the clock must look at it again."""
        body = orjson.dumps(thing)
        self._sql.execute(
            "UPDATE thing SET body = ?, due = ?, memo = coalesce(?, memo) WHERE id = ?",
            (body, due, orjson.dumps(memo) if memo else None, thing["id"]),
        )
        return body

    def raw(self, number: str, kind: str | None = None) -> bytes | None:
        """A thing as shown, or None."""
        row = self._row("SELECT body, kind FROM thing WHERE id = ?", number)
        return row[0] if row and kind in {None, row[1]} else None

    def get(self, number: str, kind: str | None = None) -> Json | None:
        """A thing, or None."""
        body = self.raw(number, kind)
        return None if body is None else orjson.loads(body)

    def memo(self, number: str) -> Json:
        """What was kept beside a thing."""
        row = self._row("SELECT memo FROM thing WHERE id = ?", number)
        return orjson.loads(row[0]) if row and row[0] else {}

    def overdue(self, now: int, kind: str) -> list[str]:
        """The things of a kind at which the clock must look."""
        query = "SELECT id FROM thing WHERE due <= ? AND kind = ?"
        return [row[0] for row in self._rows(query, now, kind)]

    def every(self, kind: str) -> Iterator[Json]:
        """All things of a kind, oldest first, some hundreds in memory at a time."""
        query = "SELECT seq, body FROM thing WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?"
        last = 0
        while rows := self._rows(query, kind, last, CHUNK):
            last = rows[-1][0]
            for _, body in rows:
                yield orjson.loads(body)

    def page(self, kind: str, page: Page) -> tuple[list[bytes], bool]:
        """One page of a list, newest first, and whether there is more."""
        where = "kind = ? AND created BETWEEN ? AND ?"
        values: list[Any] = [kind, page.since, page.until]
        if page.types:
            where += f" AND type IN ({', '.join('?' * len(page.types))})"
            values += page.types
        if page.parent is not None:
            where += " AND parent = ?"
            values.append(page.parent)
        if page.only is not None:
            where += " AND id = ?"
            values.append(page.only)
        if page.delivered is not None:
            where += f" AND id {'NOT ' * page.delivered}IN ({OPEN_DELIVERIES})"
        if page.after is not None:
            where += " AND seq < (SELECT seq FROM thing WHERE id = ?)"
            values.append(page.after)
        if page.before is not None:
            where += " AND seq > (SELECT seq FROM thing WHERE id = ?)"
            values.append(page.before)
        order = "ASC" if page.before else "DESC"
        # Only literals from above are put together; every value is bound.
        query = f"SELECT body FROM thing WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        rows = [row[0] for row in self._rows(query, *values, page.limit + 1)]
        shown = rows[: page.limit]
        return (shown[::-1] if page.before else shown), len(rows) > page.limit

    def answer(self, key: str) -> Answer | None:
        """What was answered to an idempotency key."""
        row = self._row(
            "SELECT request, print, request_id, status, body FROM answer WHERE key = ?", key
        )
        return Answer(*row) if row else None

    def keep_answer(self, key: str, answer: Answer, now: int) -> None:
        """Remember what was answered to an idempotency key."""
        self._sql.execute(
            "INSERT INTO answer (key, request, print, request_id, status, body, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                answer.request,
                answer.print,
                answer.request_id,
                answer.status,
                answer.body,
                now,
            ),
        )

    def forget_answers(self, before: int) -> None:
        """Forget idempotency keys of before a moment."""
        self._sql.execute("DELETE FROM answer WHERE created < ?", (before,))

    def add_delivery(self, event: str, due: float) -> int:
        """Note that an event must go out at `due` (seconds); returns the delivery's number."""
        cursor = self._sql.execute("INSERT INTO delivery (event, due) VALUES (?, ?)", (event, due))
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def delivered(self, number: int) -> None:
        """The receiver took it."""
        self._sql.execute("UPDATE delivery SET done = 1 WHERE id = ?", (number,))

    def give_up(self, number: int) -> None:
        """Nobody will try it again, and it was never taken."""
        self._sql.execute("UPDATE delivery SET done = 2 WHERE id = ?", (number,))

    def forget_deliveries(self, event: str) -> None:
        """Forget what was given up of an event, because it goes out again."""
        self._sql.execute("DELETE FROM delivery WHERE event = ? AND done = 2", (event,))

    def given_up(self) -> list[str]:
        """The events that nobody will try again."""
        query = "SELECT DISTINCT event FROM delivery WHERE done = 2 ORDER BY id"
        return [row[0] for row in self._rows(query)]

    def postpone(self, number: int, attempts: int, due: float) -> None:
        """The receiver did not take it; again at `due`."""
        self._sql.execute(
            "UPDATE delivery SET attempts = ?, due = ? WHERE id = ?", (attempts, due, number)
        )

    def undelivered(self) -> list[tuple[int, str, int, float]]:
        """Number, event, attempts and due time of everything that was not taken yet."""
        query = "SELECT id, event, attempts, due FROM delivery WHERE done = 0 ORDER BY id"
        return self._rows(query)

    def _row(self, query: str, *values: Any) -> Any:
        with self._lock:
            return self._sql.execute(query, values).fetchone()

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._sql.execute(query, values).fetchall()
