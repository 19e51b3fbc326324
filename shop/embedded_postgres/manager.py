"""Start, share and stop one PostgreSQL server on a private Unix socket.

Lock files stand beside the data; who holds which is the truth that a pid file only claims:

- `users.lock` is shared by every process that uses the server,
- `start.lock` is held by the one that is starting it,
- `guard.lock` is held by its keeper (guard.py), which ends with the server,
- `server.lock` is inherited by every process of the server, so that it is free exactly when the
  last of them is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from shop.embedded_postgres import filelock, launch
from shop.embedded_postgres.account import EmbeddedPostgresError

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    import psycopg

START_SECONDS = 120
"""The server plays its log back after a crash; the demo's takes under a second."""

STOP_SECONDS = 30

ASK_SECONDS = 0.2

FAST_SHUTDOWN = signal.SIGINT
"""Sessions are ended, everything is written."""

IMMEDIATE_SHUTDOWN = signal.SIGQUIT
"""Nothing is written; the next start plays the log back."""


class EmbeddedPostgres:
    """A server in `data_dir`, started when it does not run, stopped when its last user leaves.

    Runs as an ordinary user and as root, who gives the server to an unprivileged account. With
    `fast` nothing is flushed to the disk: for tests. The first to start decides about that.
    """

    def __init__(self, data_dir: Path, *, fast: bool = False) -> None:
        self._home = data_dir.absolute()
        self._data = self._home / "data"
        self._fast = fast
        self._users: int | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._socket = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Be a user of the server; starts it (again) when it does not run, else does nothing.

        Raises:
            EmbeddedPostgresError: it cannot be started; the sentence says why.
        """
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            if self._users is None:
                self._users = filelock.opened(self._home / "users.lock")
                filelock.take(self._users, filelock.SHARED)
            with filelock.exclusive(self._home / "start.lock"):
                self._have_it_run()
                self._socket = self._status()[4]
        except OSError as error:
            self.stop()
            raise EmbeddedPostgresError(f"PostgreSQL cannot be started: {error}.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Leave the server; the last user stops it and waits for its end. May be repeated."""
        if self._users is None:
            return
        users, self._users = self._users, None
        try:
            if filelock.taken(users, filelock.EXCLUSIVE):
                self._shut_down()
            else:
                filelock.take(users, filelock.SHARED)  # at once, or when the guard has stopped it
        finally:
            os.close(users)

    def alive(self) -> bool:
        """Whether the server runs."""
        if self._guard is not None and self._guard.poll() is None:
            return True  # perhaps so young that it holds no lock yet
        return filelock.held_elsewhere(self._home / "guard.lock")

    def dsn(self, database: str = "postgres") -> str:
        """SQLAlchemy's address of one database."""
        return f"postgresql+psycopg://postgres@/{quote(database)}?host={quote(self._socket)}"

    def create_database(self, name: str, template: str = "template0") -> bool:
        """Make a database, as a copy of `template`; False when there is one of that name."""
        import psycopg  # slow (0.2 s): only who calls this pays for it
        from psycopg import sql

        with self._connect() as connection:
            query = "SELECT count(*) FROM pg_database WHERE datname = %s"
            row = connection.execute(query, [name]).fetchone()
            if row != (0,):
                return False
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                        sql.Identifier(name), sql.Identifier(template)
                    )
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False  # somebody was quicker
        return True

    def drop_database(self, name: str) -> None:
        """Remove a database, also from under its users; no matter when there is none."""
        from psycopg import sql  # as above

        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _connect(self) -> psycopg.Connection:
        import psycopg  # as above

        return psycopg.connect(
            host=self._socket, user="postgres", dbname="postgres", autocommit=True
        )

    def _launch(self) -> None:
        lock = filelock.opened(self._home / "server.lock")
        try:
            if not filelock.taken(lock, filelock.EXCLUSIVE, seconds=STOP_SECONDS):
                raise EmbeddedPostgresError(
                    f"Processes of an earlier PostgreSQL still work on {self._data}."
                )
            self._guard = launch.launch(self._home, lock, fast=self._fast)
        finally:
            os.close(lock)  # the server has inherited it

    def _have_it_run(self) -> None:
        # A keeper that is just ending lets its locks go one after the other, and may look alive
        # while we are let in: then nothing becomes ready, and we start our own.
        if self.alive() and self._becomes_ready():
            return
        self._launch()
        if not self._becomes_ready():
            raise EmbeddedPostgresError(self._complaint())

    def _becomes_ready(self) -> bool:
        """Wait for the server; False when it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while self._status()[7].strip() != "ready":
            if not self.alive():
                return False
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(self._complaint())
            time.sleep(filelock.PAUSE)
        return True

    def _complaint(self) -> str:
        log = (self._home / "server.log").read_text(errors="replace")
        return f"PostgreSQL did not start: {launch.gist(log)}"

    # Watching and stopping

    def _status(self) -> list[str]:
        """The lines of postmaster.pid: pid, data, start, port, socket, address, memory, status."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            lines = []
        return lines + [""] * (8 - len(lines))

    def _shut_down(self) -> None:
        lock = filelock.opened(self._home / "server.lock")
        started = time.monotonic()
        try:
            # Asked again and again: a server that is only just starting has no pid file yet.
            while not filelock.taken(lock, filelock.SHARED):
                patient = time.monotonic() - started < STOP_SECONDS
                self._signal(FAST_SHUTDOWN if patient else IMMEDIATE_SHUTDOWN)
                filelock.taken(lock, filelock.SHARED, seconds=ASK_SECONDS)
        finally:
            os.close(lock)
        if self._guard is not None:
            self._guard.wait()

    def _signal(self, signum: signal.Signals) -> None:
        pid = self._status()[0]
        if pid:
            with contextlib.suppress(ProcessLookupError):  # crashed; its children are leaving
                os.kill(int(pid), signum)
