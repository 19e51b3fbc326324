"""Housekeeping of baskets."""

from __future__ import annotations

from shop.cart.commands import forget_old
from shop.context import Transactions
from shop.jobs.registry import job


@job("cart.forget", cron="41 3 * * *")
def forget(transactions: Transactions) -> None:
    """Delete the baskets of visitors who have not come back."""
    with transactions.begin() as ctx:
        forget_old(ctx)
