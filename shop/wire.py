"""A connection of psycopg's, spoken to through libpq: for statements that come again and again.

psycopg's cursor converts the text, counts how often it came, begins the transaction by a trip of
its own and keeps what a caller might ask later. For a statement that is known that is half of its
cost. Here a known statement is one call: prepared by its name at once, and the first of a
transaction takes its BEGIN with it. Values and rows are still converted by psycopg.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED, pq.ExecStatus.BAD_RESPONSE}
IDLE = pq.TransactionStatus.IDLE
BROKEN = pq.ConnStatus.BAD
PLACE = re.compile(r"%(?:%|\(([^)]+)\)s)")

Sent = tuple[bytes, Sequence[Any] | None, Sequence[Any] | None]
"""A prepared statement's name, the values and their formats."""


class Statement:
    """The text of a statement with `$1` for each name, and in which order the names stand."""

    def __init__(self, text: str) -> None:
        """Read a text with `%(name)s` for values and `%%` for a percent sign."""
        places: dict[str, int] = {}

        def numbered(found: re.Match[str]) -> str:
            name = found[1]
            return f"${places.setdefault(name, len(places) + 1)}" if name else "%"

        self.text = PLACE.sub(numbered, text)
        self.names = tuple(places)
        # A cast tells PostgreSQL the type; psycopg would choose one by the size of a number, and
        # each choice would be one more prepared statement.
        self.told = [f"${place}::" in self.text for place in places.values()]
        self.formats = [PyFormat.TEXT if told else PyFormat.AUTO for told in self.told]

    def types(self, found: Sequence[int]) -> tuple[int, ...]:
        """The types to prepare it with: 0 where the text says it."""
        return tuple(0 if told else oid for told, oid in zip(self.told, found, strict=True))


class Wire:
    """What one connection needs to know about its prepared statements. Its errors are psycopg's."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        """Take a connection that does not commit by itself."""
        self.driver, self._pg = driver, driver.pgconn
        self._convert = Transformer(driver)
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._later: list[Sent] = []
        self._ready = select.poll()
        self._ready.register(self._pg.socket, select.POLLIN)

    @property
    def begun(self) -> bool:
        """Whether a transaction is open, or will be for what waits to be sent."""
        return bool(self._later) or self._pg.transaction_status != IDLE

    def run(self, statement: Statement, values: Mapping[str, Any]) -> pq.abc.PGresult:
        """Execute a statement, in a transaction that begins with it if none is open."""
        sent = self._sent(statement, values)
        if self._later or not self.begun:
            return self._together([sent])[0]
        return self._good(self._pg.exec_prepared(*sent))

    def run_alone(self, statement: Statement, values: Mapping[str, Any]) -> pq.abc.PGresult:
        """Execute a statement outside any transaction: it is committed when this returns."""
        return self._good(self._pg.exec_prepared(*self._sent(statement, values)))

    def run_all(
        self, statements: Sequence[Statement], values: Sequence[Mapping[str, Any]]
    ) -> list[pq.abc.PGresult]:
        """Execute several statements by one trip, in a transaction as `run` does."""
        return self._together([self._sent(*each) for each in zip(statements, values, strict=True)])

    def run_many(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> int:
        """Execute a statement with each of `many` by one trip; how many rows it touched."""
        results = self._together([self._sent(statement, values) for values in many])
        return sum(result.command_tuples or 0 for result in results)

    def run_later(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Execute a statement with the next that is executed, before it, or with the commit."""
        self._later.append(self._sent(statement, values))

    def forget(self) -> None:
        """Drop what waits to be sent."""
        self._later.clear()

    def flush(self) -> None:
        """Send what waits to be sent."""
        if self._later:
            self._together([])

    def rows(self, result: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        self._convert.set_pgresult(result)
        return self._convert.load_rows(0, result.ntuples, tuple)

    def commit(self) -> None:
        """Commit what is open, if anything is."""
        if self._later:
            self._together([], commit=True)
        elif self.begun:
            self._good(self._pg.exec_(b"COMMIT"))

    def _sent(self, statement: Statement, values: Mapping[str, Any]) -> Sent:
        if not statement.names:
            return self._name(statement.text, ()), None, None
        convert = self._convert
        given = convert.dump_sequence([values[name] for name in statement.names], statement.formats)
        types = statement.types(convert.types or ())
        return self._name(statement.text, types), given, convert.formats

    def _name(self, text: str, types: tuple[int, ...]) -> bytes:
        name = self._prepared.get((text, types))
        if name is None:
            name = b"known_%d" % len(self._prepared)
            self._good(self._pg.prepare(name, text.encode(), types))
            self._prepared[text, types] = name
        return name

    def _together(self, many: Sequence[Sent], *, commit: bool = False) -> list[pq.abc.PGresult]:
        """Send several by one trip, what waits before them; begin if no transaction is open."""
        before = [] if self._pg.transaction_status != IDLE else [b"BEGIN"]
        waiting, self._later = self._later, []
        try:
            self._pg.enter_pipeline_mode()
            for command in before:
                self._pg.send_query_params(command, None)
            for sent in (*waiting, *many):
                self._pg.send_query_prepared(*sent)
            if commit:
                self._pg.send_query_params(b"COMMIT", None)
            self._pg.pipeline_sync()
            results = self._collected()
            self._pg.exit_pipeline_mode()
        except BaseException:
            self.driver.close()  # nobody could tell any more which answer belongs to what
            raise
        for result in results:
            self._good(result)
        return results[len(before) + len(waiting) :]

    def _collected(self) -> list[pq.abc.PGresult]:
        """Every answer until the end of what was sent."""
        self._push()
        results: list[pq.abc.PGresult] = []
        while True:
            while self._pg.is_busy():
                self._ready.poll()
                self._pg.consume_input()
            result = self._pg.get_result()
            if result is None:
                continue  # the end of one statement's answer
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)

    def _push(self) -> None:
        """Send all, and read meanwhile: else both sides might wait for each other."""
        while self._pg.flush():
            able = select.poll()
            able.register(self._pg.socket, select.POLLIN | select.POLLOUT)
            if any(event & select.POLLIN for _, event in able.poll()):
                self._pg.consume_input()

    def _good(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in FAILED:
            return result
        if self._pg.status == BROKEN:
            raise psycopg.OperationalError(self._pg.get_error_message())
        raise psycopg.errors.error_from_result(result)
