"""Who may see and change an order as its buyer: the buyer, and the bearer of its token.

Staff read orders on their desk (`shop.orders.desk`), masked; they do not act as the buyer.
"""

from __future__ import annotations

import hmac
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from models.orders import Order
from shop.context import Actor, Ctx
from shop.crypto import keyed_hash
from shop.errors import NotFound
from shop.ids import is_order_number
from shop.settings import Settings

ORDERS = Order.__table__

BY_NUMBER = select(ORDERS.c.id, ORDERS.c.buyer_id).where(ORDERS.c.number == bindparam("wanted"))
# What locking an order tells: all that paying and closing it needs, without its texts.
LOCKED = [
    ORDERS.c[name]
    for name in (
        "id",
        "number",
        "state",
        "buyer_id",
        "buyer_kind",
        "buyer_key",
        "buyer_email",
        "purpose",
        "language",
        "unit_id",
        "channel_id",
        "campaign_id",
        "platform_id",
        "storefront_id",
        "total_fen",
        "pay_before",
        "payment_terms",
        "pay_extended_at",
        "placed_at",
        "cancelled_at",
        "cancel_reason",
    )
]
BY_NUMBER_LOCKED = select(*LOCKED).where(ORDERS.c.number == bindparam("wanted")).with_for_update()


def locking(order_id: Any) -> Select[Any]:
    """The statement that locks the order with this key: a value, or a subquery that finds it."""
    return select(*LOCKED).where(ORDERS.c.id == order_id).with_for_update(of=ORDERS)


BY_ID_LOCKED = locking(bindparam("wanted"))


def access_token(settings: Settings, order_id: UUID) -> str:
    """The secret that opens one order without signing in; made from the key, kept nowhere."""
    return keyed_hash(f"order-access:{order_id}", settings.secret_key)


def order_id_for(ctx: Ctx, number: str, token: str | None = None) -> UUID:
    """The id of an order that the actor may see.

    Raises:
        NotFound: there is none, or it is somebody else's: the same answer for both.
    """
    found: UUID = visible(ctx, BY_NUMBER, number, token).id
    return found


def locked_order_for(ctx: Ctx, number: str, token: str | None = None) -> Any:
    """The row of an order that the actor may see, locked until the transaction ends.

    Raises:
        NotFound: as `order_id_for`.
    """
    return visible(ctx, BY_NUMBER_LOCKED, number, token)


def locked_order(ctx: Ctx, order_id: UUID) -> Any:
    """The row of an order, locked until the transaction ends. Lock it before its payments."""
    return ctx.session.execute(BY_ID_LOCKED, {"wanted": order_id}).one()


def order_id_of(ctx: Ctx, number: str) -> UUID:
    """The id of any order, for those whose permission (`orders.read_any`) was asked already.

    Raises:
        NotFound: there is none.
    """
    found = ctx.session.execute(BY_NUMBER, {"wanted": number}).one_or_none()
    if found is None:
        raise NotFound(zh="没有找到这个订单", en="There is no such order")
    order_id: UUID = found.id
    return order_id


def visible(ctx: Ctx, statement: Any, number: str, token: str | None) -> Any:
    """The row that `statement` (by `wanted`; with `id` and `buyer_id`) tells of an order.

    Raises:
        NotFound: as `order_id_for`.
    """
    found = None
    if is_order_number(number):
        found = ctx.session.execute(statement, {"wanted": number}).one_or_none()
    if found is None or not _may_see(ctx, found.id, found.buyer_id, token):
        raise NotFound(zh="没有找到这个订单", en="There is no such order")
    return found


def _may_see(ctx: Ctx, order_id: UUID, buyer_id: UUID | None, token: str | None) -> bool:
    if ctx.actor.system or _owns(ctx.actor, buyer_id):
        return True
    expected = access_token(ctx.settings, order_id)
    return token is not None and hmac.compare_digest(token.encode(), expected.encode())


def _owns(actor: Actor, buyer_id: UUID | None) -> bool:
    return buyer_id is not None and actor.user_id == buyer_id
