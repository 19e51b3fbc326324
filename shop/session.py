"""One transaction on one pooled connection: what `ctx.session` is.

Statements that came before go straight to the driver (`shop.prepared`), all others through
SQLAlchemy's `Connection`. Its `Session`, with the identity map that a unit of work needs, is made
only for who asks for ORM entities: the shop's own statements are of tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import NestedTransaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as OrmSession

from shop.prepared import CountedResult, Prepared, PreparedStatements

AfterCommit = Callable[[], None]


class Session:
    """Begins with its first statement; `shop.db` ends it. Not for several threads at once."""

    def __init__(
        self,
        engine: Engine,
        prepared: PreparedStatements,
        source: Engine | None = None,
        *,
        alone: bool = False,
        isolation: str | None = None,
    ) -> None:
        """A session of `engine`, on a connection of `source` if that is another.

        `alone`: for one statement only, which is a transaction of its own. `isolation`: a level
        other than the one at which `source` connects, for this once.
        """
        self.engine = engine
        self._source, self._prepared = source or engine, prepared
        self._alone, self._isolation = alone, isolation
        self._line: Connection | None = None
        self._cursor: psycopg.Cursor[Any] | None = None
        self._orm: OrmSession | None = None
        self._after_commit: list[AfterCommit] = []

    def connection(self) -> Connection:
        """SQLAlchemy's view of the connection."""
        if self._line is None:
            self._line = self._source.connect()
            if self._alone:
                _commit_each(self._line, each=True)
            elif self._isolation is not None:
                self._line.execution_options(isolation_level=self._isolation)
        elif self._alone:
            raise RuntimeError("a second statement would not belong to the first")
        return self._line

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As SQLAlchemy's `Session.execute`."""
        # Who listens to the engine is to hear every statement; only tests do.
        if not options and not self._source.dispatch.before_cursor_execute:
            many = isinstance(params, list)
            example = (params[0] if params else None) if many else params or {}
            if example is not None:
                prepared = self._prepared.get(statement, example)
                if prepared is not None:
                    return self._run(prepared, params if many else example, many=many)
        if getattr(statement, "_propagate_attrs", None):  # how the ORM marks what is its own
            return self.orm.execute(statement, params, **options)
        return self.connection().execute(statement, params, **options)

    @property
    def orm(self) -> OrmSession:
        """A unit of work in this same transaction, for who thinks in entities."""
        if self._orm is None:
            self._orm = OrmSession(self.connection(), expire_on_commit=False)
        return self._orm

    def begin_nested(self) -> NestedTransaction:
        """A savepoint, set at once: what follows is undone to here when it is rolled back."""
        return self.connection().begin_nested()

    def after_commit(self, then: AfterCommit) -> None:
        """Call `then` once what was written here holds; never if it is rolled back."""
        self._after_commit.append(then)

    def commit(self) -> None:
        """Make it hold.

        Raises:
            DBAPIError: a constraint that is looked at last refuses; then nothing holds.
        """
        if self._orm is not None:
            self._orm.flush()
        line = self._line
        if line is not None:
            if line.in_transaction():
                line.commit()
            else:  # SQLAlchemy has seen nothing of what the driver was sent
                try:
                    line.connection.commit()
                except psycopg.Error as error:
                    raise _told(line, "COMMIT", error) from error
        waiting, self._after_commit = self._after_commit, []
        for then in waiting:
            then()

    def rollback(self) -> None:
        """Undo all of it. A connection that broke has done so already."""
        self._after_commit.clear()
        line = self._line
        if line is None or line.invalidated:
            return
        try:
            line.rollback()  # what SQLAlchemy knows of; the driver may know of more
            line.connection.rollback()
        except (DBAPIError, psycopg.Error):
            line.invalidate()

    def close(self) -> None:
        """Give the connection back."""
        if self._orm is not None:
            self._orm.close()
        if self._line is not None:
            if self._alone and not self._line.invalidated:
                _commit_each(self._line, each=False)
            self._line.close()
        self._line = self._cursor = self._orm = None

    def _run(self, prepared: Prepared, values: Any, *, many: bool) -> CountedResult:
        line, cursor = self.connection(), self._cursor
        if cursor is None:
            driver: Any = line.connection.driver_connection
            cursor = self._cursor = driver.cursor()
        try:
            if many:
                cursor.executemany(prepared.sql, [prepared.bound(one) for one in values])
            else:
                cursor.execute(prepared.sql, prepared.bound(values))
            return prepared.result(cursor)
        except psycopg.Error as error:
            raise _told(line, prepared.sql, error) from error


def _commit_each(line: Connection, *, each: bool) -> None:
    driver: Any = line.connection.driver_connection
    driver.autocommit = each  # a word to the driver, no trip to the server


def _told(line: Connection, statement: str, error: psycopg.Error) -> DBAPIError:
    """The error as SQLAlchemy tells it. A broken connection leaves the pool.

    So do the others, as they do at an error that SQLAlchemy sees itself: what has ended one, a
    server that was started anew, has mostly ended all, and each would cost somebody an answer.
    """
    driver = line.connection.driver_connection
    if driver is None or driver.closed:
        line.invalidate(error)
        line.engine.dispose()
    told = DBAPIError.instance(statement, None, error, psycopg.Error, dialect=line.dialect)
    assert isinstance(told, DBAPIError)  # SQLAlchemy has no other name for a psycopg.Error
    return told
