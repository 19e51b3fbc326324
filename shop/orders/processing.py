"""Orders whose buyer has paid, as far as a buyer can, while the provider has yet to decide."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam, exists, select

from models.orders import Order
from models.payments import Payment, PaymentState
from shop.context import Ctx

ORDERS, PAYMENTS = Order.__table__, Payment.__table__

IS_PROCESSING = exists().where(
    PAYMENTS.c.order_id == ORDERS.c.id,
    PAYMENTS.c.state.in_((PaymentState.CREATED, PaymentState.PENDING)),
    PAYMENTS.c.intent_reference.is_not(None),
)
"""A live attempt that was handed in; an order has one live attempt at most."""

OF_ONE = select(IS_PROCESSING).where(ORDERS.c.id == bindparam("wanted"))


def is_processing(ctx: Ctx, order_id: UUID) -> bool:
    """Whether a payment of an order is handed in and not decided; one statement."""
    return bool(ctx.session.execute(OF_ONE, {"wanted": order_id}).scalar_one())
