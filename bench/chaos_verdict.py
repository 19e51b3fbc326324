"""When the storm is over: waiting until nothing moves, then every book against the others."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench import truth
from bench.chaos_buyers import Control
from bench.installation import BenchError, Installation
from shop.clock import business_day
from shop.context import Transactions
from shop.payments import open_items
from shop.payments.proof import prove
from shop.payments.reconcile import reconcile_provider

MOST_SECONDS = 600
QUIET_LOOKS = 3
"""So many looks in a row, a second apart, at which nothing waits."""

LATER = timedelta(minutes=11)
"""The clock's jobs look at what is older than five minutes, every ten."""

WAITING = """
    SELECT (SELECT count(*) FROM procrastinate_jobs
            WHERE status IN ('todo', 'doing') AND task_name LIKE 'payments.%'
              AND (scheduled_at IS NULL OR scheduled_at < now() + interval '1 hour')
              AND task_name IN ('payments.handle_event', 'payments.send_refund')),
        (SELECT count(*) FROM refund WHERE state IN ('requested', 'sent')),
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed')
"""

MONEY = """
    SELECT intent_reference, sum(captured_fen), sum(refunded_fen), sum(refunding_fen),
        sum(disputed_fen)
    FROM payment WHERE intent_reference IS NOT NULL AND captured_fen > 0
        AND created_at >= :since
    GROUP BY intent_reference
"""

OPEN = """
    SELECT kind, reference, theirs_fen, ours_fen, detail FROM difference
    WHERE state = 'open' AND day >= :day ORDER BY kind, reference
"""


def tick(transactions: Transactions) -> None:
    """The clock's jobs have their turn, on everything that is there, however young."""
    later = replace(transactions, clock=lambda: transactions.clock() + LATER)
    open_items.fetch_missed(later)
    open_items.settle_attempts(later)
    open_items.settle_refunds(later)


def rest(mall: Installation, transactions: Transactions, control: Control) -> float:
    """Wait until nothing moves any more; the clock's jobs run as they would within the hour."""
    began, quiet = time.monotonic(), 0
    while quiet < QUIET_LOOKS:
        if time.monotonic() - began > MOST_SECONDS:
            raise BenchError(f"It does not come to rest.\n{mall.log()}")
        control.post("/redeliver", {})
        tick(transactions)
        with transactions.begin() as ctx:
            jobs, refunds, _ = ctx.session.execute(text(WAITING)).one()
        quiet = quiet + 1 if jobs == refunds == 0 else 0
        time.sleep(1)
    return time.monotonic() - began


def judge(transactions: Transactions, control: Control, before: Any, since: datetime) -> list[str]:
    """Every disagreement as a sentence."""
    complaints = _their_books(transactions, control, before, since)
    with transactions.begin() as ctx:
        complaints += truth.lies(ctx)
        proof = prove(ctx)
        failed = ctx.session.execute(text(WAITING)).one()[2]
    complaints += [
        f"proof, {check.name}: {check.ours} is not {check.expected}: {', '.join(check.samples)}"
        for check in proof.checks
        if not check.proved
    ]
    if failed:
        complaints.append(f"{failed} jobs have given up")
    print(f"the ledger's {proof.entries} entries and {len(proof.checks)} proofs were read")
    return complaints + _reconciled(transactions, since)


def _their_books(
    transactions: Transactions, control: Control, before: Any, since: datetime
) -> list[str]:
    """The provider's sums of each payment beside ours."""
    books = control.books()
    complaints = [f"the sandbox itself: {one}" for one in books["disagree"]]
    known = before.get("payments", {})
    theirs = {
        intent: (one["captured"], one["refunded"], one["refunds_pending"], one["disputed"])
        for intent, one in books["payments"].items()
        if intent not in known and one["captured"]
    }
    with transactions.begin() as ctx:
        rows = ctx.session.execute(text(MONEY), {"since": since})
        ours = {intent: tuple(map(int, sums)) for intent, *sums in rows}
    complaints += [
        f"{intent}: they {theirs.get(intent)}, we {ours.get(intent)}"
        for intent in sorted(theirs.keys() | ours.keys())
        if theirs.get(intent) != ours.get(intent)
    ]
    print(
        f"{len(theirs)} payments, {sum(one[0] for one in theirs.values())} fen captured, "
        f"{sum(one[1] for one in theirs.values())} refunded, "
        f"{sum(one[3] for one in theirs.values())} disputed"
    )
    return complaints


def _reconciled(transactions: Transactions, since: datetime) -> list[str]:
    """The nightly comparison of each day of the storm, as the night after would make it."""
    now = transactions.clock()
    tomorrow = replace(transactions, clock=lambda: transactions.clock() + timedelta(days=1))
    day, last = business_day(since), business_day(now)
    first = day
    while day <= last:
        reconcile_provider(tomorrow, day)
        day += timedelta(days=1)
    with transactions.begin() as ctx:
        found = ctx.session.execute(text(OPEN), {"day": first}).all()
    return [f"difference {tuple(row)}" for row in found]
