"""Money that a person has to look after: it arrived, and no order may keep it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from models.orders import Order
from models.payments import Payment, PaymentState
from shop.context import Ctx

PAYMENTS, ORDERS = Payment.__table__, Order.__table__


def needing_refund(ctx: Ctx, before: UUID | None = None, limit: int = 24) -> list[dict[str, Any]]:
    """Payments that have to go back, newest first, each with `why` (a code) and its order.

    `before` is the `id` of the last row already read.
    """
    wanted = [PAYMENTS.c.state == PaymentState.NEEDS_REFUND]
    if before is not None:
        wanted.append(PAYMENTS.c.id < before)
    rows = ctx.session.execute(
        select(
            PAYMENTS.c.id,
            PAYMENTS.c.method,
            PAYMENTS.c.amount_fen,
            PAYMENTS.c.captured_fen,
            PAYMENTS.c.currency,
            PAYMENTS.c.reference,
            PAYMENTS.c.created_at,
            PAYMENTS.c.settled_at,
            ORDERS.c.number.label("order_number"),
            ORDERS.c.total_fen,
            PAYMENTS.c.failure_code.label("why"),
        )
        .join(ORDERS, ORDERS.c.id == PAYMENTS.c.order_id)
        .where(*wanted)
        .order_by(PAYMENTS.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def refunds_due(ctx: Ctx) -> tuple[int, int]:
    """How many payments have to go back, and how much money they hold, in fen."""
    row = ctx.session.execute(
        select(func.count(), func.coalesce(func.sum(PAYMENTS.c.captured_fen), 0)).where(
            PAYMENTS.c.state == PaymentState.NEEDS_REFUND
        )
    ).one()
    return int(row[0]), int(row[1])
