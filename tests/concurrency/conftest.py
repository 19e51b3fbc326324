"""Races on real connections with real commits. Each has a control that shows it can fail."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from shop.context import Transactions
from shop.db import Database
from shop.payments.providers import install
from tests.fakes.gateway import FakeGateway


class Together:
    """Runs callables at the same moment, each in a thread of its own, and collects what came."""

    def __call__(self, *calls: Callable[[], Any]) -> list[Any]:
        gate = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def run(place: int, call: Callable[[], Any]) -> None:
            gate.wait()
            try:
                results[place] = call()
            except Exception as error:  # noqa: BLE001 - the outcome of a racer is what we look at
                results[place] = error

        threads = [
            threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results


@pytest.fixture
def together() -> Together:
    return Together()


@pytest.fixture
def provider(transactions: Transactions, time: Any) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(transactions.settings, fake)
    return fake


ROW_LOCKS = r"\s+FOR (NO KEY )?UPDATE( OF \w+)?( SKIP LOCKED)?"
ONE_ENTRY = r"ON CONFLICT \(subject, subject_id, event\) DO NOTHING"
CHAIN_LOCKS = r"pg_advisory_xact_lock\(.*"


class Loose:
    """The database as it would be without a guard; racers meet there when all of them have looked.

    It reads statements where they leave for the database, so it does not matter who built them.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._guards: dict[str, int] = {}
        self._before, self._after = "", ""
        self._gate = threading.Barrier(1)
        self._mine = threading.local()

    def without(self, *guards: str) -> None:
        """Take what these patterns match out of every statement."""
        self._guards.update(dict.fromkeys(guards, 0))

    def drop(self, *constraints: str) -> None:
        """Drop `table.constraint`, or an index by its name alone: the last line of defence."""
        with self._transactions.begin() as ctx:
            for one in constraints:
                table, _, name = one.rpartition(".")
                ctx.session.execute(
                    text(
                        f"ALTER TABLE {table} DROP CONSTRAINT {name}"
                        if table
                        else f"DROP INDEX {name}"
                    )
                )

    def meet(self, *, before: str = "", after: str = "", parties: int = 2) -> None:
        """Each racer waits for the others at its first statement that one of these patterns is in."""
        self._before, self._after = before, after
        self._gate = threading.Barrier(parties)

    def sent(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        """A statement is on its way."""
        for guard in self._guards:
            statement, found = re.subn(guard, "", statement)
            self._guards[guard] += found
        if self._before and re.search(self._before, statement):
            self._wait()
        return statement, parameters

    def done(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """A statement has been carried out."""
        if self._after and re.search(self._after, statement):
            self._wait()

    def _wait(self) -> None:
        if not getattr(self._mine, "met", False):
            self._mine.met = True
            self._gate.wait(10)

    def never_asked_for(self) -> list[str]:
        """Guards that were in no statement: a control that takes away nothing controls nothing."""
        return [guard for guard, found in self._guards.items() if not found]


@pytest.fixture
def loose(database: Database, transactions: Transactions) -> Iterator[Loose]:
    loosened = Loose(transactions)
    event.listen(database.engine, "before_cursor_execute", loosened.sent, retval=True)
    event.listen(database.engine, "after_cursor_execute", loosened.done)
    yield loosened
    event.remove(database.engine, "before_cursor_execute", loosened.sent)
    event.remove(database.engine, "after_cursor_execute", loosened.done)
    assert loosened.never_asked_for() == []
