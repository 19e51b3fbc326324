"""What the aid record takes in: a sale of our own, a sale of an outside platform, their goods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.identity import BuyerKind
from models.organization import Purpose


@dataclass(frozen=True, slots=True)
class Goods:
    """What was sold, by the codes and names of that moment."""

    product_code: str
    product_name: str
    sku_code: str
    sku_name: str
    category_code: str
    category_name: str
    cooperative_code: str
    cooperative_name: str
    aid_certified: bool
    origin_division: str

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Goods:
        """Read an order line's snapshot; what else it holds is passed over.

        Raises:
            KeyError: something that every report needs is missing, a bug.
        """
        return cls(**{name: snapshot[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One paid line. `weight_g` is of the whole line, goods are net of discount, freight apart."""

    order_line_id: UUID
    snapshot: Mapping[str, Any]
    quantity: int
    weight_g: int
    goods_fen: int
    freight_fen: int


@dataclass(frozen=True, slots=True)
class Sale:
    """One paid order of our own mall. `at` is the moment of payment, `cause_id` its payment.

    `campaign_id` is the campaign that the buyer named; without one the moment decides.
    """

    order_id: UUID
    order_number: str
    at: datetime
    cause_id: UUID
    platform_id: UUID
    storefront_id: UUID
    channel_id: UUID
    campaign_id: UUID | None
    unit_id: UUID | None
    buyer_kind: BuyerKind
    buyer_key: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ExternalSale:
    """One line of an order that was placed and paid on an outside platform.

    The platform, its order number and the line's number in that order name it for good.
    `cause_id` is the import that brought it.
    """

    external_order_no: str
    at: datetime
    cause_id: UUID
    platform_id: UUID
    channel_id: UUID
    unit_id: UUID | None
    buyer_kind: BuyerKind
    buyer_key: str
    purpose: Purpose
    goods: Goods
    quantity: int
    weight_g: int
    goods_fen: int
    freight_fen: int = 0
    campaign_id: UUID | None = None
    external_line_no: int = 1

    @property
    def reference(self) -> str:
        """The line's name on its platform: `832-DEMO-0001#1`."""
        return f"{self.external_order_no}#{self.external_line_no}"
