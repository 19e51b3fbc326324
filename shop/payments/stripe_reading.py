"""Stripe's objects, as they come off the wire, in the shop's own words. Asks nobody anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from shop.payments.gateway import (
    BadEvent,
    BalanceKind,
    BalanceLine,
    CheckoutState,
    CheckoutStatus,
    DisputeOutcome,
    DisputeStatus,
    GatewayEvent,
    RefundOutcome,
    RefundStatus,
)

Thing = Mapping[str, Any]

MAX_NAME: Final = 255
"""Stripe says so of its ids; a longer one would not fit an index."""

FROM_INTENT: Final[dict[str, CheckoutState]] = {
    "processing": "processing",
    "requires_action": "processing",
    "requires_payment_method": "failed",
    "canceled": "failed",
}
"""What an unpaid but complete session means, by its intent: the asynchronous methods."""

REFUNDS: Final[dict[str, RefundOutcome]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
"""Anything else is under way: pending, or waiting for the payer (requires_action)."""

DISPUTES: Final[dict[str, tuple[DisputeOutcome, bool]]] = {
    "warning_needs_response": ("open", False),
    "warning_under_review": ("open", False),
    "warning_closed": ("won", False),
    "prevented": ("won", False),
    "needs_response": ("open", True),
    "under_review": ("open", True),
    "appeal_needs_response": ("lost", True),
    "appeal_under_review": ("lost", True),
    "lost": ("lost", True),
    "won": ("won", False),
}
"""Outcome, and whether Stripe keeps the money meanwhile. An appeal follows a loss."""

LINES: Final[dict[str, BalanceKind]] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failed",
    "payout": "payout",
    "payout_cancel": "payout",
    "payout_failure": "payout",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
}
"""By type. `payment` is what Stripe calls a charge that is not on a card: Alipay, WeChat Pay."""

OF_INTENTS: Final = frozenset({"charge", "refund", "dispute"})
"""The objects that name the intent they belong to."""


def moment(seconds: int) -> datetime:
    """A moment of Stripe's."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(instant: datetime) -> int:
    """The first whole second not before an instant: what Stripe's `gte` and `lt` must be given."""
    return math.ceil(instant.timestamp())


def checkout(session: Thing) -> CheckoutStatus:
    """A session, its intent and charge expanded as far as they exist."""
    found = session["payment_intent"]
    intent: Thing = found if isinstance(found, dict) else {}
    state = _state(session, intent)
    refusal = intent.get("last_payment_error") or {}
    charge = intent.get("latest_charge") or {}
    mine = session["metadata"] or {}
    paid = state == "paid"
    return CheckoutStatus(
        reference=session["id"],
        state=state,
        amount_fen=intent["amount_received"] if paid else session["amount_total"],
        currency=session["currency"].upper(),
        attempt_id=own_id(mine.get("attempt_id")),
        order_number=mine.get("order_number"),
        intent_reference=intent.get("id") or found,
        charge_reference=charge.get("id") if paid else None,
        failure_code=refusal.get("decline_code") or refusal.get("code"),
        paid_at=moment(charge["created"]) if paid else None,
        touched=paid and _is_touched(charge),
    )


def _state(session: Thing, intent: Thing) -> CheckoutState:
    if session["status"] == "open":
        return "open"
    if session["status"] == "expired":
        return "expired"
    if session["payment_status"] == "paid":
        return "paid"
    return FROM_INTENT.get(intent.get("status", ""), "processing")


def _is_touched(charge: Thing) -> bool:
    flags = (charge.get("amount_refunded"), charge.get("refunded"), charge.get("disputed"))
    return any(flags)


def refund(found: Thing) -> RefundStatus:
    """A refund, ours or one made in the dashboard."""
    status = found["status"] or "pending"
    state = REFUNDS.get(status, "pending")
    return RefundStatus(
        reference=found["id"],
        state=state,
        amount_fen=found["amount"],
        currency=found["currency"].upper(),
        created_at=moment(found["created"]),
        refund_id=own_id((found.get("metadata") or {}).get("refund_id")),
        failure_code=(found.get("failure_reason") or status) if state == "failed" else None,
    )


def dispute(found: Thing) -> DisputeStatus:
    """A dispute or an inquiry. A status that is new to us is open, its money out of reach."""
    state, withheld = DISPUTES.get(found["status"], ("open", True))
    due = (found.get("evidence_details") or {}).get("due_by")
    return DisputeStatus(
        reference=found["id"],
        state=state,
        amount_fen=found["amount"],
        currency=found["currency"].upper(),
        reason=found["reason"],
        withheld=withheld,
        created_at=moment(found["created"]),
        evidence_due_at=moment(due) if due else None,
    )


def line(found: Thing) -> BalanceLine:
    """A balance transaction, its source expanded as far as it has one."""
    source = found["source"]
    behind: Thing = source if isinstance(source, dict) else {}
    intent = behind.get("payment_intent")
    return BalanceLine(
        reference=found["id"],
        kind=_kind(found),
        amount_fen=found["amount"],
        fee_fen=found["fee"],
        net_fen=found["net"],
        currency=found["currency"].upper(),
        created_at=moment(found["created"]),
        source=behind.get("id") or source,
        intent_reference=intent["id"] if isinstance(intent, dict) else intent,
        description=found.get("description") or "",
    )


def _kind(found: Thing) -> BalanceKind:
    """A dispute's money moves as an adjustment; only its category tells it from any other."""
    if str(found.get("reporting_category")).startswith("dispute"):
        return "dispute"
    return LINES.get(found["type"], "other")


def event(found: Any) -> GatewayEvent:
    """The envelope of an event.

    Raises:
        BadEvent: it is none.
    """
    try:
        subject = found["data"]["object"]
        kind = subject.get("object")
        mine = subject.get("metadata") or {}
        return GatewayEvent(
            event_id=name(found["id"]),
            type=name(found["type"]),
            created=moment(found["created"]),
            livemode=found["livemode"] is True,
            checkout_reference=name(subject["id"]) if kind == "checkout.session" else None,
            intent_reference=_intent_of(subject, kind),
            attempt_id=own_id(mine.get("attempt_id")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise BadEvent from error


def _intent_of(subject: Thing, kind: object) -> str | None:
    if kind == "payment_intent":
        return name(subject["id"])
    found = subject.get("payment_intent") if kind in OF_INTENTS else None
    if isinstance(found, dict):
        found = found["id"]
    return None if found is None else name(found)


def name(value: object) -> str:
    """An id or a type, as we keep it.

    Raises:
        ValueError: nothing is called that.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        raise ValueError(value)
    return value


def own_id(text: object) -> UUID | None:
    """Ours when it reads as one; the account's other checkouts may say anything."""
    try:
        return UUID(str(text))
    except ValueError:
        return None
