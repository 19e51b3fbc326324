"""Pictures, styles and scripts: served by ourselves, kept by browsers until they change."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from mimetypes import guess_type
from pathlib import Path

import js_lib_htmx
from flask import Blueprint, Response, request, send_from_directory

from storefront import compressed

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
    return _kept(_sent(STATIC, name, versions().get(name)), current=current)


def _script() -> Response:
    answer = _sent(HTMX, SCRIPT, _version(HTMX / SCRIPT))
    return _kept(answer, current="v" in request.args)


def _favicon() -> Response:
    name = "favicon.svg"
    return _kept(_sent(STATIC, name, versions()[name]), current=False)


def _sent(folder: Path, name: str, version: str | None) -> Response:
    """A file, packed where the browser takes it; without a version there is no such file."""
    packed = compressed.file(folder / name) if version else None
    if packed is None:
        return send_from_directory(folder, name)
    if compressed.taken() and "Range" not in request.headers:
        answer = Response(packed, mimetype=guess_type(name)[0])
        answer.set_etag(f"{version}-gzip")
        compressed.mark(answer)
        answer.make_conditional(request)
    else:
        answer = send_from_directory(folder, name)
    answer.vary.add("Accept-Encoding")
    return answer


def _robots() -> Response:
    refused = ("/cart", "/checkout", "/orders", "/account", "/find-order", "/sign-in", "/register")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in refused), ""]
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


def _kept(response: Response, *, current: bool) -> Response:
    response.headers["Cache-Control"] = (
        f"public, max-age={A_YEAR}, immutable" if current else f"public, max-age={AN_HOUR}"
    )
    return response


@cache
def _version(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest)[:8].decode()
