"""Putting right what was typed of a parcel's label."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from models.fulfilment import Parcel
from models.orders import ConsignmentState
from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.fulfilment.commands import duplicate, locked_consignment
from shop.fulfilment.rules import checked_label
from shop.reasons import checked_reason

PARCELS = Parcel.__table__

FOLLOWED = frozenset({ConsignmentState.PARTIALLY_SHIPPED, ConsignmentState.SHIPPED})
"""While somebody waits for the parcel; afterwards its label is a record and stays as it is."""


def correct_label(
    ctx: Ctx,
    consignment_number: str,
    parcel_id: UUID,
    carrier: str,
    tracking_no: str,
    reason: str,
    *,
    seen: tuple[str, str] | None = None,
) -> None:
    """Write the right carrier and tracking number on a parcel of the actor's own cooperative.

    What was typed first stays in the audit log and on the order's timeline. `seen` is the label
    that the actor read and found wrong: nobody puts right unseen what a colleague has put right.

    Raises:
        NotFound: no such consignment or parcel, or another cooperative's.
        Invalid: `invalid_parcel`, or no reason.
        Conflict: `duplicate_parcel`, `consignment_<state>`, `precondition_failed`.
    """
    carrier, tracking_no = checked_label(carrier, tracking_no)
    reason = checked_reason(reason, "请填写更正原因", "Say why the label is corrected")
    found = locked_consignment(ctx, consignment_number)
    typed = _label(ctx, found.id, parcel_id)
    if found.state not in FOLLOWED:
        raise Conflict(
            "订单已完成，快递单号不能再改",
            "The order is completed; its labels stay as they are",
            code=f"consignment_{found.state}",
        )
    if (typed.carrier, typed.tracking_no) == (carrier, tracking_no):
        return
    if seen not in {None, (typed.carrier, typed.tracking_no)}:
        raise Conflict(
            f"此单号刚被他人更正为 {typed.tracking_no}，请核对后再改",
            f"A colleague has just corrected this to {typed.tracking_no}; check it first",
            code="precondition_failed",
        )
    _refuse_another(ctx, found.id, carrier, tracking_no)
    ctx.session.execute(
        update(PARCELS)
        .where(PARCELS.c.id == parcel_id)
        .values(carrier=carrier, tracking_no=tracking_no)
    )
    audit.record(
        ctx,
        "parcel.correct",
        "consignment",
        consignment_number,
        before={"carrier": typed.carrier, "tracking_no": typed.tracking_no},
        after={"carrier": carrier, "tracking_no": tracking_no},
        reason=reason,
    )


def _label(ctx: Ctx, consignment_id: UUID, parcel_id: UUID) -> Any:
    found = ctx.session.execute(
        select(PARCELS.c.carrier, PARCELS.c.tracking_no).where(
            PARCELS.c.id == parcel_id, PARCELS.c.consignment_id == consignment_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound("没有找到这个包裹", "There is no such parcel")
    return found


def _refuse_another(ctx: Ctx, consignment_id: UUID, carrier: str, tracking_no: str) -> None:
    """A label is on one parcel of a consignment; the one at hand still has its old one."""
    same = ctx.session.execute(
        select(PARCELS.c.id).where(
            PARCELS.c.consignment_id == consignment_id,
            PARCELS.c.carrier == carrier,
            PARCELS.c.tracking_no == tracking_no,
        )
    )
    if same.first() is not None:
        raise duplicate()
