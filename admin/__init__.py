"""The back office of cooperatives and organizers."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from admin import (
    audit_log,
    bank,
    consignments,
    differences,
    disputes,
    entries,
    goods,
    jobs,
    landing,
    ledger,
    listings,
    orders,
    payments,
    provider_events,
    reconciliations,
    refunds,
    reports,
    sign_in,
)
from admin.assets import vendor
from admin.page import answer_below, blueprint, pages

if TYPE_CHECKING:
    from flask_limiter import Limiter

__all__ = [
    "TRANSLATIONS",
    "audit_log",
    "bank",
    "consignments",
    "differences",
    "disputes",
    "entries",
    "goods",
    "jobs",
    "landing",
    "ledger",
    "listings",
    "orders",
    "pages",
    "payments",
    "provider_events",
    "reconciliations",
    "refunds",
    "register",
    "reports",
    "sign_in",
]

TRANSLATIONS = str(Path(__file__).parent / "translations")

SIGN_INS = "20 per minute"
"""Of one address: a village office behind one router gets in, a list of passwords does not."""

PASSWORDS = "10 per minute"
"""Of one address: who finds a browser signed in cannot try its owner's password out."""

LIMITS = {"enter": SIGN_INS, "change_password": PASSWORDS}


def register(app: Flask, limiter: Limiter) -> None:
    """Hang the back office into the application."""
    app.register_blueprint(blueprint)
    app.register_blueprint(vendor)
    answer_below(app)
    views: dict[str, Any] = app.view_functions
    for name, limit in LIMITS.items():
        views[f"admin.{name}"] = limiter.limit(limit)(_named(views[f"admin.{name}"], name))


def _named(view: Any, name: str) -> Any:
    """The limiter counts by a function's name, and all our views are the one of `Pages`."""

    @wraps(view)
    def named(**path: Any) -> Any:
        return view(**path)

    named.__name__ = named.__qualname__ = f"admin_{name}"
    return named
