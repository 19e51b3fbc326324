"""A refund that never reached the buyer: the aid record takes its deduction back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from models.aid import AidEntry, AidEntryKind
from shop.aid.commands import ORDER_LINE_CAUSE
from shop.clock import business_day
from shop.context import Ctx
from shop.ids import new_id

ENTRIES = AidEntry.__table__


def undo_refund(ctx: Ctx, cause_id: UUID, at: datetime, reason: str) -> int:
    """Mirror every entry that the refund `cause_id` wrote; how many were mirrored now.

    The mirror stands on the day the failure came to light, beside the deduction, which stays.
    """
    entries = (
        ctx.session.execute(
            select(ENTRIES).where(
                ENTRIES.c.kind == AidEntryKind.REFUND, ENTRIES.c.cause_id == cause_id
            )
        )
        .mappings()
        .all()
    )
    written = 0
    for entry in entries:
        row = {
            **entry,
            "id": new_id(),
            "kind": AidEntryKind.REFUND_UNDO,
            "at": at,
            "day": business_day(at),
            **{name: -entry[name] for name in ("quantity", "weight_g", "goods_fen", "freight_fen")},
            "reason": reason,
            "actor_id": ctx.actor.user_id,
            "recorded_at": ctx.now,
        }
        done = ctx.session.execute(
            insert(ENTRIES)
            .values(row)
            .on_conflict_do_nothing(
                index_elements=["kind", "cause_id", "order_line_id"],
                index_where=ORDER_LINE_CAUSE,
            )
            .returning(ENTRIES.c.id)
        ).first()
        written += done is not None
    return written
