"""Making our books agree with what the provider shows now: one function for every occasion.

The webhook's job, the return page and the clean-up jobs all come here, in any order and as
often as they like; the state tables and the locks see to it that each fact counts once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.payments import Payment, PaymentState
from shop import logging
from shop.context import Ctx, Transactions
from shop.machine import move_locked
from shop.orders.access import ORDERS
from shop.orders.commands import mark_paid
from shop.payments.gateway import CheckoutStatus
from shop.payments.providers import gateway
from shop.payments.states import LIVE, PAYMENT

PAYMENTS = Payment.__table__
CURRENCY = "CNY"

log = logging.get("payments")


def sync_payment(transactions: Transactions, reference: str) -> bool:
    """Fetch the checkout as it is now and apply it; True when something changed here.

    Raises:
        GatewayUnavailable: the provider does not answer; try again later.
    """
    transactions.nothing_open()
    status = gateway(transactions.settings).fetch_checkout(reference)
    with transactions.begin() as ctx:
        return apply_status(ctx, status)


def apply_status(ctx: Ctx, status: CheckoutStatus) -> bool:
    """Write what the provider says of a checkout; True when something changed.

    The order is locked before its payment, as everywhere.
    """
    order_id = ctx.session.execute(
        select(PAYMENTS.c.order_id).where(_is(status))
    ).scalar_one_or_none()
    if order_id is None:
        log.warning("payment.unknown_checkout", reference=status.reference)
        return False
    ctx.session.execute(select(ORDERS.c.id).where(ORDERS.c.id == order_id).with_for_update())
    payment = ctx.session.execute(select(PAYMENTS).where(_is(status)).with_for_update()).one()
    return _apply(ctx, payment, status)


def _is(status: CheckoutStatus) -> Any:
    """The attempt a checkout belongs to.

    By the provider's reference; or, where the answer that would have told us was lost, by our
    own id, which the provider gives back.
    """
    by_reference = PAYMENTS.c.reference == status.reference
    if status.attempt_id is None:
        return by_reference
    return (PAYMENTS.c.id == status.attempt_id) & (by_reference | PAYMENTS.c.reference.is_(None))


def _apply(ctx: Ctx, payment: Any, status: CheckoutStatus) -> bool:
    if status.state == "paid":
        return _money_arrived(ctx, payment, status)
    if payment.state not in LIVE:
        return False
    event = {"failed": "fail", "expired": "expire"}.get(status.state)
    if event is None:
        return False
    move_locked(
        ctx,
        PAYMENT,
        payment.id,
        payment.order_id,
        payment.state,
        event,
        values={"failure_code": status.failure_code},
    )
    return True


def _money_arrived(ctx: Ctx, payment: Any, status: CheckoutStatus) -> bool:
    """Money that arrives is always recorded (design, invariant 5)."""
    if payment.state in {PaymentState.SUCCEEDED, PaymentState.NEEDS_REFUND}:
        return False
    paid_at = status.paid_at or ctx.now
    values = {
        "captured_fen": status.amount_fen,
        "reference": status.reference,
        "intent_reference": status.intent_reference,
        "settled_at": paid_at,
    }
    unwanted = _why_unwanted(ctx, payment, status)
    event = "arrive_unwanted" if unwanted else "succeed"
    move_locked(
        ctx,
        PAYMENT,
        payment.id,
        payment.order_id,
        payment.state,
        event,
        why=unwanted,
        values={**values, "failure_code": unwanted or None},
    )
    if unwanted:
        log.error("payment.unwanted", why=unwanted, order_id=str(payment.order_id))
    else:
        mark_paid(ctx, payment.order_id, payment.id, paid_at)
        _drop_other_attempts(ctx, payment)
    return True


def _why_unwanted(ctx: Ctx, payment: Any, status: CheckoutStatus) -> str:
    """Empty when the money is welcome: right sum, right currency, an order that waits for it."""
    if status.amount_fen != payment.amount_fen or status.currency.upper() != CURRENCY:
        return "amount_mismatch"
    order = ctx.session.execute(
        select(ORDERS.c.state).where(ORDERS.c.id == payment.order_id)
    ).scalar_one()
    return {"cancelled": "late", "paid": "double"}.get(order, "")


def _drop_other_attempts(ctx: Ctx, payment: Any) -> None:
    """An attempt beside the one that paid is over; were it paid too, it would come as double."""
    others = ctx.session.execute(
        select(PAYMENTS.c.id, PAYMENTS.c.state).where(
            PAYMENTS.c.order_id == payment.order_id,
            PAYMENTS.c.id != payment.id,
            PAYMENTS.c.state.in_(LIVE),
        )
    ).all()
    for other in others:
        move_locked(ctx, PAYMENT, other.id, payment.order_id, other.state, "expire")
