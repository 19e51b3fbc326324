"""Making our books agree with what the provider shows now: one function for every occasion.

The webhook's job, the return page and the clean-up jobs all come here, in any order and as
often as they like; the state tables and the locks see to it that each fact counts once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from models.payments import Payment
from shop import logging
from shop.context import Ctx, Transactions
from shop.machine import move_locked
from shop.orders.access import locked_order
from shop.payments.arrival import money_arrived
from shop.payments.gateway import CheckoutStatus
from shop.payments.providers import gateway
from shop.payments.states import LIVE, PAYMENT

PAYMENTS = Payment.__table__

ORDER_OF = select(PAYMENTS.c.order_id).where(
    (PAYMENTS.c.reference == bindparam("reference"))
    # The answer that would have told us the reference was lost: found by our own id instead.
    | ((PAYMENTS.c.id == bindparam("attempt_id")) & PAYMENTS.c.reference.is_(None))
)
ATTEMPTS_OF = (
    select(PAYMENTS)
    .where(PAYMENTS.c.order_id == bindparam("order_id"))
    .order_by(PAYMENTS.c.id)
    .with_for_update()
)

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
        ORDER_OF, {"reference": status.reference, "attempt_id": status.attempt_id}
    ).scalar_one_or_none()
    if order_id is None:
        log.warning("payment.unknown_checkout", reference=status.reference)
        return False
    order = locked_order(ctx, order_id)
    attempts = ctx.session.execute(ATTEMPTS_OF, {"order_id": order_id}).all()
    payment = next(one for one in attempts if _is(one, status))
    if status.state == "paid":
        return money_arrived(ctx, order, payment, attempts, status)
    return _nothing_arrived(ctx, payment, status)


def _is(attempt: Any, status: CheckoutStatus) -> bool:
    if attempt.reference is None:
        return bool(attempt.id == status.attempt_id)
    return bool(attempt.reference == status.reference)


def _nothing_arrived(ctx: Ctx, payment: Any, status: CheckoutStatus) -> bool:
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
