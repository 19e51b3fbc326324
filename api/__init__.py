"""The HTTP API: `register` hangs every declared endpoint into the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from api import health, openapi, ready, v1
from api.endpoint import ENDPOINTS, PREFIX, handler
from api.errors import http_problem, problem, unexpected
from shop.errors import ShopError

if TYPE_CHECKING:
    from flask_limiter import Limiter

__all__ = ["ENDPOINTS", "PREFIX", "register", "v1"]


def register(app: Flask, limiter: Limiter) -> Blueprint:
    """Add the API's blueprints; the returned one takes tokens, not cookies, so it needs no CSRF."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for spec in ENDPOINTS:
        view = handler(spec)
        if spec.limit is not None:
            view = limiter.limit(spec.limit, override_defaults=True)(view)
        name = f"{spec.method}_{spec.view.__module__}_{spec.view.__name__}".replace(".", "_")
        blueprint.add_url_rule(spec.rule, name, view, methods=[spec.method])
    blueprint.register_error_handler(HTTPException, http_problem)
    blueprint.register_error_handler(ShopError, problem)
    blueprint.register_error_handler(Exception, unexpected)
    blueprint.after_request(_private)
    openapi.register(blueprint)
    app.register_blueprint(blueprint)
    app.register_blueprint(health.blueprint)
    app.register_error_handler(HTTPException, _anywhere)
    ready.install(app)
    return blueprint


def _private(answer: Response) -> Response:
    """What an endpoint does not call public, nobody on the way shall keep."""
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _anywhere(error: HTTPException) -> Any:
    """An address below `/api` that no endpoint takes still answers with a problem document."""
    return http_problem(error) if request.path.startswith("/api/") else error
