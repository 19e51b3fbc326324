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
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from shop.embedded_postgres import account, binaries, filelock, guard
from shop.embedded_postgres.account import EmbeddedPostgresError

if TYPE_CHECKING:
    from types import TracebackType

    import psycopg

SERVER_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

FAST_OPTIONS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For tests: a crash of the machine may cost the data."""

LONGEST_SOCKET_FOLDER = 88
"""Bytes: a socket's whole path must fit into 103 (macOS; Linux 107), its name takes 15."""

START_SECONDS = 120
"""The server plays its log back after a crash; the demo's takes under a second."""

STOP_SECONDS = 30


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
                if not self.alive():
                    self._launch()
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
        """Whether the server runs and takes connections."""
        return filelock.held_elsewhere(self._home / "guard.lock") and self._ready()

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

    # Starting

    def _launch(self) -> None:
        if self._guard is not None:
            self._guard.wait()  # the keeper of a server that crashed
        lock = filelock.opened(self._home / "server.lock")
        folder = -1
        try:
            if not filelock.taken(lock, filelock.EXCLUSIVE, seconds=STOP_SECONDS):
                raise EmbeddedPostgresError(
                    f"Processes of an earlier PostgreSQL still work on {self._data}."
                )
            owner = account.for_data(self._data)
            programs = binaries.bin_dir(owner)
            if not self._data.exists():
                self._initialize(owner, programs)
            # Whatever wrote it is gone, we have its lock; the pid in it may be anybody's by now.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            folder = os.open(self._data, os.O_RDONLY | os.O_DIRECTORY)
            command = [
                str(programs / "postgres"),
                *("-D", _reachable(owner, self._data, folder)),
                *self._options(self._socket_folder(owner)),
            ]
            self._guard = self._start_guard(owner, [lock, folder], command)
        finally:
            for descriptor in {lock, folder} - {-1}:
                os.close(descriptor)
        self._wait_until_ready(self._guard)

    def _start_guard(
        self, owner: account.Account, keep: list[int], command: list[str]
    ) -> subprocess.Popen[bytes]:
        log = self._home / "server.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own file, no shell
                [
                    *(sys.executable, "-I", "-S", guard.__file__),
                    *(str(self._home), str(owner.uid or ""), str(owner.gid or "")),
                    ",".join(map(str, keep)),
                    *command,
                ],
                cwd="/",
                env=account.ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=keep,
                start_new_session=True,  # Ctrl-C is for us: the server ends after its users
            )

    def _initialize(self, owner: account.Account, programs: Path) -> None:
        draft = self._home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        owner.give(draft)
        folder = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
        try:
            done = owner.run(
                [
                    *(programs / "initdb", "-D", _reachable(owner, draft, folder)),
                    *("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *(["--no-sync"] if self._fast else []),
                ],
                keep=[folder],
            )
        finally:
            os.close(folder)
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"PostgreSQL cannot be set up: {_gist(done.stderr)}")
        draft.rename(self._data)

    def _socket_folder(self, owner: account.Account) -> Path:
        folder = self._home / "socket"
        plain = re.fullmatch(r"[\w/.+-]+", str(folder), re.ASCII)
        if not plain or len(str(folder)) > LONGEST_SOCKET_FOLDER or not owner.may_enter(self._home):
            digest = hashlib.sha256(os.fsencode(self._home)).hexdigest()[:16]
            folder = Path(f"/tmp/aidmall-{digest}")  # noqa: S108 - made anew, mode 700, below
        if folder.exists():
            shutil.rmtree(folder)  # a stranger's is not ours to remove: PermissionError
        folder.mkdir(mode=0o700)
        owner.give(folder)
        return folder

    def _options(self, socket_folder: Path) -> list[str]:
        options = SERVER_OPTIONS | {"unix_socket_directories": str(socket_folder)}
        options |= FAST_OPTIONS if self._fast else {}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, keeper: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if keeper.poll() is not None or time.monotonic() > deadline:
                log = (self._home / "server.log").read_text(errors="replace")
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {_gist(log)}")
            time.sleep(filelock.PAUSE)

    # Watching and stopping

    def _status(self) -> list[str]:
        """The lines of postmaster.pid: pid, data, start, port, socket, address, memory, status."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            lines = []
        return lines + [""] * (8 - len(lines))

    def _ready(self) -> bool:
        return self._status()[7].strip() == "ready"

    def _shut_down(self) -> None:
        pid, socket_folder = self._status()[0], self._status()[4]
        lock = filelock.opened(self._home / "server.lock")
        try:
            # A fast shutdown; after that an immediate one, from which the next start recovers.
            for signum in (signal.SIGINT, signal.SIGQUIT):
                if not pid or filelock.taken(lock, filelock.SHARED):
                    break
                with contextlib.suppress(ProcessLookupError):  # crashed; its children are leaving
                    os.kill(int(pid), signum)
                filelock.taken(lock, filelock.SHARED, seconds=STOP_SECONDS)
        finally:
            os.close(lock)
        if self._guard is not None:
            self._guard.wait()
        if socket_folder:
            with contextlib.suppress(OSError):  # tidiness: one under /tmp would stay behind
                Path(socket_folder).rmdir()


def _reachable(owner: account.Account, path: Path, descriptor: int) -> str:
    """A name of the folder `path`, open as `descriptor`, under which `owner` can enter it.

    Where a parent folder is closed to the server's account (a project under /root), the folder
    that we opened is reached through the descriptor that the server inherits, and no permission
    has to be changed.
    """
    if owner.may_enter(path):
        return str(path)
    return f"/proc/self/fd/{descriptor}"


def _gist(output: str) -> str:
    """The last complaint in a program's output, on one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    bad = [line for line in lines if re.search(r"FATAL|PANIC|error:|Permission denied", line)]
    return (bad or lines or ["it said nothing"])[-1]
