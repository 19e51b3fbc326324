"""What pricing and ordering need to know of a SKU: one statement for a whole basket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from models.base import Json
from models.catalog import (
    Category,
    Cooperative,
    FreightTemplateRow,
    ListingState,
    Product,
    ReturnRule,
    Sku,
)
from models.inventory import Stock
from shop.ids import CooperativeId, SkuId
from shop.session import Session

S, P = Sku.__table__, Product.__table__
C, G, T, K = (
    Cooperative.__table__,
    Category.__table__,
    FreightTemplateRow.__table__,
    Stock.__table__,
)


@dataclass(frozen=True, slots=True)
class SkuForPricing:
    """A SKU with its product, cooperative, freight rule and free stock, as of now."""

    id: SkuId
    code: str
    name: str
    net_content: str
    unit: str
    price_fen: int
    weight_g: int
    active: bool
    product_id: UUID
    product_code: str
    slug: str
    product_name: str
    product_name_en: str
    product_kind: str
    state: ListingState
    image: str | None
    label: Json
    origin_division: str
    aid_certified: bool
    age_restricted: bool
    no_reason_return: ReturnRule
    sale_from: datetime | None
    sale_until: datetime | None
    category_code: str
    category_name: str
    cooperative_id: CooperativeId
    cooperative_code: str
    cooperative_name: str
    cooperative_active: bool
    template_id: UUID
    template: Json
    available: int

    @property
    def listed(self) -> bool:
        """On the shelf: the product listed, the SKU and its cooperative active."""
        return self.state is ListingState.LISTED and self.active and self.cooperative_active

    def in_season(self, now: datetime) -> bool:
        """Whether `now` lies in the half-open sale window, or there is none."""
        begun = self.sale_from is None or self.sale_from <= now
        return begun and (self.sale_until is None or now < self.sale_until)

    def snapshot(self) -> dict[str, Any]:
        """What the page said at the moment of the order; kept for three years (domain 6.1)."""
        return {
            "product_code": self.product_code,
            "slug": self.slug,
            "product_name": self.product_name,
            "product_name_en": self.product_name_en,
            "sku_code": self.code,
            "sku_name": self.name,
            "unit": self.unit,
            "net_content": self.net_content,
            "image": self.image,
            "category_code": self.category_code,
            "category_name": self.category_name,
            "cooperative_code": self.cooperative_code,
            "cooperative_name": self.cooperative_name,
            "origin_division": self.origin_division,
            "aid_certified": self.aid_certified,
            "age_restricted": self.age_restricted,
            "no_reason_return": self.no_reason_return.value,
            "label": self.label,
        }


_STATEMENT = (
    select(
        S.c.id,
        S.c.code,
        S.c.name,
        S.c.net_content,
        S.c.unit,
        S.c.price_fen,
        S.c.weight_g,
        S.c.active,
        P.c.id.label("product_id"),
        P.c.code.label("product_code"),
        P.c.slug,
        P.c.name.label("product_name"),
        P.c.name_en.label("product_name_en"),
        P.c.kind.label("product_kind"),
        P.c.state,
        P.c.image,
        P.c.label,
        P.c.origin_division,
        P.c.aid_certified,
        P.c.age_restricted,
        P.c.no_reason_return,
        P.c.sale_from,
        P.c.sale_until,
        G.c.code.label("category_code"),
        G.c.name.label("category_name"),
        C.c.id.label("cooperative_id"),
        C.c.code.label("cooperative_code"),
        C.c.name.label("cooperative_name"),
        C.c.active.label("cooperative_active"),
        T.c.id.label("template_id"),
        T.c.definition.label("template"),
        (K.c.on_hand - K.c.reserved).label("available"),
    )
    .select_from(S)
    .join(P, P.c.id == S.c.product_id)
    .join(G, G.c.id == P.c.category_id)
    .join(C, C.c.id == P.c.cooperative_id)
    .join(T, T.c.id == P.c.freight_template_id)
    .join(K, K.c.sku_id == S.c.id)
)
_MANY = _STATEMENT.where(S.c.code == bindparam("codes", type_=ARRAY(Text)).any_())
_NAMES = ("code_1", "code_2", "code_3", "code_4")
_FEW = _STATEMENT.where(S.c.code.in_([bindparam(name, type_=Text) for name in _NAMES]))
"""For the usual basket. Of an array PostgreSQL expects more than comes, so it would plan the six
joins anew each time, which costs twice as much as to run them."""


def skus_for_pricing(session: Session, codes: Sequence[str]) -> list[SkuForPricing]:
    """The SKUs with these codes; unknown codes are simply missing."""
    if not codes:
        return []
    if len(codes) <= len(_NAMES):
        padded = dict.fromkeys(_NAMES, codes[0]) | dict(zip(_NAMES, codes, strict=False))
        found = session.execute(_FEW, padded)
    else:
        found = session.execute(_MANY, {"codes": list(codes)})
    return [SkuForPricing(**row._mapping) for row in found]  # noqa: SLF001 - its public name
