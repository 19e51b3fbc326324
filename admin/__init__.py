"""The back office of cooperatives and organizers."""

from __future__ import annotations

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


def register(app: Flask, limiter: Limiter) -> None:
    """Hang the back office into the application."""
    app.register_blueprint(blueprint)
    app.register_blueprint(vendor)
    answer_below(app)
    views: dict[str, Any] = app.view_functions
    views["admin.enter"] = limiter.limit(SIGN_INS)(views["admin.enter"])
