"""The mall's pages, made for a phone."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from storefront import (
    account,
    assets,
    cart,
    catalog,
    checkout,
    errors,
    home,
    info,
    orders,
    page,
    sign_in,
    visit,
)

if TYPE_CHECKING:
    from flask_limiter import Limiter

__all__ = [
    "TRANSLATIONS",
    "account",
    "cart",
    "catalog",
    "checkout",
    "home",
    "info",
    "orders",
    "page",
    "register",
    "sign_in",
]

TRANSLATIONS = str(Path(__file__).parent / "translations")

LIMITS = {
    "come_in": "20/minute",
    "create_account": "10/minute",
    "look_up": "10/minute",
    "place": "1200/minute",
}
"""View -> forms an address may send. Orders are many: a whole campus shares one address."""

assets.register(page.blueprint)
page.register_globals()
page.blueprint.before_request(visit.begin)
errors.answer_for(page.blueprint)


def register(app: Flask, limiter: Limiter) -> None:
    """Hang the storefront's pages into the application."""
    # What a session holds counts from when it was put in (a sign-in, how somebody came), not from
    # the last look; and pictures that proxies may keep for everybody carry nobody's cookie.
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    errors.answer_nobodys(app)
    app.register_blueprint(page.blueprint)
    for name, limit in LIMITS.items():
        endpoint = f"{page.blueprint.name}.{name}"
        view = _named(app.view_functions[endpoint], name)
        app.view_functions[endpoint] = limiter.limit(limit, override_defaults=True)(view)


def _named(view: Any, name: str) -> Any:
    """The limiter counts by a function's name, and all our views are the one of `Pages`."""

    @wraps(view)
    def named(**path: Any) -> Any:
        return view(**path)

    named.__name__ = named.__qualname__ = f"storefront_{name}"
    return named
