"""What does not agree with another's books: one row each, until it is explained."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from models.reconciliation import Difference, DifferenceState, Side
from shop.clock import business_day
from shop.context import Ctx
from shop.ids import new_id

DIFFERENCES = Difference.__table__


def open_difference(
    ctx: Ctx,
    kind: str,
    reference: str,
    *,
    day_of: datetime,
    side: Side = Side.PROVIDER,
    theirs_fen: int | None = None,
    ours_fen: int | None = None,
    order_id: UUID | None = None,
    payment_id: UUID | None = None,
    detail: str = "",
) -> bool:
    """Note that something does not agree; False when it is on the list already.

    `kind` and `reference` (the other side's name for it, or ours) say what it is.
    """
    written = ctx.session.execute(
        insert(DIFFERENCES)
        .values(
            id=new_id(),
            side=side,
            kind=kind,
            reference=reference,
            day=business_day(day_of),
            theirs_fen=theirs_fen,
            ours_fen=ours_fen,
            order_id=order_id,
            payment_id=payment_id,
            state=DifferenceState.OPEN,
            detail=detail,
            opened_at=ctx.now,
            explanation="",
        )
        .on_conflict_do_nothing(index_elements=["kind", "reference"])
        .returning(DIFFERENCES.c.id)
    ).first()
    return written is not None
