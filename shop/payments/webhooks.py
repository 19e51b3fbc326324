"""The inbox: an event is stored raw, with its provider's own id, before anything is done."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy import insert as plain_insert

from models.payments import EventOutcome, Payment, ProviderEvent, ProviderEventOutcome
from shop.context import Ctx, Transactions
from shop.errors import NotFound, ShopError
from shop.ids import new_id
from shop.jobs.queue import DEFERRED, deferral
from shop.payments.gateway import GatewayEvent, GatewayRejected
from shop.payments.providers import gateway
from shop.payments.sync import look, sync_aftermath

EVENTS = ProviderEvent.__table__
OUTCOMES = ProviderEventOutcome.__table__
PAYMENTS = Payment.__table__

HANDLE = "payments.handle_event"

CHECKOUT = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
ARRIVING = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.succeeded",
        "charge.failed",
    }
)
AFTERWARDS = frozenset(
    {
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
KNOWN = CHECKOUT | ARRIVING | AFTERWARDS
"""Every type that says something of money of ours; anything else is kept and left alone.

None is believed: each only says which checkout to look at, and that its aftermath is worth reading.
"""

STORE = """
    WITH stored AS (
        INSERT INTO provider_event (id, provider, event_id, type, reference, intent_reference,
            body, received_at)
        VALUES (:id, :provider, :event_id, :type, :reference, :intent_reference, :body,
            :received_at)
        ON CONFLICT (event_id) DO NOTHING RETURNING id
    )
    {then}
"""
AND_QUEUE = "SELECT id, {deferred} FROM stored"
AND_IGNORE = """
    INSERT INTO provider_event_outcome (id, provider_event_id, outcome, detail, at)
    SELECT :outcome_id, id, 'ignored', 'type', :received_at FROM stored RETURNING id
"""
STORE_AND_QUEUE = text(STORE.format(then=AND_QUEUE.format(deferred=DEFERRED)))
STORE_AND_IGNORE = text(STORE.format(then=AND_IGNORE))
"""One statement an event: a provider that has been away comes back with thousands at once."""

WRITE_OUTCOME = plain_insert(OUTCOMES)
BY_INTENT = (
    select(PAYMENTS.c.reference)
    .where(
        PAYMENTS.c.intent_reference == bindparam("intent"),
        PAYMENTS.c.reference.is_not(None),
    )
    .limit(1)
)


def receive(ctx: Ctx, provider: str, event: GatewayEvent, body: bytes) -> bool:
    """Store an event and, if it concerns us, the job that will handle it; False for a duplicate."""
    event_id = new_id()
    row = {
        "id": event_id,
        "provider": provider,
        "event_id": event.event_id,
        "type": event.type,
        "reference": event.checkout_reference,
        "intent_reference": event.intent_reference,
        "body": body.decode("utf-8", "replace"),
        "received_at": ctx.now,
    }
    if event.type in KNOWN and (event.checkout_reference or event.intent_reference):
        job = deferral(HANDLE, event=str(event_id), reference=event.checkout_reference or "")
        return ctx.session.execute(STORE_AND_QUEUE, {**row, **job}).first() is not None
    row["outcome_id"] = new_id()
    return ctx.session.execute(STORE_AND_IGNORE, row).first() is not None


def handle(transactions: Transactions, event: str, reference: str = "") -> EventOutcome:
    """Apply one stored event: look at the checkout as it is *now*. Safe to run twice.

    What the provider does not know will not be known by asking again: that failure is final, until
    somebody replays the event.

    Raises:
        Exception: it could not be applied; the failure is noted and the worker tries again.
    """
    event_id = UUID(event)
    try:
        return _apply(transactions, event_id, reference)
    except GatewayRejected as error:
        with transactions.begin() as ctx:
            note(ctx, event_id, EventOutcome.FAILED, error.error_code)
        return EventOutcome.FAILED
    except Exception as error:
        detail = error.error_code if isinstance(error, ShopError) else type(error).__name__
        with transactions.begin() as ctx:
            note(ctx, event_id, EventOutcome.FAILED, detail)
        raise


def replay(transactions: Transactions, event_id: UUID) -> EventOutcome:
    """Handle a stored event once more, now, whatever came of it before.

    Raises:
        NotFound: no such event.
        ShopError: it cannot be applied; the failure is noted.
    """
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(EVENTS.c.type, EVENTS.c.reference).where(EVENTS.c.id == event_id)
        ).one_or_none()
        if found is None:
            raise NotFound("没有找到这条通知", "There is no such event")
        if found.type not in KNOWN:
            note(ctx, event_id, EventOutcome.IGNORED, "type")
            return EventOutcome.IGNORED
    return handle(transactions, str(event_id), found.reference or "")


def _apply(transactions: Transactions, event_id: UUID, reference: str) -> EventOutcome:
    afterwards = False
    if not reference:
        reference, afterwards = _checkout_of(transactions, event_id)
    if not reference:
        with transactions.begin() as ctx:
            note(ctx, event_id, EventOutcome.NOTHING_TO_DO, "unknown_checkout")
        return EventOutcome.NOTHING_TO_DO
    transactions.nothing_open()
    status = gateway(transactions.settings).fetch_checkout(reference)
    with transactions.begin() as ctx:
        looked = look(ctx, status)
        # Nearly always all there is to do: then the note belongs to the same transaction.
        done = not (afterwards or looked.more or status.touched)
        if done:
            return _noted(ctx, event_id, changed=looked.changed)
    changed = sync_aftermath(transactions, status, looked, wanted=afterwards)
    with transactions.begin() as ctx:
        return _noted(ctx, event_id, changed=changed or looked.changed)


def _noted(ctx: Ctx, event_id: UUID, *, changed: bool) -> EventOutcome:
    outcome = EventOutcome.APPLIED if changed else EventOutcome.NOTHING_TO_DO
    note(ctx, event_id, outcome)
    return outcome


def _checkout_of(transactions: Transactions, event_id: UUID) -> tuple[str, bool]:
    """The checkout that an event about an intent, charge, refund or dispute belongs to.

    And whether the event speaks of what came after the payment. Events come in any order: where
    we do not know the intent yet, the provider tells its checkout.
    """
    with transactions.begin() as ctx:
        event = ctx.session.execute(
            select(EVENTS.c.type, EVENTS.c.intent_reference).where(EVENTS.c.id == event_id)
        ).one()
        if event.intent_reference is None:
            return "", False
        found = ctx.session.execute(
            BY_INTENT, {"intent": event.intent_reference}
        ).scalar_one_or_none()
    if found is None:
        transactions.nothing_open()
        found = gateway(transactions.settings).find_checkout(event.intent_reference)
    return found or "", event.type in AFTERWARDS


def note(ctx: Ctx, event_id: UUID, outcome: EventOutcome, detail: str = "") -> None:
    """Append what came of handling an event."""
    ctx.session.execute(
        WRITE_OUTCOME,
        {
            "id": new_id(),
            "provider_event_id": event_id,
            "outcome": outcome,
            "detail": detail,
            "at": ctx.now,
        },
    )
