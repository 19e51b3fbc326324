"""The back office of cooperatives and organizers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from flask_limiter import Limiter

TRANSLATIONS = str(Path(__file__).parent / "translations")


def register(app: Flask, limiter: Limiter) -> None:
    """Hang the back office into the application."""
    del app, limiter
