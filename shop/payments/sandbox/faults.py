"""Refusals, in the shape in which Stripe words them."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """A refusal of a request that was carried out; an idempotency key remembers it."""

    kept = True

    def __init__(self, message: str, *, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": "invalid_request_error", "message": message, **more}}


class BadParameter(Fault):
    """A request refused before anything was tried; an idempotency key does not remember it."""

    kept = False

    def __init__(self, param: str, message: str, code: str = "parameter_invalid") -> None:
        super().__init__(message, param=param, code=code)


def missing(kind: str, number: str) -> Fault:
    """There is no object of that kind under that id."""
    kind = kind.replace(".", " ")
    return Fault(f"No such {kind}: '{number}'", status=404, code="resource_missing", param="id")


def unknown_address(method: str, path: str) -> Fault:
    """There is no such endpoint."""
    return Fault(f"Unrecognized request URL ({method}: {path}).", status=404)


def no_key() -> Fault:
    """The request carries no API key."""
    return Fault("You did not provide an API key in the Authorization header.", status=401)


def wrong_key(key: str) -> Fault:
    """The key is not one for tests: above all, no live key is ever taken here."""
    return Fault(f"Invalid API Key provided: {key[:8]}***", status=401)


def reused_key(key: str, what: str) -> Fault:
    """An idempotency key came back with another request."""
    return Fault(
        f"Keys for idempotent requests can only be used {what} they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request.",
        type="idempotency_error",
    )
