"""The nightly comparison with the provider's books and the bank's."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from models.reconciliation import Difference, DifferenceState, Reconciliation, Side
from shop import logging
from shop.clock import business_day
from shop.context import Transactions
from shop.errors import ShopError
from shop.jobs.registry import job
from shop.payments.reconcile import reconcile_provider
from shop.payments.reconcile_bank import reconcile_bank

RUNS, DIFFERENCES = Reconciliation.__table__, Difference.__table__

LOOK_BACK = timedelta(days=31)
"""A month: what is older than that, nobody will book any more by itself."""

RUN = {Side.PROVIDER: reconcile_provider, Side.BANK: reconcile_bank}

log = logging.get("reconcile")


@job("payments.reconcile", cron="30 18 * * *")
def reconcile(transactions: Transactions) -> None:
    """At 02:30 in Shanghai (18:30 UTC): yesterday, and the days before that are not settled.

    Raises:
        ShopError: one of them could not be reconciled; the others were.
    """
    failed: ShopError | None = None
    for side in Side:
        for day in due(transactions, side):
            try:
                RUN[side](transactions, day)
            except ShopError as error:
                log.warning(
                    "reconcile.postponed", side=str(side), day=str(day), code=error.error_code
                )
                failed = error
    if failed is not None:
        raise failed


def due(transactions: Transactions, side: Side) -> list[date]:
    """The days to look at, oldest first: with open differences, never looked at, yesterday.

    A day that failed, or lies before one that somebody ran by hand, has not been looked at.
    """
    until = yesterday(transactions)
    oldest = until - LOOK_BACK
    with transactions.begin() as ctx:
        still_open = ctx.session.execute(
            select(DIFFERENCES.c.day)
            .where(
                DIFFERENCES.c.side == side,
                DIFFERENCES.c.state == DifferenceState.OPEN,
                DIFFERENCES.c.day.between(oldest, until),
            )
            .distinct()
        ).scalars()
        days = {until, *still_open}
        seen = set(
            ctx.session.execute(select(RUNS.c.day).where(RUNS.c.side == side).distinct()).scalars()
        )
    if seen:
        since = max(min(seen), oldest)
        every = {since + timedelta(days=n) for n in range((until - since).days)}
        days |= every - seen
    return sorted(days)


def yesterday(transactions: Transactions) -> date:
    """The last Asia/Shanghai day that is over."""
    return business_day(transactions.clock()) - timedelta(days=1)
