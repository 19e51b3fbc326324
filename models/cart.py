"""The basket: of a person, or of a visitor who holds its token."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key


class Cart(Base):
    """One basket. Either `user_id` or `token_hash` is set."""

    __tablename__ = "cart"
    __table_args__ = (CheckConstraint("(user_id IS NULL) <> (token_hash IS NULL)", "one_owner"),)

    id: Mapped[Key]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"), unique=True)
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    updated_at: Mapped[datetime]


class CartLine(Base):
    """A wish for so many of a SKU; nothing is reserved by it."""

    __tablename__ = "cart_line"
    __table_args__ = (CheckConstraint("quantity > 0", "quantity"),)

    cart_id: Mapped[UUID] = mapped_column(
        ForeignKey("cart.id", ondelete="CASCADE"), primary_key=True
    )
    sku_id: Mapped[UUID] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    quantity: Mapped[int]
    added_at: Mapped[datetime]
