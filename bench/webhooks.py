"""Hearing from the provider: signed events, accepted as fast as they come (M1).

Three in five are news of a checkout that the shop does not know, so that each leaves an event and
a job; one in five is of a type that does not concern it, one in five came before. The worker runs
beside it, as it always does, and asks the sandbox about every checkout.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson

from bench.figures import Figure, Meter, percentile
from bench.http import Connection
from bench.installation import BenchError, Installation
from shop.ids import new_id

CONNECTIONS = 16
PATH = "/api/v1/webhooks/stripe"
TURN = ("news", "news", "other", "news", "again")
TYPES = {"news": "checkout.session.completed", "other": "customer.updated"}
OK = 200


@dataclass(slots=True)
class Heard:
    """What was accepted: milliseconds of each, and how many of which kind."""

    took: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class Provider:
    """Makes events and signs them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._turns = itertools.cycle(TURN)
        self._last = self._event("news")

    def next(self) -> tuple[str, bytes, str]:
        """The next one: its kind, its body, its signature."""
        kind = next(self._turns)
        if kind != "again":
            self._last = self._event(kind)
        now = int(time.time())
        signed = hmac.new(self._secret, b"%d." % now + self._last, hashlib.sha256)
        return kind, self._last, f"t={now},v1={signed.hexdigest()}"

    @staticmethod
    def _event(kind: str) -> bytes:
        """Some two kilobytes, as a real one has."""
        name = new_id().hex
        about = {
            "id": f"cs_test_{name}",
            "object": "checkout.session" if kind == "news" else "customer",
            "amount_total": 16_180,
            "currency": "cny",
            "customer_details": {"email": "guest@example.com", "name": "张三", "phone": None},
            "metadata": {"order_number": "26030112345674", "attempt_id": str(new_id())},
            "payment_intent": f"pi_{name}",
            "payment_status": "paid",
            "status": "complete",
            **{f"field_{number}": None for number in range(60)},
        }
        return orjson.dumps(
            {
                "id": f"evt_{name}",
                "object": "event",
                "type": TYPES[kind],
                "created": int(time.time()),
                "livemode": False,
                "data": {"object": about},
            }
        )


def measure(mall: Installation, seconds: int) -> Figure:
    """M1: events accepted a second over 16 connections."""
    provider = Provider(mall.settings.webhook_secrets[0])
    asyncio.run(_send(mall.port, provider, 2))  # warm
    meter = Meter(mall.pid)
    began = time.perf_counter()
    heard = asyncio.run(_send(mall.port, provider, seconds))
    took = time.perf_counter() - began
    count = len(heard.took)
    return meter.charge(
        Figure(
            "M1",
            count / took,
            count,
            took,
            percentile(heard.took, 0.5),
            percentile(heard.took, 0.99),
            more={"kinds": dict(heard.kinds)},
        )
    )


async def _send(port: int, provider: Provider, seconds: int) -> Heard:
    heard, end = Heard(), time.perf_counter() + seconds
    await asyncio.gather(*(_line(port, provider, heard, end) for _ in range(CONNECTIONS)))
    return heard


async def _line(port: int, provider: Provider, heard: Heard, end: float) -> None:
    line = Connection("127.0.0.1", port)
    while (began := time.perf_counter()) < end:
        kind, body, signature = provider.next()
        answer = await line.post_signed(PATH, body, signature)
        if answer.status != OK:
            raise BenchError(f"A webhook is answered {answer.status}: {answer.body[:300].decode()}")
        heard.took.append(1_000 * (time.perf_counter() - began))
        heard.kinds[kind] += 1
    line.close()
