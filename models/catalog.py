"""Cooperatives and what they sell."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Key, choice


class ListingState(StrEnum):
    """Where a product stands on its way to the shelf."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    LISTED = "listed"
    UNLISTED = "unlisted"


class GoodsKind(StrEnum):
    """The legal kind of goods: decides which label fields are required (domain 3.3)."""

    PREPACKED_FOOD = "prepacked_food"
    EDIBLE_AGRI = "edible_agri"
    ALCOHOL = "alcohol"


class ReturnRule(StrEnum):
    """No-reason return within seven days (domain 4.5)."""

    ELIGIBLE = "eligible"
    NEEDS_CONFIRM = "needs_confirm"
    EXCLUDED_PERISHABLE = "excluded_perishable"


class Cooperative(Base):
    """A seller: a village cooperative. `documents` are its licences with their expiry days."""

    __tablename__ = "cooperative"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str | None]
    township_code: Mapped[str]
    intro: Mapped[str] = mapped_column(default="")
    intro_en: Mapped[str] = mapped_column(default="")
    member_households: Mapped[int]
    lifted_households: Mapped[int]
    licence_no: Mapped[str]
    documents: Mapped[list[dict[str, Any]]]
    image: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    demo: Mapped[bool] = mapped_column(default=False)


class Category(Base):
    """A shelf of the mall."""

    __tablename__ = "category"

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int]


class FreightTemplateRow(Base):
    """A cooperative's freight rule; `shop.pricing.freight` reads its `definition`."""

    __tablename__ = "freight_template"
    __table_args__ = (UniqueConstraint("cooperative_id", "code"),)

    id: Mapped[Key]
    cooperative_id: Mapped[UUID] = mapped_column(ForeignKey("cooperative.id"))
    code: Mapped[str]
    name: Mapped[str]
    definition: Mapped[Json]


class Product(Base):
    """What a cooperative offers, in one or several SKUs. `search` holds words and their pinyin.

    `label` is what is printed on the pack, Chinese by law; `label_en` says some of its texts in
    English, under the same keys.
    """

    __tablename__ = "product"
    __table_args__ = (
        Index("ix_product_search", "search", postgresql_using="gin"),
        Index("ix_product_listed", "category_id", "id", postgresql_where="state = 'listed'"),
        Index("ix_product_cooperative_id", "cooperative_id"),
        CheckConstraint(
            "sale_from IS NULL OR sale_until IS NULL OR sale_from < sale_until", "sale_window"
        ),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    category_id: Mapped[UUID] = mapped_column(ForeignKey("category.id"))
    cooperative_id: Mapped[UUID] = mapped_column(ForeignKey("cooperative.id"))
    kind: Mapped[GoodsKind] = mapped_column(choice(GoodsKind, "kind"))
    state: Mapped[ListingState] = mapped_column(choice(ListingState, "state"))
    origin_division: Mapped[str]
    aid_certified: Mapped[bool]
    storage: Mapped[str]
    storage_en: Mapped[str | None]
    shelf_life_days: Mapped[int | None]
    no_reason_return: Mapped[ReturnRule] = mapped_column(choice(ReturnRule, "no_reason_return"))
    age_restricted: Mapped[bool]
    freight_template_id: Mapped[UUID] = mapped_column(ForeignKey("freight_template.id"))
    label: Mapped[Json]
    label_en: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    image: Mapped[str | None]
    sale_from: Mapped[datetime | None]
    sale_until: Mapped[datetime | None]
    ship_by: Mapped[date | None]
    search: Mapped[str] = mapped_column(TSVECTOR)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Sku(Base):
    """One sellable size of a product. Price in fen, gross weight in grams."""

    __tablename__ = "sku"
    __table_args__ = (
        Index("ix_sku_product_id", "product_id"),
        CheckConstraint("price_fen > 0 AND price_fen <= 100000000", "price"),
        CheckConstraint("weight_g > 0", "weight"),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(unique=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    name: Mapped[str]
    net_content: Mapped[str]
    unit: Mapped[str]
    price_fen: Mapped[int]
    weight_g: Mapped[int]
    gtin: Mapped[str | None]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)


class CatalogVersion(Base):
    """One row, counted up with every change of what the catalogue shows (stock apart)."""

    __tablename__ = "catalog_version"
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
