"""One child process: started, watched, started again when it fails, stopped."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click

from shop.embedded_postgres.guard import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping

SUPERVISOR = "AIDMALL_SUPERVISOR"
"""Environment variable with the process id of the parent that a command must not outlive."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before a restart: doubled each time, so that a broken child does not eat the machine."""

STEADY_SECONDS = 10
"""A child that ran so long was healthy: its next restart comes quickly again."""

STOP_SECONDS = 12
"""Longer than the ten seconds in which web server and worker finish what they are doing."""


def aidmall(*arguments: str) -> list[str]:
    """The command line of another `aidmall` with the same interpreter."""
    return [sys.executable, "-m", "shop.cli", *arguments]


def obey_supervisor() -> None:
    """Have the kernel end us (SIGTERM) when our supervisor is gone, even by kill -9."""
    parent = os.environ.get(SUPERVISOR)
    if parent:
        die_with_parent(int(parent), signal.SIGTERM)


def say(sentence: str) -> None:
    """One line of the supervisor's own."""
    click.echo(f"aidmall: {sentence}", err=True)


class Child:
    """A process that is meant to run from `start()` to `stop()`."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.failures = 0
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._due = math.inf  # not before start()

    def start(self) -> None:
        """Start it."""
        self._started = time.monotonic()
        # A group of its own: Ctrl-C reaches the supervisor alone, which stops us in good order.
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            self._command, env=self._environment, stdin=subprocess.DEVNULL, process_group=0
        )

    def watch(self) -> None:
        """Note that it ended, and start it again when its pause is over. Never waits."""
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._process = None
        self.failures += 1
        if time.monotonic() - self._started > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        self._due = time.monotonic() + self._pause
        say(f"the {self.name} {_ended(code)}; starting it again in {self._pause:g} s")
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask it to finish; after STOP_SECONDS kill it with all that it started."""
        process, self._process, self._due = self._process, None, math.inf
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"the {self.name} does not end and is killed")
        with contextlib.suppress(ProcessLookupError, PermissionError):  # its group is gone: good
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
