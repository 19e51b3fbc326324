"""Finding an order by what a buyer without an account still knows of it."""

from __future__ import annotations

import hmac

from sqlalchemy import select

from models.orders import Order
from shop import crypto, phones
from shop.context import Ctx
from shop.errors import Invalid, NotFound
from shop.ids import is_order_number
from shop.orders.access import access_token

ORDERS = Order.__table__


def access_by_phone(ctx: Ctx, number: str, phone: str) -> str:
    """The access token of the order with this number that goes to this phone.

    Raises:
        NotFound: one answer, whichever of the two is wrong.
    """
    row = None
    if is_order_number(number):
        row = ctx.session.execute(
            select(ORDERS.c.id, ORDERS.c.phone_hash).where(ORDERS.c.number == number)
        ).one_or_none()
    given = _hash(ctx, phone)
    if row is None or not hmac.compare_digest(row.phone_hash, given):
        raise NotFound("没有找到这个订单，请核对订单号和手机号", "There is no such order")
    return access_token(ctx.settings, row.id)


def _hash(ctx: Ctx, phone: str) -> str:
    try:
        return crypto.keyed_hash(phones.parse(phone), ctx.settings.secret_key)
    except Invalid:
        return ""
