"""Proving the ledger (M2) and the nightly comparison with the provider (M3), each in a process of
its own, so that its memory is its own: `python -m bench.books URL prove|reconcile`.

The provider's lines come from memory: what its network takes is not ours to measure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import migrations
from bench import processes
from bench.figures import Figure
from bench.installation import BenchError, Installation
from shop import logging
from shop.clock import day_start, system_clock
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.payments import difference_queries
from shop.payments.gateway import BalanceLine
from shop.payments.proof import prove
from shop.payments.providers import install
from shop.payments.reconcile import reconcile_provider
from shop.seed.catalogue import load_catalogue, load_reference
from shop.settings import load

HERE = Path(__file__).parent
DATABASE = "books"
ORDERS, TODAY = 16_667, 10_000
"""Three entries each make 50,000; a charge and a refund of each of today's are 20,000 lines."""

DAY = date(2026, 3, 2)


class Lines:
    """The provider, as far as its balance goes."""

    def balance_lines(self, since: datetime, until: datetime) -> Iterator[BalanceLine]:
        """A charge with a fee and a refund of every order of the day."""
        start = day_start(DAY)
        assert since == start < until
        for number in range(1, TODAY + 1):
            fen, at = 1_000 + number % 9_000, start + timedelta(seconds=number % 80_000)
            yield _line("charge", number, fen, 1 + fen // 125, f"ch_{number}", at)
            yield _line("refund", number, -fen, 0, f"re_{number}", at)


def _line(kind: Any, number: int, fen: int, fee: int, source: str, at: datetime) -> BalanceLine:
    return BalanceLine(
        reference=f"txn_{kind}_{number}",
        kind=kind,
        amount_fen=fen,
        fee_fen=fee,
        net_fen=fen - fee,
        currency="CNY",
        created_at=at,
        source=source,
        intent_reference=f"pi_{number}",
    )


def fill(mall: Installation) -> str:
    """Make the books anew in a database of their own; its address."""
    mall.postgres.drop_database(DATABASE)
    mall.postgres.create_database(DATABASE)
    url = mall.postgres.dsn(DATABASE)
    migrations.upgrade(url)
    transactions = _opened(url)
    with transactions.begin() as ctx:
        load_reference(ctx)
        load_catalogue(ctx)
    sql = (HERE / "books.sql").read_text(encoding="utf-8")
    with transactions.begin() as ctx:
        line = ctx.session.connection()
        line.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in sql.split(";\n"):
            if statement.strip():
                line.exec_driver_sql(statement, {"orders": ORDERS, "today": TODAY, "day": DAY})
    with transactions.database.engine.connect() as connection:
        tidy = connection.execution_options(isolation_level="AUTOCOMMIT")
        tidy.exec_driver_sql("VACUUM ANALYZE")
    transactions.database.dispose()
    return url


def measure(mall: Installation) -> list[Figure]:
    """M2 and M3, one after the other on the same books, and the proof again."""
    url = fill(mall)
    proof = _run("M2", url, "prove")
    if not proof.more["proved"] or proof.operations < 3 * ORDERS:
        raise BenchError(f"M2 proves nothing: {proof.more}")
    reconciled = _run("M3", url, "reconcile")
    if reconciled.more["open_differences"] or reconciled.more["unexplained_fen"]:
        raise BenchError(f"M3 finds differences: {reconciled.more}")
    if not _run("M2", url, "prove").more["proved"]:
        raise BenchError("the ledger is not proved after M3")
    return [proof, reconciled]


def _run(name: str, url: str, what: str) -> Figure:
    load, pace = processes.load_average(), processes.pace_ms()
    done = subprocess.run(
        [sys.executable, "-m", "bench.books", url, what],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent,
    )
    if done.returncode:
        raise BenchError(f"{name} failed: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout)
    seconds, count = told.pop("seconds"), told.pop("count")
    return Figure(
        name,
        count / seconds,
        count,
        seconds,
        0.0,
        0.0,
        load=round(load, 2),
        pace_ms=pace,
        cpu_ms={"process": round(1_000 * told.pop("cpu_s") / count, 3)},
        more=told,
    )


def _opened(url: str) -> Transactions:
    settings = replace(load(), database_url=url)
    return Transactions(
        database=Database(url, pool_size=1), settings=settings, actor=SYSTEM, clock=system_clock
    )


def main(url: str, what: str) -> None:
    """Do one of the two and print what it took."""
    transactions = _opened(url)
    logging.configure(transactions.settings)
    install(transactions.settings, Lines())  # type: ignore[arg-type]  # nothing else is asked
    began, used = time.perf_counter(), time.process_time()
    told: dict[str, Any]
    if what == "prove":
        with transactions.begin() as ctx:
            proof = prove(ctx)
        told = {"count": proof.entries, "proved": proof.proved}
    else:
        run_id = reconcile_provider(transactions, DAY)
        with transactions.begin() as ctx:
            run = difference_queries.run(ctx, run_id)
        told = {
            "count": run["lines"],
            "open_differences": run["open_differences"],
            "unexplained_fen": run["sums"]["balance"]["unexplained_fen"],
        }
    told["seconds"] = time.perf_counter() - began
    told["cpu_s"] = time.process_time() - used
    told["memory_mb"] = processes.peak_mb()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
