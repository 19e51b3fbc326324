"""Advisory locks on files (flock): the kernel drops them with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

PAUSE = 0.01


def opened(path: Path) -> int:
    """A descriptor of the lock file `path`, made when it is not there; it holds no lock yet."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def take(descriptor: int, kind: int) -> None:
    """Wait for the lock."""
    fcntl.flock(descriptor, kind)


def taken(descriptor: int, kind: int, *, seconds: float = 0) -> bool:
    """Take the lock if it can be had within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(PAUSE)
        else:
            return True


def held_elsewhere(path: Path) -> bool:
    """Whether some process holds the exclusive lock on `path`."""
    if not path.exists():
        return False
    descriptor = opened(path)
    try:
        return not taken(descriptor, SHARED)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One process at a time in this block."""
    descriptor = opened(path)
    try:
        take(descriptor, EXCLUSIVE)
        yield
    finally:
        os.close(descriptor)
