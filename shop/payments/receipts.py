"""Money whose arrival a person or a bank file tells us, not a provider's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from models.payments import Payment, PaymentMethod, PaymentState
from shop.context import Ctx
from shop.errors import Conflict
from shop.ids import new_id
from shop.machine import append
from shop.orders.access import locked_order
from shop.payments.arrival import settle

PAYMENTS = Payment.__table__


def record_receipt(
    ctx: Ctx,
    order_id: UUID,
    *,
    method: PaymentMethod,
    amount_fen: int,
    received_at: datetime,
    reference: str,
) -> UUID:
    """Record that the money of one order is there, in full, and let the order go on.

    Raises:
        Conflict: `amount_mismatch`, not what is owed; `order_cancelled` or `order_paid`.
    """
    order = locked_order(ctx, order_id)
    if order.total_fen != amount_fen:
        raise Conflict(
            "到账金额与订单金额不一致",
            "The amount is not what the order costs",
            code="amount_mismatch",
            total_fen=order.total_fen,
        )
    row: dict[str, Any] = {
        "id": new_id(),
        "order_id": order_id,
        "method": method,
        "state": PaymentState.CREATED,
        "amount_fen": amount_fen,
        "currency": "CNY",
        "captured_fen": 0,
        "reference": reference,
        "expires_at": received_at,
        "created_at": received_at,
    }
    payment = ctx.session.execute(insert(PAYMENTS).values(row).returning(PAYMENTS)).one()
    append(ctx, "payment", payment.id, order_id, "start", None, PaymentState.CREATED)
    settle(ctx, order, payment, amount_fen, received_at)
    payment_id: UUID = payment.id
    return payment_id
