"""For load balancers and monitors: alive, ready, counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from api.errors import problem
from shop import readiness
from shop.errors import ShopError
from shop.web import transactions

blueprint = Blueprint("health", __name__)
blueprint.register_error_handler(ShopError, problem)

SILENT = timedelta(seconds=45)
"""Four missed beats of the worker."""


@blueprint.get("/healthz")
def healthz() -> Response:
    """This process answers. Says nothing of what it stands on."""
    return _json({"status": "ok"}, 200)


@blueprint.get("/readyz")
def readyz() -> Response:
    """Database reachable, migrations at head, a worker alive: else 503 with what is missing."""
    try:
        with transactions().begin() as ctx:
            checks = readiness.checks(ctx, SILENT)
    except ShopError:
        checks = {"database": False}
    ready = all(checks.values())
    return _json(
        {"status": "ready" if ready else "not_ready", "checks": checks}, 200 if ready else 503
    )


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text: what waits, what failed, what is unmatched, read from the database."""
    registry = CollectorRegistry()
    with transactions().begin() as ctx:
        for name, (help_text, value) in readiness.gauges(ctx).items():
            Gauge(f"aidmall_{name}", help_text, registry=registry).set(value)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _json(value: dict[str, Any], status: int) -> Response:
    answer = Response(orjson.dumps(value), status=status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
