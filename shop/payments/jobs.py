"""What the worker does for payments."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_

from models.orders import Order, OrderState, PaymentTerms
from shop import logging
from shop.context import Transactions
from shop.errors import Conflict, TryAgain
from shop.jobs.registry import job
from shop.payments import open_items, refund_sending, refund_writing, webhooks
from shop.payments.closing import close_unpaid
from shop.payments.gateway import GatewayRejected

ORDERS = Order.__table__

SLICE = 200
"""Orders read at once."""

DUE = (
    select(ORDERS.c.pay_before, ORDERS.c.id)
    .where(
        ORDERS.c.state == OrderState.PENDING_PAYMENT,
        ORDERS.c.pay_before <= bindparam("now"),
        ORDERS.c.payment_terms == PaymentTerms.PREPAY,
    )
    .order_by(ORDERS.c.pay_before, ORDERS.c.id)
    .limit(bindparam("most"))
)
DUE_AFTER = DUE.where(
    tuple_(ORDERS.c.pay_before, ORDERS.c.id) > tuple_(bindparam("before"), bindparam("last"))
)

log = logging.get("payments")


@job(webhooks.HANDLE)
def handle_event(transactions: Transactions, event: str, reference: str = "") -> None:
    """Apply one stored provider event."""
    webhooks.handle(transactions, event, reference)


@job(refund_writing.SEND)
def send_refund(transactions: Transactions, refund: str) -> None:
    """Carry one refund to the provider."""
    refund_sending.carry(transactions, UUID(refund))


@job("payments.settle_open", cron="*/10 * * * *")
def settle_open(transactions: Transactions) -> None:
    """Look at every attempt and refund that should have ended by now; each by itself."""
    open_items.settle_attempts(transactions)
    open_items.settle_refunds(transactions)


@job("payments.fetch_missed", cron="7 * * * *")
def fetch_missed(transactions: Transactions) -> None:
    """Take in the events that the provider could not deliver."""
    open_items.fetch_missed(transactions)


@job("payments.expire_unpaid", cron="* * * * *")
def expire_unpaid(transactions: Transactions) -> None:
    """Close the orders whose time to pay has passed, and put their goods back.

    All of them in one run: those that cannot be closed are gone past, or so many of them would
    hold up the closing of all others.
    """
    last = None
    while some := due(transactions, last):
        for _, order_id in some:
            expire(transactions, order_id)
        last = some[-1]


def due(
    transactions: Transactions, after: tuple[datetime, UUID] | None = None
) -> list[tuple[datetime, UUID]]:
    """Unpaid orders whose time has passed, the oldest first; those on credit are overdue.

    A slice of them, as (`pay_before`, `id`); `after` is the last one already read.
    """
    with transactions.begin() as ctx:
        wanted = {"now": ctx.now, "most": SLICE}
        if after is None:
            found = ctx.session.execute(DUE, wanted)
        else:
            place = {"before": after[0], "last": after[1]}
            found = ctx.session.execute(DUE_AFTER, {**wanted, **place})
        return [(row.pay_before, row.id) for row in found]


def expire(transactions: Transactions, order_id: UUID) -> bool:
    """Close one order; False when it was paid meanwhile or cannot be closed yet."""
    try:
        status = close_unpaid(transactions, order_id, "expire", "timer")
    except (TryAgain, GatewayRejected) as error:
        log.warning("order.expiry_postponed", order_id=str(order_id), code=error.error_code)
        return False
    except Conflict:
        return False
    return status is None or status.state != "processing"
