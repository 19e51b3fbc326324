"""What the bank's statements say, and to which orders people and rules have matched it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, choice


class BankStatement(Base):
    """One imported file. The same bytes are imported once."""

    __tablename__ = "bank_statement"

    id: Mapped[Key]
    sha256: Mapped[str] = mapped_column(unique=True)
    filename: Mapped[str]
    columns: Mapped[Json]
    rows_read: Mapped[int]
    rows_new: Mapped[int]
    imported_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    imported_at: Mapped[datetime]


class ReceiptState(StrEnum):
    """How far a line of the bank's has been explained."""

    OPEN = "open"
    MATCHED = "matched"
    SET_ASIDE = "set_aside"


class BankReceipt(Base):
    """One line of the bank account: money in positive, money out negative.

    `fingerprint` makes the same line in two files one row. `matched_fen` is how much of an
    incoming amount approved matches have claimed. `open_reason` is a code that says why the rules
    left it, or the rest of it, to a person.
    """

    __tablename__ = "bank_receipt"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", "amount"),
        CheckConstraint(
            "matched_fen = 0 OR (matched_fen > 0 AND matched_fen <= amount_fen)", "matched"
        ),
        Index("ix_bank_receipt_state", "state", "id"),
        Index("ix_bank_receipt_booked_on", "booked_on", "id"),
    )

    id: Mapped[Key]
    statement_id: Mapped[UUID | None] = mapped_column(ForeignKey("bank_statement.id"))
    row_number: Mapped[int | None]
    fingerprint: Mapped[str] = mapped_column(unique=True)
    state: Mapped[ReceiptState] = mapped_column(choice(ReceiptState, "state"))
    booked_on: Mapped[date]
    amount_fen: Mapped[int]
    matched_fen: Mapped[int] = mapped_column(default=0)
    payer_name: Mapped[str] = mapped_column(default="")
    payer_account: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    bank_reference: Mapped[str | None]
    open_reason: Mapped[str] = mapped_column(default="", server_default="")
    set_aside_reason: Mapped[str | None]
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    entered_at: Mapped[datetime]


class MatchState(StrEnum):
    """A match counts when it is approved; the rules' own matches are so from the start."""

    PROPOSED = "proposed"
    ENTERED = "entered"
    APPROVED = "approved"
    REJECTED = "rejected"


class BankMatch(Base):
    """So many fen of a receipt are for this order. Two people: one enters, another approves."""

    __tablename__ = "bank_match"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", "amount"),
        CheckConstraint("approved_by IS NULL OR approved_by <> entered_by", "two_people"),
        Index("ix_bank_match_order_id", "order_id"),
        Index("ix_bank_match_state", "state", "id"),
        Index(
            "uq_bank_match_live",
            "receipt_id",
            "order_id",
            unique=True,
            postgresql_where="state <> 'rejected'",
        ),
    )

    id: Mapped[Key]
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("bank_receipt.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[MatchState] = mapped_column(choice(MatchState, "state"))
    amount_fen: Mapped[int]
    why: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    entered_at: Mapped[datetime]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
