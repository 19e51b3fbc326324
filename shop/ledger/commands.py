"""The one function that writes the ledger, in the transaction of the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shop.clock import business_day
from shop.context import Ctx
from shop.ids import new_id
from shop.ledger.rules import Leg

ENTRY = """
    WITH entry AS (
        INSERT INTO journal_entry (id, subject, subject_id, event, day, at, payment_id, order_id,
            note, actor_id, recorded_at)
        VALUES (:id, :subject, :subject_id, :event, :day, :at, :payment_id, :order_id,
            :note, :actor_id, :recorded_at)
        ON CONFLICT (subject, subject_id, event) DO NOTHING
        RETURNING id
    )
    INSERT INTO posting (entry_id, position, account, party, amount_fen)
    SELECT entry.id, leg.position, leg.account, leg.party, leg.amount_fen
    FROM entry, unnest(:accounts, :parties, :amounts)
        WITH ORDINALITY AS leg (account, party, amount_fen, position)
"""
LEGS = (
    bindparam("accounts", type_=ARRAY(Text)),
    bindparam("parties", type_=ARRAY(Text)),
    bindparam("amounts", type_=ARRAY(BigInteger)),
)
WRITE = text(f"{ENTRY} RETURNING entry_id").bindparams(*LEGS)
WRITE_MANY = text(ENTRY).bindparams(*LEGS)
"""Many at once bring nothing back: the driver has no rows of an `executemany`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What moved the money: a thing (`subject`), its key, and what happened to it (`event`)."""

    subject: str
    subject_id: UUID
    event: str
    at: datetime
    payment_id: UUID | None = None
    order_id: UUID | None = None
    note: str = ""


def post(ctx: Ctx, cause: Cause, legs: Sequence[Leg]) -> bool:
    """Write one journal entry; False when this cause has been written before.

    The statement refuses an entry that does not sum to zero (trigger `posting_balanced`).

    Raises:
        ValueError: there is nothing to post, a bug.
    """
    if not legs:
        raise ValueError(f"{cause.subject} {cause.event} moves no money")
    written = ctx.session.execute(WRITE, _values(ctx, cause, legs)).first()
    return written is not None


def post_many(ctx: Ctx, entries: Sequence[tuple[Cause, Sequence[Leg]]]) -> None:
    """`post` for a slice of causes: one round trip's worth of statements."""
    if entries:
        ctx.session.execute(WRITE_MANY, [_values(ctx, cause, legs) for cause, legs in entries])


def _values(ctx: Ctx, cause: Cause, legs: Sequence[Leg]) -> dict[str, object]:
    return {
        "id": new_id(),
        "subject": cause.subject,
        "subject_id": cause.subject_id,
        "event": cause.event,
        "day": business_day(cause.at),
        "at": cause.at,
        "payment_id": cause.payment_id,
        "order_id": cause.order_id,
        "note": cause.note,
        "actor_id": ctx.actor.user_id,
        "recorded_at": ctx.now,
        "accounts": [leg.account.value for leg in legs],
        "parties": [leg.party for leg in legs],
        "amounts": [leg.amount_fen for leg in legs],
    }
