"""Real PostgreSQL for every test: a migrated, stocked template, cloned where commits matter."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as sa_event

import migrations
from shop.clock import SHANGHAI, Clock
from shop.context import SYSTEM, Actor, Ctx, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.settings import Settings
from tests import cast

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
TEMPLATE = "template_cast"


@pytest.fixture(scope="session")
def postgres(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[EmbeddedPostgres]:
    """One server for all workers of this run; the last one to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if worker_id != "master" else base
    server = EmbeddedPostgres(shared / "postgres", fast=True)
    server.start()
    with (shared / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "template.done").exists():
            _make_template(server)
            (shared / "template.done").touch()
    yield server
    server.stop()


def _make_template(server: EmbeddedPostgres) -> None:
    server.create_database(TEMPLATE)
    url = server.dsn(TEMPLATE)
    migrations.upgrade(url)
    database = Database(url)
    opened = Transactions(
        database=database, settings=_settings(url), actor=SYSTEM, clock=lambda: NOW
    )
    cast.fill(opened)
    database.dispose()


def _settings(url: str) -> Settings:
    return Settings(
        environment="test",
        database_url=url,
        rate_limits=False,
        log_level="CRITICAL",
        data_dir=Path(os.environ.get("PYTEST_DATA_DIR", "/nonexistent")),
    )


@pytest.fixture(scope="session")
def worker_database(postgres: EmbeddedPostgres, worker_id: str) -> Iterator[Database]:
    """One clone for all tests of this worker that roll back."""
    name = f"worker_{worker_id}"
    postgres.create_database(name, template=TEMPLATE)
    database = Database(postgres.dsn(name))
    yield database
    database.dispose()


@pytest.fixture
def ctx(worker_database: Database) -> Iterator[Ctx]:
    """A transaction that is rolled back in the end; the system acts, the time is NOW."""
    rollback = RuntimeError("rolled back by the test")
    try:
        with worker_database.transaction() as session:
            yield Ctx(
                session=session,
                actor=SYSTEM,
                now=NOW,
                settings=_settings(worker_database.url),
                request_id="test",
            )
            raise rollback
    except RuntimeError as error:
        if error is not rollback:
            raise


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database of this test's own: real commits, real races."""
    name = f"test_{uuid4().hex[:12]}"
    postgres.create_database(name, template=TEMPLATE)
    database = Database(postgres.dsn(name), pool_size=8)
    yield database
    database.dispose()
    postgres.drop_database(name)


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings of a test installation on `database`."""
    return _settings(database.url)


class Time:
    """A clock that moves when the test says so."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Let time pass: `time.forward(minutes=31)`."""
        self.now += timedelta(**span)

    def set(self, moment: str) -> None:
        """Go to an RFC 3339 moment."""
        self.now = datetime.fromisoformat(moment)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def transactions(database: Database, settings: Settings, time: Clock) -> Transactions:
    """Transactions on `database` by the system."""
    return Transactions(database=database, settings=settings, actor=SYSTEM, clock=time)


@pytest.fixture
def app(database: Database, settings: Settings, time: Clock) -> Any:
    from shop.app import create_app

    app = create_app(settings, database, time)
    app.testing = True
    return app


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


@pytest.fixture
def api(app: Any, transactions: Transactions) -> cast.Api:
    """The API as a member of the cast calls it."""
    return cast.Api(app.test_client(), transactions)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The SQL statements issued inside the block."""
    issued: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        issued.append(statement)

    sa_event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield issued
    finally:
        sa_event.remove(database.engine, "before_cursor_execute", note)


def acting(ctx: Ctx, name: str) -> Ctx:
    """The same transaction, with a member of the cast acting."""
    return replace(ctx, actor=cast.actor(ctx.session, name))


def actor_of(transactions: Transactions, name: str) -> Actor:
    """The actor of a member of the cast."""
    with transactions.begin() as opened:
        return cast.actor(opened.session, name)


__all__ = ["NOW", "SHARED", "acting", "actor_of", "counted"]
