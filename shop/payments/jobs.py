"""What the worker does for payments."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

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
"""Orders closed in one run; the next minute takes the next slice."""

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
    """Close the orders whose time to pay has passed, and put their goods back."""
    for order_id in due(transactions):
        expire(transactions, order_id)


def due(transactions: Transactions) -> list[UUID]:
    """Unpaid orders whose time has passed, the oldest first; those on credit are overdue."""
    with transactions.begin() as ctx:
        return list(
            ctx.session.execute(
                select(ORDERS.c.id)
                .where(
                    ORDERS.c.state == OrderState.PENDING_PAYMENT,
                    ORDERS.c.pay_before <= ctx.now,
                    ORDERS.c.payment_terms == PaymentTerms.PREPAY,
                )
                .order_by(ORDERS.c.pay_before)
                .limit(SLICE)
            ).scalars()
        )


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
