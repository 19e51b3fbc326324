"""English names of cooperatives and units, where a row carries the Chinese one alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shop.catalog import reference_queries
from shop.context import Ctx
from shop.web import language

Names = Mapping[str, str]
"""Code -> name in the reader's language; what is missing keeps its Chinese name."""


def cooperative_names(ctx: Ctx) -> Names:
    """One statement for an English reader, none for a Chinese one."""
    return _english(reference_queries.cooperatives(ctx.session)) if language() == "en" else {}


def unit_names(ctx: Ctx) -> Names:
    """One statement for an English reader, none for a Chinese one."""
    return _english(reference_queries.units(ctx.session)) if language() == "en" else {}


def _english(rows: Iterable[Mapping[str, Any]]) -> Names:
    return {row["code"]: row["name_en"] for row in rows if row["name_en"]}
