"""Fresh databases for tests that commit: clones of a template, handed on while nobody wrote.

Each test process has a server of its own. So a server that has given out no transaction id since a
clone was handed over knows that nothing was written, and the next test gets the same clone, but
an engine (and with it every cache that is kept by engine or address) of its own.
"""

from __future__ import annotations

import copy
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import make_url

from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""Bytes: a server takes some 100 MB, a clone 10; in a container there may be 64 MB in all."""


def home(fallback: Path) -> Path:
    """Where a server keeps its files: in memory, where there is room, else in `fallback`."""
    roomy = (
        MEMORY.is_dir()
        and os.access(MEMORY, os.W_OK | os.X_OK)
        and shutil.disk_usage(MEMORY).free > ROOM
    )
    return MEMORY / f"aidmall-{uuid4().hex[:12]}" if roomy else fallback


@dataclass
class Clones:
    """Hands out databases that are as the template is, one at a time."""

    server: EmbeddedPostgres
    template: str
    made: int = 0
    _base: Database = field(init=False)
    _admin: psycopg.Connection = field(init=False)
    _current: str | None = field(init=False, default=None)
    _before: str = field(init=False, default="")

    def __post_init__(self) -> None:
        url = self.server.dsn(self.template)
        self._base = Database(url, pool_size=8)
        for engine in (self._base.engine, self._base.readers):
            event.listen(engine, "do_connect", self._redirect)
        self._admin = psycopg.connect(
            host=make_url(url).query["host"], user="postgres", dbname="postgres", autocommit=True
        )
        # Whoever analyses tables in the background takes transaction ids, as a writer does.
        self._admin.execute("ALTER SYSTEM SET autovacuum = off")
        self._admin.execute("SELECT pg_reload_conf()")

    def _redirect(self, _dialect: object, _record: object, _args: object, given: dict) -> None:
        given["dbname"] = self._current

    def take(self) -> Database:
        """A database nobody has written to, under an engine that nobody has seen.

        The engines share connections and compiled statements; what is kept by engine (the
        catalogue's cache), by address or by settings starts empty for each.
        """
        if self._current is None:
            self._current = self._make()
        self._before = self._writes()
        handed = copy.copy(self._base)
        handed.engine = self._base.engine.execution_options()
        handed.readers = self._base.readers.execution_options()
        handed.url = self.server.dsn(self._current)
        return handed

    def give_back(self) -> None:
        """The test is over: keep its database for the next one if it is as it was."""
        assert self._current is not None
        pools: list[Any] = [self._base.engine.pool, self._base.readers.pool]
        untouched = (
            all(pool.checkedout() == 0 for pool in pools)
            and self._sessions() == sum(pool.checkedin() for pool in pools)
            and self._writes() == self._before
        )
        if not untouched:
            self._base.dispose()
            self._admin.execute(f'DROP DATABASE "{self._current}" WITH (FORCE)')
            self._current = None

    def close(self) -> None:
        self._base.dispose()
        self._admin.close()

    def _make(self) -> str:
        # Copying files is the quicker way where nothing has to reach a disk.
        name = f"test_{uuid4().hex[:12]}"
        self._admin.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" STRATEGY FILE_COPY'
        )
        self.made += 1
        return name

    def _writes(self) -> str:
        """The next transaction id: the same later means that nobody wrote in between."""
        row = self._admin.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        assert row is not None
        return str(row[0])

    def _sessions(self) -> int:
        """Who is connected to the clone, and be it from another process."""
        row = self._admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [self._current]
        ).fetchone()
        assert row is not None
        return int(row[0])
