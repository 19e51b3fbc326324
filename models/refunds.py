"""Money that goes back: refunds that we send or learn of, and disputes that take it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, choice


class RefundState(StrEnum):
    """States of a refund (design, section 6)."""

    REQUESTED = "requested"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundCause(StrEnum):
    """Who or what wanted the refund."""

    STAFF = "staff"
    LATE = "late"
    DOUBLE = "double"
    AMOUNT_MISMATCH = "amount_mismatch"
    AT_PROVIDER = "at_provider"


class Refund(Base):
    """Money of one payment going back once. Its id is the provider's idempotency key.

    A refund that failed stays as it is; trying again is a new row with `retry_of`.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("goods_fen >= 0 AND freight_fen >= 0", "parts"),
        CheckConstraint(
            "goods_fen + freight_fen = amount_fen OR goods_fen + freight_fen = 0", "sum"
        ),
        Index("ix_refund_order_id", "order_id", "id"),
        Index("ix_refund_payment_id", "payment_id"),
        Index("ix_refund_state", "state", "id"),
        Index(
            "uq_refund_reference",
            "reference",
            unique=True,
            postgresql_where="reference IS NOT NULL",
        ),
        Index(
            "uq_refund_automatic",
            "payment_id",
            unique=True,
            postgresql_where="cause IN ('late', 'double') AND retry_of IS NULL",
        ),
    )

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[RefundState] = mapped_column(choice(RefundState, "state"))
    cause: Mapped[RefundCause] = mapped_column(choice(RefundCause, "cause"))
    amount_fen: Mapped[int]
    goods_fen: Mapped[int]
    freight_fen: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")
    reference: Mapped[str | None]
    failure_code: Mapped[str | None]
    retry_of: Mapped[UUID | None] = mapped_column(ForeignKey("refund.id"), unique=True)
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    requested_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class RefundLine(Base):
    """The part of a refund that belongs to one order line.

    `withdrawn` pieces are not going to be shipped any more, `returned` ones have come back: only
    these two move stock. A refund of money alone has neither.
    """

    __tablename__ = "refund_line"
    __table_args__ = (
        CheckConstraint("goods_fen >= 0 AND freight_fen >= 0", "amounts"),
        CheckConstraint("withdrawn >= 0 AND returned >= 0", "pieces"),
        Index("ix_refund_line_order_line_id", "order_line_id"),
    )

    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refund.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    goods_fen: Mapped[int]
    freight_fen: Mapped[int]
    withdrawn: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)


class DisputeState(StrEnum):
    """States of a dispute (拒付)."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(Base):
    """A payer's bank wants the money back. `withheld_fen` is what the provider took and keeps."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("amount_fen > 0 AND withheld_fen >= 0", "amounts"),
        Index("ix_dispute_order_id", "order_id"),
        Index("ix_dispute_state", "state", "id"),
    )

    id: Mapped[Key]
    reference: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[DisputeState] = mapped_column(choice(DisputeState, "state"))
    amount_fen: Mapped[int]
    withheld_fen: Mapped[int]
    reason: Mapped[str]
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class DisputeLine(Base):
    """The part of a dispute that hangs on one order line: frozen while it is open."""

    __tablename__ = "dispute_line"
    __table_args__ = (
        CheckConstraint("goods_fen >= 0 AND freight_fen >= 0", "amounts"),
        Index("ix_dispute_line_order_line_id", "order_line_id"),
    )

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("dispute.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    goods_fen: Mapped[int]
    freight_fen: Mapped[int]
