"""The mall's pages, made for a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from storefront import (
    account,
    assets,
    cart,
    catalog,
    checkout,
    compressed,
    errors,
    find,
    home,
    info,
    limits,
    orders,
    page,
    paying,
    sign_in,
    stale,
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
    "find",
    "home",
    "info",
    "orders",
    "page",
    "paying",
    "register",
    "sign_in",
]

TRANSLATIONS = str(Path(__file__).parent / "translations")

assets.register(page.blueprint)
page.register_globals()
page.blueprint.before_request(visit.begin)
page.blueprint.after_request(compressed.page)
errors.answer_for(page.blueprint)
limits.answer_for_them()
stale.answer_for_them()


def register(app: Flask, limiter: Limiter) -> None:
    """Hang the storefront's pages into the application."""
    # What a session holds counts from when it was put in (a sign-in, how somebody came), not from
    # the last look; and pictures that proxies may keep for everybody carry nobody's cookie.
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    errors.answer_nobodys(app)
    app.register_blueprint(page.blueprint)
    limits.register(app, limiter)
