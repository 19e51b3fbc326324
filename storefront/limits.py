"""How many forms may come, from whom.

A campus stands behind one address, so what is guessed at (a person's password, an order's phone)
is counted for each address and each name that is guessed at; the address alone has a wider limit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Flask, g, request
from flask_limiter import RateLimitExceeded

from shop.web import visitor_address
from storefront.errors import TooMany
from storefront.page import blueprint, pages

if TYPE_CHECKING:
    from flask_limiter import Limiter

A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """What an address may send, and how much of it for one value of `field`, of form or path.

    `everybody`: how many for one value wherever from, for what somebody with many addresses would
    try out.
    """

    address: str
    field: str = ""
    each: str = ""
    everybody: str = ""

    def key(self) -> str:
        """Who sends, and for which name."""
        return f"{visitor_address()}:{self.name()}"

    def name(self) -> str:
        """For which name, as a fingerprint: counters may leave the process."""
        named = request.form.get(self.field) or (request.view_args or {}).get(self.field, "")
        asked = "".join(named.split()).casefold()
        return hashlib.sha256(asked.encode(errors="replace")).hexdigest()[:16]


LIMITS = {
    "come_in": Limit("300/minute", "email", "20/minute"),
    "create_account": Limit("60/minute", "email", "10/minute"),
    "look_up": Limit("300/minute", "number", "10/minute", "60/hour"),
    "place": Limit("1200/minute"),
    "result": Limit("1200/minute", "number", "60/minute"),
}
"""View -> its limit. Orders are many: a sale begins for a whole campus at once. Each look at an
unpaid order's result asks the provider, which answers a hundred questions a second, all of ours
together; the page itself asks twenty times a minute."""


def register(app: Flask, limiter: Limiter) -> None:
    """Count the forms of these views."""
    for name, limit in LIMITS.items():
        endpoint = f"{blueprint.name}.{name}"
        view = limiter.limit(limit.address)(_named(app.view_functions[endpoint], name))
        if limit.field:
            view = limiter.limit(limit.each, key_func=limit.key)(view)
        if limit.everybody:
            view = limiter.limit(limit.everybody, key_func=limit.name)(view)
        app.view_functions[endpoint] = view


def _named(view: Any, name: str) -> Any:
    """The limiter counts by a function's name, and all our views are the one of `Pages`."""

    @wraps(view)
    def named(**path: Any) -> Any:
        return view(**path)

    named.__name__ = named.__qualname__ = f"storefront_{name}"
    return named


def one_too_many(_error: RateLimitExceeded) -> Any:
    """Show the form again with what was entered, and say when it may be sent."""
    error = TooMany(g.get("retry_after", A_MINUTE))
    name = (request.endpoint or "").rpartition(".")[2]
    response = pages.refused(name, request.view_args or {}, error)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def answer_for_them() -> None:
    """Answer forms beyond a limit, whoever set it."""
    blueprint.register_error_handler(RateLimitExceeded, one_too_many)
