"""Their books beside ours: the provider's lines, the runs that compared, what did not agree."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, choice


class ProviderTransaction(Base):
    """One line of the provider's account with us, as fetched. Append only. Fen, signed."""

    __tablename__ = "provider_transaction"
    __table_args__ = (
        Index("ix_provider_transaction_day", "day", "id"),
        Index("ix_provider_transaction_source", "source"),
    )

    id: Mapped[Key]
    reference: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    amount_fen: Mapped[int]
    fee_fen: Mapped[int]
    net_fen: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str | None]
    intent_reference: Mapped[str | None]
    description: Mapped[str] = mapped_column(default="")
    day: Mapped[date]
    at: Mapped[datetime]
    fetched_at: Mapped[datetime]


class Side(StrEnum):
    """Whose books are held against ours."""

    PROVIDER = "provider"
    BANK = "bank"


class Reconciliation(Base):
    """One comparison of one day (Asia/Shanghai). Append only: a repeated run is a new row.

    `sums` holds the totals of both sides by kind, in fen.
    """

    __tablename__ = "reconciliation"
    __table_args__ = (Index("ix_reconciliation_day", "side", "day", "id"),)

    id: Mapped[Key]
    side: Mapped[Side] = mapped_column(choice(Side, "side"))
    day: Mapped[date]
    lines: Mapped[int]
    theirs_fen: Mapped[int]
    ours_fen: Mapped[int]
    open_differences: Mapped[int]
    sums: Mapped[Json]
    ran_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    ran_at: Mapped[datetime]


class DifferenceState(StrEnum):
    """Open until the other side shows up (`vanished`) or a person explains it."""

    OPEN = "open"
    VANISHED = "vanished"
    EXPLAINED = "explained"


class Difference(Base):
    """Something that one side has and the other has not, or has differently. Fen, signed."""

    __tablename__ = "difference"
    __table_args__ = (
        Index("uq_difference_cause", "kind", "reference", unique=True),
        Index("ix_difference_state", "state", "id"),
        Index("ix_difference_day", "side", "day"),
    )

    id: Mapped[Key]
    side: Mapped[Side] = mapped_column(choice(Side, "side"))
    kind: Mapped[str]
    reference: Mapped[str]
    day: Mapped[date]
    theirs_fen: Mapped[int | None]
    ours_fen: Mapped[int | None]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer_order.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[DifferenceState] = mapped_column(choice(DifferenceState, "state"))
    detail: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    explanation: Mapped[str] = mapped_column(default="")
