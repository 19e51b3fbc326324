"""Buying over HTTP as a guest: many buyers at once (R3), and all of them the same thing (R4)."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.figures import Figure, Meter, percentile
from bench.http import Answer, Connection
from bench.installation import BenchError, Installation

BUYERS = 8
CROWD = 400
AT_ONCE = 32
"""How many of the crowd are in the shop at the same time."""

FIRST_LOOK = 0.050
LOOK_LATER = 1.5
LONGEST_LOOK = 0.200
"""Seconds between two looks at whether the payment has arrived, each pause longer than the last."""

PATIENCE = 60
"""Seconds after which a buyer gives up."""

COUNTY = "310110"
PHONE = "13800138000"
STEPS = ("product", "quote", "order", "payment", "cashier", "paid")


@dataclass(slots=True)
class Record:
    """What the buyers of one workload lived through; times in milliseconds."""

    whole: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    again: int = 0


class Buyer:
    """One guest with a connection to the shop and one to the cashier."""

    def __init__(self, mall: Installation, record: Record) -> None:
        self._shop = Connection("127.0.0.1", mall.port)
        self._cashier = Connection("127.0.0.1", mall.sandbox_port)
        self._record = record

    async def buy(self, slug: str, others: tuple[str, ...] = ()) -> str:
        """Buy one piece of a product, and of `others` (SKUs) with it: `paid` or `refused`."""
        began = time.perf_counter()
        sku = await self._look_at(slug)
        lines = [{"sku": code, "quantity": 1} for code in dict.fromkeys((sku, *others))]
        total = await self._quote(lines)
        order = await self._order(lines, total)
        if order is None:
            return "refused"
        await self._pay(order)
        await self._read_back(order)
        self._record.whole.append(1_000 * (time.perf_counter() - began))
        return "paid"

    def leave(self) -> None:
        self._shop.close()
        self._cashier.close()

    async def _look_at(self, slug: str) -> str:
        answer = await self._timed("product", self._shop.get(f"/api/v1/products/{slug}"))
        return str(_good(answer, 200)["skus"][0]["code"])

    async def _quote(self, lines: list[dict[str, Any]]) -> int | None:
        wanted = {"lines": lines, "division_code": COUNTY}
        quote = _good(
            await self._timed("quote", self._shop.post_json("/api/v1/quotes", wanted)), 200
        )
        return None if quote["problems"] else int(quote["total_fen"])

    async def _order(self, lines: list[dict[str, Any]], total: int | None) -> Any:
        """The order; None when there is not enough. A busy shop is asked again."""
        wanted: dict[str, Any] = {
            "lines": lines,
            "address": {
                "recipient": "张三",
                "phone": PHONE,
                "division_code": COUNTY,
                "detail": "四平路1239号",
            },
            "buyer": {"name": "张三", "email": "guest@example.com"},
            "confirmations": {"adult": True, "no_return": True},
        }
        if total is not None:
            wanted["expected_total_fen"] = total
        key = uuid.uuid4().hex
        answer = await self._timed("order", self._patiently("/api/v1/orders", wanted, key))
        if answer.status == 409 and answer.json()["code"] == "out_of_stock":
            return None
        return _good(answer, 201)

    async def _pay(self, order: Any) -> None:
        path = f"/api/v1/orders/{order['number']}/payments"
        wanted = {"method": "stripe", "access_token": order["access_token"]}
        answer = await self._timed("payment", self._patiently(path, wanted, uuid.uuid4().hex))
        page = urlsplit(_good(answer, 201)["redirect_url"]).path
        answer = await self._timed("cashier", self._cashier.post_form(page, "outcome=paid"))
        if answer.status != 303:
            raise BenchError(f"The cashier answers {answer.status}.")

    async def _patiently(self, path: str, wanted: Any, key: str) -> Answer:
        """Repeat what the shop was too busy for, under the same key."""
        end = time.perf_counter() + PATIENCE
        while True:
            answer = await self._shop.post_json(path, wanted, key)
            if b"\r\nretry-after:" not in answer.head or time.perf_counter() > end:
                return answer
            self._record.again += 1
            await asyncio.sleep(0.05)

    async def _read_back(self, order: Any) -> None:
        """Wait until the shop itself says that the order is paid."""
        path = f"/api/v1/orders/{order['number']}?access_token={order['access_token']}"
        began, pause = time.perf_counter(), FIRST_LOOK
        while True:
            await asyncio.sleep(pause)
            self._record.looks += 1
            if _good(await self._shop.get(path), 200)["state"] == "paid":
                break
            if time.perf_counter() - began > PATIENCE:
                raise BenchError(f"Order {order['number']} is not paid after {PATIENCE} s.")
            pause = min(pause * LOOK_LATER, LONGEST_LOOK)
        self._record.steps["paid"].append(1_000 * (time.perf_counter() - began))

    async def _timed(self, step: str, asking: Any) -> Answer:
        began = time.perf_counter()
        answer: Answer = await asking
        self._record.steps[step].append(1_000 * (time.perf_counter() - began))
        return answer


def _good(answer: Answer, status: int) -> Any:
    if answer.status != status:
        raise BenchError(f"{answer.status} instead of {status}: {answer.body[:300].decode()}")
    return answer.json()


def steady(mall: Installation, seconds: int, buyers: int = BUYERS) -> Figure:
    """R3: so many buyers, one purchase after the other, two different goods in each basket."""
    asyncio.run(_steady(mall, 2, buyers))  # warm
    meter = Meter(mall.pid)
    record, took = asyncio.run(_steady(mall, seconds, buyers))
    return meter.charge(_figure("R3", record, took))


async def _steady(mall: Installation, seconds: int, buyers: int) -> tuple[Record, float]:
    record, began = Record(), time.perf_counter()
    end = began + seconds

    async def keep_buying(number: int) -> None:
        buyer, turn = Buyer(mall, record), number * 125
        while time.perf_counter() < end:
            turn += 1
            await buyer.buy(f"bench-{turn % 1000:04}", (f"B{turn * 7 % 1000:04}-1",))
        buyer.leave()

    await asyncio.gather(*(keep_buying(number) for number in range(buyers)))
    return record, time.perf_counter() - began


def flash_sale(mall: Installation, slug: str) -> Figure:
    """R4: 400 buyers, 32 in the shop at a time, each wants one piece of the same product."""
    meter = Meter(mall.pid)
    record, took = asyncio.run(_flash_sale(mall, slug))
    figure = _figure("R4", record, took)
    figure.operations = CROWD
    figure = meter.charge(figure)
    figure.more |= {"paid": record.outcomes["paid"], "refused": record.outcomes["refused"]}
    return figure


async def _flash_sale(mall: Installation, slug: str) -> tuple[Record, float]:
    record, door, began = Record(), asyncio.Semaphore(AT_ONCE), time.perf_counter()

    async def come_and_go() -> None:
        async with door:
            buyer = Buyer(mall, record)
            record.outcomes[await buyer.buy(slug)] += 1
            buyer.leave()

    await asyncio.gather(*(come_and_go() for _ in range(CROWD)))
    return record, time.perf_counter() - began


def _figure(name: str, record: Record, took: float) -> Figure:
    count = len(record.whole)
    steps = {
        step: [round(percentile(record.steps[step], share), 1) for share in (0.5, 0.99)]
        for step in STEPS
    }
    return Figure(
        name,
        count / took,
        count,
        took,
        percentile(record.whole, 0.5),
        percentile(record.whole, 0.99),
        more={
            "steps_ms": steps,
            "looks": round(record.looks / max(count, 1), 2),
            "again": record.again,
        },
    )
