"""The one place that opens, commits and rolls back a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shop.errors import TryAgain
from shop.prepared import PreparedStatements
from shop.session import Session

LOCK_TIMEOUT_MS = 3_000
"""A buyer waits at most this long behind another; then "busy, try again" (design, section 3)."""

STATEMENT_TIMEOUT_MS = 15_000
"""No page needs longer; an export runs in the worker, which sets its own."""

BUSY = {"55P03", "40P01", "40001", "57014", "25P03", "25P04"}
"""SQLSTATEs of lock timeout, deadlock, serialization failure and statement timeout, and of a
transaction that PostgreSQL ended because it stood still: this machine was halted for a while."""

HELD = text("LOCK TABLE aid_entry IN ACCESS SHARE MODE")
"""What `aidmall reports rebuild` writes anew is empty to a snapshot from before, PostgreSQL says.
Held before the snapshot is taken, as LOCK does, it cannot be written anew meanwhile."""

_open: ContextVar[bool] = ContextVar("transaction_open", default=False)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


class Database:
    """A pool of connections. Few are better than many: 4 to 8 serve two cores best."""

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.url = url
        self.engine = _engine(url, pool_size)
        self.readers = _engine(url, pool_size, "-c default_transaction_read_only=on", alone=True)
        self._prepared = PreparedStatements(self.engine.dialect)

    def transaction(self) -> AbstractContextManager[Session]:
        """Leaving the block commits; raising rolls back.

        Raises:
            TryAgain: the database was busy (a lock, a deadlock) or could not be reached.
            RuntimeError: a transaction is already open here, a bug.
        """
        return self._opened(self.engine)

    def reading(self) -> AbstractContextManager[Session]:
        """Only reading, each statement by itself: no BEGIN and no COMMIT, two trips fewer.

        Nothing is lost by it, since READ COMMITTED lets each statement see what was committed
        before it anyway. PostgreSQL refuses whatever would write.

        Raises:
            TryAgain, RuntimeError: as `transaction`.
        """
        return self._opened(self.readers)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Only reading, and all statements see the same moment: figures that have to agree.

        A connection of the readers' pool, with a BEGIN and a COMMIT for this once. It neither waits
        for who writes nor fails because of them: it reads what was committed when it began.

        Raises:
            TryAgain, RuntimeError: as `transaction`.
        """
        with self._opened(self.readers, isolation="REPEATABLE READ") as session:
            session.execute(HELD)
            yield session

    def alone(self) -> AbstractContextManager[Session]:
        """For one statement that is a transaction of its own: no BEGIN and no COMMIT.

        Raises:
            TryAgain, RuntimeError: as `transaction`; also for a second statement.
        """
        return self._opened(self.engine, alone=True)

    @contextmanager
    def _opened(
        self, source: Engine, *, alone: bool = False, isolation: str | None = None
    ) -> Iterator[Session]:
        if _open.get():
            raise RuntimeError("a transaction is already open: pass ctx on instead of opening one")
        token = _open.set(True)
        session = Session(self.engine, self._prepared, source, alone=alone, isolation=isolation)
        try:
            yield session
            session.commit()
        except (DBAPIError, PoolTimeout) as error:
            session.rollback()
            raise _translated(error) from error
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
            _open.reset(token)

    def dispose(self) -> None:
        """Close every pooled connection (before a fork, at the end of a process)."""
        self.engine.dispose()
        self.readers.dispose()


def in_transaction() -> bool:
    """Whether this thread has a transaction open: foreign calls refuse to run then."""
    return _open.get()


def _engine(url: str, pool_size: int, more: str = "", *, alone: bool = False) -> Engine:
    options = (
        f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c timezone=UTC -c idle_in_transaction_session_timeout=30000 {more}"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_reset_on_return="rollback",
        isolation_level="AUTOCOMMIT" if alone else None,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={"options": options, "prepare_threshold": 2, "connect_timeout": 5},
    )


def _translated(error: DBAPIError | PoolTimeout) -> Exception:
    if isinstance(error, PoolTimeout):
        return TryAgain()
    state = getattr(error.orig, "sqlstate", None)
    if state in BUSY:
        return TryAgain()
    if isinstance(error, OperationalError) and (state is None or state.startswith(("08", "57P"))):
        return TryAgain(
            "暂时连不上数据库，请稍后再试",
            "The database cannot be reached at the moment",
            code="database_unavailable",
        )
    return error
