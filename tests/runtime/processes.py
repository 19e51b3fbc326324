"""Real processes for these tests: started, looked at, and never left behind."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from shop.serve.preflight import port_trouble

ROOT = Path(__file__).parents[2]

PATIENCE = 180
"""Seconds until a test gives up; reached only when something is broken."""


class Process:
    """Our interpreter in a process of its own; what it says goes into a file, so nothing blocks."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            cwd=ROOT,
            env=inherited | environment,
            stdout=self._output,
            stderr=self._output,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever the test does, the process is gone afterwards."""
        self._process.kill()
        self._process.wait()
        self._output.close()

    def said(self) -> str:
        """All that it has printed so far."""
        # pread leaves the place alone at which the process goes on writing.
        return os.pread(self._output.fileno(), 1_000_000, 0).decode()

    def wait_for(self, text: str) -> None:
        """Wait until it has printed `text`."""
        wait_until(lambda: text in self.said() or self._process.poll() is not None)
        assert text in self.said()

    def send(self, signum: int) -> None:
        self._process.send_signal(signum)

    def end(self) -> int:
        """Its exit code, when it has ended by itself."""
        return self._process.wait(PATIENCE)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    """Whether the process is there and more than a zombie that nobody has buried yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def family(pid: int) -> set[int]:
    """The processes that `pid` started, and those that they started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended while we looked
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def command(pid: int) -> str:
    """The command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def free_port() -> int:
    """A port that is free, and so is the next: the sandbox's.

    Below the range from which the system takes the ports of outgoing connections, and not from
    `random`, which pytest-randomly makes draw the same in every worker.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        if not port_trouble("127.0.0.1", port) and not port_trouble("127.0.0.1", port + 1):
            return port
