"""What was handed to a carrier."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key


class Parcel(Base):
    """One box with one tracking number, of one consignment."""

    __tablename__ = "parcel"
    __table_args__ = (
        UniqueConstraint("carrier", "tracking_no", "consignment_id"),
        Index("ix_parcel_consignment_id", "consignment_id"),
    )

    id: Mapped[Key]
    consignment_id: Mapped[UUID] = mapped_column(ForeignKey("consignment.id"))
    carrier: Mapped[str]
    tracking_no: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    shipped_by: Mapped[UUID | None]
    shipped_at: Mapped[datetime]


class ParcelLine(Base):
    """So many of an order line in this box."""

    __tablename__ = "parcel_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", "quantity"),
        Index("ix_parcel_line_order_line_id", "order_line_id"),
    )

    parcel_id: Mapped[UUID] = mapped_column(ForeignKey("parcel.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[int]
