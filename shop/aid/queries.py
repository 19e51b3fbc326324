"""Lists for forms: units as a tree, channels, campaigns, storefronts, platforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, select, true

from shop.aid.attribution import (
    CAMPAIGNS,
    CHANNELS,
    PLATFORMS,
    STOREFRONTS,
    UNITS,
    Attribution,
    attribution_for,
)
from shop.context import Ctx

__all__ = [
    "Attribution",
    "UnitChoice",
    "attribution_for",
    "campaigns",
    "channels",
    "platforms",
    "storefronts",
    "units",
]

DEEPEST = 8
"""Levels of the unit tree that a list descends; a faculty's sub-union is the third."""


@dataclass(frozen=True, slots=True)
class UnitChoice:
    """A unit in a form's list; `depth` 0 is the top of the tree."""

    code: str
    name: str
    name_en: str | None
    kind: str
    parent_code: str | None
    depth: int


def units(ctx: Ctx) -> list[UnitChoice]:
    """The tree of active units, each below its parent, in code order."""
    rows = ctx.session.execute(select(UNITS).where(UNITS.c.active).order_by(UNITS.c.code)).all()
    codes = {row.id: row.code for row in rows}
    below: dict[UUID | None, list[Any]] = {}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in codes else None, []).append(row)

    def walk(parent: UUID | None, depth: int) -> list[UnitChoice]:
        found: list[UnitChoice] = []
        for row in below.get(parent, []) if depth < DEEPEST else []:
            parent_code = codes.get(row.parent_id)
            found.append(UnitChoice(row.code, row.name, row.name_en, row.kind, parent_code, depth))
            found += walk(row.id, depth + 1)
        return found

    return walk(None, 0)


def channels(ctx: Ctx) -> list[dict[str, Any]]:
    """Active channels: code, name, name_en, kind, medium."""
    return _listed(ctx, CHANNELS, ("code", "name", "name_en", "kind", "medium"), CHANNELS.c.active)


def storefronts(ctx: Ctx) -> list[dict[str, Any]]:
    """Active storefronts: code, name, name_en."""
    return _listed(ctx, STOREFRONTS, ("code", "name", "name_en"), STOREFRONTS.c.active)


def platforms(ctx: Ctx) -> list[dict[str, Any]]:
    """Sales platforms, our own and others': code, name, name_en, kind, counts_for."""
    return _listed(ctx, PLATFORMS, ("code", "name", "name_en", "kind", "counts_for"), true())


def campaigns(ctx: Ctx, *, running: bool = False) -> list[dict[str, Any]]:
    """Campaigns, or those running now, as their table has them but for the key."""
    now = and_(CAMPAIGNS.c.starts_at <= ctx.now, ctx.now < CAMPAIGNS.c.ends_at)
    columns = ("code", "name", "name_en", "kind", "starts_at", "ends_at", "channels", "goal_fen")
    return _listed(ctx, CAMPAIGNS, columns, now if running else true())


def _listed(
    ctx: Ctx, table: Table, columns: tuple[str, ...], where: ColumnElement[bool]
) -> list[dict[str, Any]]:
    statement = select(*(table.c[name] for name in columns)).where(where).order_by(table.c.code)
    return [dict(row) for row in ctx.session.execute(statement).mappings()]
