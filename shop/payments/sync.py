"""Making our books agree with what the provider shows now: one function for every occasion.

The webhook's job, the return page and the clean-up jobs all come here, in any order and as
often as they like; the state tables and the locks see to it that each fact counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from models.payments import Payment
from shop import logging
from shop.context import SYSTEM, Ctx, Transactions
from shop.machine import move_locked
from shop.orders.access import locking
from shop.payments.aftermath import apply_aftermath
from shop.payments.arrival import money_arrived
from shop.payments.gateway import CheckoutStatus
from shop.payments.providers import gateway
from shop.payments.states import LIVE, PAYMENT

PAYMENTS = Payment.__table__

ORDER_OF = locking(
    select(PAYMENTS.c.order_id)
    .where(
        (PAYMENTS.c.reference == bindparam("reference"))
        # The answer that would have told us the reference was lost: found by our own id instead.
        | ((PAYMENTS.c.id == bindparam("attempt_id")) & PAYMENTS.c.reference.is_(None))
    )
    .scalar_subquery()
)
ATTEMPTS_OF = (
    select(PAYMENTS)
    .where(PAYMENTS.c.order_id == bindparam("order_id"))
    .order_by(PAYMENTS.c.id)
    .with_for_update()
)

log = logging.get("payments")


@dataclass(frozen=True, slots=True)
class Looked:
    """What applying a checkout did: `changed`, and which payment it is of, if one of ours.

    `more` says that refunds or disputes are known here or there, so the aftermath is to be read.
    """

    changed: bool
    payment_id: UUID | None = None
    more: bool = False


def sync_payment(transactions: Transactions, reference: str, *, aftermath: bool = False) -> bool:
    """Fetch the checkout as it is now and apply it; True when something changed here.

    Refunds and disputes are fetched too where there is reason to: the charge shows some, we know
    of some, or the caller says so (`aftermath`).

    Raises:
        GatewayUnavailable: the provider does not answer; try again later.
    """
    transactions.nothing_open()
    status = gateway(transactions.settings).fetch_checkout(reference)
    with transactions.begin() as ctx:
        looked = look(ctx, status)
    return sync_aftermath(transactions, status, looked, wanted=aftermath) or looked.changed


def sync_aftermath(
    transactions: Transactions, status: CheckoutStatus, looked: Looked, *, wanted: bool = False
) -> bool:
    """The second half of `sync_payment`; True when something changed by it."""
    if looked.payment_id is None or status.intent_reference is None or status.state != "paid":
        return False
    if not (wanted or looked.more or status.touched):
        return False
    transactions.nothing_open()
    seen = gateway(transactions.settings).fetch_aftermath(status.intent_reference)
    with transactions.begin() as ctx:
        return apply_aftermath(replace(ctx, actor=SYSTEM), looked.payment_id, seen)


def apply_status(ctx: Ctx, status: CheckoutStatus) -> bool:
    """Write what the provider says of a checkout; True when something changed."""
    return look(ctx, status).changed


def look(ctx: Ctx, status: CheckoutStatus) -> Looked:
    """`apply_status`, and what more there is to read.

    The order is locked before its payment, as everywhere. Whoever asked, the provider said it: what
    comes of it is written down as the system's.
    """
    ctx = replace(ctx, actor=SYSTEM)
    order = ctx.session.execute(
        ORDER_OF, {"reference": status.reference, "attempt_id": status.attempt_id}
    ).one_or_none()
    if order is None:
        log.warning("payment.unknown_checkout", reference=status.reference)
        return Looked(changed=False)
    attempts = ctx.session.execute(ATTEMPTS_OF, {"order_id": order.id}).all()
    payment = next(one for one in attempts if _is(one, status))
    if status.state == "paid":
        changed = money_arrived(ctx, order, payment, attempts, status)
    else:
        changed = _nothing_arrived(ctx, payment, status)
    known = payment.refunding_fen or payment.refunded_fen or payment.disputed_fen
    return Looked(changed, payment.id, more=bool(known))


def _is(attempt: Any, status: CheckoutStatus) -> bool:
    if attempt.reference is None:
        return bool(attempt.id == status.attempt_id)
    return bool(attempt.reference == status.reference)


def _nothing_arrived(ctx: Ctx, payment: Any, status: CheckoutStatus) -> bool:
    if payment.state not in LIVE:
        return False
    if status.state == "processing":
        return _handed_in(ctx, payment, status)
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


def _handed_in(ctx: Ctx, payment: Any, status: CheckoutStatus) -> bool:
    """The buyer has done their part, and the provider takes its time: nobody asks them to pay."""
    if status.intent_reference in {None, payment.intent_reference}:
        return False
    ctx.session.execute(
        update(PAYMENTS)
        .where(PAYMENTS.c.id == payment.id)
        .values(reference=status.reference, intent_reference=status.intent_reference)
    )
    return True
