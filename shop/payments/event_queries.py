"""Reading the inbox of provider events, with personal data masked."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import exists, func, select

from models.payments import EventOutcome, ProviderEvent, ProviderEventOutcome
from shop.context import Ctx
from shop.errors import NotFound
from shop.ids import id_in

EVENTS, OUTCOMES = ProviderEvent.__table__, ProviderEventOutcome.__table__

Row = dict[str, Any]

PERSONAL = ("email", "name", "phone", "line1", "line2", "postal_code", "address_line", "buyer_id")
"""What a field's name ends with, or begins, where it may hold a person's data."""

SECRET = ("secret", "token")
"""What a field's name ends with where its value opens something."""

OPENING = re.compile(r"access_token(=|%3D)[^&#\s]*", re.IGNORECASE)
"""What opens an order to everybody who has it; our return addresses hold it."""

CUT = "***"

LAST = (
    select(OUTCOMES.c.outcome, OUTCOMES.c.detail, OUTCOMES.c.at)
    .where(OUTCOMES.c.provider_event_id == EVENTS.c.id)
    .order_by(OUTCOMES.c.id.desc())
    .limit(1)
    .lateral("last")
)
SHOWN = select(
    EVENTS.c.id,
    EVENTS.c.provider,
    EVENTS.c.event_id,
    EVENTS.c.type,
    EVENTS.c.reference,
    EVENTS.c.intent_reference,
    EVENTS.c.received_at,
    LAST.c.outcome,
    LAST.c.detail,
    LAST.c.at.label("handled_at"),
).select_from(EVENTS.outerjoin(LAST, LAST.c.outcome.is_not(None)))
LATER = OUTCOMES.alias("later")
LEFT_FAILED = select(OUTCOMES.c.provider_event_id).where(
    OUTCOMES.c.outcome == EventOutcome.FAILED,
    ~exists().where(
        LATER.c.provider_event_id == OUTCOMES.c.provider_event_id, LATER.c.id > OUTCOMES.c.id
    ),
)
"""Events whose last handling failed: few, so they are looked for from that side."""


def events(
    ctx: Ctx,
    *,
    type_: str | None = None,
    outcome: EventOutcome | None = None,
    waiting: bool = False,
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """Events with what came of each last, newest first.

    Args:
        ctx: the transaction.
        type_: only this type, or, ending in a dot, this family (`charge.`).
        outcome: only those whose last handling ended so.
        waiting: only those that nobody has handled yet.
        before: the key of the last event already read.
        limit: how many at most.
    """
    wanted = []
    if type_ is not None:
        family = type_.endswith(".")
        wanted.append(
            EVENTS.c.type.startswith(type_, autoescape=True) if family else EVENTS.c.type == type_
        )
    if outcome is EventOutcome.FAILED:
        wanted.append(EVENTS.c.id.in_(LEFT_FAILED))
    elif outcome is not None:
        wanted.append(LAST.c.outcome == outcome)
    if waiting:
        wanted.append(LAST.c.outcome.is_(None))
    if before is not None:
        wanted.append(EVENTS.c.id < before)
    rows = ctx.session.execute(SHOWN.where(*wanted).order_by(EVENTS.c.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


def event(ctx: Ctx, event_id: UUID) -> Row:
    """One event: `outcomes`, oldest first, and its `body` as text with personal data masked.

    Raises:
        NotFound: there is none with this key.
    """
    found = (
        ctx.session.execute(SHOWN.add_columns(EVENTS.c.body).where(EVENTS.c.id == event_id))
        .mappings()
        .first()
    )
    if found is None:
        raise NotFound("没有找到这条通知", "There is no such event")
    outcomes = ctx.session.execute(
        select(OUTCOMES.c.outcome, OUTCOMES.c.detail, OUTCOMES.c.at)
        .where(OUTCOMES.c.provider_event_id == event_id)
        .order_by(OUTCOMES.c.id)
    ).mappings()
    return {
        **found,
        "body": masked_body(found["body"]),
        "outcomes": [dict(row) for row in outcomes],
    }


def key_of(ctx: Ctx, name: str) -> UUID:
    """The key of an event, by its key or by the provider's own id.

    Raises:
        NotFound: there is no such event.
    """
    found: UUID | None = ctx.session.execute(
        select(EVENTS.c.id).where((EVENTS.c.event_id == name) | (EVENTS.c.id == id_in(name)))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("没有找到这条通知", "There is no such event")
    return found


def failed(ctx: Ctx, limit: int = 1000) -> list[UUID]:
    """Events whose last handling failed, oldest first."""
    rows = ctx.session.execute(LEFT_FAILED.order_by(OUTCOMES.c.provider_event_id).limit(limit))
    return list(rows.scalars())


def failed_count(ctx: Ctx) -> int:
    """How many events wait for a replay."""
    found: int = ctx.session.execute(
        select(func.count()).select_from(LEFT_FAILED.subquery())
    ).scalar_one()
    return found


def masked_body(body: str) -> str:
    """The body, indented, with nothing in it that names a person or opens an order.

    E-mail, name, phone and address are masked, secrets too, and addresses on the web lose what
    follows `?` or `#`. Empty if the body is no JSON.
    """
    try:
        value = orjson.loads(body)
    except ValueError:
        return ""
    return json.dumps(_masked(value), indent=2, ensure_ascii=False)


def _masked(value: Any, field: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, field) for part in value]
    if isinstance(value, str) and value:
        return _masked_text(value, field)
    return value


def _masked_text(text: str, field: str) -> str:
    if field.endswith(SECRET):
        return CUT
    if field.endswith(PERSONAL) or field.startswith(PERSONAL):
        return f"{text[0]}{CUT}"
    if field.endswith("url"):
        return re.split(r"[?#]", text, maxsplit=1)[0]
    return OPENING.sub(rf"access_token\1{CUT}", text)
