"""Who may see an order: its buyer, the bearer of its token, the organization's staff."""

from __future__ import annotations

import hmac
from uuid import UUID

from sqlalchemy import select

from models.orders import Order
from shop.context import Actor, Ctx
from shop.crypto import keyed_hash
from shop.errors import NotFound
from shop.identity.policy import allowed
from shop.ids import is_order_number
from shop.settings import Settings

ORDERS = Order.__table__


def access_token(settings: Settings, order_id: UUID) -> str:
    """The secret that opens one order without signing in; made from the key, kept nowhere."""
    return keyed_hash(f"order-access:{order_id}", settings.secret_key)


def order_id_for(ctx: Ctx, number: str, token: str | None = None) -> UUID:
    """The id of an order that the actor may see.

    Raises:
        NotFound: there is none, or it is somebody else's: the same answer for both.
    """
    found = None
    if is_order_number(number):
        found = ctx.session.execute(
            select(ORDERS.c.id, ORDERS.c.buyer_id).where(ORDERS.c.number == number)
        ).one_or_none()
    if found is None or not _may_see(ctx, found.id, found.buyer_id, token):
        raise NotFound(zh="没有找到这个订单", en="There is no such order")
    order_id: UUID = found.id
    return order_id


def _may_see(ctx: Ctx, order_id: UUID, buyer_id: UUID | None, token: str | None) -> bool:
    trusted = ctx.actor.system or allowed(ctx.actor, "orders.read_any")
    if trusted or _owns(ctx.actor, buyer_id):
        return True
    expected = access_token(ctx.settings, order_id)
    return token is not None and hmac.compare_digest(token.encode(), expected.encode())


def _owns(actor: Actor, buyer_id: UUID | None) -> bool:
    return buyer_id is not None and actor.user_id == buyer_id
