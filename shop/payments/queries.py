"""Reading attempts to pay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.payments import Payment
from shop.context import Ctx
from shop.orders.access import order_id_for

PAYMENTS = Payment.__table__


def payments_for(ctx: Ctx, number: str, token: str | None = None) -> list[dict[str, Any]]:
    """Every attempt to pay an order, oldest first.

    Raises:
        NotFound: the actor may not see the order.
    """
    return payments_of(ctx, order_id_for(ctx, number, token))


def payments_of(ctx: Ctx, order_id: UUID) -> list[dict[str, Any]]:
    """`payments_for` by key."""
    found = ctx.session.execute(
        select(
            PAYMENTS.c.id,
            PAYMENTS.c.state,
            PAYMENTS.c.method,
            PAYMENTS.c.amount_fen,
            PAYMENTS.c.captured_fen,
            PAYMENTS.c.refunding_fen,
            PAYMENTS.c.refunded_fen,
            PAYMENTS.c.redirect_url,
            PAYMENTS.c.failure_code,
            PAYMENTS.c.created_at,
            PAYMENTS.c.settled_at,
            PAYMENTS.c.expires_at,
            PAYMENTS.c.reference,
        )
        .where(PAYMENTS.c.order_id == order_id)
        .order_by(PAYMENTS.c.id)
    )
    return [dict(row) for row in found.mappings()]


def open_reference(ctx: Ctx, order_id: UUID) -> str | None:
    """The provider's reference of the newest attempt, for asking what became of it."""
    found: str | None = ctx.session.execute(
        select(PAYMENTS.c.reference)
        .where(PAYMENTS.c.order_id == order_id, PAYMENTS.c.reference.is_not(None))
        .order_by(PAYMENTS.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found
