"""Double entry: every movement of money, once, for ever."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key


class JournalEntry(Base):
    """One cause of postings: what (`subject`, `subject_id`) did what (`event`). Append only.

    The same cause is written once. `day` is the Asia/Shanghai day of `at`, the moment the money
    moved. `xid` is the transaction that wrote the entry: at its commit a payment whose amounts
    changed must have an entry of the same transaction.
    """

    __tablename__ = "journal_entry"
    __table_args__ = (
        Index("uq_journal_entry_cause", "subject", "subject_id", "event", unique=True),
        Index("ix_journal_entry_day", "day", "id"),
        Index(
            "ix_journal_entry_payment_id",
            "payment_id",
            "xid",
            postgresql_where="payment_id IS NOT NULL",
        ),
    )

    id: Mapped[Key]
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    event: Mapped[str]
    day: Mapped[date]
    at: Mapped[datetime]
    payment_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    actor_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]
    xid: Mapped[int] = mapped_column(server_default=text("(pg_current_xact_id()::text::bigint)"))


class Posting(Base):
    """So many fen on one account: debit positive, credit negative. Append only.

    `party` is the cooperative's code on the accounts that are kept for each; empty elsewhere.
    """

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", "amount"),
        Index("ix_posting_account", "account", "party", "entry_id"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("journal_entry.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    party: Mapped[str] = mapped_column(default="")
    amount_fen: Mapped[int]
