"""The helping university's side: units, the ways orders come in, campaigns, targets, rule sets."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key


class AidClass(StrEnum):
    """The two official indicators; a line belongs to one (domain 1.4)."""

    DIRECT_PURCHASE = "direct_purchase"
    HELP_SELL = "help_sell"


class Purpose(StrEnum):
    """What the goods are for."""

    PERSONAL = "personal"
    UNION_GIFT = "union_gift"
    CANTEEN = "canteen"


class Unit(Base):
    """A faculty, department, union, canteen or alumni association; a tree."""

    __tablename__ = "unit"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    headcount: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    pay_after_delivery: Mapped[bool] = mapped_column(default=False, server_default="false")


class SalesPlatform(Base):
    """Where an order was placed: our own mall or an outside platform."""

    __tablename__ = "sales_platform"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    counts_for: Mapped[list[str]]


class Storefront(Base):
    """One of our own malls: its own name and address, the same catalogue behind it."""

    __tablename__ = "storefront"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)


class Channel(Base):
    """How a buyer came: the school's site, new media, the alumni platform, a livestream."""

    __tablename__ = "channel"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    medium: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Campaign(Base):
    """A period of promotion, half-open, for some channels."""

    __tablename__ = "campaign"
    __table_args__ = (CheckConstraint("starts_at < ends_at", "period"),)

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    kind: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    channels: Mapped[list[str]]
    goal_fen: Mapped[int | None]


class RuleSetRow(Base):
    """What counts as aid, dated: `definition` is read by `shop.aid.rules.parse_rule_set`."""

    __tablename__ = "rule_set"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    measure: Mapped[str]
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    definition: Mapped[Json]


class Target(Base):
    """A year's goal in fen: of the whole organization (`unit_id` empty) or of one unit."""

    __tablename__ = "target"
    __table_args__ = (
        UniqueConstraint("year", "indicator", "unit_id", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Key]
    year: Mapped[int]
    indicator: Mapped[str]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    amount_fen: Mapped[int]
