"""Which of the codes that a link carried mean something: one statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, false, select, true

from shop.aid.attribution import CAMPAIGNS, CHANNELS, STOREFRONTS
from shop.context import Ctx


@dataclass(frozen=True, slots=True)
class Touch:
    """How somebody came: codes, each of them only if there was one."""

    channel: str | None = None
    campaign: str | None = None
    storefront: str | None = None


def existing_codes(ctx: Ctx, asked: Touch) -> Touch:
    """`asked` without what does not exist or is no longer active: a torn link costs no sale."""
    row = ctx.session.execute(
        select(
            _code(CHANNELS, asked.channel).label("channel"),
            _code(CAMPAIGNS, asked.campaign).label("campaign"),
            _code(STOREFRONTS, asked.storefront).label("storefront"),
        )
    ).one()
    return Touch(row.channel, row.campaign, row.storefront)


def _code(table: Table, code: str | None) -> ColumnElement[str]:
    live = table.c.active if "active" in table.c else true()
    named = false() if code is None else table.c.code == code
    found: ColumnElement[str] = select(table.c.code).where(named, live).scalar_subquery()
    return found
