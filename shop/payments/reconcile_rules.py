"""Their lines beside our postings: what agrees, what is under way, what differs. Pure.

A *thing* is a charge, a refund or a dispute under the provider's name for it. Compared is what it
moved in all, not what it moved on one day: where their day ends a second before ours, both sides
are there all the same. Amounts in fen, signed: out of the provider's balance is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

COMPARED = ("charge", "refund", "refund_failed", "dispute")
"""Kinds of lines that have a counterpart in our books."""

MISSING_AT_OURS = "missing_at_ours"
MISSING_AT_THEIRS = "missing_at_theirs"
AMOUNT_DIFFERS = "amount_differs"
FOREIGN = "currency"
UNKNOWN_LINE = "unknown_line"
GAPS = (MISSING_AT_OURS, MISSING_AT_THEIRS, AMOUNT_DIFFERS)
"""Differences by which the two balances differ; another currency is in neither."""

KINDS = (*GAPS, FOREIGN)
"""What comparing finds, and takes back once the other side shows up."""

RECEIPT_UNMATCHED = "receipt_unmatched"
RECEIPT_NOT_POSTED = "receipt_not_posted"
PAYOUT_MISSING = "payout_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One thing from both sides. `…_day_fen` is the part that falls on the day looked at.

    `their_lines` and `our_entries` count what there is; `pending` says that the thing is a refund
    which the provider has and has not finished. `foreign` names another currency in the lines,
    `foreign_fen` their sum in its smallest unit.
    """

    ref: str
    their_lines: int = 0
    theirs_fen: int = 0
    theirs_day_fen: int = 0
    our_entries: int = 0
    ours_fen: int = 0
    ours_day_fen: int = 0
    pending: bool = False
    foreign: str | None = None
    foreign_fen: int = 0
    at: datetime | None = None
    payment_id: UUID | None = None
    order_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not agree, for the list of differences."""

    kind: str
    theirs_fen: int | None
    ours_fen: int | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one pair: what differs, what is under way, and what falls on another day of ours.

    `theirs - ours` of the day is the sum of `differs_fen`, `under_way_fen` and `elsewhere_fen`.
    """

    findings: tuple[Finding, ...] = ()
    differs_fen: int = 0
    under_way_fen: int = 0
    elsewhere_fen: int = 0


def judge(pair: Pair) -> Verdict:
    """Hold both sides of one thing against each other."""
    gap = pair.theirs_fen - pair.ours_fen
    under_way = gap if pair.pending and gap < 0 else 0
    differs = gap - under_way
    findings = []
    if pair.foreign is not None:
        findings.append(Finding(FOREIGN, pair.foreign_fen, None, pair.foreign))
    if differs:
        findings.append(_finding(pair))
    elsewhere = pair.theirs_day_fen - pair.ours_day_fen - gap
    return Verdict(tuple(findings), differs, under_way, elsewhere)


def _finding(pair: Pair) -> Finding:
    if not pair.our_entries:
        return Finding(MISSING_AT_OURS, pair.theirs_fen, None)
    if not pair.their_lines:
        return Finding(MISSING_AT_THEIRS, None, pair.ours_fen)
    return Finding(AMOUNT_DIFFERS, pair.theirs_fen, pair.ours_fen)


@dataclass(frozen=True, slots=True)
class Booking:
    """What one line moves that nobody else tells us, as (fees, suspense) in fen, debit positive."""

    fees_fen: int
    suspense_fen: int


def booking(kind: str, amount_fen: int, fee_fen: int) -> Booking:
    """What to post of a line: its fee, and all of a payout, a fee or a line we do not know.

    A payout is on its way to the bank, and whose money an unknown line is nobody has said: both
    lie in suspense.
    """
    if kind in COMPARED:
        return Booking(fee_fen, 0)
    if kind == "fee":
        return Booking(fee_fen - amount_fen, 0)
    return Booking(fee_fen, -amount_fen)
