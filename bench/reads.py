"""Reading the catalogue: the list (R1) and one product (R2), as JSON and as pages."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import quote

from bench.figures import Figure, Meter, percentile
from bench.http import Connection
from bench.installation import BenchError

Run = Callable[[str, int, Sequence[str], int], Figure]

HERE = Path(__file__).parent
CONNECTIONS = 16
PAGES = 8
PER_PAGE = 24
WARM_TIMES = 6
WARM_ROUNDS = 10
LIST = "/api/v1/products"
FILTERS = (
    "?category=tea",
    "?category=walnut&sort=price",
    "?cooperative=C01",
    "?cooperative=C02&sort=-price",
    "?in_stock=true&sort=newest",
    "?min_price_fen=2000&max_price_fen=6000",
    f"?q={quote('茶')}",
    "?q=hetao",
)
"""As people use them, in turn with the pages."""


async def list_paths(port: int) -> list[str]:
    """Pages 1 to 8 by their cursors, and as many filters; each gives 24 products."""
    line = Connection("127.0.0.1", port)
    paths, following = [], LIST
    for _ in range(PAGES):
        paths.append(following)
        page = await _page(line, following)
        following = f"{LIST}?cursor={quote(page['next_cursor'])}"
    paths += [LIST + wanted for wanted in FILTERS]
    for path in paths:
        await _page(line, path)
    line.close()
    return paths


async def _page(line: Connection, path: str) -> Any:
    answer = await line.get(path)
    if answer.status != 200:
        raise BenchError(f"GET {path} gives {answer.status}: {answer.body[:300].decode()}")
    page = answer.json()
    if len(page["items"]) != PER_PAGE:
        raise BenchError(f"GET {path} gives {len(page['items'])} products, not {PER_PAGE}.")
    return page


def wait_for(port: int, path: str, seconds: float = 20) -> None:
    """Until `path` answers 200."""
    end = time.monotonic() + seconds
    while status(port, path) != 200:
        if time.monotonic() > end:
            raise BenchError(f"Nothing answers on port {port}.")
        time.sleep(0.05)


def status(port: int, path: str) -> int:
    """The status of one GET; 0 when nobody listens."""

    async def ask() -> int:
        line = Connection("127.0.0.1", port)
        try:
            return (await line.get(path)).status
        except OSError:
            return 0
        finally:
            line.close()

    return asyncio.run(ask())


def measure(name: str, root: int, port: int, paths: Sequence[str], seconds: int) -> Figure:
    """Ask for `paths` in turn over 16 kept connections; `root` is the server's process."""
    run = _by_wrk if shutil.which("wrk") else _by_asyncio
    _warm(run, name, port, paths)
    meter = Meter(root)
    figure = meter.charge(run(name, port, paths, seconds))
    if figure.more["refused"] or figure.more["broken"]:
        raise BenchError(
            f"{name}: {figure.more['refused']} requests were refused,"
            f" {figure.more['broken']} broke off."
        )
    return figure


def _warm(run: Run, name: str, port: int, paths: Sequence[str]) -> None:
    """Until every path has been asked for some times, so that each process has answered it."""
    asked = 0
    for _ in range(WARM_ROUNDS):
        asked += run(name, port, paths, 2).operations
        if asked >= WARM_TIMES * len(paths):
            return


def _by_wrk(name: str, port: int, paths: Sequence[str], seconds: int) -> Figure:
    with NamedTemporaryFile("w", suffix=".paths", encoding="utf-8") as file:
        file.write("\n".join(paths) + "\n")
        file.flush()
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{seconds}s",
                "-s",
                str(HERE / "paths.lua"),
                f"http://127.0.0.1:{port}",
                "--",
                file.name,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    found = [line for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    if not found:
        raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip()[-300:]}")
    counted = json.loads(found[0].removeprefix("FIGURES "))
    return Figure(
        name,
        counted["requests"] / counted["seconds"],
        counted["requests"],
        counted["seconds"],
        counted["p50_ms"],
        counted["p99_ms"],
        more={
            "client": "wrk",
            "refused": counted["refused"],
            "broken": counted["broken"],
            "late": counted["late"],
        },
    )


def _by_asyncio(name: str, port: int, paths: Sequence[str], seconds: int) -> Figure:
    """Without wrk: heavier, so the figure is lower than the truth."""
    took: list[float] = []
    refused = [0]

    async def ask(place: int, end: float) -> None:
        line = Connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            answer = await line.get(paths[place % len(paths)])
            took.append(1_000 * (time.perf_counter() - began))
            refused[0] += answer.status != 200
            place += 1
        line.close()

    async def all_of_them() -> None:
        end = time.perf_counter() + seconds
        await asyncio.gather(*(ask(number * 31, end) for number in range(CONNECTIONS)))

    asyncio.run(all_of_them())
    return Figure(
        name,
        len(took) / seconds,
        len(took),
        seconds,
        percentile(took, 0.5),
        percentile(took, 0.99),
        more={"client": "asyncio", "refused": refused[0], "broken": 0},
    )
