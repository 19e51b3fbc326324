"""Catalogue answers given again before Flask begins.

The catalogue's bytes are kept anyway (`shop.catalog.cache`); on the way to them Flask, its
extensions and the parsing of the query cost some ten times as much as the look into the cache.
So this layer remembers, for each plain address, which kept answer it led to and with which
headers. Whether that answer is still true is the cache's to say, as for everybody else. Whatever
is not a plain, anonymous GET of the catalogue, and whatever is not kept, goes the usual way.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask

from api.caching import KEPT
from shop.catalog.cache import Kept, cache_of
from shop.context import Transactions
from shop.errors import ShopError
from shop.ids import new_id
from shop.web import Runtime
from shop.wsgi import Wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

PREFIX = "/api/v1/products"
MAX_ADDRESSES = 10_000
"""Then it starts afresh: an address costs some 300 bytes, and anybody can make new ones."""

MAX_QUERY = 200
"""Characters: what people ask again fits in, what is made up to fill our memory need not."""

ASKS_MORE = ("HTTP_AUTHORIZATION", "HTTP_X_REQUEST_ID", "HTTP_RANGE")
"""With one of these the answer is not the same for everybody."""

OF_ITS_OWN = {"content-length", "x-request-id", "date", "set-cookie"}
"""Headers that every answer has anew."""


@dataclass(frozen=True, slots=True)
class _Known:
    key: Hashable
    headers: Headers


class ReadyAnswers:
    """WSGI middleware around the application; one for each process."""

    def __init__(self, app: Wsgi, opened: Transactions) -> None:
        self._app = app
        self._opened = opened
        self._cache = cache_of(opened.database.engine)
        self._known: dict[tuple[str, str], _Known] = {}

    def __call__(self, environ: Environ, start: StartResponse, /) -> Iterable[bytes]:
        """Answer at once if we can, else let the application."""
        if not _plain(environ):
            return self._app(environ, start)
        address = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        known = self._known.get(address)
        if known is None:
            return self._learn(address, environ, start)
        try:
            kept = self._cache.ready(self._opened.reading, self._opened.clock(), known.key)
        except ShopError:  # the database is away or busy; the application says so properly
            kept = None
        if kept is None:
            return self._learn(address, environ, start)
        return _give(kept, known.headers, environ, start)

    def _learn(
        self, address: tuple[str, str], environ: Environ, start: StartResponse
    ) -> Iterable[bytes]:
        def watching(status: str, headers: Headers, exc_info: Any = None) -> Any:
            key = environ.get(KEPT)
            if key is not None and status.startswith("200") and exc_info is None:
                if len(self._known) >= MAX_ADDRESSES:
                    self._known.clear()
                shared = [pair for pair in headers if pair[0].lower() not in OF_ITS_OWN]
                self._known[address] = _Known(key, shared)
            return start(status, headers, exc_info) if exc_info else start(status, headers)

        return self._app(environ, watching)


def _plain(environ: Environ) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["PATH_INFO"].startswith(PREFIX)
        and len(environ.get("QUERY_STRING", "")) <= MAX_QUERY
        and not any(name in environ for name in ASKS_MORE)
    )


def _give(kept: Kept, shared: Headers, environ: Environ, start: StartResponse) -> Iterable[bytes]:
    headers = [("ETag", kept.etag) if name == "ETag" else (name, value) for name, value in shared]
    headers.append(("X-Request-Id", new_id().hex))
    if kept.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
        start("304 NOT MODIFIED", headers)
        return []
    headers.append(("Content-Length", str(len(kept.body))))
    start("200 OK", headers)
    return [kept.body]  # in one piece, see `shop.wsgi`


def install(app: Flask) -> None:
    """Put the ready answers before an application; it must have its runtime already."""
    held: Runtime = app.extensions["aidmall"]
    opened = Transactions(database=held.database, settings=held.settings, clock=held.clock)
    # Flask's own way to put something before an application.
    app.wsgi_app = ReadyAnswers(app.wsgi_app, opened)  # type: ignore[method-assign, assignment]
