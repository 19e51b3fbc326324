"""What a basket may hold, and what becomes of two baskets of one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.catalog import ListingState
from shop.errors import Conflict, Invalid, NotFound
from shop.pricing.rules import MAX_LINE_QUANTITY, is_quantity

MAX_SKUS = 100
"""Three times the whole shelf of today; a longer basket is a robot's."""

SEEN = frozenset({ListingState.LISTED, ListingState.UNLISTED})
"""Who could have seen a product: a draft is nobody's business yet."""


@dataclass(frozen=True, slots=True)
class Wish:
    """So many of one SKU, wished for since."""

    quantity: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A wish that a basket holds, and how many pieces there are to be bought just now."""

    quantity: int
    available: int

    @property
    def short(self) -> bool:
        """Whether more is wished for than there is: the basket keeps it, an order is refused."""
        return self.quantity > self.available


def check_quantity(quantity: int, language: str = "zh") -> None:
    """Let 1 to 9,999 pass.

    Raises:
        Invalid: anything else; field `quantity`.
    """
    if not is_quantity(quantity):
        zh = f"购买数量须为 1 至 {MAX_LINE_QUANTITY} 的整数"
        en = f"The quantity must be a whole number from 1 to {MAX_LINE_QUANTITY}"
        raise Invalid(zh, en, fields={"quantity": [zh if language.startswith("zh") else en]})


def check_sku(state: ListingState | None, *, on_sale: bool, sku: str) -> None:
    """Let a SKU pass that may be put into a basket; sold out or out of season, it may.

    Args:
        state: of its product; None: there is no such SKU.
        on_sale: the SKU and its cooperative are active.
        sku: the code that was asked for.

    Raises:
        NotFound: there is no such SKU, or none that a buyer has ever seen.
        Conflict: `not_listed`, it has been taken off the shelf.
    """
    if state not in SEEN:
        raise NotFound("没有找到这件商品", "There is no such item", sku=sku)
    if state is ListingState.UNLISTED or not on_sale:
        raise Conflict("商品已下架", "This item is no longer on sale", code="not_listed", sku=sku)


def merged(own: Mapping[UUID, Wish], visitor: Mapping[UUID, Wish]) -> dict[UUID, Wish]:
    """A person's basket after the one filled before sign-in is laid beside it.

    Of each SKU the larger quantity, never the sum: who signs in twice, or on a second device,
    does not find a doubled basket. Of more than `MAX_SKUS` the newest stay.
    """
    both = dict(own)
    for sku_id, wish in visitor.items():
        mine = both.get(sku_id, wish)
        both[sku_id] = Wish(max(mine.quantity, wish.quantity), max(mine.added_at, wish.added_at))
    newest = sorted(both, key=lambda sku_id: (both[sku_id].added_at, sku_id), reverse=True)
    return {sku_id: both[sku_id] for sku_id in newest[:MAX_SKUS]}
