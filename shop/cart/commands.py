"""Filling and emptying a basket. Nothing is reserved by it, and nothing is refused for stock.

The basket keeps what the buyer asked for, also when less is available: its reading then carries
the problem `out_of_stock` with what is left, and placing the order is refused. Cutting the number
silently would make a union order 300 boxes and get 180 without anybody having said so; and what
is short at noon may be restocked, or released by an unpaid order, an hour later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from models.cart import Cart, CartLine
from models.catalog import Cooperative, Product, Sku
from models.inventory import Stock
from shop.cart import rules
from shop.cart.owner import CartOwner, is_genuine
from shop.context import Ctx
from shop.errors import Conflict
from shop.ids import CartId, new_id

CARTS = Cart.__table__
LINES = CartLine.__table__
SKUS = Sku.__table__
PRODUCTS = Product.__table__
COOPERATIVES = Cooperative.__table__
STOCK = Stock.__table__

BOUGHT = (
    func.unnest(bindparam("codes", type_=ARRAY(Text)), bindparam("pieces", type_=ARRAY(BigInteger)))
    .table_valued("code", "pieces")
    .render_derived()
)

VISITOR_BASKET_KEPT = timedelta(days=90)
"""A season: who comes back for the next festival still finds it."""


def set_line(ctx: Ctx, owner: CartOwner, sku_code: str, quantity: int) -> None:
    """Wish for exactly `quantity` of a SKU, whatever the basket held of it before.

    Raises:
        Invalid: the quantity is not 1 to 9,999.
        NotFound: there is no such SKU.
        Conflict: `not_listed`; `cart_full`, a further SKU would be one too many.
    """
    _put(ctx, owner, sku_code, quantity, lambda _held, asked: asked)


def add_line(ctx: Ctx, owner: CartOwner, sku_code: str, quantity: int) -> rules.Held:
    """Wish for `quantity` of a SKU more than the basket holds, also when two tabs add at once.

    Returns the wish that the basket holds now and what there is: the two may be told apart at once.

    Raises:
        Invalid, NotFound, Conflict: as `set_line`; of the sum. Nothing is to be kept of the try.
    """
    return _put(ctx, owner, sku_code, quantity, lambda held, asked: held + asked)


def have_line(ctx: Ctx, owner: CartOwner, sku_code: str, quantity: int) -> None:
    """Wish for at least `quantity` of a SKU; a larger wish stays.

    Raises:
        Invalid, NotFound, Conflict: as `set_line`.
    """
    _put(ctx, owner, sku_code, quantity, func.greatest)


def remove_line(ctx: Ctx, owner: CartOwner, sku_code: str) -> None:
    """Take one SKU out; quiet when it is not in it."""
    ctx.session.execute(
        delete(LINES).where(
            LINES.c.cart_id.in_(select(CARTS.c.id).where(owner.owns())),
            LINES.c.sku_id.in_(select(SKUS.c.id).where(SKUS.c.code == sku_code)),
        )
    )


def take_out(ctx: Ctx, owner: CartOwner, bought: Iterable[tuple[str, int]]) -> None:
    """Take out what was bought: so many pieces a SKU. What was wished for beyond that stays.

    Quiet about what is not in the basket.

    Args:
        ctx: the transaction.
        owner: whose basket.
        bought: (SKU code, pieces); a SKU may stand in several.
    """
    pieces: Counter[str] = Counter()
    for code, quantity in bought:
        pieces[code] += quantity
    given = {"codes": list(pieces), "pieces": list(pieces.values())}
    met = and_(
        LINES.c.cart_id.in_(select(CARTS.c.id).where(owner.owns())),
        LINES.c.sku_id == SKUS.c.id,
        SKUS.c.code == BOUGHT.c.code,
    )
    left = LINES.c.quantity - BOUGHT.c.pieces
    gone = delete(LINES).where(met, left <= 0).cte("gone")
    some = update(LINES).where(met, left > 0).values(quantity=left).add_cte(gone)
    ctx.session.execute(some, given)


def clear(ctx: Ctx, owner: CartOwner) -> None:
    """Take everything out."""
    ctx.session.execute(
        delete(LINES).where(LINES.c.cart_id.in_(select(CARTS.c.id).where(owner.owns())))
    )


def merge(ctx: Ctx, token: str | None, user_id: UUID) -> None:
    """At sign-in: the visitor's basket becomes part of the person's, and is gone.

    Of each SKU the larger quantity stays. Quiet without a token, with an unknown one, and the
    second time.
    """
    if token is None or not is_genuine(token, ctx.settings.secret_key):
        return
    visitor_id = ctx.session.execute(
        select(CARTS.c.id).where(CartOwner(token=token).owns()).with_for_update()
    ).scalar_one_or_none()
    if visitor_id is None:
        return
    own_id = _lock_cart(ctx, CartOwner(user_id=user_id))
    own, visitor = _wishes(ctx, own_id), _wishes(ctx, visitor_id)
    _replace(ctx, own_id, rules.merged(own, visitor))
    ctx.session.execute(delete(CARTS).where(CARTS.c.id == visitor_id))


def forget_old(ctx: Ctx) -> int:
    """Delete visitors' baskets that nobody has touched for `VISITOR_BASKET_KEPT`; how many."""
    gone = ctx.session.execute(
        delete(CARTS)
        .where(CARTS.c.user_id.is_(None), CARTS.c.updated_at < ctx.now - VISITOR_BASKET_KEPT)
        .returning(CARTS.c.id)
    ).all()
    return len(gone)


def _put(
    ctx: Ctx,
    owner: CartOwner,
    sku_code: str,
    quantity: int,
    wish: Callable[[Any, Any], Any],
) -> rules.Held:
    """Write a line; `wish` says, of what the basket holds of the SKU and what is asked, the new."""
    rules.check_quantity(quantity, ctx.language)
    sku_id, available = _sku(ctx, sku_code)
    cart_id = _lock_cart(ctx, owner)
    others = (
        select(func.count())
        .select_from(LINES)
        .where(LINES.c.cart_id == cart_id, LINES.c.sku_id != sku_id)
        .scalar_subquery()
    )
    line = select(literal(cart_id), literal(sku_id), literal(quantity), literal(ctx.now))
    statement = insert(LINES).from_select(
        ["cart_id", "sku_id", "quantity", "added_at"], line.where(others < rules.MAX_SKUS)
    )
    written = ctx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["cart_id", "sku_id"],
            set_={"quantity": wish(LINES.c.quantity, statement.excluded.quantity)},
        ).returning(LINES.c.quantity)
    ).scalar_one_or_none()
    if written is None:
        raise Conflict(
            f"购物车最多放 {rules.MAX_SKUS} 种商品",
            f"A basket holds at most {rules.MAX_SKUS} different items",
            code="cart_full",
        )
    rules.check_quantity(written, ctx.language)
    return rules.Held(written, available)


def _sku(ctx: Ctx, code: str) -> tuple[UUID, int]:
    """The SKU's key, and how many pieces can be bought just now."""
    found = ctx.session.execute(
        select(
            SKUS.c.id,
            PRODUCTS.c.state,
            (SKUS.c.active & COOPERATIVES.c.active).label("on_sale"),
            func.coalesce(STOCK.c.on_hand - STOCK.c.reserved, 0).label("available"),
        )
        .join(PRODUCTS, PRODUCTS.c.id == SKUS.c.product_id)
        .join(COOPERATIVES, COOPERATIVES.c.id == PRODUCTS.c.cooperative_id)
        .outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)
        .where(SKUS.c.code == code)
    ).one_or_none()
    state, on_sale = (found.state, found.on_sale) if found else (None, False)
    rules.check_sku(state, on_sale=on_sale, sku=code)
    assert found is not None
    return found.id, found.available


def _lock_cart(ctx: Ctx, owner: CartOwner) -> CartId:
    """The owner's basket, made if need be, locked until the end of the transaction."""
    found: CartId = ctx.session.execute(
        insert(CARTS)
        .values(
            id=new_id(),
            user_id=owner.user_id,
            token_hash=owner.token_hash,
            updated_at=ctx.now,
        )
        .on_conflict_do_update(
            index_elements=["user_id" if owner.user_id else "token_hash"],
            set_={"updated_at": ctx.now},
        )
        .returning(CARTS.c.id)
    ).scalar_one()
    return found


def _wishes(ctx: Ctx, cart_id: UUID) -> dict[UUID, rules.Wish]:
    rows = ctx.session.execute(
        select(LINES.c.sku_id, LINES.c.quantity, LINES.c.added_at).where(LINES.c.cart_id == cart_id)
    )
    return {sku_id: rules.Wish(quantity, added_at) for sku_id, quantity, added_at in rows}


def _replace(ctx: Ctx, cart_id: UUID, wishes: dict[UUID, rules.Wish]) -> None:
    ctx.session.execute(delete(LINES).where(LINES.c.cart_id == cart_id))
    rows = [
        {"cart_id": cart_id, "sku_id": sku_id, "quantity": w.quantity, "added_at": w.added_at}
        for sku_id, w in wishes.items()
    ]
    if rows:
        ctx.session.execute(insert(LINES), rows)
