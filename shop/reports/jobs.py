"""What the worker does for reports."""

from __future__ import annotations

from datetime import timedelta

from shop import logging
from shop.context import Transactions
from shop.errors import TryAgain
from shop.jobs.registry import job
from shop.reports import rollups

log = logging.get("reports")


SPENT = timedelta(seconds=5)
"""Of each minute, on figures that nobody looks at: orders need the machine more."""


@job("reports.roll_up", cron="* * * * *")
def roll_up(transactions: Transactions) -> None:
    """Work out what was asked for and bring up what has a long tail, a transaction for each."""
    with transactions.begin() as ctx:
        rollups.forget(ctx)
        due = rollups.due(ctx)
        enough = ctx.now + SPENT
    for rollup_id, waited_for in due:
        if not waited_for and transactions.clock() > enough:
            break
        try:
            with transactions.begin() as ctx:
                rollups.bring_up(ctx, rollup_id)
        except TryAgain:  # the next minute does; the others need not wait for it
            log.warning("roll-up postponed", rollup=str(rollup_id))


def rebuild(transactions: Transactions) -> int:
    """Work every roll-up out from the entries again; how many there are."""
    with transactions.begin() as ctx:
        rollups.start_over(ctx)
        due = rollups.due(ctx)
    for rollup_id, _ in due:
        with transactions.begin() as ctx:
            rollups.bring_up(ctx, rollup_id)
    return len(due)
