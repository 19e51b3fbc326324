"""Pages of the catalogue, kept ready: only what is a visitor's own is put in for each.

A page of the catalogue is the same for everybody but for four spots: the token of its forms, the
number beside the basket, a message for this visitor, and what holds for the region of whoever has
chosen one; there are few provinces, so that piece is kept as well. The page is rendered once with
marks in these spots and kept by the catalogue's cache; each visitor gets it with the marks
replaced. The marks are random, so that nobody can have one put anywhere by writing it into an
address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from secrets import token_hex
from typing import Any
from uuid import UUID

from flask import g, make_response, render_template, request, session
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from shop.catalog.cache import Built, Seen, cached
from shop.context import Ctx, Transactions
from shop.web import language
from storefront import visit

MANY = 100
"""Pieces from which on the number is not told any more."""

TOKEN, COUNT, MESSAGES, REGION = (f"@{token_hex(12)}@" for _each in range(4))

Piece = Callable[[Ctx, visit.Region], str]
"""The part of a page that is about a region, as HTML."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the catalogue before it is rendered; see `shop.catalog.cache.Built`."""

    template: str
    values: Mapping[str, Any]
    shows: Mapping[UUID, Seen] = field(default_factory=dict)
    any_tag: bool = False
    until: datetime | None = None


def show_kept(
    opened: Transactions, make: Callable[[Ctx], Sheet], for_region: Piece | None = None
) -> Response:
    """The page at this address: kept, or made now; a kept one costs a new visitor no statement.

    `for_region` makes what the template's `region_piece()` shows a visitor whose region is known.
    """

    def build(ctx: Ctx) -> Built:
        sheet = make(ctx)
        body = _marked(f"storefront/{sheet.template}", sheet.values)
        return Built(body, sheet.shows, any_tag=sheet.any_tag, until=sheet.until)

    key = ("page", language(), request.path, visit.arguments())
    body = cached(opened, key, build).body
    if for_region is not None:
        body = body.replace(REGION.encode(), _for_region(opened, for_region))
    response: Response = make_response(_filled(opened, body))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _for_region(opened: Transactions, piece: Piece) -> bytes:
    """Kept by province and not by county: freight goes by the province."""
    region = visit.region()
    if region is None:
        return b""
    key = ("region", language(), request.path, region.province_code)
    return cached(opened, key, lambda ctx: Built(piece(ctx, region).encode())).body


def _marked(template: str, values: Mapping[str, Any]) -> bytes:
    g.keeping = True
    try:
        return render_template(template, **values).encode()
    finally:
        g.keeping = False


def _filled(opened: Transactions, body: bytes) -> bytes:
    if TOKEN.encode() in body:
        body = body.replace(TOKEN.encode(), form_token().encode())
    if visit.has_basket():
        with opened.begin() as ctx:
            g.cart_count = visit.basket_count(ctx)
    body = body.replace(COUNT.encode(), count_dot().encode())
    return body.replace(MESSAGES.encode(), messages().encode())


def form_token() -> str:
    """What a form proves with that it came from one of our pages."""
    return TOKEN if g.get("keeping") else str(generate_csrf())


def count_dot() -> str:
    """The number of pieces beside the basket; there but hidden when it is empty."""
    if g.get("keeping"):
        return COUNT
    return _dot(language(), min(g.get("cart_count", 0), MANY))


@cache
def _dot(_language: str, count: int) -> str:
    """The language is part of what is asked, and the template finds it by itself."""
    return render_template("storefront/_count.html", count=count)


def region_piece() -> str:
    """What holds for the visitor's region; empty as long as there is none."""
    return REGION if g.get("keeping") else str(g.get("region_piece", ""))


def messages() -> str:
    """What the last form has to say, once."""
    if g.get("keeping"):
        return MESSAGES
    if "_flashes" not in session:
        return ""
    return render_template("storefront/_messages.html")
