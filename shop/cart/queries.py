"""Reading a basket, priced as of now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from models.cart import Cart, CartLine
from models.catalog import Sku
from shop.cart.owner import CartOwner
from shop.catalog.for_orders import SkuForPricing
from shop.context import Ctx
from shop.pricing.quote import load_basket
from shop.pricing.values import Quote

CARTS = Cart.__table__
LINES = CartLine.__table__
SKUS = Sku.__table__


@dataclass(frozen=True, slots=True)
class CartItem:
    """One wish, beside what the catalogue says of it today."""

    quantity: int
    item: SkuForPricing

    @property
    def goods_fen(self) -> int:
        """Price times quantity; also of what cannot be bought just now."""
        return self.item.price_fen * self.quantity


@dataclass(frozen=True, slots=True)
class CartView:
    """A basket: every wish in the order in which it came, and the quote for all of them.

    What is off the shelf or out of season is among the `lines` but not in the quote's sums; the
    quote's problems say what stands in the way of ordering.
    """

    owner: CartOwner
    lines: tuple[CartItem, ...]
    quote: Quote

    @property
    def pieces(self) -> int:
        """How many pieces there are, for the number beside the basket's picture."""
        return sum(line.quantity for line in self.lines)


def read(ctx: Ctx, owner: CartOwner, division_code: str | None = None) -> CartView:
    """The owner's basket, priced for a division if one is given: two statements.

    An owner who has none yet reads an empty one.

    Raises:
        Invalid: `division_unknown`.
    """
    wanted = items(ctx, owner)
    basket = load_basket(ctx, wanted, division_code)
    lines = tuple(
        CartItem(quantity, basket.skus[code]) for code, quantity in wanted if code in basket.skus
    )
    return CartView(owner, lines, basket.quote)


def items(ctx: Ctx, owner: CartOwner) -> list[tuple[str, int]]:
    """(SKU code, quantity) of the owner's basket, oldest wish first: one statement."""
    rows = ctx.session.execute(
        select(SKUS.c.code, LINES.c.quantity)
        .select_from(LINES)
        .join(CARTS, CARTS.c.id == LINES.c.cart_id)
        .join(SKUS, SKUS.c.id == LINES.c.sku_id)
        .where(owner.owns())
        .order_by(LINES.c.added_at, SKUS.c.code)
    )
    return [(code, quantity) for code, quantity in rows]


def pieces(ctx: Ctx, owner: CartOwner) -> int:
    """How many pieces the basket holds: what every page of the shop shows."""
    return sum(quantity for _, quantity in items(ctx, owner))
