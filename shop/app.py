"""The composition root: settings, database and the three surfaces become one WSGI application."""

from __future__ import annotations

from datetime import timedelta
from time import time
from typing import Any

from flask import Flask, Response, g, request
from flask_babel import Babel
from flask_limiter import Limiter, RequestLimit
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import RequestURITooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

import admin
import api
import storefront
from shop import logging
from shop import settings as settings_module
from shop.clock import Clock, system_clock
from shop.db import Database
from shop.payments import bank_files
from shop.settings import Settings
from shop.web import (
    Mall,
    Runtime,
    Sessions,
    StrictRequest,
    language,
    login_key,
    request_id,
    sign_in_key,
    visitor_address,
)

SESSION_DAYS = 30

REDIS_TIMEOUT = 0.5
"""Seconds. It answers within one thousandth; whoever waits for it longer waits for nothing."""

GUESSES = "10 per 15 minutes"
"""Sign-ins of one login: enough for who has forgotten, 350,000 a year for who has not known."""

UPLOADS = frozenset({"api.POST_api_v1_bank_receipts_take_in", "admin.bank_take_in"})
"""The doors for a bank's statement."""

MAX_UPLOAD = bank_files.MAX_BYTES + 1_000_000
"""Bytes: a statement as large as is read at all, and a form around it."""

CHANGES = "10 per 15 minutes"
"""Changes of a password, of one sign-in: who finds a browser signed in cannot try its owner's
password out, which would make the find last and open other doors."""

SIGN_INS = ("api.POST_api_v1_auth_sign_in", "storefront.come_in", "admin.enter")
NEW_PASSWORDS = (
    "api.PUT_api_v1_me_change_password",
    "storefront.change_password",
    "admin.change_password",
)


def create_app(
    settings: Settings | None = None,
    database: Database | None = None,
    clock: Clock = system_clock,
) -> Flask:
    """Build the application.

    Raises:
        SettingsError: the environment says something unusable; one sentence.
    """
    settings = settings or settings_module.load()
    if settings.database_url is None and database is None:
        raise settings_module.SettingsError("DATABASE_URL is not set: start with `aidmall run`.")
    logging.configure(settings)
    app = Mall("shop", static_folder=None, template_folder=None)
    app.session_interface = Sessions()
    secure = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_body_bytes,
        # By the prefix browsers take it from this very host alone: a university has many others.
        SESSION_COOKIE_NAME="__Host-mall" if secure else "mall",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_TRANSLATION_DIRECTORIES=f"{storefront.TRANSLATIONS};{admin.TRANSLATIONS}",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=True,
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_HEADERS_ENABLED=False,
        **_counted_in(settings),
    )
    app.request_class = StrictRequest
    app.url_map.strict_slashes = False
    # Else `//orders` leads on to `/orders` at whatever host and scheme this process was asked
    # under, an order's secret in the query with it, and for ever (308).
    app.url_map.merge_slashes = False
    if database is None:
        assert settings.database_url is not None
        database = Database(settings.database_url, pool_size=settings.db_pool_size)
    app.extensions["aidmall"] = Runtime(settings, database, clock)
    if settings.trusted_proxies:
        # Without it every visitor behind the proxy would share one rate limit; with it and no
        # proxy, anybody could choose an address. Hence a number that the operator states.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    _assemble(app, settings)
    return app


def _assemble(app: Flask, settings: Settings) -> None:
    Babel(app, locale_selector=language)
    app.before_request(_begin)  # first of all: looking for a form's token reads the body
    csrf = CSRFProtect(app)
    limiter = Limiter(visitor_address, app=app, default_limits=[], on_breach=_note_reset)
    app.extensions["limiter_kept"] = limiter  # what it decorates holds it by a weak reference
    csrf.exempt(api.register(app, limiter))
    storefront.register(app, limiter)
    admin.register(app, limiter)
    _limit_guesses(app, limiter)
    policy = content_security_policy(settings)

    def secure(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        response.headers["X-Request-Id"] = request_id()
        if response.status_code == 429 and "retry_after" in g:  # noqa: PLR2004
            response.headers["Retry-After"] = str(g.retry_after)
        if settings.public_url.startswith("https://"):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    app.after_request(secure)


def _counted_in(settings: Settings) -> dict[str, Any]:
    """Where rate limits are counted: in Redis, and in this process while that does not answer."""
    if settings.redis_url is None:
        return {"RATELIMIT_STORAGE_URI": "memory://"}
    return {
        "RATELIMIT_STORAGE_URI": settings.redis_url,
        "RATELIMIT_STORAGE_OPTIONS": {
            "socket_connect_timeout": REDIS_TIMEOUT,
            "socket_timeout": REDIS_TIMEOUT,
        },
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
    }


def _limit_guesses(app: Flask, limiter: Limiter) -> None:
    """Count how often a password is tried, wherever from and by whichever of the three doors."""
    by_login = limiter.shared_limit(
        GUESSES, scope="sign_in", key_func=login_key, exempt_when=lambda: not login_key()
    )
    by_sign_in = limiter.shared_limit(
        CHANGES, scope="new_password", key_func=sign_in_key, exempt_when=lambda: not sign_in_key()
    )
    views: dict[str, Any] = app.view_functions
    for endpoint in SIGN_INS:
        views[endpoint] = by_login(views[endpoint])
    for endpoint in NEW_PASSWORDS:
        views[endpoint] = by_sign_in(views[endpoint])


def _note_reset(breached: RequestLimit) -> None:
    """Seconds until the limit counts from nothing again, for `Retry-After`."""
    g.retry_after = max(1, int(breached.reset_at - time()))


def _begin() -> None:
    request_id()
    if getattr(request, "overlong", False):
        raise RequestURITooLarge
    if request.endpoint in UPLOADS:
        request.max_content_length = MAX_UPLOAD


def content_security_policy(settings: Settings) -> str:
    """Nothing inline, nothing foreign; a payment form may lead on to the cashier."""
    cashier = settings.sandbox_url if settings.sandbox else "https://checkout.stripe.com"
    return (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {cashier}"
    )
