"""Pictures, styles and scripts: served by ourselves, kept by browsers until they change."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import js_lib_htmx
from flask import Blueprint, Response, request, send_from_directory

STATIC = Path(__file__).parent / "static"
HTMX = Path(js_lib_htmx.__file__).parent / "static" / "htmx"
SCRIPT = "htmx.min.js"
PREFIX = "/static/"
FILES = frozenset(
    f"storefront.{name}" for name in ("static_file", "asset_script", "favicon", "robots")
)
"""Endpoints of what is the same for everybody."""

A_YEAR = 31_536_000
AN_HOUR = 3_600
"""For an address without the file's hash: pictures named inside a style sheet."""


@cache
def versions() -> dict[str, str]:
    """File -> eight characters that change when it does; read once a process."""
    return {
        path.relative_to(STATIC).as_posix(): _version(path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }


@cache
def asset(name: str) -> str:
    """The address of a static file, with its version; a missing file is a bug (KeyError)."""
    return f"{PREFIX}{name}?v={versions()[name]}"


@cache
def script() -> str:
    """The address of htmx, which comes as a package."""
    return f"/assets/{SCRIPT}?v={_version(HTMX / SCRIPT)}"


def picture(address: str | None, otherwise: str) -> str:
    """A stored picture's address, versioned when the file is one of ours.

    Args:
        address: what the catalogue holds: `/static/…`, an address elsewhere, or nothing.
        otherwise: the static file that stands in for nothing.
    """
    if not address:
        return asset(otherwise)
    name = address.removeprefix(PREFIX)
    return asset(name) if name != address and name in versions() else address


def register(blueprint: Blueprint) -> None:
    """Add the files' routes."""
    blueprint.add_url_rule("/static/<path:name>", "static_file", _static)
    blueprint.add_url_rule(f"/assets/{SCRIPT}", "asset_script", _script)
    blueprint.add_url_rule("/favicon.ico", "favicon", _favicon)
    blueprint.add_url_rule("/robots.txt", "robots", _robots)


def _static(name: str) -> Response:
    current = "v" in request.args and request.args["v"] == versions().get(name)
    return _kept(send_from_directory(STATIC, name), current=current)


def _script() -> Response:
    return _kept(send_from_directory(HTMX, SCRIPT), current="v" in request.args)


def _favicon() -> Response:
    return _kept(send_from_directory(STATIC, "favicon.svg"), current=False)


def _robots() -> Response:
    refused = ("/cart", "/checkout", "/orders", "/account", "/find-order", "/sign-in", "/register")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in refused), ""]
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


def _kept(response: Response, *, current: bool) -> Response:
    response.headers["Cache-Control"] = (
        f"public, max-age={A_YEAR}, immutable" if current else f"public, max-age={AN_HOUR}"
    )
    return response


def _version(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest)[:8].decode()
