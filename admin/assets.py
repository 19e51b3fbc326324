"""Style sheets and drawings: ours, and Bootstrap's from its package. Nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, request, url_for

OWN = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600
HASH_LENGTH = 8


class Assets(Blueprint):
    """A blueprint whose files may be kept for a year when the address names their content."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """A year with `?v=`, otherwise the browser asks each time."""
        del filename
        return YEAR if "v" in request.args else None


def _bootstrap() -> Path:
    """Where the package keeps its files; found without running it."""
    spec = find_spec("flask_bootstrap")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static" / "bootstrap5"


VENDORED = _bootstrap()

vendor = Assets(
    "admin_assets", __name__, static_folder=str(VENDORED), static_url_path="/admin/assets"
)


def asset(filename: str) -> str:
    """The address of one of our own files, with a mark that changes when the file does."""
    return url_for("admin.static", filename=filename, v=_mark(OWN / filename))


def bootstrap(filename: str) -> str:
    """The address of one of Bootstrap's files, with its mark."""
    return url_for("admin_assets.static", filename=filename, v=_mark(VENDORED / filename))


@cache
def _mark(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest)[:HASH_LENGTH].decode()
