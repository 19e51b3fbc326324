"""Every staff write, in a chain of hashes that shows a changed, removed or re-ordered row."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select

from models.system import AuditEntry
from shop.context import Ctx
from shop.locks import AUDIT_CHAIN, lock_chain
from shop.session import Session

ENTRIES = AuditEntry.__table__
GENESIS = "0" * 64


def record(
    ctx: Ctx,
    action: str,
    subject: str,
    subject_id: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append one staff write (or one unmasked reading of personal data) to the chain."""
    lock_chain(ctx.session, AUDIT_CHAIN)
    last = ctx.session.execute(
        select(ENTRIES.c.hash).order_by(ENTRIES.c.sequence.desc()).limit(1)
    ).scalar_one_or_none()
    row: dict[str, Any] = {
        "at": ctx.now,
        "actor_id": ctx.actor.user_id,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "before": before,
        "after": after,
        "reason": reason,
        "request_id": ctx.request_id,
        "previous_hash": last or GENESIS,
    }
    ctx.session.execute(insert(ENTRIES).values(**row, hash=digest(row)))


def digest(row: dict[str, Any]) -> str:
    """SHA-256 over a row and the hash before it, in a fixed spelling."""
    at: datetime = row["at"]
    actor: UUID | None = row["actor_id"]
    spelled = {
        **{key: row[key] for key in ("action", "subject", "subject_id", "reason", "request_id")},
        "before": row["before"],
        "after": row["after"],
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_id": str(actor) if actor else None,
        "previous_hash": row["previous_hash"],
    }
    return hashlib.sha256(orjson.dumps(spelled, option=orjson.OPT_SORT_KEYS)).hexdigest()


def verify(session: Session) -> list[int]:
    """The sequences of rows that do not fit the chain; empty when nobody touched it."""
    broken: list[int] = []
    previous = GENESIS
    rows = session.execute(select(ENTRIES).order_by(ENTRIES.c.sequence)).mappings()
    for row in rows:
        if row["previous_hash"] != previous or digest(dict(row)) != row["hash"]:
            broken.append(row["sequence"])
        previous = row["hash"]
    return broken
