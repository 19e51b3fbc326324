"""Reading `demo.yaml`, the demonstration data."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEMO = Path(__file__).with_name("demo.yaml")


@cache
def demo() -> dict[str, Any]:
    """The demonstration data as plain lists and mappings. Shared: do not change it."""
    with DEMO.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.safe_load(file)
    return loaded


def moment(text: str) -> datetime:
    """A time of the data, with its offset."""
    return datetime.fromisoformat(text)


def day(text: str | None) -> date | None:
    """A day of the data, if it is there."""
    return date.fromisoformat(text) if text else None
