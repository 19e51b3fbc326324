"""Attempts to pay, and everything a provider ever told us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, choice


class PaymentMethod(StrEnum):
    """How a buyer pays."""

    STRIPE = "stripe"
    BANK_TRANSFER = "bank_transfer"


class PaymentState(StrEnum):
    """States of one attempt (design, section 6)."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    NEEDS_REFUND = "needs_refund"


class Payment(Base):
    """One attempt to pay one order. Its id is the provider's idempotency key.

    Of what was captured, `refunding_fen` is on its way back, `refunded_fen` is back, and
    `disputed_fen` is withheld by the provider or lost. None changes without a journal entry.
    A live attempt with an `intent_reference` is handed in, and its provider has not decided yet.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint(
            "refunding_fen >= 0 AND refunded_fen >= 0 AND disputed_fen >= 0"
            " AND refunding_fen + refunded_fen <= captured_fen",
            "captured",
        ),
        Index("ix_payment_order_id", "order_id"),
        Index(
            "uq_payment_reference",
            "method",
            "reference",
            unique=True,
            postgresql_where="reference IS NOT NULL",
        ),
        Index(
            "ix_payment_intent_reference",
            "intent_reference",
            postgresql_where="intent_reference IS NOT NULL",
        ),
        Index(
            "ix_payment_charge_reference",
            "charge_reference",
            postgresql_where="charge_reference IS NOT NULL",
        ),
        Index(
            "uq_payment_live",
            "order_id",
            unique=True,
            postgresql_where="state IN ('created', 'pending')",
        ),
        Index(
            "uq_payment_settles", "order_id", unique=True, postgresql_where="state = 'succeeded'"
        ),
    )

    id: Mapped[Key]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    method: Mapped[PaymentMethod] = mapped_column(choice(PaymentMethod, "method"))
    state: Mapped[PaymentState] = mapped_column(choice(PaymentState, "state"))
    amount_fen: Mapped[int]
    currency: Mapped[str] = mapped_column(default="CNY")
    captured_fen: Mapped[int] = mapped_column(default=0)
    refunding_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    refunded_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    disputed_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    reference: Mapped[str | None]
    intent_reference: Mapped[str | None]
    charge_reference: Mapped[str | None]
    redirect_url: Mapped[str | None]
    return_url: Mapped[str | None]
    failure_code: Mapped[str | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ProviderEvent(Base):
    """A webhook as it came: raw body, the provider's own id. Append only; replayable."""

    __tablename__ = "provider_event"

    id: Mapped[Key]
    provider: Mapped[str]
    event_id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    reference: Mapped[str | None]
    intent_reference: Mapped[str | None]
    body: Mapped[str]
    received_at: Mapped[datetime]


class EventOutcome(StrEnum):
    """What came of handling an event."""

    APPLIED = "applied"
    NOTHING_TO_DO = "nothing_to_do"
    IGNORED = "ignored"
    FAILED = "failed"


class ProviderEventOutcome(Base):
    """One handling of one event. Append only: a replay adds a row."""

    __tablename__ = "provider_event_outcome"
    __table_args__ = (
        Index("ix_provider_event_outcome_event", "provider_event_id", "id"),
        Index(
            "ix_provider_event_outcome_failed",
            "provider_event_id",
            "id",
            postgresql_where="outcome = 'failed'",
        ),
    )

    id: Mapped[Key]
    provider_event_id: Mapped[UUID] = mapped_column(ForeignKey("provider_event.id"))
    outcome: Mapped[EventOutcome] = mapped_column(choice(EventOutcome, "outcome"))
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
