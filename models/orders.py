"""Order (one checkout, one payer) -> Consignment (one cooperative's part) -> OrderLine."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, choice
from models.identity import BuyerKind
from models.organization import Purpose


class OrderState(StrEnum):
    """States of an order (design, section 6)."""

    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    CANCELLED = "cancelled"


class ConsignmentState(StrEnum):
    """States of one cooperative's part of an order."""

    PENDING_PAYMENT = "pending_payment"
    PENDING_SHIPMENT = "pending_shipment"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentTerms(StrEnum):
    """先款后货 / 先货后款 (domain 2.1)."""

    PREPAY = "prepay"
    PAY_AFTER_DELIVERY = "pay_after_delivery"


class Order(Base):
    """What one payer bought in one checkout, with everything that was true at that moment."""

    __tablename__ = "customer_order"
    __table_args__ = (
        CheckConstraint("total_fen = goods_fen - discount_fen + freight_fen", "total"),
        CheckConstraint("goods_fen >= 0 AND freight_fen >= 0", "amounts"),
        CheckConstraint("discount_fen >= 0 AND discount_fen <= goods_fen", "discount"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", "paid_at"),
        Index("ix_customer_order_buyer_id", "buyer_id", "id"),
        Index("ix_customer_order_due", "pay_before", postgresql_where="state = 'pending_payment'"),
    )

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[OrderState] = mapped_column(choice(OrderState, "state"))
    buyer_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"))
    buyer_name: Mapped[str]
    buyer_email: Mapped[str | None]
    buyer_kind: Mapped[BuyerKind] = mapped_column(choice(BuyerKind, "buyer_kind"))
    buyer_key: Mapped[str]
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    payment_terms: Mapped[PaymentTerms] = mapped_column(choice(PaymentTerms, "payment_terms"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channel.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    platform_id: Mapped[UUID] = mapped_column(ForeignKey("sales_platform.id"))
    storefront_id: Mapped[UUID] = mapped_column(ForeignKey("storefront.id"))
    recipient: Mapped[str]
    phone_encrypted: Mapped[str]
    phone_hash: Mapped[str]
    division_code: Mapped[str]
    division_text: Mapped[str]
    address_detail: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    adult_confirmed: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="zh")
    goods_fen: Mapped[int]
    discount_fen: Mapped[int]
    freight_fen: Mapped[int]
    total_fen: Mapped[int]
    placed_at: Mapped[datetime]
    pay_before: Mapped[datetime]
    pay_extended_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]


class Consignment(Base):
    """The part of one cooperative: its own lines, freight, state and parcels."""

    __tablename__ = "consignment"
    __table_args__ = (
        CheckConstraint("total_fen = goods_fen - discount_fen + freight_fen", "total"),
        Index("ix_consignment_order_id", "order_id"),
        Index("ix_consignment_cooperative_id", "cooperative_id", "state", "id"),
    )

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    cooperative_id: Mapped[UUID] = mapped_column(ForeignKey("cooperative.id"))
    state: Mapped[ConsignmentState] = mapped_column(choice(ConsignmentState, "state"))
    goods_fen: Mapped[int]
    discount_fen: Mapped[int]
    freight_fen: Mapped[int]
    total_fen: Mapped[int]
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class OrderLine(Base):
    """So many of one SKU at the price of that moment; `snapshot` keeps what the page said.

    `withdrawn` pieces will not be shipped, `returned` ones came back. `back_…_fen` is the money
    that live refunds and lost disputes claim of what was paid for the line.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", "quantity"),
        CheckConstraint("goods_fen = unit_price_fen * quantity", "goods"),
        CheckConstraint("discount_fen >= 0 AND discount_fen <= goods_fen", "discount"),
        CheckConstraint(
            "shipped_quantity >= 0 AND withdrawn >= 0 AND shipped_quantity + withdrawn <= quantity",
            "shipped",
        ),
        CheckConstraint("returned >= 0 AND returned <= shipped_quantity", "returned"),
        CheckConstraint(
            "back_goods_fen >= 0 AND back_goods_fen <= goods_fen - discount_fen"
            " AND back_freight_fen >= 0 AND back_freight_fen <= freight_fen",
            "back",
        ),
        Index("ix_order_line_order_id", "order_id"),
        Index("ix_order_line_consignment_id", "consignment_id"),
        Index("ix_order_line_sku_id", "sku_id"),
    )

    id: Mapped[Key]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    consignment_id: Mapped[UUID] = mapped_column(ForeignKey("consignment.id"))
    sku_id: Mapped[UUID] = mapped_column(ForeignKey("sku.id"))
    position: Mapped[int]
    product_name: Mapped[str]
    sku_name: Mapped[str]
    snapshot: Mapped[Json]
    unit_price_fen: Mapped[int]
    quantity: Mapped[int]
    shipped_quantity: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[int] = mapped_column(default=0, server_default="0")
    returned: Mapped[int] = mapped_column(default=0, server_default="0")
    goods_fen: Mapped[int]
    discount_fen: Mapped[int]
    freight_fen: Mapped[int]
    back_goods_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    back_freight_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    weight_g: Mapped[int]
    no_return_confirmed: Mapped[bool] = mapped_column(default=False)


class OrderEvent(Base):
    """Every transition of an order, consignment or payment: who, when, why. Append only."""

    __tablename__ = "order_event"
    __table_args__ = (Index("ix_order_event_order_id", "order_id", "id"),)

    id: Mapped[Key]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("customer_order.id"))
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    event: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor_id: Mapped[UUID | None]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
