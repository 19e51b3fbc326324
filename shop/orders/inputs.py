"""What a caller says when placing an order: values, checked for shape by the surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.identity import BuyerKind
from models.orders import PaymentTerms
from models.organization import Purpose
from shop.identity.rules import AddressInput
from shop.ids import OrderId

NO_UNIT = ""
"""The `unit` of a person who wants the order counted for none, not even their own."""


@dataclass(frozen=True, slots=True)
class BuyerInput:
    """Who a guest says they are."""

    name: str
    email: str | None = None
    buyer_kind: BuyerKind = BuyerKind.PUBLIC


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """One checkout.

    `lines` are (SKU code, quantity); the same SKU may stand in several. `line_discounts` (fen a
    SKU) belong to gift packages and come from staff and the seed only, never from a buyer.
    Without a `unit` it is the buyer's own.
    """

    lines: tuple[tuple[str, int], ...]
    address: AddressInput
    buyer: BuyerInput | None = None
    unit: str | None = None
    channel: str | None = None
    campaign: str | None = None
    storefront: str | None = None
    purpose: Purpose = Purpose.PERSONAL
    note: str = ""
    adult_confirmed: bool = False
    no_return_confirmed: bool = False
    payment_terms: PaymentTerms = PaymentTerms.PREPAY
    line_discounts: Mapping[str, int] = field(default_factory=dict)
    expected_total_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What the buyer is told: the number, and the token that opens the order without sign-in."""

    id: OrderId
    number: str
    access_token: str
