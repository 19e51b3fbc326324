"""Real PostgreSQL for every test: a migrated, stocked template, cloned where commits matter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sa_event

import migrations
from shop.clock import SHANGHAI, Clock
from shop.context import SYSTEM, Actor, Ctx, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.settings import Settings
from tests import cast, clones
from tests.clones import Clones

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
TEMPLATE = "template_cast"


LONG = ("tests/browser/", "tests/runtime/", "tests/api/test_schemathesis.py")
"""Minutes of the whole: begun last, they would keep one process busy when all others are done."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; the order is otherwise as chance has it (pytest-randomly)."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this test process, with the template in it."""
    home = clones.home(tmp_path_factory.getbasetemp() / "postgres")
    try:
        with EmbeddedPostgres(home, fast=True) as server:
            _make_template(server)
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def stock(postgres: EmbeddedPostgres) -> Iterator[Clones]:
    """The databases that `database` hands out."""
    with closing(Clones(postgres, TEMPLATE)) as stock:
        yield stock


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


def _settings(url: str | None) -> Settings:
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
def database(stock: Clones) -> Iterator[Database]:
    """A fresh database of this test's own: real commits, real races."""
    yield stock.take()
    stock.give_back()


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


@cache
def _assembled() -> Any:
    """The application with all its pages, but over no database and without a time.

    To hang up the pages and to compile their templates takes longer than most tests. Whatever an
    application held on to while it was assembled leads nowhere here, so that no test can find
    another one's database through it.
    """
    from shop.app import create_app

    def no_time() -> datetime:
        raise AssertionError("this application has not been given a test's clock")

    app = create_app(_settings(None), Database("postgresql+psycopg://nobody@nowhere/none"), no_time)
    app.testing = True
    return app


@pytest.fixture
def app(database: Database, settings: Settings, time: Clock) -> Any:
    from api import ready
    from shop.web import Runtime

    assert replace(settings, database_url=None) == _settings(None), "make an application of its own"
    app = _assembled()
    vars(app).pop("wsgi_app", None)  # what a test before has put around the application
    app.extensions["aidmall"] = Runtime(settings, database, time)
    ready.install(app)
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

    engines = (database.engine, database.readers)
    for engine in engines:
        sa_event.listen(engine, "before_cursor_execute", note)
    try:
        yield issued
    finally:
        for engine in engines:
            sa_event.remove(engine, "before_cursor_execute", note)


def acting(ctx: Ctx, name: str) -> Ctx:
    """The same transaction, with a member of the cast acting."""
    return replace(ctx, actor=cast.actor(ctx.session, name))


def actor_of(transactions: Transactions, name: str) -> Actor:
    """The actor of a member of the cast."""
    with transactions.begin() as opened:
        return cast.actor(opened.session, name)


__all__ = ["NOW", "SHARED", "acting", "actor_of", "counted"]
