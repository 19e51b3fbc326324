"""`python -m bench.reports`: R6, the monthly sheet over 10 thousand to a million entries.

Asked of the shop's own code, without HTTP, on a PostgreSQL of its own that is removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import migrations
from bench import processes
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.reports import jobs
from shop.reports.definitions import DIMENSIONS
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery
from shop.settings import load

ENTRIES = (Path(__file__).parent / "entries.sql").read_text(encoding="utf-8")
SIZES = "10000,100000,1000000"
ENTRIES_AN_ORDER = 1.64

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))
SHEET = replace(YEAR, group_by=("month", "unit", "channel"))

ASKED = 40
OTHERS = 12
"""Questions of one to three dimensions, drawn from all that can be asked."""

TAILS = (200, 2_000)
TURNS, TURN_SECONDS = 5, 4
"""Sales are timed with and without reports in turn: a busy machine slows both alike."""


def main() -> None:
    """Fill, ask, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="numbers of entries")
    parser.add_argument("--out", type=Path, default=Path("var/bench-reports.json"))
    wanted = parser.parse_args()
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=wanted.out.parent) as folder,
        EmbeddedPostgres(Path(folder) / "pg") as postgres,
    ):
        postgres.create_database("bench")
        url = postgres.dsn("bench")
        migrations.upgrade(url)
        database = Database(url)
        settings = replace(load(), database_url=url)
        mall = Transactions(database=database, settings=settings, actor=SYSTEM)
        figures = [measure(mall, int(size)) for size in wanted.sizes.split(",")]
        figures.append(meanwhile(mall))
        database.dispose()
    wanted.out.write_text(json.dumps(figures, indent=1) + "\n")


def measure(mall: Transactions, size: int) -> dict[str, Any]:
    """Fill up to `size` entries and ask the sheet, then others: for the first time and again."""
    there = fill(mall, size)
    questions = [SHEET, *drawn(size)]
    first = [timed(partial(ask, mall, query)) for query in questions]
    worker = timed(partial(jobs.roll_up, mall))
    sheet = sorted(timed(partial(ask, mall)) for _ in range(ASKED))
    others = sorted(timed(partial(ask, mall, query)) for query in questions[1:] * 4)
    with_tail = {}
    for tail in TAILS:
        grow(mall, there + tail)
        with_tail[tail] = middle([timed(partial(ask, mall)) for _ in range(ASKED)])
    return shown(
        {
            "entries": there,
            "sheet_first_ms": first[0],
            "sheet_p50_ms": middle(sheet),
            "sheet_p95_ms": late(sheet, 0.95),
            "sheet_p50_ms_with_tail": with_tail,
            "others_first_p50_ms": middle(first[1:]),
            "others_p50_ms": middle(others),
            "others_p95_ms": late(others, 0.95),
            "roll_up_ms_a_question": round(worker / len(questions), 2),
        }
    )


def meanwhile(mall: Transactions) -> dict[str, Any]:
    """How long it takes to record a sale, alone and with reports and roll-ups beside it."""
    done: dict[bool, list[float]] = {False: [], True: []}
    for beside in [False, True] * TURNS:
        stop = threading.Event()
        reader = threading.Thread(target=report_and_roll_up, args=(mall, stop))
        if beside:
            reader.start()
        done[beside] += record(mall, TURN_SECONDS)
        stop.set()
        if beside:
            reader.join()
    return shown(
        {
            "sale_alone_p50_ms": middle(done[False]),
            "sale_beside_reports_p50_ms": middle(done[True]),
            "sale_alone_p99_ms": late(done[False], 0.99),
            "sale_beside_reports_p99_ms": late(done[True], 0.99),
            "sales_alone": len(done[False]),
            "sales_beside_reports": len(done[True]),
        }
    )


def report_and_roll_up(mall: Transactions, stop: threading.Event) -> None:
    """What a minute brings, every two seconds: a report, and the worker's turn."""
    while not stop.wait(2):
        ask(mall)
        jobs.roll_up(mall)


def record(mall: Transactions, seconds: float) -> list[float]:
    """Orders written into the aid record, each in a transaction of its own, one after another."""
    until = time.monotonic() + seconds
    took = []
    while time.monotonic() < until:
        took.append(timed(partial(write, mall, 1, random.randrange(10**9, 10**11))))
    return took


def ask(mall: Transactions, query: SalesQuery = SHEET) -> None:
    with mall.begin() as ctx:
        sales(ctx, query)


def drawn(seed: int) -> list[SalesQuery]:
    """Some of all groupings by one to three dimensions, by both bases."""
    every = [group for count in (1, 2, 3) for group in combinations(DIMENSIONS, count)]
    chosen = random.Random(seed).sample(every, OTHERS)
    bases = ("event", "cohort")
    return [replace(YEAR, group_by=group, basis=bases[at % 2]) for at, group in enumerate(chosen)]


def fill(mall: Transactions, size: int) -> int:
    """Grow to `size` entries and tidy up as PostgreSQL does by itself, only later."""
    there = grow(mall, size)
    with mall.database.engine.connect() as line:
        tidy = line.execution_options(isolation_level="AUTOCOMMIT")
        tidy.exec_driver_sql("VACUUM ANALYZE aid_entry")
    return there


def grow(mall: Transactions, size: int) -> int:
    """Write entries until there are about `size` of them; how many there are."""
    there = count(mall)
    write(mall, max(1, round((size - there) / ENTRIES_AN_ORDER)), there)
    return count(mall)


def count(mall: Transactions) -> int:
    with mall.begin() as ctx:
        rows = ctx.session.connection().exec_driver_sql("SELECT count(*) FROM aid_entry")
        return int(rows.scalar_one())


def write(mall: Transactions, orders: int, first: int) -> None:
    with mall.begin() as ctx:
        line = ctx.session.connection()
        line.exec_driver_sql("SET LOCAL statement_timeout = 0")
        line.exec_driver_sql(ENTRIES, {"orders": orders, "first": first})


def timed(work: Callable[[], object]) -> float:
    """How long it takes, in milliseconds."""
    began = time.perf_counter()
    work()
    return round(1_000 * (time.perf_counter() - began), 2)


def middle(took: list[float]) -> float:
    return late(took, 0.5)


def late(took: list[float], share: float) -> float:
    return sorted(took)[int((len(took) - 1) * share)]


def shown(figure: dict[str, Any]) -> dict[str, Any]:
    figure["load"] = round(processes.load_average(), 2)
    print("\n".join(f"{name:<30}{value}" for name, value in figure.items()) + "\n", flush=True)
    return figure


if __name__ == "__main__":
    main()
