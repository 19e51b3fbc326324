"""What reconciling reads: things of a day under the provider's names, and both sides of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shop.clock import business_day
from shop.context import Ctx
from shop.payments.reconcile_rules import COMPARED, GAPS, KINDS, Pair

FIRST = UUID(int=0)
"""Before every key."""

# A thing with several lines, or several entries, of one day comes with the first of them.

THEIRS_OF_DAY = text(
    """
    SELECT id, ref, EXISTS (
        SELECT FROM provider_transaction AS earlier
        WHERE earlier.source = line.ref AND earlier.day = :day AND earlier.id < line.id
          AND earlier.kind = ANY(:kinds)
    ) AS seen
    FROM (
        SELECT id, coalesce(source, reference) AS ref FROM provider_transaction
        WHERE day = :day AND id > :after AND kind = ANY(:kinds) ORDER BY id LIMIT :size
    ) AS line
    ORDER BY id
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)))
"""`seen`: an earlier slice had it; asked of the slice alone."""

OURS_OF_DAY = text(
    """
    SELECT id, ref, false AS seen FROM (
        SELECT entry.id, coalesce(
            payment.charge_reference,
            CASE WHEN payment.intent_reference IS NOT NULL THEN
                (SELECT line.source FROM provider_transaction AS line
                 WHERE line.kind = 'charge' AND line.intent_reference = payment.intent_reference
                   AND line.day BETWEEN entry.day - 1 AND entry.day + 1 LIMIT 1)
            END,
            payment.intent_reference, payment.reference,
            refund.reference, refund.number,
            dispute.reference, entry.subject_id::text
        ) AS ref
        FROM journal_entry AS entry
        LEFT JOIN payment ON entry.subject = 'payment' AND payment.id = entry.subject_id
        LEFT JOIN refund ON entry.subject = 'refund' AND refund.id = entry.subject_id
        LEFT JOIN dispute ON entry.subject = 'dispute' AND dispute.id = entry.subject_id
        WHERE entry.day = :day AND entry.id > :after
          AND entry.subject IN ('payment', 'refund', 'dispute')
          AND EXISTS (SELECT FROM posting
                      WHERE entry_id = entry.id AND account = 'provider_clearing')
          AND NOT EXISTS (
            SELECT FROM journal_entry AS earlier
            JOIN posting ON entry_id = earlier.id AND account = 'provider_clearing'
            WHERE earlier.subject = entry.subject AND earlier.subject_id = entry.subject_id
              AND earlier.day = entry.day AND earlier.id < entry.id)
        ORDER BY entry.id LIMIT :size
    ) AS thing
    ORDER BY id
    """
)
STILL_OPEN = text(
    """
    SELECT id, reference AS ref, false AS seen FROM difference
    WHERE side = 'provider' AND state <> 'vanished' AND kind = ANY(:kinds) AND id > :after
    ORDER BY id LIMIT :size
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)))
"""Explained ones too: while they are a gap, they explain the balance, and no longer."""
ON_THEIR_DAY = text(
    """
    SELECT DISTINCT coalesce(source, reference) FROM provider_transaction
    WHERE day = :day AND kind = ANY(:kinds) AND coalesce(source, reference) = ANY(:refs)
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)), bindparam("refs", type_=ARRAY(Text)))

PAIRS = text(
    """
    SELECT thing.ref, their_lines, theirs_fen, theirs_day_fen, foreign_currency, foreign_fen,
        our_entries, ours_fen, ours_day_fen, coalesce(their_at, our_at) AS at,
        coalesce(refund.state IN ('requested', 'sent'), false) AS pending,
        coalesce(payment.id, refund.payment_id, dispute.payment_id) AS payment_id,
        coalesce(payment.order_id, refund.order_id, dispute.order_id) AS order_id
    FROM unnest(:refs) AS thing (ref)
    CROSS JOIN LATERAL (
        SELECT count(*) AS their_lines, min(at) AS their_at,
            coalesce(sum(amount_fen) FILTER (WHERE currency = 'CNY'), 0) AS theirs_fen,
            coalesce(sum(amount_fen) FILTER (WHERE currency = 'CNY' AND day = :day), 0)
                AS theirs_day_fen,
            max(currency) FILTER (WHERE currency <> 'CNY') AS foreign_currency,
            coalesce(sum(amount_fen) FILTER (WHERE currency <> 'CNY'), 0) AS foreign_fen,
            max(intent_reference) FILTER (WHERE kind = 'charge') AS intent
        FROM provider_transaction
        WHERE (source = thing.ref OR (reference = thing.ref AND source IS NULL))
          AND kind = ANY(:kinds)
    ) AS theirs
    LEFT JOIN payment ON payment.method = 'stripe' AND (
        payment.charge_reference = thing.ref
        OR (payment.intent_reference IN (thing.ref, theirs.intent)
            AND payment.charge_reference IS NULL)
        OR (payment.reference = thing.ref AND payment.intent_reference IS NULL))
    LEFT JOIN refund ON refund.reference = thing.ref
        OR (refund.number = thing.ref AND refund.reference IS NULL)
    LEFT JOIN dispute ON dispute.reference = thing.ref
    CROSS JOIN LATERAL (
        SELECT count(*) AS our_entries, min(entry.at) AS our_at,
            coalesce(sum(posting.amount_fen), 0) AS ours_fen,
            coalesce(sum(posting.amount_fen) FILTER (WHERE entry.day = :day), 0) AS ours_day_fen
        FROM journal_entry AS entry
        JOIN posting ON posting.entry_id = entry.id AND account = 'provider_clearing'
        WHERE (entry.subject = 'payment' AND entry.subject_id = payment.id)
           OR (entry.subject = 'refund' AND entry.subject_id = refund.id)
           OR (entry.subject = 'dispute' AND entry.subject_id = dispute.id)
    ) AS ours
    """
).bindparams(bindparam("kinds", type_=ARRAY(Text)), bindparam("refs", type_=ARRAY(Text)))

SUMS = text(
    """
    SELECT kind, sum(lines) AS lines, sum(theirs_fen) AS theirs_fen, sum(fee_fen) AS fee_fen,
        sum(ours_fen) AS ours_fen
    FROM (
        SELECT CASE kind WHEN 'refund_failed' THEN 'refund' ELSE kind END AS kind,
            count(*) AS lines,
            coalesce(sum(net_fen) FILTER (WHERE currency = 'CNY'), 0) AS theirs_fen,
            coalesce(sum(fee_fen) FILTER (WHERE currency = 'CNY'), 0) AS fee_fen,
            0 AS ours_fen
        FROM provider_transaction WHERE day = :day GROUP BY 1
        UNION ALL
        SELECT CASE
                WHEN entry.subject = 'payment' THEN 'charge'
                WHEN entry.subject IN ('refund', 'dispute') THEN entry.subject
                WHEN entry.subject <> 'provider_transaction' THEN 'other'
                WHEN entry.event LIKE 'refund%' THEN 'refund'
                ELSE replace(entry.event, '_fee', '')
            END, 0, 0, 0, sum(posting.amount_fen)
        FROM journal_entry AS entry
        JOIN posting ON posting.entry_id = entry.id AND account = 'provider_clearing'
        WHERE entry.day = :day GROUP BY 1
    ) AS both_sides GROUP BY kind ORDER BY kind
    """
)
BALANCE = text(
    """
    WITH begun AS (
        SELECT least(:day, coalesce(min(day), :day)) AS day
        FROM reconciliation WHERE side = 'provider'
    )
    SELECT
        (SELECT coalesce(sum(net_fen), 0) FROM provider_transaction
         WHERE currency = 'CNY' AND at < :until AND day >= (SELECT day FROM begun)) AS theirs_fen,
        (SELECT coalesce(sum(posting.amount_fen), 0)
         FROM posting JOIN journal_entry AS entry ON entry.id = posting.entry_id
         WHERE account = 'provider_clearing' AND at < :until) AS ours_fen,
        (SELECT coalesce(sum(posting.amount_fen), 0)
         FROM posting JOIN journal_entry AS entry ON entry.id = posting.entry_id
         WHERE account = 'provider_clearing' AND day < (SELECT day FROM begun)) AS opening_fen,
        (SELECT coalesce(sum(coalesce(theirs_fen, 0) - coalesce(ours_fen, 0)), 0)
         FROM difference WHERE side = 'provider' AND state <> 'vanished'
           AND kind = ANY(:kinds) AND day <= :last) AS differences_fen,
        (SELECT coalesce(sum(line.amount_fen), 0)
         FROM refund JOIN provider_transaction AS line ON line.source = refund.reference
         WHERE refund.state IN ('requested', 'sent') AND line.currency = 'CNY'
           AND line.at < :until) AS under_way_fen
    """
).bindparams(
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("day", type_=Date),
    bindparam("last", type_=Date),
)
"""`opening`: what lay there before the first day that was ever reconciled."""


@dataclass(frozen=True, slots=True)
class Names:
    """One slice of things, and where the next one begins."""

    refs: list[str]
    after: UUID


def names(ctx: Ctx, source: Any, day: date, after: UUID, size: int) -> Names | None:
    """The next things of `THEIRS_OF_DAY`, `OURS_OF_DAY` or `STILL_OPEN`; None at the end."""
    wanted: dict[str, Any] = {"after": after, "size": size}
    if source is not STILL_OPEN:
        wanted["day"] = day
    if source is not OURS_OF_DAY:
        wanted["kinds"] = list(KINDS if source is STILL_OPEN else COMPARED)
    rows = ctx.session.execute(source, wanted).all()
    if not rows:
        return None
    return Names(list(dict.fromkeys(row.ref for row in rows if not row.seen)), rows[-1].id)


def on_their_day(ctx: Ctx, day: date, refs: Sequence[str]) -> set[str]:
    """Which of the things have lines on the provider's day."""
    found = ctx.session.execute(
        ON_THEIR_DAY, {"day": day, "kinds": list(COMPARED), "refs": list(refs)}
    )
    return set(found.scalars())


def pairs(ctx: Ctx, day: date, refs: Sequence[str]) -> list[Pair]:
    """Both sides of each thing."""
    rows = ctx.session.execute(PAIRS, {"day": day, "kinds": list(COMPARED), "refs": list(refs)})
    return [
        Pair(
            ref=row.ref,
            their_lines=row.their_lines,
            theirs_fen=int(row.theirs_fen),
            theirs_day_fen=int(row.theirs_day_fen),
            our_entries=row.our_entries,
            ours_fen=int(row.ours_fen),
            ours_day_fen=int(row.ours_day_fen),
            pending=row.pending,
            foreign=row.foreign_currency,
            foreign_fen=int(row.foreign_fen),
            at=row.at,
            payment_id=row.payment_id,
            order_id=row.order_id,
        )
        for row in rows
    ]


def sums(ctx: Ctx, day: date) -> list[dict[str, Any]]:
    """By kind of movement: lines, and what both sides moved on the day, net of fees. Fen."""
    rows = ctx.session.execute(SUMS, {"day": day}).mappings()
    return [{**row, **{name: int(row[name]) for name in row if name != "kind"}} for row in rows]


def balance(ctx: Ctx, day: date, until: datetime) -> dict[str, int]:
    """The provider's balance beside our account of it, and what explains the gap. Fen.

    `theirs - (ours - opening) = differences + under way + unexplained`; the last must be zero.
    """
    last = business_day(until - timedelta(microseconds=1))
    row = (
        ctx.session.execute(
            BALANCE, {"day": day, "until": until, "last": last, "kinds": list(GAPS)}
        )
        .mappings()
        .one()
    )
    told = {name: int(row[name]) for name in row}
    told["unexplained_fen"] = (
        told["theirs_fen"]
        - (told["ours_fen"] - told["opening_fen"])
        - told["differences_fen"]
        - told["under_way_fen"]
    )
    return told
