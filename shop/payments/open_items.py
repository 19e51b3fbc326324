"""What should have ended by now and has not: looked at by the clock, one item at a time.

A lost webhook, a worker that died, a provider that was away: none of them may leave money
unexplained for longer than the next look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select

from models.payments import Payment, PaymentMethod
from models.refunds import Refund
from shop import logging
from shop.context import Transactions
from shop.errors import ShopError
from shop.payments import webhooks
from shop.payments.providers import gateway
from shop.payments.refund_sending import UNFINISHED, carry
from shop.payments.states import LIVE
from shop.payments.sync import sync_payment

PAYMENTS, REFUNDS = Payment.__table__, Refund.__table__

QUIET = timedelta(minutes=5)
"""Younger items are on their ordinary way."""

SLICE = 500
"""Items read at once; those that stay open are gone past and hold up no others."""

PROVIDER = "stripe"
MISSED_FOR = timedelta(days=3)
"""The provider itself tries for three days; what it has not delivered by then is fetched here."""

ATTEMPTS = (
    select(PAYMENTS.c.id, PAYMENTS.c.reference)
    .where(
        PAYMENTS.c.state.in_(LIVE),
        PAYMENTS.c.method == PaymentMethod.STRIPE,
        PAYMENTS.c.reference.is_not(None),
        PAYMENTS.c.created_at <= bindparam("before"),
    )
    .order_by(PAYMENTS.c.id)
    .limit(bindparam("most"))
)
UNENDED = (
    select(REFUNDS.c.id)
    .join(PAYMENTS, PAYMENTS.c.id == REFUNDS.c.payment_id)
    .where(
        REFUNDS.c.state.in_(UNFINISHED),
        PAYMENTS.c.method == PaymentMethod.STRIPE,
        REFUNDS.c.requested_at <= bindparam("before"),
    )
    .order_by(REFUNDS.c.id)
    .limit(bindparam("most"))
)

log = logging.get("payments")


def settle_attempts(transactions: Transactions) -> int:
    """Look at every attempt that is open for a while; how many changed by it."""
    return _each(
        _slices(transactions, ATTEMPTS, PAYMENTS.c.id),
        lambda one: sync_payment(transactions, one.reference),
    )


def settle_refunds(transactions: Transactions) -> int:
    """Carry on with every refund that has not ended; how many were looked at."""
    return _each(
        _slices(transactions, UNENDED, REFUNDS.c.id), lambda one: _sent(transactions, one.id)
    )


def _slices(
    transactions: Transactions, statement: Select[*tuple[Any, ...]], key: ColumnElement[UUID]
) -> Iterator[Any]:
    """The rows of a statement that is ordered by `key`, read a slice at a time."""
    last: UUID | None = None
    while True:
        wanted = statement if last is None else statement.where(key > last)
        with transactions.begin() as ctx:
            rows = ctx.session.execute(wanted, {"before": ctx.now - QUIET, "most": SLICE}).all()
        yield from rows
        if len(rows) < SLICE:
            return
        last = rows[-1].id


def fetch_missed(transactions: Transactions, since: datetime | None = None) -> int:
    """Store the events that were not delivered, as if they just came; how many were new."""
    since = since or transactions.clock() - MISSED_FOR
    transactions.nothing_open()
    new = 0
    for event, body in gateway(transactions.settings).missed_events(since):
        with transactions.begin() as ctx:
            new += webhooks.receive(ctx, PROVIDER, event, body)
    if new:
        log.warning("payment.events_missed", count=new)
    return new


def _sent(transactions: Transactions, refund: UUID) -> bool:
    carry(transactions, refund)
    return True


def _each(items: Iterable[Any], act: Any) -> int:
    """Do it for each; one that cannot be done now is left for the next look."""
    count = 0
    for item in items:
        try:
            count += act(item)
        except ShopError as error:
            log.warning("payment.look_postponed", item=str(item.id), code=error.error_code)
    return count
