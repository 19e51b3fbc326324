"""Unpaid orders that the timer could not close: a person sees them, and may close them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, select

from models.orders import Order, OrderState, PaymentTerms
from models.payments import Payment
from shop import audit
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.orders.access import locked_order, order_id_of
from shop.payments.closing import close_here, close_unpaid, under_way
from shop.payments.gateway import GatewayRejected
from shop.payments.states import LIVE
from shop.reasons import checked_reason

ORDERS, PAYMENTS = Order.__table__, Payment.__table__

OVERDUE_AFTER = timedelta(hours=1)
"""A page may end half an hour after its order's time; by then the timer has tried again, too."""

BY_HAND = "by_hand"
"""Why it was closed: on the order's timeline."""

OVERDUE = and_(
    ORDERS.c.state == OrderState.PENDING_PAYMENT,
    ORDERS.c.payment_terms == PaymentTerms.PREPAY,
    ORDERS.c.pay_before <= bindparam("since"),
)
LISTED = (
    select(
        ORDERS.c.id,
        ORDERS.c.number,
        ORDERS.c.total_fen,
        ORDERS.c.pay_before,
        PAYMENTS.c.reference,
        PAYMENTS.c.intent_reference.is_not(None).label("processing"),
    )
    .outerjoin(PAYMENTS, and_(PAYMENTS.c.order_id == ORDERS.c.id, PAYMENTS.c.state.in_(LIVE)))
    .where(OVERDUE)
    .order_by(ORDERS.c.pay_before, ORDERS.c.id)
    .limit(bindparam("most"))
)
COUNTED = select(func.count(), func.coalesce(func.sum(ORDERS.c.total_fen), 0)).where(OVERDUE)


def overdue(ctx: Ctx, limit: int = 24) -> list[dict[str, Any]]:
    """Orders whose time to pay is long over and which are still open, the oldest first.

    `reference` is of the page that the provider would have to close; `processing`: it has said
    that the money is on its way.
    """
    wanted = {"since": ctx.now - OVERDUE_AFTER, "most": limit}
    return [dict(row) for row in ctx.session.execute(LISTED, wanted).mappings()]


def overdue_count(ctx: Ctx) -> tuple[int, int]:
    """How many there are, and what they were to bring, in fen."""
    row = ctx.session.execute(COUNTED, {"since": ctx.now - OVERDUE_AFTER}).one()
    return int(row[0]), int(row[1])


def close_overdue(transactions: Transactions, number: str, reason: str) -> None:
    """A person closes an order that the provider does not let the timer close.

    The provider is asked once more. Money that comes all the same is late: it opens the order
    again or goes back by itself. An order that is closed already stays as it is.

    Raises:
        NotFound: there is no such order.
        Invalid: no reason, or a novel.
        Conflict: `order_not_overdue`; `order_paid`; `payment_processing`, the provider says that
            money is on its way.
        GatewayUnavailable: the provider does not answer; try again later.
    """
    reason = checked_reason(reason)
    with transactions.begin() as ctx:
        order = locked_order(ctx, order_id_of(ctx, number))
        if order.state is OrderState.CANCELLED:
            return
        _refuse_unless_overdue(ctx, order)
    try:
        status = close_unpaid(transactions, order.id, "expire", BY_HAND)
    except GatewayRejected:
        status = None  # that is why a person does it
    if status is not None and status.state == "processing":
        raise under_way()
    with transactions.begin() as ctx:
        close_here(ctx, order.id, "expire", BY_HAND)
        audit.record(ctx, "order.close", "order", number, reason=reason)


def _refuse_unless_overdue(ctx: Ctx, order: Any) -> None:
    late = order.pay_before <= ctx.now - OVERDUE_AFTER
    on_credit = order.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY
    if order.state is OrderState.PENDING_PAYMENT and late and not on_credit:
        return
    if order.state is OrderState.PAID:
        raise Conflict("订单已支付", "The order is paid already", code="order_paid")
    raise Conflict(
        "订单还在付款期内，系统会自动关闭",
        "The order may still be paid; it is closed by itself",
        code="order_not_overdue",
    )
