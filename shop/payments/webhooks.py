"""The inbox: an event is stored raw, with its provider's own id, before anything is done."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from models.payments import EventOutcome, ProviderEvent, ProviderEventOutcome
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.ids import new_id
from shop.jobs.queue import enqueue
from shop.payments.gateway import GatewayEvent
from shop.payments.providers import gateway
from shop.payments.sync import apply_status

EVENTS = ProviderEvent.__table__
OUTCOMES = ProviderEventOutcome.__table__

HANDLE = "payments.handle_event"

KNOWN = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
"""Every type that says something of a checkout; anything else is kept and left alone."""


def receive(ctx: Ctx, provider: str, event: GatewayEvent, body: bytes) -> bool:
    """Store an event and, if it concerns us, the job that will handle it; False for a duplicate."""
    stored = ctx.session.execute(
        insert(EVENTS)
        .values(
            id=new_id(),
            provider=provider,
            event_id=event.event_id,
            type=event.type,
            reference=event.checkout_reference,
            body=body.decode("utf-8", "replace"),
            received_at=ctx.now,
        )
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(EVENTS.c.id)
    ).scalar_one_or_none()
    if stored is None:
        return False
    if event.type in KNOWN and event.checkout_reference is not None:
        enqueue(ctx, HANDLE, event=str(stored), reference=event.checkout_reference)
    else:
        note(ctx, stored, EventOutcome.IGNORED, "type")
    return True


def handle(transactions: Transactions, event: str, reference: str) -> None:
    """Apply one stored event: look at the checkout as it is *now*. Safe to run twice.

    Raises:
        ShopError: could not be applied; the failure is noted and the worker tries again.
    """
    event_id = UUID(event)
    transactions.nothing_open()
    try:
        status = gateway(transactions.settings).fetch_checkout(reference)
        with transactions.begin() as ctx:
            changed = apply_status(ctx, status)
            note(ctx, event_id, EventOutcome.APPLIED if changed else EventOutcome.NOTHING_TO_DO)
    except ShopError as error:
        with transactions.begin() as ctx:
            note(ctx, event_id, EventOutcome.FAILED, error.error_code)
        raise


def note(ctx: Ctx, event_id: UUID, outcome: EventOutcome, detail: str = "") -> None:
    """Append what came of handling an event."""
    ctx.session.execute(
        plain_insert(OUTCOMES).values(
            id=new_id(), provider_event_id=event_id, outcome=outcome, detail=detail, at=ctx.now
        )
    )
