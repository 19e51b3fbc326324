"""The session of a transaction: statements that come again go straight to the driver.

A statement that `shop.prepared` knows is sent over the wire (`shop.wire`); any other goes
SQLAlchemy's own way. Both ways lead over the same connection, in the same transaction, and a
transaction that has no need of SQLAlchemy's own way is spared its bookkeeping.
"""

from __future__ import annotations

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

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """The one connection of this session, for SQLAlchemy's own way as for the other."""
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect()
        return self._connection

    def begin_nested(self) -> SessionTransaction:
        """As `Session.begin_nested`, and the savepoint is there at once.

        SQLAlchemy sets it when the session next uses the connection, which a statement that goes
        straight to the driver does not: it would be written before the savepoint, and stay.
        """
        nested = super().begin_nested()
        self.connection()
        return nested

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As `Session.execute`; see the module."""
        plain = not options or options == {"execution_options": ROWS_COUNTED}
        # Who listens to the engine is to hear every statement; only tests do.
        if plain and not self._engine.dispatch.before_cursor_execute:
            many = isinstance(params, list)
            example = (params[0] if params else None) if many else params or {}
            if example is not None:
                prepared = self._prepared.get(statement, example)
                if prepared is not None:
                    return self._run(prepared, params if many else example, many=many)
        return super().execute(statement, params, **options)

    def commit(self) -> None:
        """As `Session.commit`, and what went straight to the driver is committed too."""
        begun = self.in_transaction()
        if begun:
            super().commit()  # over our connection, if it has come to use one: it commits both
        if self._wire is not None:
            try:
                self._wire.commit()
            except psycopg.Error as error:
                raise self._translated("COMMIT", error) from error
        if not begun:
            self.dispatch.after_commit(self)

    def rollback(self) -> None:
        """As `Session.rollback`, for both ways."""
        super().rollback()
        wire, self._wire = self._wire, None
        if wire is not None and not wire.driver.closed:
            wire.driver.rollback()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        super().close()
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            connection.close()

    def _line(self) -> Wire:
        if self._wire is None:
            connection = self.get_bind()
            driver: Any = connection.connection.driver_connection
            # What is prepared on a connection stays so for its life: SQLAlchemy's `info` does too.
            kept: Wire | None = connection.info.get("wire")
            self._wire = connection.info["wire"] = kept or Wire(driver)
        return self._wire

    def _run(self, prepared: Prepared, values: Any, *, many: bool) -> CountedResult:
        wire = self._line()
        try:
            if many:
                rows = [prepared.bound(one) for one in values]
                return prepared.touched(wire.run_many(prepared.text, rows))
            return prepared.result(wire, wire.run(prepared.text, prepared.bound(values)))
        except psycopg.Error as error:
            raise self._translated(prepared.text.text, error) from error

    def _translated(self, text: str, error: psycopg.Error) -> Exception:
        """The error as SQLAlchemy raises it; a connection that is lost is not kept."""
        connection = self.get_bind()
        if self._wire is not None and self._wire.driver.closed:
            connection.invalidate()
            self._wire = None
        return DBAPIError.instance(text, None, error, psycopg.Error, dialect=connection.dialect)
