"""Handing goods to a carrier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from models.fulfilment import Parcel, ParcelLine
from models.orders import Consignment, ConsignmentState, Order, OrderLine
from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.fulfilment.carriers import carrier_name
from shop.fulfilment.rules import (
    LineLeft,
    by_sku,
    check_sendable,
    checked_label,
    leave_room,
    packed,
)
from shop.ids import new_id
from shop.inventory.commands import ship as take_from_stock
from shop.machine import move_locked
from shop.orders.states import CONSIGNMENT

ORDERS = Order.__table__
CONSIGNMENTS = Consignment.__table__
LINES = OrderLine.__table__
PARCELS = Parcel.__table__
PARCEL_LINES = ParcelLine.__table__
PARTS = CONSIGNMENTS.alias("parts")

TO_BE_SENT = (ConsignmentState.PENDING_SHIPMENT, ConsignmentState.PARTIALLY_SHIPPED)
"""Something of it has still to leave."""


@dataclass(frozen=True, slots=True)
class ShipParcel:
    """One box: `lines` are (order line, pieces); without them everything that is left."""

    carrier: str
    tracking_no: str
    lines: tuple[tuple[UUID, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class PackedLine:
    """So many pieces of an order line in a parcel."""

    line_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """A parcel as it left, and where its consignment stands now."""

    id: UUID
    consignment_number: str
    consignment_state: ConsignmentState
    carrier: str
    carrier_name: str
    tracking_no: str
    shipped_at: datetime
    lines: tuple[PackedLine, ...]


def ship_parcel(ctx: Ctx, consignment_number: str, parcel: ShipParcel) -> ParcelFacts:
    """Hand a parcel of the actor's own cooperative to a carrier; stock and states follow.

    Raises:
        NotFound: no such consignment, or another cooperative's.
        Invalid: `invalid_parcel`, or lines that make no sense.
        Conflict: `over_shipped`, `duplicate_parcel`, `too_many_parcels`, `consignment_<state>`.
    """
    carrier, tracking_no = checked_label(parcel.carrier, parcel.tracking_no)
    found = locked_consignment(ctx, consignment_number)
    check_sendable(found.state)
    sent = _sent(ctx, found, carrier, tracking_no)
    if sent.same:
        raise duplicate()
    lines = _lines_left(ctx, found.id)
    pieces = packed(lines, parcel.lines)
    event = "ship_all" if sum(line.left for line in lines) == sum(pieces.values()) else "ship_part"
    if event == "ship_part":
        leave_room(sent.parcels, sent.others_wait)
    parcel_id = new_id()
    _write(ctx, parcel_id, found.id, carrier, tracking_no, pieces)
    moved = move_locked(
        ctx,
        CONSIGNMENT,
        found.id,
        found.order_id,
        found.state,
        event,
        why=f"{carrier} {tracking_no}",
        values={"shipped_at": ctx.now} if event == "ship_all" else None,
    )
    take_from_stock(ctx, found.order_id, parcel_id, by_sku(lines, pieces))
    audit.record(
        ctx,
        "parcel.ship",
        "consignment",
        consignment_number,
        before={"state": found.state.value},
        after={
            "state": moved.after.value,
            "carrier": carrier,
            "tracking_no": tracking_no,
            "pieces": {str(line_id): count for line_id, count in pieces.items()},
        },
    )
    return ParcelFacts(
        parcel_id,
        consignment_number,
        ConsignmentState(moved.after),
        carrier,
        carrier_name(carrier, ctx.language),
        tracking_no,
        ctx.now,
        tuple(PackedLine(line_id, count) for line_id, count in pieces.items()),
    )


def locked_consignment(ctx: Ctx, number: str) -> Any:
    """A consignment of the actor's own cooperative, locked until the transaction ends.

    The order's row goes first, as in paying: neither can wait for the other.

    Raises:
        NotFound: there is none, or it is another cooperative's.
    """
    mine = CONSIGNMENTS.c.cooperative_id.in_(ctx.actor.cooperative_ids)
    found = ctx.session.execute(
        select(CONSIGNMENTS.c.id)
        .join(ORDERS, ORDERS.c.id == CONSIGNMENTS.c.order_id)
        .where(CONSIGNMENTS.c.number == number, mine)
        .with_for_update(of=ORDERS, key_share=True)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("没有找到这个发货单", "There is no such consignment")
    return ctx.session.execute(
        select(CONSIGNMENTS.c.id, CONSIGNMENTS.c.order_id, CONSIGNMENTS.c.state)
        .where(CONSIGNMENTS.c.id == found)
        .with_for_update()
    ).one()


def _lines_left(ctx: Ctx, consignment_id: UUID) -> list[LineLeft]:
    rows = ctx.session.execute(
        select(
            LINES.c.id,
            LINES.c.sku_id,
            LINES.c.quantity - LINES.c.shipped_quantity - LINES.c.withdrawn,
        )
        .where(LINES.c.consignment_id == consignment_id)
        .order_by(LINES.c.position)
    )
    return [LineLeft(*row) for row in rows]


def _sent(ctx: Ctx, found: Any, carrier: str, tracking_no: str) -> Any:
    """What has left of the order, and what else of it waits; its lock makes both hold still.

    `parcels` of the order, those of the consignment with the `same` label, and how many other
    consignments have something to be sent (`others_wait`).
    """
    same = (
        (PARCELS.c.consignment_id == found.id)
        & (PARCELS.c.carrier == carrier)
        & (PARCELS.c.tracking_no == tracking_no)
    )
    others = select(func.count()).where(
        CONSIGNMENTS.c.order_id == found.order_id,
        CONSIGNMENTS.c.id != found.id,
        CONSIGNMENTS.c.state.in_(TO_BE_SENT),
    )
    return ctx.session.execute(
        select(
            func.count().label("parcels"),
            func.count().filter(same).label("same"),
            others.scalar_subquery().label("others_wait"),
        )
        .select_from(PARCELS)
        .join(PARTS, PARTS.c.id == PARCELS.c.consignment_id)
        .where(PARTS.c.order_id == found.order_id)
    ).one()


def duplicate() -> Conflict:
    """The consignment has a parcel with this label already."""
    return Conflict(
        "该快递单号已录入", "This tracking number is on record", code="duplicate_parcel"
    )


def _write(
    ctx: Ctx,
    parcel_id: UUID,
    consignment_id: UUID,
    carrier: str,
    tracking_no: str,
    pieces: dict[UUID, int],
) -> None:
    ctx.session.execute(
        insert(PARCELS).values(
            id=parcel_id,
            consignment_id=consignment_id,
            carrier=carrier,
            tracking_no=tracking_no,
            shipped_by=ctx.actor.user_id,
            shipped_at=ctx.now,
        )
    )
    ctx.session.execute(
        insert(PARCEL_LINES).values(
            [
                {"parcel_id": parcel_id, "order_line_id": line_id, "quantity": count}
                for line_id, count in pieces.items()
            ]
        )
    )
    ctx.session.execute(
        update(LINES)
        .where(LINES.c.id == bindparam("line_id"))
        .values(shipped_quantity=LINES.c.shipped_quantity + bindparam("pieces")),
        [{"line_id": line_id, "pieces": count} for line_id, count in pieces.items()],
    )
