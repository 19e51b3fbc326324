"""Every error as an RFC 9457 problem document, by one table."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, current_app
from werkzeug.exceptions import HTTPException

from shop import errors, logging
from shop.web import language, request_id

log = logging.get("api")

STATUS: list[tuple[type[errors.ShopError], int]] = [
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Invalid, 422),
    (errors.Declined, 402),
    (errors.Conflict, 409),
    (errors.TryAgain, 409),
]
"""First match wins. TryAgain is a conflict with somebody faster: repeat after `Retry-After`."""

SPECIAL = {
    "unreadable": 400,
    "idempotency_key_required": 400,
    "bad_signature": 400,
    "bad_event": 400,
    "rate_limited": 429,
    "too_large": 413,
    "statement_too_large": 413,
    "unsupported_media_type": 415,
    "precondition_required": 428,
    "precondition_failed": 412,
    "method_not_allowed": 405,
    "database_unavailable": 503,
    "payment_provider_unavailable": 503,
}
"""Codes whose status is not that of their family."""

WHOLE = "_schema"
"""What marshmallow calls a fault of no single field."""

HTTP_CODES: dict[int, tuple[str, str, str]] = {
    400: ("unreadable", "请求无法识别", "The request is not readable"),
    404: ("not_found", "没有找到您要的内容", "There is nothing here under that name"),
    405: ("method_not_allowed", "不支持此操作方式", "This address does not take that method"),
    413: ("too_large", "提交的内容过大", "The body is too large"),
    414: ("address_too_long", "地址过长", "The address is too long"),
    415: ("unsupported_media_type", "不支持的内容类型", "The body must be application/json"),
    429: ("rate_limited", "操作过于频繁，请稍后再试", "Too many requests, please slow down"),
}


def status_of(error: errors.ShopError) -> int:
    """The HTTP status of an error."""
    if error.error_code in SPECIAL:
        return SPECIAL[error.error_code]
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def problem(error: errors.ShopError) -> Response:
    """The problem document of a `ShopError`, in the caller's language."""
    status = status_of(error)
    document: dict[str, Any] = {
        "type": f"/problems/{error.error_code}",
        "title": type(error).__name__,
        "status": status,
        "code": error.error_code,
        "detail": error.message(language()),
        **error.extra,
    }
    if error.fields:
        document["errors"] = error.field_messages(language())
    elif status == 422:  # noqa: PLR2004
        document["errors"] = {WHOLE: [document["detail"]]}
    return _answer(document, status)


def http_problem(error: HTTPException) -> Response:
    """The problem document of what the web framework itself refused (405, 413, 429, …)."""
    status = error.code or 400
    code, zh, en = HTTP_CODES.get(status, (f"http_{status}", "请求没有成功", str(error.name)))
    answer = _answer(
        {
            "type": f"/problems/{code}",
            "title": error.name,
            "status": status,
            "code": code,
            "detail": zh if language() == "zh" else en,
        },
        status,
    )
    allow = error.get_headers() if status == 405 else []  # noqa: PLR2004
    for name, value in allow:
        if name == "Allow":
            answer.headers["Allow"] = value
    return answer


def unexpected(error: Exception) -> Response:
    """Our own fault: logged with its trace, told without it."""
    if current_app.testing:
        raise error
    log.error("unhandled", exc_info=error)
    return _answer(
        {
            "type": "/problems/internal",
            "title": "Internal error",
            "status": 500,
            "code": "internal",
            "detail": "系统出错，我们已记录" if language() == "zh" else "An error on our side",
        },
        500,
    )


def _answer(document: dict[str, Any], status: int) -> Response:
    document["request_id"] = request_id()
    answer = Response(orjson.dumps(document, default=str), status=status)
    answer.content_type = "application/problem+json"
    answer.headers["Cache-Control"] = "no-store"
    if status in {409, 429, 503} and document["code"] in {
        "try_again",
        "idempotency_in_flight",
        "rate_limited",
        "database_unavailable",
        "payment_provider_unavailable",
    }:
        answer.headers["Retry-After"] = "1" if status == 409 else "30"  # noqa: PLR2004
    if status == 401:  # noqa: PLR2004
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
