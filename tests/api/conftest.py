from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shop.app import create_app
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.settings import Settings
from tests.api.mall import Mall, opened
from tests.cast import Api
from tests.conftest import Time


@pytest.fixture(scope="module")
def shared_time() -> Time:
    return Time()


@pytest.fixture(scope="module")
def reading_app(worker_database: Database, shared_time: Time) -> Any:
    settings = Settings(
        environment="test",
        database_url=worker_database.url,
        rate_limits=False,
        log_level="CRITICAL",
    )
    app = create_app(settings, worker_database, shared_time)
    app.testing = True
    return app


@pytest.fixture
def reader(reading_app: Any, shared_time: Time, worker_database: Database) -> Iterator[Api]:
    """The API for tests that only read: one database for all, no clone for each."""
    start = shared_time.now
    opened = Transactions(
        worker_database, reading_app.extensions["aidmall"].settings, SYSTEM, shared_time
    )
    yield Api(reading_app.test_client(), opened)
    shared_time.now = start


@pytest.fixture(scope="module")
def mall(postgres: EmbeddedPostgres) -> Iterator[Mall]:
    """A lived-in installation that the tests of a module share."""
    with opened(postgres) as mall:
        yield mall
