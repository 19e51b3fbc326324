"""What the worker can run. A context registers its handlers; the worker picks them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Handler = Callable[..., None]
"""`handler(transactions, **arguments)`; arguments are JSON values. Safe to run twice."""


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work: tried `attempts` times (two or more) at growing pauses, then parked."""

    name: str
    handler: Handler
    attempts: int
    cron: str | None


JOBS: dict[str, Job] = {}


def job(name: str, *, attempts: int = 8, cron: str | None = None) -> Callable[[Handler], Handler]:
    """Register a handler; with `cron` (five fields, or six with seconds) it also runs by the clock.

    Raises:
        ValueError: the name is taken.
    """

    def register(handler: Handler) -> Handler:
        if name in JOBS and JOBS[name].handler.__module__ != handler.__module__:
            raise ValueError(f"job {name!r} is registered twice")
        JOBS[name] = Job(name, handler, attempts, cron)
        return handler

    return register
