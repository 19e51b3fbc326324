"""Handling stored events again because somebody asked for it."""

from __future__ import annotations

from uuid import UUID

from shop import audit, logging
from shop.context import Transactions
from shop.errors import ShopError
from shop.payments import event_queries, webhooks

log = logging.get("payments")


def replay_event(transactions: Transactions, event_id: UUID) -> str:
    """Handle a stored event once more and note who wanted it; the outcome.

    Raises:
        NotFound: no such event.
        ShopError: it cannot be applied now; the failure is noted.
    """
    with transactions.begin() as ctx:
        name = event_queries.event(ctx, event_id)["event_id"]
        audit.record(ctx, "event.replay", "provider_event", name)
    return str(webhooks.replay(transactions, event_id))


def replay_failed(transactions: Transactions) -> tuple[int, int]:
    """Handle every event whose last handling failed; (how many went well, how many did not)."""
    with transactions.begin() as ctx:
        waiting = event_queries.failed(ctx)
    done = 0
    for event_id in waiting:
        try:
            replay_event(transactions, event_id)
            done += 1
        except ShopError as error:
            log.warning("event.replay_failed", event_id=str(event_id), code=error.error_code)
    return done, len(waiting) - done
