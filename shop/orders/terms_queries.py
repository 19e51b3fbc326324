"""How a buyer's unit may pay."""

from __future__ import annotations

from sqlalchemy import select

from models.organization import Unit
from shop.context import Ctx

UNITS = Unit.__table__


def may_pay_after_delivery(ctx: Ctx) -> bool:
    """Whether paying after delivery has been agreed with the actor's own unit."""
    if ctx.actor.unit_id is None:
        return False
    found = ctx.session.execute(
        select(UNITS.c.pay_after_delivery).where(UNITS.c.id == ctx.actor.unit_id)
    ).scalar_one_or_none()
    return bool(found)
