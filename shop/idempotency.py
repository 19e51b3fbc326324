"""One effect per Idempotency-Key (design, invariant 10).

The claim is committed before the work begins and carries a token. The work's own transaction
stores the answer on the claim, by that token: an answer exists exactly when the work does. A
claim whose worker died is taken over after `CLAIM`; the one that lost it can no longer commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.system import IdempotencyKey
from shop.context import Ctx
from shop.db import Database
from shop.errors import Conflict, Invalid
from shop.ids import new_id
from shop.session import Session

KEYS = IdempotencyKey.__table__

CLAIM = timedelta(seconds=60)
"""Four times the longest statement we allow: nobody who still works is taken for dead."""

KEPT = timedelta(hours=72)
"""A weekend and a Monday: a client that retries later than that starts anew."""

MAX_KEY = 255

UNHURRIED = func.set_config("synchronous_commit", "off", True)  # noqa: FBT003 - until the commit
WRITE = insert(KEYS).on_conflict_do_nothing().returning(KEYS.c.claim, UNHURRIED)
STORE = update(KEYS).where(
    KEYS.c.scope == bindparam("its_scope"),
    KEYS.c.key == bindparam("its_key"),
    KEYS.c.claim == bindparam("its_claim"),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of one key."""

    scope: str
    key: str
    token: UUID


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: bytes
    headers: dict[str, Any]


def fingerprint(*parts: bytes) -> str:
    """What makes two requests the same request."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def claim(database: Database, scope: str, key: str, print_: str, now: datetime) -> Claim | Answer:
    """Claim `key` for this caller, or return the answer that it already has.

    Raises:
        Invalid: `idempotency_key_reused`, the key belongs to another request.
        Conflict: `idempotency_in_flight`, the same request is being worked on.
    """
    token = new_id()
    row = {
        "scope": scope,
        "key": key,
        "fingerprint": print_,
        "claim": token,
        "claimed_until": now + CLAIM,
        "created_at": now,
    }
    # The commit need not wait for the disk: if the machine dies before the next flush, so did the
    # work that the claim was for.
    with database.alone() as session:
        if session.execute(WRITE, row).first() is not None:
            return Claim(scope, key, token)
    with database.transaction() as session:
        return _existing(session, Claim(scope, key, token), print_, now)


def _existing(session: Session, mine: Claim, print_: str, now: datetime) -> Claim | Answer:
    found = session.execute(select(KEYS).where(*_is(mine)).with_for_update()).mappings().first()
    if found is None:  # released between our INSERT and this SELECT: the caller may repeat
        raise Conflict(code="idempotency_in_flight", zh="相同的请求正在处理", en=IN_FLIGHT)
    if found["fingerprint"] != print_:
        raise Invalid(
            "此 Idempotency-Key 已用于另一个请求",
            "This Idempotency-Key belongs to another request",
            code="idempotency_key_reused",
        )
    if found["status"] is not None:
        return Answer(found["status"], found["answer"], found["headers"] or {})
    if found["claimed_until"] > now:
        raise Conflict(code="idempotency_in_flight", zh="相同的请求正在处理", en=IN_FLIGHT)
    session.execute(
        update(KEYS).where(*_is(mine)).values(claim=mine.token, claimed_until=now + CLAIM)
    )
    return mine


IN_FLIGHT = "The same request is being worked on"


def finish(ctx: Ctx, mine: Claim, answer: Answer) -> None:
    """Store the answer, in the transaction of the work.

    Raises:
        Conflict: the claim was taken over; the work must roll back.
    """
    stored = ctx.session.execute(
        STORE,
        {
            "its_scope": mine.scope,
            "its_key": mine.key,
            "its_claim": mine.token,
            "status": answer.status,
            "answer": answer.body,
            "headers": answer.headers,
        },
    )
    if stored.rowcount != 1:
        raise Conflict(code="idempotency_in_flight", zh="相同的请求正在处理", en=IN_FLIGHT)


@contextmanager
def working(database: Database, mine: Claim) -> Iterator[None]:
    """Around the work of a claim, `finish` included: who raises gives the claim back."""
    try:
        yield
    except BaseException:
        release(database, mine)
        raise


def release(database: Database, mine: Claim) -> None:
    """Give the claim back: the work changed nothing, so the key may be used again.

    Unless it did: a commit whose acknowledgement was lost raises too, and its answer stays.
    """
    unanswered = KEYS.c.status.is_(None)
    with database.transaction() as session:
        session.execute(delete(KEYS).where(*_is(mine), KEYS.c.claim == mine.token, unanswered))


def forget_old(ctx: Ctx) -> int:
    """Delete keys older than `KEPT`; returns how many."""
    gone = ctx.session.execute(delete(KEYS).where(KEYS.c.created_at < ctx.now - KEPT))
    return int(gone.rowcount)


def _is(mine: Claim) -> tuple[Any, Any]:
    return KEYS.c.scope == mine.scope, KEYS.c.key == mine.key
