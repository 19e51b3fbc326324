"""Goods that a refund gives up: what is not shipped is free again, what came back is on the shelf.

Stock changes only for these; a refund of money alone moves none.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, func, select

from models.orders import Consignment, ConsignmentState, OrderLine
from shop.context import Ctx
from shop.inventory.commands import release, take_back
from shop.locks import lock_stock
from shop.machine import move_locked
from shop.orders.states import CONSIGNMENT
from shop.payments.refund_rules import Part

CONSIGNMENTS, LINES = Consignment.__table__, OrderLine.__table__

SHIPPABLE = (ConsignmentState.PENDING_SHIPMENT, ConsignmentState.PARTIALLY_SHIPPED)

TO_SHIP = select(
    func.sum(LINES.c.quantity - LINES.c.shipped_quantity - LINES.c.withdrawn),
    func.sum(LINES.c.shipped_quantity),
).where(LINES.c.consignment_id == bindparam("wanted"))
LOCK_CONSIGNMENTS = (
    select(CONSIGNMENTS.c.id, CONSIGNMENTS.c.state)
    .where(CONSIGNMENTS.c.order_id == bindparam("wanted"))
    .order_by(CONSIGNMENTS.c.id)
    .with_for_update()
)


def give_up(
    ctx: Ctx, order_id: UUID, parts: Sequence[Part], number: str, why: str = "refund"
) -> None:
    """Free and take back the pieces of parts whose lines have been claimed; states follow.

    The order is locked, so nobody ships of it meanwhile. `number` is the refund's.
    """
    withdrawn = _by_sku(parts, "withdrawn")
    returned = _by_sku(parts, "returned")
    if withdrawn:
        _close_empty(ctx, order_id, {p.line.consignment_id for p in parts if p.withdrawn}, why)
    # All of them at once and in one order; each call below locks its own part again.
    lock_stock(ctx.session, withdrawn.keys() | returned.keys())
    if withdrawn:
        release(ctx, order_id, withdrawn)
    if returned:
        take_back(ctx, order_id, returned, number)


def _by_sku(parts: Sequence[Part], what: str) -> dict[UUID, int]:
    pieces: dict[UUID, int] = {}
    for part in parts:
        count: int = getattr(part, what)
        if count:
            pieces[part.line.sku_id] = pieces.get(part.line.sku_id, 0) + count
    return pieces


def _close_empty(ctx: Ctx, order_id: UUID, touched: set[UUID], why: str) -> None:
    """A consignment with nothing left to ship is cancelled, or shipped if something went out."""
    for row in ctx.session.execute(LOCK_CONSIGNMENTS, {"wanted": order_id}).all():
        if row.id not in touched or row.state not in SHIPPABLE:
            continue
        left, shipped = ctx.session.execute(TO_SHIP, {"wanted": row.id}).one()
        if left:
            continue
        event = "withdraw_rest" if shipped else "cancel"
        values = {"shipped_at": ctx.now} if shipped else None
        move_locked(ctx, CONSIGNMENT, row.id, order_id, row.state, event, why=why, values=values)
