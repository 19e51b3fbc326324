"""What one measurement yields, and the meter that adds its cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench import processes


@dataclass(slots=True)
class Figure:
    """One workload, measured once.

    `cpu_ms` is the servers' CPU time per operation by role, `client_ms` the client's own.
    `pace_ms` is what a fixed loop of Python cost just before: a machine that is shared with
    strangers has faster and slower hours, and CPU times of two runs compare only at equal pace.
    `others` is the share of the machine that programs of strangers used meanwhile: a figure
    taken beside more than a few hundredths of that is to be taken again.
    """

    name: str
    per_second: float
    operations: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_ms: dict[str, float] = field(default_factory=dict)
    client_ms: float = 0.0
    load: float = 0.0
    others: float = 0.0
    pace_ms: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def cpu_total_ms(self) -> float:
        """CPU milliseconds per operation of all servers together."""
        return sum(self.cpu_ms.values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"cpu_total_ms": round(self.cpu_total_ms, 3)}


class Meter:
    """Reads the clocks of a process tree when made, and again when a figure is `charged`."""

    def __init__(self, root: int) -> None:
        self._root = root
        self.load = round(processes.load_average(), 2)
        self.pace_ms = processes.pace_ms()
        self._cpu = processes.cpu_seconds(root)
        self._own, self._busy = processes.own_seconds(), processes.busy_seconds()
        self._began = time.monotonic()

    def charge(self, figure: Figure) -> Figure:
        """Add what has been used since to `figure`."""
        cpu = processes.cpu_seconds(self._root)
        own = processes.own_seconds() - self._own
        busy = processes.busy_seconds() - self._busy
        wall = (time.monotonic() - self._began) * processes.CORES
        used = {role: cpu[role] - self._cpu.get(role, 0.0) for role in cpu}
        count = max(figure.operations, 1)
        figure.cpu_ms = {
            role: round(1_000 * seconds / count, 3) for role, seconds in used.items() if seconds > 0
        }
        figure.client_ms = round(1_000 * own / count, 3)
        figure.others = round(max(0.0, busy - own - sum(used.values())) / wall, 3)
        figure.load, figure.pace_ms = self.load, self.pace_ms
        return figure


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def middle(figures: Sequence[Figure]) -> Figure:
    """The figure whose rate is the median of the rounds'."""
    rate = median(one.per_second for one in figures)
    return min(figures, key=lambda one: abs(one.per_second - rate))
