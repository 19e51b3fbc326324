"""One product with everything its page says. Two statements, however many SKUs it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select

from models.catalog import (
    Category,
    Cooperative,
    FreightTemplateRow,
    ListingState,
    Product,
    Sku,
)
from models.inventory import Stock
from shop.catalog.rules import (
    Availability,
    Hint,
    SaleState,
    availability,
    freight_hint,
    next_turn,
    sale_state,
    valid_documents,
)
from shop.clock import business_day
from shop.context import Ctx
from shop.divisions import origin_name
from shop.errors import NotFound

PRODUCTS = Product.__table__
SKUS = Sku.__table__
CATEGORIES = Category.__table__
COOPERATIVES = Cooperative.__table__
TEMPLATES = FreightTemplateRow.__table__
STOCK = Stock.__table__


@dataclass(frozen=True, slots=True)
class SkuOffer:
    """A size to choose. Price in fen, gross weight in grams, `available` in pieces."""

    id: UUID
    code: str
    name: str
    net_content: str
    unit: str
    price_fen: int
    weight_g: int
    available: int
    availability: Availability
    barcode: str | None
    version: int


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product as its page shows it; prices in fen. `label` is what the law wants on the pack.

    `label_en` says some of its texts in English, under the same keys. No lots are kept
    yet: `lots` is empty.
    """

    id: UUID
    code: str
    slug: str
    name: str
    name_en: str
    description: str
    description_en: str
    category: str
    category_name: str
    category_name_en: str
    category_slug: str
    cooperative: dict[str, Any]
    kind: str
    image_url: str | None
    price_fen: int
    price_max_fen: int
    available: int
    availability: Availability
    on_sale: bool
    sale_state: SaleState
    sale_from: datetime | None
    sale_until: datetime | None
    ship_by: date | None
    aid_certified: bool
    age_restricted: bool
    no_reason_return: str
    origin: dict[str, str]
    storage: str
    storage_en: str | None
    shelf_life_days: int | None
    label: dict[str, Any]
    label_en: dict[str, Any]
    certificates: list[dict[str, Any]]
    households: dict[str, int]
    freight: Hint
    skus: list[SkuOffer]
    lots: tuple[str, ...] = ()

    @property
    def shows(self) -> dict[UUID, tuple[int, ...]]:
        """The stock it prints, for whoever keeps the page (`shop.catalog.cache.Built`)."""
        return {self.id: tuple(offer.available for offer in self.skus)}

    def until(self, now: datetime) -> datetime | None:
        """When its sale begins or ends."""
        return next_turn(now, self.sale_from, self.sale_until)


PRODUCT = (
    select(
        PRODUCTS,
        CATEGORIES.c.code.label("category"),
        CATEGORIES.c.name.label("category_name"),
        CATEGORIES.c.name_en.label("category_name_en"),
        CATEGORIES.c.slug.label("category_slug"),
        COOPERATIVES.c.code.label("cooperative_code"),
        COOPERATIVES.c.name.label("cooperative_name"),
        COOPERATIVES.c.name_en.label("cooperative_name_en"),
        COOPERATIVES.c.documents,
        COOPERATIVES.c.member_households,
        COOPERATIVES.c.lifted_households,
        TEMPLATES.c.definition,
    )
    .join(CATEGORIES, CATEGORIES.c.id == PRODUCTS.c.category_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == PRODUCTS.c.cooperative_id)
    .join(TEMPLATES, TEMPLATES.c.id == PRODUCTS.c.freight_template_id)
    .where(
        PRODUCTS.c.slug == bindparam("slug"),
        PRODUCTS.c.state == ListingState.LISTED,
        COOPERATIVES.c.active,
    )
)

OFFERS = (
    select(
        SKUS.c.id,
        SKUS.c.code,
        SKUS.c.name,
        SKUS.c.net_content,
        SKUS.c.unit,
        SKUS.c.price_fen,
        SKUS.c.weight_g,
        SKUS.c.gtin,
        SKUS.c.version,
        func.coalesce(STOCK.c.on_hand - STOCK.c.reserved, 0).label("available"),
    )
    .outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)
    .where(SKUS.c.active, SKUS.c.product_id == bindparam("product"))
    .order_by(SKUS.c.position, SKUS.c.id)
)


def product_detail(ctx: Ctx, slug: str) -> ProductDetail:
    """The product on the shelf under `slug`.

    Raises:
        NotFound: there is none, it is not listed, nothing of it is offered, or its cooperative
            sells no more.
    """
    row = ctx.session.execute(PRODUCT, {"slug": slug}).one_or_none()
    if row is None:
        raise NotFound
    on_sale = sale_state(ctx.now, row.sale_from, row.sale_until) is SaleState.OPEN
    offers = [
        _offer(sku, on_sale=on_sale) for sku in ctx.session.execute(OFFERS, {"product": row.id})
    ]
    if not offers:
        raise NotFound
    return _detail(ctx, row, offers)


def _offer(row: Any, *, on_sale: bool) -> SkuOffer:
    return SkuOffer(
        id=row.id,
        code=row.code,
        name=row.name,
        net_content=row.net_content,
        unit=row.unit,
        price_fen=row.price_fen,
        weight_g=row.weight_g,
        available=row.available,
        availability=availability(row.available, on_sale=on_sale),
        barcode=row.gtin,
        version=row.version,
    )


def _detail(ctx: Ctx, row: Any, offers: list[SkuOffer]) -> ProductDetail:
    state = sale_state(ctx.now, row.sale_from, row.sale_until)
    on_sale = state is SaleState.OPEN
    available = sum(offer.available for offer in offers)
    same = (
        "id",
        "code",
        "slug",
        "name",
        "name_en",
        "description",
        "description_en",
        "category",
        "category_name",
        "category_name_en",
        "category_slug",
        "kind",
        "sale_from",
        "sale_until",
        "ship_by",
        "aid_certified",
        "age_restricted",
        "no_reason_return",
        "storage",
        "storage_en",
        "shelf_life_days",
        "label",
        "label_en",
    )
    return ProductDetail(
        **{name: getattr(row, name) for name in same},
        cooperative={
            "code": row.cooperative_code,
            "name": row.cooperative_name,
            "name_en": row.cooperative_name_en,
        },
        image_url=row.image,
        price_fen=min(offer.price_fen for offer in offers),
        price_max_fen=max(offer.price_fen for offer in offers),
        available=available,
        availability=availability(available, on_sale=on_sale),
        on_sale=on_sale,
        sale_state=state,
        origin={
            "division_code": row.origin_division,
            "name": origin_name(row.origin_division) or row.origin_division,
        },
        certificates=valid_documents(row.documents, business_day(ctx.now)),
        households={"members": row.member_households, "lifted": row.lifted_households},
        freight=freight_hint(row.definition),
        skus=offers,
    )
