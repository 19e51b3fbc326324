"""Reconciling a day of the bank's lines with the ledger's bank account.

The account holds exactly the bank's lines, so each line has its posting and each posting its line.
Beside that, a line that nobody has matched for a week, and a payout of the provider's that the
bank has not seen for as long, are differences too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, TextClause, bindparam, select, text

from models.reconciliation import Difference, DifferenceState, Side
from shop.context import Ctx, Transactions
from shop.payments.differences import Found, compared
from shop.payments.reconcile import refuse_unfinished, write_run
from shop.payments.reconcile_rules import (
    MISSING_AT_THEIRS,
    PAYOUT_MISSING,
    RECEIPT_NOT_POSTED,
    RECEIPT_UNMATCHED,
    Finding,
)

DIFFERENCES = Difference.__table__

PATIENCE = timedelta(days=7)
"""A week holds two bank days at least, whatever holidays there are, and a person to look at it."""

NOT_POSTED = """
    SELECT receipt.id::text AS reference, receipt.booked_on AS day,
        receipt.amount_fen AS theirs_fen, posted.fen AS ours_fen
    FROM bank_receipt AS receipt CROSS JOIN LATERAL (
        SELECT sum(amount_fen) AS fen
        FROM journal_entry AS entry JOIN posting ON entry_id = entry.id AND account = 'bank'
        WHERE entry.subject = 'bank_receipt' AND entry.subject_id = receipt.id
    ) AS posted
    WHERE receipt.booked_on = :day AND receipt.amount_fen IS DISTINCT FROM posted.fen"""
NO_LINE = """
    SELECT entry.id::text AS reference, entry.day, NULL AS theirs_fen,
        sum(posting.amount_fen) AS ours_fen
    FROM journal_entry AS entry JOIN posting ON entry_id = entry.id AND account = 'bank'
    LEFT JOIN bank_receipt AS receipt
        ON entry.subject = 'bank_receipt' AND receipt.id = entry.subject_id
    WHERE entry.day = :day AND receipt.id IS NULL GROUP BY entry.id"""
UNMATCHED = """
    SELECT id::text AS reference, booked_on AS day, amount_fen - matched_fen AS theirs_fen,
        NULL AS ours_fen
    FROM bank_receipt WHERE state = 'open' AND booked_on <= :overdue"""
PAYOUT = """
    SELECT reference, day, NULL AS theirs_fen, -amount_fen AS ours_fen
    FROM provider_transaction AS line
    WHERE kind = 'payout' AND amount_fen < 0 AND currency = 'CNY' AND day <= :overdue
      AND NOT EXISTS (
        SELECT FROM bank_receipt AS receipt WHERE receipt.amount_fen = -line.amount_fen
          AND receipt.booked_on BETWEEN line.day AND line.day + 14
          AND receipt.matched_fen = 0
          AND (receipt.set_aside_reason IS NULL
            OR receipt.set_aside_reason NOT LIKE 'payout po%'
            OR receipt.set_aside_reason = 'payout ' || coalesce(line.source, line.reference)))"""
"""A line that pays an order, or names another payout of the same sum, is not this one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What finds one kind of difference; `of_day`: only among the lines of the day."""

    statement: TextClause
    of_day: bool


def _question(sql: str, *, of_day: bool) -> Question:
    name = "day" if of_day else "overdue"
    return Question(text(sql).bindparams(bindparam(name, type_=Date)), of_day)


QUESTIONS: Mapping[str, Question] = {
    RECEIPT_NOT_POSTED: _question(NOT_POSTED, of_day=True),
    MISSING_AT_THEIRS: _question(NO_LINE, of_day=True),
    RECEIPT_UNMATCHED: _question(UNMATCHED, of_day=False),
    PAYOUT_MISSING: _question(PAYOUT, of_day=False),
}

SUMS = text(
    """
    SELECT kind, sum(lines) AS lines, sum(theirs_fen) AS theirs_fen, sum(ours_fen) AS ours_fen
    FROM (
        SELECT CASE WHEN amount_fen > 0 THEN 'money_in' ELSE 'money_out' END AS kind,
            count(*) AS lines, sum(amount_fen) AS theirs_fen, 0 AS ours_fen
        FROM bank_receipt WHERE booked_on = :day GROUP BY 1
        UNION ALL
        SELECT CASE WHEN amount_fen > 0 THEN 'money_in' ELSE 'money_out' END,
            0, 0, sum(amount_fen)
        FROM posting JOIN journal_entry AS entry ON entry.id = entry_id
        WHERE account = 'bank' AND entry.day = :day GROUP BY 1
    ) AS both_sides GROUP BY kind ORDER BY kind
    """
).bindparams(bindparam("day", type_=Date))
STATE = text(
    """
    SELECT
        coalesce(sum(amount_fen), 0) AS theirs_fen,
        (SELECT coalesce(sum(amount_fen), 0) FROM posting WHERE account = 'bank') AS ours_fen,
        coalesce(sum(amount_fen - matched_fen) FILTER (WHERE state = 'open'), 0) AS unmatched_fen,
        count(*) FILTER (WHERE state = 'open') AS unmatched,
        max(booked_on) AS last_line_on
    FROM bank_receipt
    """
)


def reconcile_bank(transactions: Transactions, day: date) -> UUID:
    """Compare the bank's lines of a day with the ledger; the key of the run's row.

    Differences that are gone vanish.

    Raises:
        Invalid: see `refuse_unfinished`.
    """
    refuse_unfinished(day, transactions.clock())
    with transactions.begin() as ctx:
        for kind, question in QUESTIONS.items():
            _ask(ctx, kind, question, day)
        return _conclude(ctx, day)


def _ask(ctx: Ctx, kind: str, question: Question, day: date) -> None:
    values = {"day": day} if question.of_day else {"overdue": day - PATIENCE}
    found = [
        Found(
            reference=row.reference,
            finding=Finding(kind, _whole(row.theirs_fen), _whole(row.ours_fen)),
            day=row.day,
        )
        for row in ctx.session.execute(question.statement, values)
    ]
    still_open = select(DIFFERENCES.c.reference).where(
        DIFFERENCES.c.side == Side.BANK,
        DIFFERENCES.c.kind == kind,
        DIFFERENCES.c.state == DifferenceState.OPEN,
        # An earlier day asked about again says nothing of what has grown too old since.
        DIFFERENCES.c.day == day if question.of_day else DIFFERENCES.c.day <= day - PATIENCE,
    )
    refs = ctx.session.execute(still_open).scalars().all()
    compared(ctx, Side.BANK, [kind], refs, found)


def _conclude(ctx: Ctx, day: date) -> UUID:
    kinds = [
        {**row, **{name: int(row[name]) for name in ("lines", "theirs_fen", "ours_fen")}}
        for row in ctx.session.execute(SUMS, {"day": day}).mappings()
    ]
    state = ctx.session.execute(STATE).one()
    theirs, ours = int(state.theirs_fen), int(state.ours_fen)
    return write_run(
        ctx,
        Side.BANK,
        day,
        lines=sum(one["lines"] for one in kinds),
        theirs_fen=sum(one["theirs_fen"] for one in kinds),
        ours_fen=sum(one["ours_fen"] for one in kinds),
        sums={
            "kinds": kinds,
            "balance": {
                "theirs_fen": theirs,
                "ours_fen": ours,
                "unexplained_fen": theirs - ours,
            },
            "unmatched": state.unmatched,
            "unmatched_fen": int(state.unmatched_fen),
            # Statements come by hand: without a line of that day or later, nobody knows yet.
            "covered": state.last_line_on is not None and state.last_line_on >= day,
            "last_line_on": state.last_line_on,
        },
    )


def _whole(fen: Any) -> int | None:
    return None if fen is None else int(fen)
