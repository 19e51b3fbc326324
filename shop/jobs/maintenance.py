"""Housekeeping by the clock."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from models.identity import AccessToken
from models.system import WorkerHeartbeat
from shop import idempotency
from shop.context import Transactions
from shop.jobs.registry import job

TOKENS_KEPT = timedelta(days=30)
"""An expired sign-in is kept a month, for the person's own list of sign-ins."""


@job("maintenance.forget", cron="17 * * * *")
def forget(transactions: Transactions) -> None:
    """Delete what has outlived its purpose: answered keys, dead sign-ins, silent workers."""
    with transactions.begin() as ctx:
        idempotency.forget_old(ctx)
        tokens, workers = AccessToken.__table__, WorkerHeartbeat.__table__
        ctx.session.execute(delete(tokens).where(tokens.c.expires_at < ctx.now - TOKENS_KEPT))
        ctx.session.execute(delete(workers).where(workers.c.at < ctx.now - timedelta(days=1)))
