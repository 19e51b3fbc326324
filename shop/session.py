"""The session of a transaction: statements that come again go straight to the driver.

A statement that `shop.prepared` knows is sent over the wire (`shop.wire`); any other goes
SQLAlchemy's own way. Both ways lead over the same connection, in the same transaction, and a
transaction that has no need of SQLAlchemy's own way is spared its bookkeeping.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from shop.prepared import CountedResult, Prepared, PreparedStatements, Values
from shop.wire import Wire

ROWS_COUNTED: Values = {"preserve_rowcount": True}
"""The one option that changes nothing here: rows are always counted."""


class QuickSession(Session):
    """A session on one engine, which takes a connection when it first needs one."""

    def __init__(self, engine: Engine, prepared: PreparedStatements) -> None:
        super().__init__(expire_on_commit=False)
        self._engine, self._prepared = engine, prepared
        self._connection: Connection | None = None
        self._wire: Wire | None = None
        self._then: list[Callable[[], None]] = []

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """The one connection of this session, for SQLAlchemy's own way; nothing waits any more."""
        if self._wire is not None:
            self._send_waiting(self._wire)
        return self._own()

    def begin_nested(self) -> SessionTransaction:
        """As `Session.begin_nested`, and the savepoint is there at once.

        SQLAlchemy sets it when the session next uses the connection, which a statement that goes
        straight to the driver does not: it would be written before the savepoint, and stay.
        """
        self.get_bind()
        nested = super().begin_nested()
        self.connection()
        return nested

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As `Session.execute`; see the module."""
        if not options or options == {"execution_options": ROWS_COUNTED}:
            many = isinstance(params, list)
            prepared = self._known(statement, params) if params or not many else None
            if prepared is not None:
                return self._run(prepared, params, many=many)
        return super().execute(statement, params, **options)

    def execute_alone(self, statement: Any, values: Values) -> Sequence[Any]:
        """Execute a statement that is a transaction of its own, committed when this returns.

        Returns:
            The rows that it brings.

        Raises:
            RuntimeError: something is open already, a bug.
        """
        if self.in_transaction() or self._line().begun:
            raise RuntimeError("a statement alone must be the first of its session")
        prepared = self._known(statement, values)
        if prepared is not None:
            return self._run(prepared, values, alone=True).all()
        result: Any = super().execute(statement, values)
        rows: Sequence[Any] = result.all() if result.returns_rows else []
        self.commit()
        return rows

    def execute_later(self, statement: Any, params: Any = None) -> None:
        """Execute a write whose answer nobody waits for, before the next statement or the commit.

        It costs no trip of its own. What it is refused for, the next statement or the commit is.
        """
        prepared = self._known(statement, params)
        # A savepoint that is rolled back would not know of what waits.
        if prepared is None or self.in_nested_transaction():
            self.execute(statement, params)
            return
        wire = self._line()
        for values in params if isinstance(params, list) else [params or {}]:
            wire.run_later(prepared.text, prepared.bound(values))

    def execute_all(self, *reads: tuple[Any, Values]) -> list[Any]:
        """Execute several statements, none of which needs another's answer, by one trip."""
        known = [self._known(statement, values) for statement, values in reads]
        found = [one for one in known if one is not None]
        if len(found) < len(reads):
            return [self.execute(statement, values) for statement, values in reads]
        wire = self._line()
        asked = [one.bound(values) for one, (_, values) in zip(found, reads, strict=True)]
        try:
            answers = wire.run_all([one.text for one in found], asked)
        except psycopg.Error as error:
            raise self._translated(found[0].text.text, error) from error
        return [one.result(wire, answer) for one, answer in zip(found, answers, strict=True)]

    def commit(self) -> None:
        """As `Session.commit`, and what went straight to the driver is committed too."""
        begun = self.in_transaction()
        if begun:
            self.get_bind()
            super().commit()  # over our connection, if it has come to use one: it commits both
        if self._wire is not None:
            try:
                self._wire.commit()
            except psycopg.Error as error:
                raise self._translated("COMMIT", error) from error
        calls, self._then = self._then, []
        for call in calls:
            call()

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` called once this transaction has committed."""
        self._then.append(call)

    def rollback(self) -> None:
        """As `Session.rollback`, for both ways."""
        wire, self._wire = self._wire, None
        self._then.clear()
        if wire is not None:
            wire.forget()
        super().rollback()
        if wire is not None and not wire.driver.closed:
            wire.driver.rollback()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        if self.in_transaction() or self.identity_map or self.new:
            super().close()
        if self._wire is not None:
            self._wire.forget()
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            connection.close()

    def _own(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect()
        return self._connection

    def _line(self) -> Wire:
        if self._wire is None:
            connection = self._own()
            driver: Any = connection.connection.driver_connection
            # What is prepared on a connection stays so for its life: SQLAlchemy's `info` does too.
            kept: Wire | None = connection.info.get("wire")
            self._wire = connection.info["wire"] = kept or Wire(driver)
        return self._wire

    def _known(self, statement: Any, params: Any) -> Prepared | None:
        # Who listens to the engine is to hear every statement; only tests do.
        if self._engine.dispatch.before_cursor_execute:
            return None
        return self._prepared.get(
            statement, params[0] if isinstance(params, list) else params or {}
        )

    def _run(
        self, prepared: Prepared, params: Any, *, many: bool = False, alone: bool = False
    ) -> CountedResult:
        wire = self._line()
        try:
            if many:
                rows = [prepared.bound(one) for one in params]
                return prepared.touched(wire.run_many(prepared.text, rows))
            run = wire.run_alone if alone else wire.run
            return prepared.result(wire, run(prepared.text, prepared.bound(params or {})))
        except psycopg.Error as error:
            raise self._translated(prepared.text.text, error) from error

    def _send_waiting(self, wire: Wire) -> None:
        try:
            wire.flush()
        except psycopg.Error as error:
            raise self._translated("what waited to be sent", error) from error

    def _translated(self, text: str, error: psycopg.Error) -> Exception:
        """The error as SQLAlchemy raises it; a connection that is lost is not kept."""
        connection = self._own()
        if self._wire is not None and self._wire.driver.closed:
            connection.invalidate()
            self._wire = None
        return DBAPIError.instance(text, None, error, psycopg.Error, dialect=connection.dialect)
