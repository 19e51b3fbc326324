"""What goes wrong on purpose: the knobs of a bad day, all of them off at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom
from threading import Lock
from time import sleep
from typing import Any, Final, Literal

import orjson
from flask import Response

CHANCE: Final = SystemRandom()
ENDINGS: Final = ("", "pending", "failed")

Mishap = Literal["before", "after", "cut"]
ONE_AT_A_TIME: Final = Lock()
MISHAPS: Final[tuple[Mishap, ...]] = ("before", "after", "cut")


@dataclass(slots=True)
class Chaos:
    """What goes wrong from now on. Shares go from 0 to 1, times are seconds.

    Deliveries: `duplicate` further copies of each; `shuffle` into another order; `delay` them;
    `drop` the next attempts, or the share `lossy` of all; `lose` the next ones for good, as when
    Stripe gives up.
    Calls: the next `fail_before` changes answer 500 and change nothing, the next `fail_after` do
    their work and answer 500, the next `cut` do it and break off; `faults` is the share of all
    calls that meet one of the three; `slow` holds up every answer.
    Refunds: they end as `refunds` says, "" for the usual; they are under way `refund_seconds`.
    """

    duplicate: int = 0
    shuffle: bool = False
    delay: float = 0
    drop: int = 0
    lossy: float = 0
    lose: int = 0
    fail_before: int = 0
    fail_after: int = 0
    cut: int = 0
    faults: float = 0
    slow: float = 0
    refunds: str = ""
    refund_seconds: float = 2

    def used(self, knob: str) -> bool:
        """Take one from a counted knob, if there is any left."""
        if not getattr(self, knob):
            return False
        with ONE_AT_A_TIME:
            left: int = getattr(self, knob)
            setattr(self, knob, max(0, left - 1))
        return left > 0


KNOBS: Final[dict[str, Any]] = {name: getattr(Chaos(), name) for name in Chaos.__dataclass_fields__}
COUNTED: Final[dict[str, Mishap]] = {"fail_before": "before", "fail_after": "after", "cut": "cut"}


UNEVEN: Final = frozenset({"delay", "lossy", "faults", "slow", "refund_seconds"})
"""The knobs that are not counted in whole numbers."""


def fits(name: str, value: object) -> bool:
    """Whether it is a knob and the value is one it can be set to."""
    if name not in KNOBS:
        return False
    if isinstance(KNOBS[name], str):
        return value in ENDINGS
    kinds = (int, float) if name in UNEVEN else (int,)
    return isinstance(value, kinds) and value >= 0


class Mishaps:
    """Lets calls fail as `Chaos` says."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos

    def around(self, view: Callable[..., Response], *, changes: bool) -> Callable[..., Response]:
        """The same view on a bad day; `changes`: whether it is one that changes something."""

        def risky(**parts: str) -> Response:
            mishap = self._next(changes)
            if self._chaos.slow:
                sleep(self._chaos.slow)
            if mishap == "before":
                return _broken()
            answer = view(**parts)
            if mishap is None:
                return answer
            return _broken() if mishap == "after" else _cut(answer)

        return risky

    def _next(self, changes: bool) -> Mishap | None:  # noqa: FBT001 - its only caller says which
        """What the present call meets."""
        for knob, mishap in COUNTED.items():
            if changes and self._chaos.used(knob):
                return mishap
        if self._chaos.faults and CHANCE.random() < self._chaos.faults:
            return CHANCE.choice(MISHAPS)
        return None


def _broken() -> Response:
    error = {"type": "api_error", "message": "An unknown error occurred."}
    return Response(orjson.dumps({"error": error}), 500, mimetype="application/json")


def _cut(answer: Response) -> Response:
    """Half of the answer, then the connection breaks."""
    body = answer.get_data()
    headers = {"Content-Length": str(len(body)), "Connection": "close"}
    return Response(iter([body[: len(body) // 2]]), answer.status_code, headers=headers)
