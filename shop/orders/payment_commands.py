"""What money, and its absence, does to an order: paid, closed, opened again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from models.orders import Consignment, ConsignmentState, Order, OrderLine, PaymentTerms
from shop.aid.commands import record_sale
from shop.aid.values import Sale, SaleLine
from shop.context import Ctx
from shop.errors import Conflict
from shop.inventory.commands import release, reserve
from shop.machine import Moved, append_rows, event_row, fire, move_locked
from shop.orders import rules
from shop.orders.states import CONSIGNMENT, ORDER

ORDERS = Order.__table__
CONSIGNMENTS = Consignment.__table__
LINES = OrderLine.__table__

MOVE_CONSIGNMENTS = (
    update(CONSIGNMENTS)
    .where(
        CONSIGNMENTS.c.order_id == bindparam("its_order"),
        CONSIGNMENTS.c.state == bindparam("before"),
    )
    .returning(CONSIGNMENTS.c.id)
)
PAID_ON_CREDIT = (
    update(CONSIGNMENTS)
    .where(
        CONSIGNMENTS.c.order_id == bindparam("its_order"),
        CONSIGNMENTS.c.state != ConsignmentState.CANCELLED,
    )
    .values(paid_at=bindparam("at"))
)
ON_ITS_WAY = select(CONSIGNMENTS.c.id).where(
    CONSIGNMENTS.c.order_id == bindparam("its_order"),
    CONSIGNMENTS.c.state.in_(
        (
            ConsignmentState.PARTIALLY_SHIPPED,
            ConsignmentState.SHIPPED,
            ConsignmentState.COMPLETED,
        )
    ),
)
LINES_OF = (
    select(
        LINES.c.id,
        LINES.c.sku_id,
        LINES.c.snapshot,
        LINES.c.quantity,
        LINES.c.weight_g,
        LINES.c.goods_fen,
        LINES.c.discount_fen,
        LINES.c.freight_fen,
    )
    .where(LINES.c.order_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)


def mark_paid(ctx: Ctx, order: Any, payment_id: UUID, paid_at: datetime) -> dict[str, int] | None:
    """The money for this order is there: consignments go to their cooperatives, aid is counted.

    Args:
        ctx: the transaction.
        order: its row, locked (`access.locked_order`).
        payment_id: the attempt that brought the money.
        paid_at: when it did.

    Returns:
        What each cooperative is owed for it, goods and freight in fen by its code; None when the
        order was paid before.

    Raises:
        Conflict: `order_cancelled`, the order was closed before: the money must go back.
    """
    moved = move_locked(
        ctx, ORDER, order.id, order.id, order.state, "pay", values={"paid_at": paid_at}
    )
    if not moved.changed:
        return None
    move_consignments(ctx, order.id, "pay", {"paid_at": paid_at})
    if order.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        # They went on their way before; only the money is new.
        ctx.session.execute(PAID_ON_CREDIT, {"its_order": order.id, "at": paid_at})
    return _count_as_aid(ctx, order, payment_id, paid_at)


def close_order(ctx: Ctx, order_id: UUID, event: str, why: str) -> Moved:
    """Cancel (`cancel` by the buyer, `expire` by the timer) an unpaid order and free its goods.

    Raises:
        Conflict: `order_paid`, it is paid: a timer never cancels a paid order; `order_shipped`,
            its goods are on their way and will be paid after delivery.
    """
    moved = fire(
        ctx,
        ORDER,
        order_id,
        order_id,
        event,
        why=why,
        values={"cancelled_at": ctx.now, "cancel_reason": event},
    )
    if moved.changed:
        refuse_shipped(ctx, order_id)
        move_consignments(ctx, order_id, "cancel", {})
        move_consignments(ctx, order_id, "cancel", {}, ConsignmentState.PENDING_SHIPMENT)
        release(ctx, order_id, _reserved(ctx, order_id))
    return moved


def refuse_shipped(ctx: Ctx, order_id: UUID) -> None:
    """What has left on credit cannot be called off.

    Raises:
        Conflict: `order_shipped`.
    """
    if ctx.session.execute(ON_ITS_WAY, {"its_order": order_id}).first() is not None:
        raise Conflict(
            "订单已开始发货，不能取消",
            "Goods of this order have been shipped",
            code="order_shipped",
        )


def reopen_order(ctx: Ctx, order: Any) -> None:
    """Let an order that the timer closed wait for its money again, its goods promised anew.

    Raises:
        Conflict: `out_of_stock`, somebody else has them; nothing is to be kept of the try then.
    """
    move_locked(
        ctx,
        ORDER,
        order.id,
        order.id,
        order.state,
        "reopen",
        values={"cancelled_at": None, "cancel_reason": None},
    )
    move_consignments(ctx, order.id, "reopen", {}, ConsignmentState.CANCELLED)
    reserve(ctx, order.id, _reserved(ctx, order.id))


def _reserved(ctx: Ctx, order_id: UUID) -> dict[UUID, int]:
    return {
        line.sku_id: line.quantity for line in ctx.session.execute(LINES_OF, {"wanted": order_id})
    }


def move_consignments(
    ctx: Ctx,
    order_id: UUID,
    event: str,
    values: dict[str, Any],
    before: ConsignmentState = ConsignmentState.PENDING_PAYMENT,
) -> None:
    """Move an order's consignments that stand at `before` by one event, under the order's lock."""
    after = CONSIGNMENT.transitions[before, event]
    moved = ctx.session.execute(
        MOVE_CONSIGNMENTS,
        {"its_order": order_id, "before": before, "state": after, **values},
    ).scalars()
    append_rows(
        ctx,
        [
            event_row(ctx, "consignment", consignment_id, order_id, event, before, after)
            for consignment_id in moved
        ],
    )


def _count_as_aid(ctx: Ctx, order: Any, payment_id: UUID, paid_at: datetime) -> dict[str, int]:
    sale = Sale(
        order_id=order.id,
        order_number=order.number,
        at=paid_at,
        cause_id=payment_id,
        platform_id=order.platform_id,
        storefront_id=order.storefront_id,
        channel_id=order.channel_id,
        campaign_id=order.campaign_id,
        unit_id=order.unit_id,
        buyer_kind=order.buyer_kind,
        buyer_key=order.buyer_key,
        purpose=order.purpose,
    )
    lines = [_sale_line(line) for line in ctx.session.execute(LINES_OF, {"wanted": order.id})]
    record_sale(ctx, sale, lines)
    return rules.shares(lines)


def _sale_line(line: Any) -> SaleLine:
    return SaleLine(
        order_line_id=line.id,
        snapshot=line.snapshot,
        quantity=line.quantity,
        weight_g=line.weight_g,
        goods_fen=line.goods_fen - line.discount_fen,
        freight_fen=line.freight_fen,
    )
