"""What the same machine does in the same minutes: plain SQL orders, and an empty endpoint."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from bench import reads
from bench.figures import Figure, Meter, percentile
from bench.installation import BenchError, Installation, free_port
from shop.embedded_postgres import binaries
from shop.embedded_postgres.account import EmbeddedPostgresError, for_data

HERE = Path(__file__).parent
DATABASE = "yardstick"
CLIENTS = 8


def orders(mall: Installation, seconds: int) -> Figure:
    """The smallest honest order in plain SQL, on the same server, by 8 clients."""
    address = _prepared(mall)
    meter = Meter(mall.pid)
    program = _pgbench(mall)
    if program is None:
        print("  pgbench is not there (apt install postgresql-contrib): a Python client instead.")
        return meter.charge(asyncio.run(_by_psycopg(address, seconds)))
    return meter.charge(_by_pgbench(program, address, seconds))


def _prepared(mall: Installation) -> str:
    """The address of the yardstick's database, made anew."""
    mall.postgres.drop_database(DATABASE)
    mall.postgres.create_database(DATABASE)
    folder = parse_qs(urlsplit(mall.postgres.dsn(DATABASE)).query)["host"][0]
    address = f"host={folder} user=postgres dbname={DATABASE}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute((HERE / "yardstick_schema.sql").read_text())
        connection.execute("VACUUM ANALYZE")
    return address


def _pgbench(mall: Installation) -> str | None:
    """The embedded server's own, else the system's."""
    try:
        own = binaries.bin_dir(for_data(mall.folder / "pg" / "data")) / "pgbench"
    except EmbeddedPostgresError:
        own = None
    return str(own) if own and own.exists() else shutil.which("pgbench")


def _by_pgbench(program: str, address: str, seconds: int) -> Figure:
    done = subprocess.run(
        [
            program,
            "--no-vacuum",
            f"--file={HERE / 'yardstick.sql'}",
            f"--client={CLIENTS}",
            "--jobs=1",
            f"--time={seconds}",
            address,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    mean = re.search(r"latency average = ([0-9.]+)", done.stdout)
    if done.returncode or not (rate and count and mean):
        raise BenchError(f"pgbench failed: {done.stderr.strip()[-300:]}")
    return Figure("yardstick", float(rate[1]), int(count[1]), seconds, float(mean[1]), 0.0)


async def _by_psycopg(address: str, seconds: int) -> Figure:
    took: list[float] = []
    end = time.perf_counter() + seconds
    await asyncio.gather(*(_client(address, number, end, took) for number in range(CLIENTS)))
    return Figure(
        "yardstick",
        len(took) / seconds,
        len(took),
        seconds,
        percentile(took, 0.5),
        percentile(took, 0.99),
        more={"client": "psycopg"},
    )


async def _client(address: str, number: int, end: float, took: list[float]) -> None:
    async with await psycopg.AsyncConnection.connect(address) as connection:
        while (began := time.perf_counter()) < end:
            sku, other = (number * 7919 + len(took)) % 1000 + 1, len(took) * 31 % 1000 + 1
            await connection.execute(
                "UPDATE shelf SET on_hand = on_hand - 1 WHERE sku = %s AND on_hand >= 1", [sku]
            )
            found = await connection.execute(
                "INSERT INTO purchase (buyer, total_fen, state)"
                " VALUES ('guest@example.com', 6180, 'paid') RETURNING id"
            )
            row = await found.fetchone()
            assert row is not None
            await connection.execute(
                "INSERT INTO purchase_line (purchase_id, sku, quantity, unit_price_fen)"
                " VALUES (%s, %s, 1, 4800), (%s, %s, 1, 1380)",
                [row[0], sku, row[0], other],
            )
            await connection.execute(
                "INSERT INTO settlement (purchase_id, method, amount_fen)"
                " VALUES (%s, 'card', 6180)",
                [row[0]],
            )
            await connection.commit()
            took.append(1_000 * (time.perf_counter() - began))


def empty_endpoint(mall: Installation, seconds: int) -> Figure:
    """A Flask view that does nothing, on the same server with as many workers and threads."""
    port, settings = free_port(), mall.settings
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bench.empty",
            str(port),
            str(settings.web_workers),
            str(settings.web_threads),
        ],
        cwd=HERE.parent,
        env=dict(os.environ),
        start_new_session=True,
    ) as server:
        try:
            reads.wait_for(port, "/empty")
            return reads.measure("empty", server.pid, port, ["/empty"], seconds)
        finally:
            server.terminate()
