"""The only source of every report."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, choice
from models.identity import BuyerKind
from models.organization import AidClass, Purpose


class AidEntryKind(StrEnum):
    """What put an entry there. Positive: sale, import, a refund undone. Negative: refund, undo."""

    SALE = "sale"
    REFUND = "refund"
    REFUND_UNDO = "refund_undo"
    IMPORT = "import"
    IMPORT_UNDO = "import_undo"
    REATTRIBUTED_OUT = "reattributed_out"
    REATTRIBUTED_IN = "reattributed_in"


class AidEntry(Base):
    """Every fen that enters or leaves the aid total, with all its dimensions frozen.

    Names stand beside codes so that a unit renamed later leaves the past as it was printed.
    `day` and `sale_day` are Asia/Shanghai days: of the event, and of the sale it belongs to.
    `aid_class` is empty where the rule set does not count the line; the money is still here.
    `xid` is the transaction that wrote the entry, stamped by a trigger whatever the writer says:
    the roll-ups tell by it what they hold already.
    """

    __tablename__ = "aid_entry"
    __table_args__ = (
        Index("ix_aid_entry_day", "day", "id"),
        Index("ix_aid_entry_sale_day", "sale_day", "id"),
        Index("ix_aid_entry_order_line_id", "order_line_id"),
        Index("ix_aid_entry_xid", "xid"),
        Index("ix_aid_entry_buyer_key", "buyer_key"),
        Index(
            "uq_aid_entry_cause",
            "kind",
            "cause_id",
            "order_line_id",
            unique=True,
            postgresql_where="order_line_id IS NOT NULL",
        ),
        Index(
            "uq_aid_entry_external",
            "platform_code",
            "external_reference",
            "kind",
            unique=True,
            postgresql_where="kind IN ('import')",
        ),
        CheckConstraint(
            "CASE WHEN kind IN ('sale', 'import', 'reattributed_in', 'refund_undo') "
            "THEN goods_fen >= 0 AND freight_fen >= 0 AND quantity >= 0 "
            "ELSE goods_fen <= 0 AND freight_fen <= 0 AND quantity <= 0 END",
            "sign",
        ),
        CheckConstraint("(order_line_id IS NULL) <> (external_reference IS NULL)", "origin"),
    )

    id: Mapped[Key]
    kind: Mapped[AidEntryKind] = mapped_column(choice(AidEntryKind, "kind"))
    at: Mapped[datetime]
    day: Mapped[date]
    sale_at: Mapped[datetime]
    sale_day: Mapped[date]
    platform_code: Mapped[str]
    platform_name: Mapped[str]
    storefront_code: Mapped[str | None]
    storefront_name: Mapped[str | None]
    channel_code: Mapped[str]
    channel_name: Mapped[str]
    campaign_code: Mapped[str | None]
    campaign_name: Mapped[str | None]
    unit_code: Mapped[str | None]
    unit_name: Mapped[str | None]
    buyer_kind: Mapped[BuyerKind] = mapped_column(choice(BuyerKind, "buyer_kind"))
    buyer_key: Mapped[str]
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    aid_class: Mapped[AidClass | None] = mapped_column(choice(AidClass, "aid_class"))
    rule_set_code: Mapped[str]
    rule_reason: Mapped[str]
    cooperative_code: Mapped[str]
    cooperative_name: Mapped[str]
    product_code: Mapped[str]
    product_name: Mapped[str]
    sku_code: Mapped[str]
    sku_name: Mapped[str]
    category_code: Mapped[str]
    category_name: Mapped[str]
    aid_certified: Mapped[bool]
    quantity: Mapped[int]
    weight_g: Mapped[int]
    goods_fen: Mapped[int]
    freight_fen: Mapped[int]
    order_id: Mapped[UUID | None]
    order_number: Mapped[str | None]
    order_line_id: Mapped[UUID | None]
    external_reference: Mapped[str | None]
    cause_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    xid: Mapped[int] = mapped_column(server_default=text("(pg_current_xact_id()::text::bigint)"))


class AidRollup(Base):
    """A question that was asked of the entries, and how far its answer has been worked out.

    The cells hold every entry that was written by a transaction below `horizon`, and no other.
    Without a horizon the question is only noted. `cluster` is the database server whose
    transactions `horizon` counts: a copy restored elsewhere counts its own.
    """

    __tablename__ = "aid_rollup"

    id: Mapped[Key]
    key: Mapped[str] = mapped_column(unique=True)
    question: Mapped[Json]
    horizon: Mapped[int | None]
    cluster: Mapped[int | None]
    asked_at: Mapped[datetime]


class AidRollupCell(Base):
    """One row of an answer; the one without codes is the total, counted anew and not summed.

    `codes` and `names` stand for the question's dimensions in their order. Before each name stands
    the day of the latest sale under it. Money in fen.
    """

    __tablename__ = "aid_rollup_cell"

    rollup_id: Mapped[UUID] = mapped_column(
        ForeignKey("aid_rollup.id", ondelete="CASCADE"), primary_key=True
    )
    codes: Mapped[list[str | None]] = mapped_column(ARRAY(Text), primary_key=True)
    names: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
    rule_sets: Mapped[list[str]] = mapped_column(ARRAY(Text))
    orders: Mapped[int]
    buyers: Mapped[int]
    units_sold: Mapped[int]
    paid_goods_fen: Mapped[int]
    refunded_goods_fen: Mapped[int]
    aid_amount_fen: Mapped[int]
    direct_purchase_fen: Mapped[int]
    help_sell_fen: Mapped[int]
    freight_fen: Mapped[int]
