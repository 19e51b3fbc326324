"""Stock, and every change of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, choice


class MovementCause(StrEnum):
    """Why stock changed."""

    INITIAL = "initial"
    HARVEST = "harvest"
    PURCHASE = "purchase"
    COUNT = "count"
    DAMAGE = "damage"
    RETURN = "return"
    RESERVE = "reserve"
    RELEASE = "release"
    SHIP = "ship"
    CORRECTION = "correction"


class Stock(Base):
    """What is on the shelf and how much of it is promised. Nothing is promised that is not there.

    `fillfactor` 50 leaves room for updates in place: this is the hottest row of the mall.
    """

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("reserved >= 0", "reserved"),
        CheckConstraint("reserved <= on_hand", "never_oversold"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    sku_id: Mapped[UUID] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)


class StockMovement(Base):
    """One change of on-hand or reserved with its cause. Append only; their sum is the stock."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        Index("ix_stock_movement_sku_id", "sku_id", "id"),
        Index("ix_stock_movement_order_id", "order_id"),
        CheckConstraint("on_hand_delta <> 0 OR reserved_delta <> 0", "changes_something"),
    )

    id: Mapped[Key]
    sku_id: Mapped[UUID] = mapped_column(ForeignKey("sku.id"))
    on_hand_delta: Mapped[int]
    reserved_delta: Mapped[int]
    cause: Mapped[MovementCause] = mapped_column(choice(MovementCause, "cause"))
    order_id: Mapped[UUID | None]
    parcel_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
