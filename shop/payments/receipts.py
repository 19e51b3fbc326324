"""Money whose arrival a person or a bank file tells us, not a provider's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from models.bank import MatchState
from models.payments import Payment, PaymentMethod, PaymentState
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Conflict
from shop.ids import new_id
from shop.machine import append
from shop.orders.access import locked_order
from shop.payments import bank_rows
from shop.payments.arrival import settle
from shop.payments.bank_import import write_lines
from shop.payments.bank_matches import settle_if_whole
from shop.payments.bank_rules import Line

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

    A transfer is a line of the bank's, posted and matched; `reference` is the bank's for it.

    Raises:
        Conflict: `amount_mismatch`, not what is owed; `order_cancelled` or `order_paid`;
            `receipt_known`, the bank's line is here already.
    """
    order = locked_order(ctx, order_id)
    if order.total_fen != amount_fen:
        raise Conflict(
            "到账金额与订单金额不一致",
            "The amount is not what the order costs",
            code="amount_mismatch",
            total_fen=order.total_fen,
        )
    if method is PaymentMethod.BANK_TRANSFER:
        return _transferred(ctx, order, received_at, reference)
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


def _transferred(ctx: Ctx, order: Any, received_at: datetime, reference: str) -> UUID:
    line = Line(
        row=0,
        booked_on=business_day(received_at),
        amount_fen=order.total_fen,
        remark=order.number,
        bank_reference=reference,
    )
    new = write_lines(ctx, [line])
    if not new:
        raise Conflict(
            "这笔流水已经录入过", "This line of the bank is here already", code="receipt_known"
        )
    bank_rows.write_match(
        ctx, new[0], order.id, order.total_fen, MatchState.APPROVED, "number_and_amount"
    )
    payment_id = settle_if_whole(ctx, order.id, received_at)
    if payment_id is None:
        raise Conflict(
            "订单不在待付款状态", "The order does not wait for money", code=f"order_{order.state}"
        )
    ctx.session.execute(
        update(PAYMENTS).where(PAYMENTS.c.id == payment_id).values(reference=reference)
    )
    return payment_id
