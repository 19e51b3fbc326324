"""Money that arrived: recorded always, welcome or not (design, invariant 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.payments import Payment, PaymentState
from shop import logging
from shop.context import Ctx
from shop.errors import Conflict
from shop.jobs.queue import enqueue
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, cash_account, legs, negated
from shop.machine import move_locked
from shop.orders.access import locked_order
from shop.orders.payment_commands import mark_paid, reopen_order
from shop.payments.commands import CLOSE
from shop.payments.differences import open_difference
from shop.payments.gateway import CheckoutStatus
from shop.payments.refunds import refund_unwanted
from shop.payments.states import LIVE, PAYMENT

PAYMENTS = Payment.__table__
CURRENCY = "CNY"

log = logging.get("payments")


def settle(
    ctx: Ctx,
    order: Any,
    payment: Any,
    amount_fen: int,
    paid_at: datetime,
    values: Mapping[str, Any] | None = None,
) -> None:
    """The right money for an order that waits for it: payment, order, aid and ledger follow.

    Args:
        ctx: the transaction.
        order: its row, locked.
        payment: the attempt's row, locked.
        amount_fen: what arrived; the order's total.
        paid_at: when.
        values: more of the payment's columns to set.

    Raises:
        Conflict: `order_cancelled` or `order_paid`, the order does not wait.
    """
    move_locked(
        ctx,
        PAYMENT,
        payment.id,
        order.id,
        payment.state,
        "succeed",
        values={"captured_fen": amount_fen, "settled_at": paid_at, **(values or {})},
    )
    shares = mark_paid(ctx, order, payment.id, paid_at)
    if shares is None:
        raise Conflict("订单已支付", "The order is paid already", code="order_paid")
    cash = cash_account(payment.method)
    post(
        ctx,
        _captured(payment, paid_at),
        legs((cash, amount_fen), payable=negated(shares)),
    )


def money_arrived(
    ctx: Ctx, order: Any, payment: Any, attempts: Sequence[Any], status: CheckoutStatus
) -> bool:
    """The provider has the money of a checkout; True when we did not know.

    Late money re-opens an order that only the timer closed, if its goods are still free and the
    closing is not long ago (`LATE_PAYMENT_HOURS`); else it goes back by itself, as double money
    does. A wrong sum or currency is left to a person, with a difference on their desk.
    """
    if payment.state in {PaymentState.SUCCEEDED, PaymentState.NEEDS_REFUND}:
        return False
    paid_at = status.paid_at or ctx.now
    values = {
        "reference": status.reference,
        "intent_reference": status.intent_reference,
        "charge_reference": status.charge_reference,
        "failure_code": None,
    }
    unwanted = _why_unwanted(order, payment, status)
    if unwanted == "late" and _reopened(ctx, order):
        order, unwanted = locked_order(ctx, order.id), ""
    if unwanted:
        _keep_aside(ctx, order, payment, status, unwanted, {**values, "settled_at": paid_at})
        return True
    settle(ctx, order, payment, status.amount_fen, paid_at, values)
    for other in attempts:
        # Were one of these paid too, its money would come as double.
        if other.id != payment.id and other.state in LIVE:
            move_locked(ctx, PAYMENT, other.id, order.id, other.state, "expire")
            if other.reference is not None:
                enqueue(ctx, CLOSE, reference=other.reference)
    return True


def _why_unwanted(order: Any, payment: Any, status: CheckoutStatus) -> str:
    """Empty when the money is welcome: right sum, right currency, an order that waits for it."""
    if status.amount_fen != payment.amount_fen or status.currency.upper() != CURRENCY:
        return "amount_mismatch"
    return {"cancelled": "late", "paid": "double"}.get(order.state, "")


def _reopened(ctx: Ctx, order: Any) -> bool:
    """Let a closed order wait again, its goods promised anew; False where that is too late."""
    window = timedelta(hours=ctx.settings.late_payment_hours)
    if order.cancel_reason != "expire" or ctx.now - order.cancelled_at > window:
        return False
    try:
        with ctx.session.begin_nested():
            reopen_order(ctx, order)
    except Conflict:
        return False
    return True


def _keep_aside(
    ctx: Ctx,
    order: Any,
    payment: Any,
    status: CheckoutStatus,
    why: str,
    values: Mapping[str, Any],
) -> None:
    """Record money that no order may keep, and see to it that it goes back."""
    ours = status.currency.upper() == CURRENCY
    captured = status.amount_fen if ours else 0  # another currency's cents are no fen
    move_locked(
        ctx,
        PAYMENT,
        payment.id,
        order.id,
        payment.state,
        "arrive_unwanted",
        why=why,
        values={**values, "captured_fen": captured, "failure_code": why},
    )
    log.error("payment.unwanted", why=why, order_id=str(order.id))
    if captured:
        post(
            ctx,
            _captured(payment, values["settled_at"]),
            legs((cash_account(payment.method), captured), (Account.SUSPENSE, -captured)),
        )
    if why == "amount_mismatch":
        open_difference(
            ctx,
            "amount_mismatch",
            status.reference,
            day_of=values["settled_at"],
            theirs_fen=status.amount_fen,
            ours_fen=payment.amount_fen,
            order_id=order.id,
            payment_id=payment.id,
            detail=status.currency.upper(),
        )
    else:
        refund_unwanted(ctx, order, payment.id, captured, why)


def _captured(payment: Any, at: datetime) -> Cause:
    payment_id: UUID = payment.id
    return Cause(
        subject="payment",
        subject_id=payment_id,
        event="captured",
        at=at,
        payment_id=payment_id,
        order_id=payment.order_id,
    )
