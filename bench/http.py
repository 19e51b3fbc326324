"""A client of few instructions: HTTP/1.1 by hand over asyncio, so that it is not what we measure.

It understands what our own servers say: `Content-Length` or no body, and keep-alive.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson


class Answer:
    """Status, headers in lower case, body."""

    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status, self.head, self.body = status, head, body

    def json(self) -> Any:
        return orjson.loads(self.body)


class Connection:
    """One kept connection to one address; opened when first needed, and again when it was cut."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._prefix = f" HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> Answer:
        return await self._ask(b"GET " + path.encode() + self._prefix + b"\r\n")

    async def post_json(self, path: str, value: Any, key: str | None = None) -> Answer:
        named = f"Idempotency-Key: {key}\r\n".encode() if key else b""
        return await self._post(path, b"application/json", orjson.dumps(value), named)

    async def post(self, path: str, value: Any, key: str, token: str = "") -> Answer:
        """As `post_json`, as the bearer of a token if there is one."""
        named = f"Idempotency-Key: {key}\r\n"
        named += f"Authorization: Bearer {token}\r\n" if token else ""
        return await self._post(path, b"application/json", orjson.dumps(value), named.encode())

    async def post_signed(self, path: str, body: bytes, signature: str) -> Answer:
        named = f"Stripe-Signature: {signature}\r\n".encode()
        return await self._post(path, b"application/json", body, named)

    async def post_form(self, path: str, form: str) -> Answer:
        return await self._post(path, b"application/x-www-form-urlencoded", form.encode())

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _post(self, path: str, kind: bytes, body: bytes, more: bytes = b"") -> Answer:
        head = b"POST %b%bContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (
            path.encode(),
            self._prefix,
            kind,
            len(body),
            more,
        )
        return await self._ask(head + body)

    async def _ask(self, request: bytes) -> Answer:
        kept = self._writer is not None
        try:
            return await self._exchange(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if not kept:
                raise
            return await self._exchange(request)  # it was closed between two requests

    async def _exchange(self, request: bytes) -> Answer:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = _field(head, b"content-length")
        body = await self._reader.readexactly(int(length)) if length else b""
        if _field(head, b"connection") == b"close":
            self.close()
        return Answer(int(head[9:12]), head, body)


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip()
