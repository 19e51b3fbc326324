"""What the three surfaces share about a request; with `shop.app` the only part that knows Flask.

A surface's decorator parses and answers in its own way (JSON, HTML); who is asking, in which
language, in which transaction and with which request id is the same question for all of them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from uuid import UUID

import orjson
import structlog
from flask import Flask, Request, Response, current_app, g, has_request_context, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.http import parse_accept_header

from models.identity import TokenKind
from shop.clock import Clock
from shop.context import ANONYMOUS, Actor, Ctx, Transactions
from shop.db import Database
from shop.errors import Invalid, NotFound, Unauthenticated
from shop.identity.queries import actor_for_token
from shop.identity.rules import email_key
from shop.ids import id_in, new_id
from shop.settings import Settings

LANGUAGES = ("zh", "en")
MAX_REQUEST_ID = 64
RAW_BYTE = re.compile(rb"[\x80-\xff]")
MAX_QUERY = 16_000
"""Bytes: every filter of the widest report at its longest. Taking apart what servers let through,
some 400,000, keeps a processor busy for half a second."""


class StrictRequest(Request):
    """A request as the framework reads it, with its gaps closed."""

    def __init__(self, environ: dict[str, Any], *args: Any, **more: Any) -> None:
        """Escape what a browser would have escaped, and read no more of a query than is sensible.

        Bytes in a query that are no UTF-8 become replacement characters then, instead of a fault
        in whoever first looks at the query, the page that tells of the fault included.
        """
        super().__init__(environ, *args, **more)
        self.overlong = len(self.query_string) > MAX_QUERY
        query = b"" if self.overlong else self.query_string
        self.query_string = RAW_BYTE.sub(lambda raw: b"%%%02X" % raw[0][0], query)

    def get_data(self, *args: Any, **more: Any) -> Any:
        """The body, whole or not at all: one in chunks would silently be cut off at the limit.

        Raises:
            RequestEntityTooLarge: longer than the limit.
        """
        body = super().get_data(*args, **more)
        if self.content_length is None and len(body) >= (self.max_content_length or math.inf):
            raise RequestEntityTooLarge
        return body


class Mall(Flask):
    """The application. All its views are plain functions: it does not ask each whether it is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is."""
        return func


class Sessions(SecureCookieSessionInterface):
    """Flask's cookies; who brings none and is given none costs no key and no settings.

    That is nearly every call of the API, and more than a tenth of what Flask costs it.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie, if there is one."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie, if there is something to write."""
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one process holds: no state that another process would need."""

    settings: Settings
    database: Database
    clock: Clock


def runtime() -> Runtime:
    """This application's runtime."""
    found: Runtime = current_app.extensions["aidmall"]
    return found


def transactions(actor: Actor = ANONYMOUS) -> Transactions:
    """Transactions for the present request."""
    held = runtime()
    return Transactions(
        database=held.database,
        settings=held.settings,
        actor=actor,
        clock=held.clock,
        request_id=request_id(),
        language=language(),
    )


MAX_ACCEPT = 200
"""Characters of an `Accept-Language`: what stands behind them is nobody's first choice."""


def request_id() -> str:
    """The caller's `X-Request-Id` if it is a harmless one, else our own; stable in a request."""
    if "request_id" not in g:
        offered = request.headers.get("X-Request-Id", "")
        usable = 0 < len(offered) <= MAX_REQUEST_ID and offered.replace("-", "").isalnum()
        g.request_id = offered if usable and offered.isascii() else new_id().hex
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
    found: str = g.request_id
    return found


def language() -> str:
    """`zh` or `en`: what the visitor chose, else what the browser prefers, else Chinese."""
    if not has_request_context():
        return "zh"
    if "language" not in g:
        chosen = request.args.get("lang") or session.get("lang")
        if chosen not in LANGUAGES:
            chosen = _preferred(request.headers.get("Accept-Language", ""))
        g.language = chosen
    found: str = g.language
    return found


@lru_cache(maxsize=256)
def _preferred(header: str) -> str:
    """What a browser's `Accept-Language` comes to; browsers send few different ones."""
    accepted = parse_accept_header(header[:MAX_ACCEPT], LanguageAccept)
    return str(accepted.best_match(["zh", "zh-CN", "en"], "zh"))[:2]


def bearer_actor(ctx: Ctx) -> Actor:
    """The person behind the `Authorization: Bearer` header; anonymous without one.

    Raises:
        Unauthenticated: `invalid_token`, the token is unknown, expired or revoked.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return ANONYMOUS
    kind, _, secret = header.partition(" ")
    actor = None
    if kind.lower() == "bearer" and secret:
        actor = actor_for_token(ctx.session, secret.strip(), TokenKind.API, ctx.now)
    if actor is None:
        raise Unauthenticated(
            "登录已失效，请重新登录", "The token is not valid (any more)", code="invalid_token"
        )
    return actor


def session_actor(ctx: Ctx) -> Actor:
    """The person behind the browser's session; anonymous when it ended or never began."""
    secret = session.get("sid")
    if not secret:
        return ANONYMOUS
    actor = actor_for_token(ctx.session, secret, TokenKind.SESSION, ctx.now)
    if actor is None:
        session.pop("sid", None)
    return actor or ANONYMOUS


NETWORK = 64
"""Bits of an IPv6 address that its holder chooses."""

HARMLESS = ("lang", "came", "region", "opened")
"""What of a session stays when somebody signs in: it is the browser's, whoever sits there."""


def enter(secret: str, *also: str) -> None:
    """Sign in: a new session that knows nothing of the old one but what is harmless, and `also`.

    The secret of its forms is new as well: whoever planted the old session knew that one.
    """
    kept = {name: session[name] for name in (*HARMLESS, *also) if name in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    session["sid"] = secret


def leave() -> None:
    """Sign out: only the language stays."""
    language = session.get("lang")
    session.clear()
    if language:
        session["lang"] = language


def visitor_address() -> str:
    """The address that limits count by: of IPv6 the network, of which a visitor has all addresses.

    A household and a rented server alike are given 64 bits of them, to send from as they please.
    """
    told = request.remote_addr or "127.0.0.1"
    try:
        address = ip_address(told)
    except ValueError:
        return told
    if isinstance(address, IPv4Address):
        return told
    mapped = address.ipv4_mapped
    return str(mapped or IPv6Address(int(address) >> NETWORK << NETWORK))


def login_key() -> str:
    """The login that a sign-in names, as a hash to count its attempts by; empty if none is named.

    All spellings of a login are one. Never raises: what cannot be read, nobody signs in with.
    """
    try:
        login = _login()
    except (HTTPException, ValueError):
        return ""
    return hashlib.sha256(login.encode(errors="replace")).hexdigest() if login else ""


def sign_in_key() -> str:
    """The sign-in that a request comes with, as a hash to count by; empty without one.

    The API heeds the header alone and pages the session alone, so nobody counts anew by sending
    the other as well.
    """
    if request.blueprint == "api":
        secret = request.headers.get("Authorization", "").partition(" ")[2].strip()
    else:
        secret = session.get("sid", "")
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest() if secret else ""


def _login() -> str:
    """What the API calls `login` and the forms `email`."""
    if not request.mimetype.endswith("json"):
        return email_key(request.form.get("email", ""))
    body = orjson.loads(request.get_data())
    login = body.get("login") if isinstance(body, dict) else None
    return email_key(login) if isinstance(login, str) else ""


def key_of(text: str) -> UUID:
    """The key that stands in a path.

    Raises:
        NotFound: it is none, so nothing has it.
    """
    found = id_in(text)
    if found is None:
        raise NotFound
    return found


def sent() -> Iterator[str]:
    """Every text of the present request's address and form, however often a name stands there."""
    for source in (request.args, request.form):
        for texts in source.listvalues():
            yield from texts


def refuse_nul(texts: Iterable[str]) -> None:
    """PostgreSQL keeps no NUL character, so none gets in.

    Raises:
        Invalid: there is one.
    """
    if any("\x00" in text for text in texts):
        raise Invalid("内容含有无法识别的字符", "The input contains a NUL character")
