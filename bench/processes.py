"""What a tree of processes has cost: CPU time and memory, read from /proc."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
PROC = Path("/proc")

ROLES = {"web": "web", "worker": "worker", "sandbox": "sandbox"}
"""Which process is which, by the subcommand that its supervisor started."""


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table; `ticks` include the children that have ended."""

    pid: int
    parent: int
    ticks: int


def table() -> dict[int, Process]:
    """All processes that we may see."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue  # it has just ended
            fields = text.rpartition(")")[2].split()
            pid = int(entry.name)
            found[pid] = Process(pid, int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root: int, processes: dict[int, Process]) -> list[int]:
    """`root` and everything it has started."""
    found = [root]
    for pid in found:
        found += [one.pid for one in processes.values() if one.parent == pid]
    return found


def by_role(root: int) -> dict[str, list[int]]:
    """The process ids under the supervisor `root`, by what they do."""
    processes = table()
    roles: dict[str, list[int]] = {"supervisor": [root]}
    for child in (one for one in processes.values() if one.parent == root):
        roles.setdefault(_role(child.pid), []).extend(tree(child.pid, processes))
    return roles


def outliving(folder: Path, seconds: float) -> list[int]:
    """Processes of the installation in `folder` that are still there after so many seconds."""
    word, until = f"DATA_DIR={folder}".encode(), time.monotonic() + seconds
    while found := [pid for pid in table() if word in _environment(pid)]:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []  # it has just ended, or is somebody else's


def _role(pid: int) -> str:
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "other"
    if any(word.endswith("postgres") for word in words):
        return "postgres"
    return next((ROLES[word] for word in words if word in ROLES), "other")


def cpu_seconds(root: int) -> dict[str, float]:
    """CPU time used so far, by role."""
    processes = table()
    return {
        role: sum(processes[pid].ticks for pid in pids if pid in processes) / TICK
        for role, pids in by_role(root).items()
    }


def busy_seconds() -> float:
    """CPU time of the whole machine so far, whoever used it."""
    fields = list(map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]))
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / TICK


def own_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def pace_ms() -> float:
    """CPU milliseconds of a fixed piece of Python: how fast this machine is at the moment."""
    best = float("inf")
    for _ in range(3):
        began, total = time.process_time(), 0
        for number in range(200_000):
            total += number
        best = min(best, 1_000 * (time.process_time() - began))
    return round(best, 2)


def load_average() -> float:
    """How many processes wanted to run in the last minute."""
    return os.getloadavg()[0]


def memory_mb(root: int) -> dict[str, float]:
    """Proportional set size (shared pages shared out) in megabytes, by role."""
    return {
        role: round(sum(_pss_kb(pid) for pid in pids) / 1024, 1)
        for role, pids in by_role(root).items()
    }


def _pss_kb(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def peak_mb() -> float:
    """The most memory that this process has held, in megabytes.

    Not `getrusage`: what that says begins with the size of the process that started this one.
    """
    lines = (PROC / "self" / "status").read_text().splitlines()
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if "VmHWM" in line)
