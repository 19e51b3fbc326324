"""Setting up the data of a server and starting its processes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shop.embedded_postgres import account, binaries, guard
from shop.embedded_postgres.account import EmbeddedPostgresError

if TYPE_CHECKING:
    from shop.embedded_postgres.account import Account

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


def launch(home: Path, lock: int, *, fast: bool) -> subprocess.Popen[bytes]:
    """Start the server of `home` under its keeper, who hands the descriptor `lock` on to it.

    The caller holds server.lock, so no process of an earlier server is alive.

    Raises:
        EmbeddedPostgresError: there are no programs or no account to run them, or initdb fails.
        OSError: a file or a process cannot be made.
    """
    data = home / "data"
    owner = account.for_data(data)
    programs = binaries.bin_dir(owner)
    if not data.exists():
        _initialize(data, owner, programs, fast=fast)
    elif owner.uid not in {None, data.stat().st_uid}:
        _adopt(data, owner)
    # Whatever wrote it is gone; the process id in it may be anybody's by now.
    (data / "postmaster.pid").unlink(missing_ok=True)
    sockets = _socket_folder(home, owner)
    options = SERVER_OPTIONS | {"unix_socket_directories": str(sockets)}
    options |= FAST_OPTIONS if fast else {}
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        command = [
            *(str(programs / "postgres"), "-D", _reachable(owner, data, folder)),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ]
        keeping = [
            *(str(home), str(sockets), str(owner.uid or ""), str(owner.gid or "")),
            f"{lock},{folder}",
        ]
        return _start_guard(home / "server.log", [*keeping, *command], [lock, folder])
    finally:
        os.close(folder)


def gist(output: str) -> str:
    """The last complaint in a program's output, on one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    bad = [line for line in lines if re.search(r"FATAL|PANIC|error:|Permission denied", line)]
    return (bad or lines or ["it said nothing"])[-1]


def _initialize(data: Path, owner: Account, programs: Path, *, fast: bool) -> None:
    draft = data.with_name(
        "data.new"
    )  # renamed when complete: an interrupted set-up leaves no data
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
                *(["--no-sync"] if fast else []),
            ],
            keep=[folder],
        )
    finally:
        os.close(folder)
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"PostgreSQL cannot be set up: {gist(done.stderr)}")
    draft.rename(data)


def _adopt(data: Path, owner: Account) -> None:
    """Give `owner` what belongs to root: a copy that root made, since no server runs as root."""
    owner.give(data)
    for folder, folders, files in os.walk(data):
        for name in (*folders, *files):
            owner.give(Path(folder, name))


def _socket_folder(home: Path, owner: Account) -> Path:
    folder = home / "socket"
    plain = re.fullmatch(r"[\w/.+-]+", str(folder), re.ASCII)
    if not plain or len(str(folder)) > LONGEST_SOCKET_FOLDER or not owner.may_enter(home):
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        folder = Path(f"/tmp/aidmall-{digest}")  # noqa: S108 - made anew, mode 700, below
    if folder.exists():
        shutil.rmtree(folder)  # a stranger's is not ours to remove: PermissionError
    folder.mkdir(mode=0o700)
    owner.give(folder)
    return folder


def _start_guard(log: Path, arguments: list[str], keep: list[int]) -> subprocess.Popen[bytes]:
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own file, no shell
            [sys.executable, "-I", "-S", guard.__file__, *arguments],
            cwd="/",
            env=account.ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keep,
            start_new_session=True,  # Ctrl-C is for us: the server ends after its users
        )


def _reachable(owner: Account, path: Path, descriptor: int) -> str:
    """A name of the folder `path`, open as `descriptor`, under which `owner` can enter it.

    Where a parent folder is closed to the server's account (a project under /root), the folder
    that we opened is reached through the descriptor that the server inherits, and no permission
    has to be changed.
    """
    if owner.may_enter(path):
        return str(path)
    return f"/proc/self/fd/{descriptor}"
