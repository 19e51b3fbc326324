"""The manager's board: how much waits in which state."""

from __future__ import annotations

from sqlalchemy import func, select

from models.orders import Consignment, ConsignmentState
from shop.context import Ctx

CONSIGNMENTS = Consignment.__table__


def counts_by_state(ctx: Ctx) -> dict[ConsignmentState, int]:
    """How many consignments of the actor's cooperatives stand in each state, 0 included."""
    rows = ctx.session.execute(
        select(CONSIGNMENTS.c.state, func.count().label("consignments"))
        .where(CONSIGNMENTS.c.cooperative_id.in_(ctx.actor.cooperative_ids))
        .group_by(CONSIGNMENTS.c.state)
    )
    return dict.fromkeys(ConsignmentState, 0) | {row.state: row.consignments for row in rows}
