"""Who lives through the storm: buyers who do all there is to do, and the provider's control."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import orjson

from bench.http import Answer, Connection
from bench.installation import BenchError, Installation

PATIENCE = 180
"""Seconds for which one step is tried again: a shop that was killed comes back."""

NOT_PAID_YET = 20
"""Seconds for which finance waits for an order to be paid: a lost webhook may take much longer."""

AT_MOST = 30
"""Seconds for one answer."""

AGAIN = frozenset({409, 429, 500, 502, 503, 504})
BUSY = frozenset({"try_again", "idempotency_in_flight", "payment_provider_unavailable"})
ADDRESS = {
    "recipient": "张三",
    "phone": "13800138000",
    "division_code": "310110",
    "detail": "四平路1239号",
}


class Control:
    """The sandbox's `/_control`, spoken to from outside the storm."""

    def __init__(self, mall: Installation) -> None:
        self._port = mall.sandbox_port

    def set(self, knobs: dict[str, Any]) -> None:
        self.post("", knobs)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", f"/_control{path}", body)

    def books(self) -> Any:
        return self._ask("GET", "/_control/books?each=1", None)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            line.request(method, path, sent, {"Content-Type": "application/json"})
            answer = line.getresponse()
            text = answer.read()
            if answer.status >= 400:
                raise BenchError(f"{path}: {answer.status} {text[:200].decode()}")
            return json.loads(text)
        finally:
            line.close()


class Person:
    """A guest, and the person of finance who answers for what the guest wants back."""

    def __init__(self, mall: Installation, dice: random.Random, password: str) -> None:
        self._mall, self._dice, self._password = mall, dice, password
        self._shop = Connection("127.0.0.1", mall.port)
        self._cashier = Connection("127.0.0.1", mall.sandbox_port)
        self._token = ""

    async def live_through(self, number: int) -> str:
        """One purchase and what follows; a word for how it went."""
        order = await self._place(number)
        if order is None:
            return "sold_out"
        fate = self._dice.choices(
            ["abandon", "cancel", "decline", "slow", "slow_no", "pay"], [4, 4, 8, 10, 4, 70]
        )[0]
        if fate == "abandon":
            return fate
        page = await self._checkout(order)
        if fate == "cancel":
            return await self._cancel(order)
        for outcome in {
            "decline": ["declined", "paid"],
            "slow": ["pending", "paid"],
            "slow_no": ["pending", "declined"],
            "pay": ["paid"],
        }[fate]:
            await self._press(page, outcome)
            await asyncio.sleep(self._dice.uniform(0, 0.2))
        if fate == "slow_no":
            return fate
        return f"{fate}_{await self._afterwards(order, page)}"

    def leave(self) -> None:
        self._shop.close()
        self._cashier.close()

    async def _afterwards(self, order: Any, page: str) -> str:
        """What happens to a purchase once it is paid: mostly nothing."""
        after = self._dice.choices(
            ["kept", "refund", "dashboard", "dispute", "lost", "won"], [60, 28, 5, 3, 2, 2]
        )[0]
        session = page.rpartition("/")[2]
        if after == "kept":
            return after
        if after == "refund":
            return await self._refund(order)
        if after == "dashboard":
            amount = self._dice.randint(1, order["total_fen"])
            await self._at_provider("/refunds", {"session": session, "amount": amount})
            return after
        opened = await self._at_provider("/disputes", {"session": session})
        if after in {"lost", "won"} and opened is not None:
            await asyncio.sleep(self._dice.uniform(0, 0.5))
            await self._at_provider(f"/disputes/{opened['id']}", {"status": after})
        return after

    async def _refund(self, order: Any) -> str:
        """Finance refunds one or two times, in all the ways there are."""
        for _ in range(self._dice.choice([1, 1, 2])):
            wish: dict[str, Any] = {"order": order["number"], "reason": "破损"}
            kind = self._dice.choice(["whole", "amount", "line"])
            if kind == "amount":
                wish["amount_fen"] = self._dice.randint(1, max(1, order["total_fen"] // 2))
            elif kind == "line":
                line = self._dice.choice(order["consignments"])["lines"][0]
                wish["lines"] = [{"line_id": line["line_id"], "quantity": 1}]
            answer = await self._as_finance("/refunds", wish)
            if answer.status not in {201, 409}:
                raise BenchError(f"refund: {answer.status} {answer.body[:300].decode()}")
        return "refund"

    async def _place(self, number: int) -> Any:
        lines = [
            {"sku": f"B{(number * step) % 40:04}-1", "quantity": self._dice.randint(1, 3)}
            for step in (1, 7)
        ]
        unique = {line["sku"]: line for line in lines}
        wanted = {
            "lines": list(unique.values()),
            "address": ADDRESS,
            "buyer": {"name": "张三", "email": "guest@example.com"},
            "confirmations": {"adult": True, "no_return": True},
        }
        answer = await self._post("/orders", wanted)
        if answer.status == 409:
            return None
        if answer.status != 201:
            raise BenchError(f"order: {answer.status} {answer.body[:300].decode()}")
        placed = answer.json()
        path = f"/api/v1/orders/{placed['number']}?access_token={placed['access_token']}"
        read = await self._insist(lambda: self._shop.get(path))
        return {**read.json(), "access_token": placed["access_token"]}

    async def _cancel(self, order: Any) -> str:
        path = f"/orders/{order['number']}/cancel?access_token={order['access_token']}"
        answer = await self._post(path, {})
        if answer.status != 200:
            raise BenchError(f"cancel: {answer.status} {answer.body[:300].decode()}")
        return "cancel"

    async def _checkout(self, order: Any) -> str:
        wanted = {"method": "stripe", **self._mine(order)}
        answer = await self._post(f"/orders/{order['number']}/payments", wanted)
        if answer.status != 201:
            raise BenchError(f"payment: {answer.status} {answer.body[:300].decode()}")
        return urlsplit(answer.json()["redirect_url"]).path

    async def _press(self, page: str, outcome: str) -> None:
        form = f"outcome={outcome}"
        await self._insist(lambda: self._cashier.post_form(page, form))

    async def _at_provider(self, path: str, body: dict[str, Any]) -> Any:
        """What somebody does in the provider's dashboard; None when it is not possible."""
        answer = await self._insist(lambda: self._cashier.post_json(f"/_control{path}", body))
        return answer.json() if answer.status < 300 else None

    async def _as_finance(self, path: str, body: dict[str, Any]) -> Answer:
        """Until there is an answer; where the order is not paid yet, a bit later."""
        end = time.monotonic() + NOT_PAID_YET
        while True:
            if not self._token:
                self._token = await self._signed_in()
            answer = await self._post(path, body, self._token)
            early = answer.status == 409 and answer.json()["code"] == "order_not_paid"
            if not early or time.monotonic() > end:
                return answer
            await asyncio.sleep(0.5)

    async def _signed_in(self) -> str:
        login = {"login": "finance@demo.example", "password": self._password}
        answer = await self._insist(lambda: self._shop.post_json("/api/v1/auth/tokens", login))
        token: str = answer.json()["token"]
        return token

    async def _post(self, path: str, body: dict[str, Any], token: str = "") -> Answer:
        key = uuid.uuid4().hex
        return await self._insist(lambda: self._shop.post(f"/api/v1{path}", body, key, token))

    async def _insist(self, ask: Any) -> Answer:
        """Ask until somebody answers who is not dead or busy."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer: Answer = await asyncio.wait_for(ask(), AT_MOST)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.leave()  # whatever came now would be the answer to something else
            else:
                if not _busy(answer) or time.monotonic() > end:
                    return answer
            if time.monotonic() > end:
                raise BenchError("The shop does not answer any more.")
            await asyncio.sleep(0.2)

    @staticmethod
    def _mine(order: Any) -> dict[str, str]:
        return {"access_token": order["access_token"]}


def _busy(answer: Answer) -> bool:
    if answer.status not in AGAIN:
        return False
    if answer.status != 409:
        return True
    try:
        return orjson.loads(answer.body).get("code") in BUSY
    except orjson.JSONDecodeError:
        return True
