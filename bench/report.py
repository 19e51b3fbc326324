"""The figures as a person reads them, and the floors they must not fall below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.figures import Figure

WORKLOADS = {
    "yardstick": "smallest order in plain SQL, 8 clients",
    "empty": "empty Flask view on the same server",
    "R1": "GET /api/v1/products, 24 products",
    "R2": "GET /api/v1/products/{slug}",
    "R1h": "category and search pages",
    "R2h": "product pages",
    "R3": "complete guest purchase, 8 buyers",
    "R4": "flash sale: 400 buyers, 200 pieces",
    "M1": "signed webhooks, 16 connections",
    "M2": "ledger proved, 50,000 entries",
    "M3": "a day reconciled, 20,000 lines",
}


@dataclass(frozen=True, slots=True)
class Floor:
    """What one workload must reach."""

    sentence: str
    reached: Callable[[Figure], bool]


FLOORS = {
    "R1": Floor("at least 1,500 a second", lambda one: one.per_second >= 1_500),
    "R2": Floor("at least 1,500 a second", lambda one: one.per_second >= 1_500),
    "R3": Floor("at least 60 a second", lambda one: one.per_second >= 60),
    "R4": Floor(
        "200 sold, 0 oversold, under 10 s",
        lambda one: (one.more["sold"], one.more["paid"]) == (200, 200) and one.seconds < 10,
    ),
    "M1": Floor("at least 400 a second", lambda one: one.per_second >= 400),
    "M2": Floor("under 2 s", lambda one: one.operations >= 50_000 and one.seconds < 2),
    "M3": Floor(
        "under 30 s and 300 MB",
        lambda one: one.operations >= 20_000 and one.seconds < 30 and one.more["memory_mb"] < 300,
    ),
}
"""For a machine with two cores."""


def headline() -> str:
    return (
        f"{'':<10}{'':<42}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}"
        f"{'client':>8}{'load':>7}{'others':>8}{'pace':>7}"
    )


def line(figure: Figure) -> str:
    """One workload on one line."""
    return (
        f"{figure.name:<10}{WORKLOADS[figure.name]:<42}{figure.per_second:>10,.1f}"
        f"{_blank(figure.p50_ms):>9}{_blank(figure.p99_ms):>9}{figure.cpu_total_ms:>9.2f}"
        f"{figure.client_ms:>8.2f}{figure.load:>7.2f}{figure.others:>8.0%}"
        f"{figure.pace_ms:>7.1f}"
    )


def _blank(milliseconds: float) -> str:
    return f"{milliseconds:,.1f}" if milliseconds else "-"


def details(figure: Figure) -> list[str]:
    """What more there is to say, indented below its line."""
    said = []
    if len(figure.cpu_ms) > 1:
        said.append(
            "CPU ms: "
            + ", ".join(
                f"{role} {ms:.2f}"
                for role, ms in sorted(figure.cpu_ms.items(), key=lambda one: -one[1])
            )
        )
    if figure.name in {"R3", "R4"}:
        steps = figure.more["steps_ms"]
        said.append(
            "p50/p99 ms: "
            + ", ".join(f"{step} {p50:g}/{p99:g}" for step, (p50, p99) in steps.items())
        )
    if figure.name == "R3":
        said.append(
            f"{figure.more['looks']} looks at the order, {figure.more['commits']} commits"
            f" and {figure.more['wal_kb']} kB of log a purchase"
        )
    if figure.name == "R4":
        said.append(
            f"{figure.more['sold']} sold, {max(0, figure.more['sold'] - 200)} oversold,"
            f" {figure.more['refused']} refused, {figure.seconds:.2f} s"
        )
    if figure.name == "M1":
        kinds = figure.more["kinds"]
        said.append(", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())))
    if figure.name in {"M2", "M3"}:
        said.append(f"{figure.seconds:.2f} s, {figure.more['memory_mb']:.0f} MB at most")
    return [f"{'':<10}{sentence}" for sentence in said]


def table(figures: Mapping[str, Figure]) -> str:
    """The figures as they stand in docs/performance.md."""
    rows = [
        "| | workload | a second | p50 / p99 ms | of the yardstick | CPU ms | others | pace |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, figure in figures.items():
        base = _base(figures, name)
        share = f"{figure.per_second / base.per_second:.1%}" if base else ""
        rows.append(
            f"| {name} | {WORKLOADS[name]} | {figure.per_second:,.1f}"
            f" | {_blank(figure.p50_ms)} / {_blank(figure.p99_ms)} | {share}"
            f" | {figure.cpu_total_ms:.2f} | {figure.others:.0%} | {figure.pace_ms:.1f} |"
        )
    return "\n".join(rows)


def _base(figures: Mapping[str, Figure], name: str) -> Figure | None:
    """What a workload stands beside: plain SQL for purchases, an empty answer for reading."""
    if not name.startswith(("R", "M")):
        return None
    return figures.get("empty" if name in {"R1", "R2", "R1h", "R2h"} else "yardstick")


def ratios(figures: Mapping[str, Figure]) -> list[str]:
    """Each workload beside the yardstick of the same run, and whether it reached its floor."""
    said = []
    for name, figure in figures.items():
        base = _base(figures, name)
        parts = []
        if base is not None:
            beside = "yardstick" if base.name == "yardstick" else "empty endpoint"
            parts.append(f"{figure.per_second / base.per_second:.1%} of the {beside}")
        if name in FLOORS:
            verdict = "reached" if FLOORS[name].reached(figure) else "MISSED"
            parts.append(f"{FLOORS[name].sentence}: {verdict}")
        if parts:
            said.append(f"{name:<10}{'; '.join(parts)}")
    return said


def missed(figures: Mapping[str, Figure]) -> list[str]:
    """The workloads below their floor."""
    return [
        name
        for name, floor in FLOORS.items()
        if name in figures and not floor.reached(figures[name])
    ]
