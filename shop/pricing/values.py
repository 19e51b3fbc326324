"""What a quote is made of: the lines that go in, the consignments and problems that come out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shop.ids import CooperativeId, SkuId
from shop.pricing.freight import FreightTemplate


@dataclass(frozen=True, slots=True)
class PricedLine:
    """So many of one SKU at today's price, with all that pricing needs to know about it.

    Attributes:
        unit_price_fen: price of one, in fen.
        discount_fen: what the whole line costs less, in fen.
        weight_g: gross weight of one, in grams; None when nobody entered it.
        template: what its cooperative charges for sending; None when it is missing.
        available: pieces that can still be sold (on hand less reserved).
        listed: the product is on the shelf and the SKU active.
        in_season: now lies within the sale window, or there is none.
    """

    sku_id: SkuId
    sku_code: str
    product_id: UUID
    name: str
    cooperative_id: CooperativeId
    cooperative_code: str
    cooperative_name: str
    quantity: int
    unit_price_fen: int
    weight_g: int | None
    template: FreightTemplate | None
    available: int
    discount_fen: int = 0
    spec: str = ""
    name_en: str = ""
    listed: bool = True
    in_season: bool = True

    @property
    def goods_fen(self) -> int:
        """Price times quantity, before the discount."""
        return self.unit_price_fen * self.quantity

    @property
    def payable_fen(self) -> int:
        """What the buyer pays for the goods of this line."""
        return self.goods_fen - self.discount_fen

    @property
    def total_weight_g(self) -> int:
        """Gross weight of the line; 0 when the weight of one is unknown."""
        return (self.weight_g or 0) * self.quantity


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be ordered as it stands; `available` only where the number is at fault."""

    code: str
    sku: str
    zh: str
    en: str
    available: int | None = None

    def message(self, language: str) -> str:
        """The sentence in the reader's language (`zh…` or anything else for English)."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class ConsignmentQuote:
    """The part of one cooperative. `line_freight_fen` shares its freight out, line by line.

    `to_free_fen` is what is missing until all of its freight is waived; None where that is not
    on offer or nothing is charged anyway.
    """

    cooperative_id: CooperativeId
    cooperative_code: str
    cooperative_name: str
    lines: tuple[PricedLine, ...]
    line_freight_fen: tuple[int, ...]
    goods_fen: int
    discount_fen: int
    freight_fen: int
    to_free_fen: int | None

    @property
    def total_fen(self) -> int:
        """Goods less discount plus freight."""
        return self.goods_fen - self.discount_fen + self.freight_fen

    @property
    def weight_g(self) -> int:
        """Gross weight of what will be sent."""
        return sum(line.total_weight_g for line in self.lines)


@dataclass(frozen=True, slots=True)
class Quote:
    """What it costs, cooperative by cooperative; an order may be placed only without problems."""

    consignments: tuple[ConsignmentQuote, ...]
    problems: tuple[Problem, ...]
    province_code: str | None

    @property
    def goods_fen(self) -> int:
        """Goods before discounts."""
        return sum(part.goods_fen for part in self.consignments)

    @property
    def discount_fen(self) -> int:
        """All discounts."""
        return sum(part.discount_fen for part in self.consignments)

    @property
    def freight_fen(self) -> int:
        """All freight; see `freight_known`."""
        return sum(part.freight_fen for part in self.consignments)

    @property
    def total_fen(self) -> int:
        """What the buyer pays: the sum of the consignments, exactly."""
        return sum(part.total_fen for part in self.consignments)

    @property
    def freight_known(self) -> bool:
        """Whether `freight_fen` is a price, not merely a 0 for want of an address or a tariff."""
        return self.province_code is not None and not any(
            problem.code in {"not_deliverable", "freight_unknown"} for problem in self.problems
        )
