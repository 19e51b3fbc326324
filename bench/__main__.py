"""`python -m bench`: the workloads of docs/performance.md on an installation of their own."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import signal
import sys
from pathlib import Path
from typing import Any

from bench import (
    books,
    catalogue,
    pages,
    processes,
    purchases,
    reads,
    report,
    truth,
    webhooks,
    yardstick,
)
from bench.figures import Figure, middle
from bench.installation import BenchError, Installation
from shop.context import Transactions

ALL = ("R1", "R2", "R1h", "R2h", "R3", "R4", "M1", "M2", "M3")
PRODUCTS = 500
"""How many different products R2 asks for."""

PIECES = 200
"""What the flash sale has to sell."""


def main() -> int:
    """Measure, print, write; 1 when a floor was missed and `--check-floors` asked for it."""
    wanted = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Installation(Path("var")) as mall:
            rounds = _run(mall, wanted)
            memory, started = processes.memory_mb(mall.pid), mall.started
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130
    return _conclude(wanted, rounds, memory, started)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--only", default=",".join(ALL), help=",".join(ALL))
    parser.add_argument("--seconds", type=int, default=15, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="3 for a median")
    parser.add_argument("--out", type=Path, default=Path("var/bench.json"))
    parser.add_argument("--table", action="store_true", help="also as a table for the document")
    parser.add_argument("--check-floors", action="store_true", help="exit code 1 below a floor")
    wanted = parser.parse_args()
    wanted.only = [name.strip() for name in wanted.only.split(",")]
    unknown = set(wanted.only) - set(ALL)
    if unknown:
        parser.error(f"there is no workload {', '.join(sorted(unknown))}")
    return wanted


def _run(mall: Installation, wanted: argparse.Namespace) -> list[dict[str, Figure]]:
    mall.set_up(catalogue.fill)
    print(
        f"First start {mall.started['empty']:.1f} s, on a set-up tree"
        f" {mall.started['set_up']:.1f} s until the first answer.\n\n{report.headline()}"
    )
    transactions = mall.transactions()
    rounds = []
    for number in range(wanted.rounds):
        rounds.append(_round(mall, transactions, wanted, number))
        _check_truth(transactions)
    return rounds


def _round(
    mall: Installation, transactions: Transactions, wanted: argparse.Namespace, number: int
) -> dict[str, Figure]:
    seconds, figures = wanted.seconds, {}

    def note(figure: Figure) -> None:
        figures[figure.name] = figure
        print("\n".join([report.line(figure), *report.details(figure)]), flush=True)

    if {"R3", "R4", "M1", "M2", "M3"} & set(wanted.only):
        note(yardstick.orders(mall, seconds))
    if {"R1", "R2", "R1h", "R2h"} & set(wanted.only):
        note(yardstick.empty_endpoint(mall, seconds))
    for name in (name for name in ALL[:4] if name in wanted.only):
        paths = _paths(mall, name)
        if paths:
            note(reads.measure(name, mall.pid, mall.port, paths, seconds))
        else:
            print(f"{name:<10}there are no such pages yet")
    if "R3" in wanted.only:
        note(_steady(mall, transactions, seconds))
    if "R4" in wanted.only:
        note(_flash_sale(mall, transactions, f"flash-sale-{number}"))
    for figure in books.measure(mall) if {"M2", "M3"} & set(wanted.only) else ():
        note(figure)
    if "M1" in wanted.only:  # last: the worker goes on asking about these events for a while
        note(webhooks.measure(mall, seconds))
    return figures


def _paths(mall: Installation, name: str) -> list[str]:
    if name == "R1":
        return asyncio.run(reads.list_paths(mall.port))
    if name == "R2":
        return [f"/api/v1/products/bench-{number:04}" for number in range(PRODUCTS)]
    return pages.paths(mall.port, name, PRODUCTS)


def _steady(mall: Installation, transactions: Transactions, seconds: int) -> Figure:
    with transactions.begin() as ctx:
        orders, before = truth.paid_orders(ctx), truth.written(ctx)
    figure = purchases.steady(mall, seconds)
    with transactions.begin() as ctx:
        bought, after = truth.paid_orders(ctx) - orders, truth.written(ctx)
    figure.more["commits"] = round((after[0] - before[0]) / bought, 1)
    figure.more["wal_kb"] = round((after[1] - before[1]) / bought / 1024, 1)
    figure.more["memory_mb"] = processes.memory_mb(mall.pid)
    return figure


def _flash_sale(mall: Installation, transactions: Transactions, slug: str) -> Figure:
    with transactions.begin() as ctx:
        catalogue.offer(ctx, slug, PIECES)
    reads.wait_for(mall.port, f"/api/v1/products/{slug}")
    figure = purchases.flash_sale(mall, slug)
    with transactions.begin() as ctx:
        figure.more["sold"] = truth.sold(ctx, slug)
    return figure


def _check_truth(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        lies, orders = truth.lies(ctx), truth.paid_orders(ctx)
    if lies:
        raise BenchError("the books do not agree: " + "; ".join(lies))
    print(f"The books agree: {len(truth.QUESTIONS)} questions, {orders:,} paid orders.\n")


def _conclude(
    wanted: argparse.Namespace,
    rounds: list[dict[str, Figure]],
    memory: dict[str, float],
    started: dict[str, float],
) -> int:
    names = dict.fromkeys(name for figures in rounds for name in figures)
    median = {name: middle([figures[name] for figures in rounds]) for name in names}
    if len(rounds) > 1:
        print(f"Median of {len(rounds)} rounds\n{report.headline()}")
        print("\n".join(report.line(figure) for figure in median.values()) + "\n")
    print("\n".join(report.ratios(median)))
    if wanted.table:
        print(f"\n{report.table(median)}\n")
    print(
        f"Memory    {sum(memory.values()):.0f} MB: "
        + ", ".join(f"{role} {size:.0f}" for role, size in memory.items())
    )
    _write(
        wanted.out,
        {
            "machine": {
                "cores": processes.CORES,
                "python": platform.python_version(),
                "system": platform.platform(),
            },
            "seconds": wanted.seconds,
            "started_s": started,
            "memory_mb": memory,
            "median": {name: figure.as_json() for name, figure in median.items()},
            "rounds": [{name: figure.as_json() for name, figure in one.items()} for one in rounds],
        },
    )
    below = report.missed(median)
    if below:
        print(f"Below the floor: {', '.join(below)}.")
    return 1 if below and wanted.check_floors else 0


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    print(f"Written to {path}.")


if __name__ == "__main__":
    sys.exit(main())
