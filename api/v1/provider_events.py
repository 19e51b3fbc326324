"""What the provider told us, and handling it again."""

from __future__ import annotations

from typing import Any

from api.endpoint import Ctx, Transactions, endpoint
from api.pagination import decode_id, page_of
from api.schemas.reconciliation import (
    EventPage,
    EventsQuery,
    ReplayAnswer,
    WholeEventAnswer,
)
from shop.payments import event_queries as queries
from shop.payments.event_replay import replay_event
from shop.web import key_of

TAG = "Finance"


@endpoint(
    "GET",
    "/provider-events",
    permission="events.read",
    tag=TAG,
    query=EventsQuery,
    answer=EventPage,
)
def events(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Every event that was stored, newest first, with what came of it."""
    limit = query["limit"]
    found = queries.events(
        ctx,
        type_=query["type"],
        outcome=query["outcome"],
        before=decode_id(query["cursor"]),
        limit=limit + 1,
    )
    return page_of(found, limit, "id")


@endpoint(
    "GET",
    "/provider-events/<event_id>",
    permission="events.read",
    tag=TAG,
    answer=WholeEventAnswer,
)
def event(ctx: Ctx, event_id: str) -> dict[str, Any]:
    """One event with every handling, and its body with personal data masked."""
    return queries.event(ctx, key_of(event_id))


@endpoint(
    "POST",
    "/provider-events/<event_id>/replay",
    permission="events.replay",
    tag=TAG,
    answer=ReplayAnswer,
    phases=True,
)
def replay(transactions: Transactions, event_id: str) -> dict[str, Any]:
    """Handle a stored event once more, now; safe however often."""
    return {"outcome": replay_event(transactions, key_of(event_id))}
