"""Reconciling a day: the provider's lines or the bank's beside the ledger.

A run is many short transactions with the provider asked between them; each may be repeated, and
two runs at once come to the same: lines are stored once, posted once, and a difference is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from models.reconciliation import Difference, DifferenceState, Reconciliation, Side
from shop import logging
from shop.clock import business_day, day_start
from shop.context import Ctx, Transactions
from shop.errors import Invalid, Words
from shop.ids import new_id
from shop.payments import provider_lines, reconcile_rows
from shop.payments.differences import Found, compared
from shop.payments.reconcile_rows import FIRST, OURS_OF_DAY, STILL_OPEN, THEIRS_OF_DAY
from shop.payments.reconcile_rules import KINDS, Pair, judge

RUNS, DIFFERENCES = Reconciliation.__table__, Difference.__table__

SLICE = 500
FIRST_DAY = date(2020, 1, 1)
OVER_THE_BORDER = timedelta(days=1)
"""Lines are fetched beyond the day's end: what we book at 23:59 they may book a moment later."""

log = logging.get("reconcile")


@dataclass(slots=True)
class Tally:
    """What the things of a day add up to, in fen: `theirs - ours` of the day is their sum."""

    differs_fen: int = 0
    under_way_fen: int = 0
    elsewhere_fen: int = 0


def reconcile_provider(transactions: Transactions, day: date) -> UUID:
    """Fetch the provider's lines of an Asia/Shanghai day, post what only they tell, compare.

    Differences whose other side has shown up since vanish, whichever day they are of.

    Returns:
        The key of the run's row.

    Raises:
        Invalid: see `refuse_unfinished`.
        GatewayUnavailable: the provider does not answer; try again later.
    """
    now = transactions.clock()
    refuse_unfinished(day, now)
    since = day_start(day)
    # Their moments are whole seconds: this one's second is to be in it.
    until = min(day_start(day + timedelta(days=1)) + OVER_THE_BORDER, now + timedelta(seconds=1))
    provider_lines.fetch(transactions, since, until)
    tally = Tally()
    for source in (THEIRS_OF_DAY, OURS_OF_DAY, STILL_OPEN):
        _walk(transactions, source, day, tally)
    with transactions.begin() as ctx:
        return _conclude(ctx, day, until, tally)


def refuse_unfinished(day: date, now: datetime) -> None:
    """Only a day that is over can be compared, and none from before there was a mall.

    Raises:
        Invalid: `day_not_over`, `day_too_early`.
    """
    if day < FIRST_DAY:
        words = Words("日期过早", "There was no mall yet on that day")
        raise Invalid(words, words.en, code="day_too_early", fields={"day": [words]})
    if day >= business_day(now):
        words = Words("只能对账已结束的日期", "Only a day that is over can be reconciled")
        raise Invalid(words, words.en, code="day_not_over", fields={"day": [words]})


def _walk(transactions: Transactions, source: Any, day: date, tally: Tally) -> None:
    """Compare the things of one source slice by slice, each in a transaction of its own."""
    after = FIRST
    while True:
        with transactions.begin() as ctx:
            names = reconcile_rows.names(ctx, source, day, after, SLICE)
            if names is None:
                return
            refs = names.refs
            if source is OURS_OF_DAY:  # what has lines of the day was compared with them
                seen = reconcile_rows.on_their_day(ctx, day, refs)
                refs = [ref for ref in refs if ref not in seen]
            _compare(ctx, day, refs, None if source is STILL_OPEN else tally)
            after = names.after


def _compare(ctx: Ctx, day: date, refs: Sequence[str], tally: Tally | None) -> None:
    found: list[Found] = []
    for pair in reconcile_rows.pairs(ctx, day, refs):
        verdict = judge(pair)
        found += [_found(day, pair, finding) for finding in verdict.findings]
        if tally is not None:
            tally.differs_fen += verdict.differs_fen
            tally.under_way_fen += verdict.under_way_fen
            tally.elsewhere_fen += verdict.elsewhere_fen
    compared(ctx, Side.PROVIDER, KINDS, refs, found)


def _found(day: date, pair: Pair, finding: Any) -> Found:
    return Found(
        reference=pair.ref,
        finding=finding,
        day=business_day(pair.at) if pair.at else day,
        order_id=pair.order_id,
        payment_id=pair.payment_id,
    )


def _conclude(ctx: Ctx, day: date, until: datetime, tally: Tally) -> UUID:
    kinds = reconcile_rows.sums(ctx, day)
    balance = reconcile_rows.balance(ctx, day, until)
    if balance["unexplained_fen"]:
        log.error("reconcile.unexplained", day=str(day), fen=balance["unexplained_fen"])
    return write_run(
        ctx,
        Side.PROVIDER,
        day,
        lines=sum(one["lines"] for one in kinds),
        theirs_fen=sum(one["theirs_fen"] for one in kinds),
        ours_fen=sum(one["ours_fen"] for one in kinds),
        sums={"kinds": kinds, "balance": balance, **asdict(tally)},
    )


def write_run(
    ctx: Ctx,
    side: Side,
    day: date,
    *,
    lines: int,
    theirs_fen: int,
    ours_fen: int,
    sums: dict[str, Any],
) -> UUID:
    """Note that a day was compared, and what came of it; the key of the row."""
    still_open = ctx.session.execute(
        select(func.count())
        .select_from(DIFFERENCES)
        .where(
            DIFFERENCES.c.side == side,
            DIFFERENCES.c.day == day,
            DIFFERENCES.c.state == DifferenceState.OPEN,
        )
    ).scalar_one()
    run_id = new_id()
    ctx.session.execute(
        insert(RUNS).values(
            id=run_id,
            side=side,
            day=day,
            lines=lines,
            theirs_fen=theirs_fen,
            ours_fen=ours_fen,
            open_differences=still_open,
            sums=sums,
            ran_by=ctx.actor.user_id,
            ran_at=ctx.now,
        )
    )
    log.info("reconcile.done", side=str(side), day=str(day), lines=lines, open=still_open)
    return run_id
