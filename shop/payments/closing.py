"""Closing what nobody will pay: first at the provider, then here."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.payments import Payment
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.machine import move_locked
from shop.orders.access import order_id_for
from shop.orders.payment_commands import close_order, refuse_shipped
from shop.payments.bank_rows import release_matches
from shop.payments.commands import LIVE_OF
from shop.payments.gateway import CheckoutStatus, GatewayRejected, PaymentGateway
from shop.payments.providers import gateway
from shop.payments.states import LIVE, PAYMENT
from shop.payments.sync import apply_status

PAYMENTS = Payment.__table__

UNKNOWN = "resource_missing"
"""The provider's word for a reference that it does not know."""


def cancel_unpaid(transactions: Transactions, number: str, token: str | None = None) -> None:
    """The buyer changes their mind before paying.

    Raises:
        NotFound: the actor may not see the order.
        Conflict: `order_paid`; `payment_processing`, the money is on its way; `order_shipped`,
            goods on credit have left.
    """
    with transactions.begin() as ctx:
        order_id = order_id_for(ctx, number, token)
    status = close_unpaid(transactions, order_id, "cancel", "buyer")
    if status is not None and status.state == "processing":
        raise under_way()


def under_way() -> Conflict:
    """The money may come any minute."""
    return Conflict(
        "付款正在处理中，暂时不能取消",
        "The payment is being processed",
        code="payment_processing",
    )


def close_unpaid(
    transactions: Transactions, order_id: UUID, event: str, why: str
) -> CheckoutStatus | None:
    """Close an unpaid order (`cancel` or `expire`): first at the provider, then here.

    Asked first, the provider cannot take money for goods that we have just put back. If it has
    the money already, the order is paid instead; while it is processing, nothing is closed. A page
    that it does not know and whose time is over takes no money any more.

    Returns:
        The provider's last word, if a checkout was open and it knows it.

    Raises:
        Conflict: `order_paid`, `order_shipped`.
        GatewayUnavailable: nothing is closed; the caller tries again.
        GatewayRejected: the provider will not say; nothing is closed, see `shop.payments.overdue`.
    """
    with transactions.begin() as ctx:
        refuse_shipped(ctx, order_id)
        live = ctx.session.execute(LIVE_OF, {"order_id": order_id}).one_or_none()
        now = ctx.now
    status = None
    if live is not None and live.reference is not None:
        try:
            status = close_checkout(gateway(transactions.settings), transactions, live.reference)
        except GatewayRejected as error:
            if not _gone(live, now, error):
                raise
        if status is not None and status.state in {"paid", "processing"}:
            return keep(transactions, status)
    with transactions.begin() as ctx:
        close_here(ctx, order_id, event, why)
    return status


def _gone(live: Any, now: datetime, error: GatewayRejected) -> bool:
    """Nobody can pay on it, and nobody has: the provider has no such page, nor would it be open."""
    unknown = error.extra.get("provider_code") == UNKNOWN
    return unknown and live.intent_reference is None and bool(live.expires_at <= now)


def close_here(ctx: Ctx, order_id: UUID, event: str, why: str) -> None:
    """Close an unpaid order in our books: its goods, the bank's money and its attempt are free.

    Raises:
        Conflict: `order_paid`, `order_shipped`.
    """
    close_order(ctx, order_id, event, why)
    release_matches(ctx, order_id, "order_cancelled")
    _expire_attempt(ctx, order_id)


def close_checkout(
    provider: PaymentGateway, transactions: Transactions, reference: str
) -> CheckoutStatus:
    """Close a checkout at the provider, with nothing open here; its last word."""
    transactions.nothing_open()
    return provider.close_checkout(reference)


def keep(transactions: Transactions, status: CheckoutStatus) -> CheckoutStatus:
    """Write down a checkout that could not be closed.

    Raises:
        Conflict: `order_paid`.
    """
    with transactions.begin() as ctx:
        apply_status(ctx, status)
    if status.state == "paid":
        raise Conflict("订单已支付", "The order is paid already", code="order_paid")
    return status


def _expire_attempt(ctx: Ctx, order_id: UUID) -> None:
    live = ctx.session.execute(
        select(PAYMENTS.c.id, PAYMENTS.c.state)
        .where(PAYMENTS.c.order_id == order_id, PAYMENTS.c.state.in_(LIVE))
        .with_for_update()
    ).one_or_none()
    if live is not None:
        move_locked(ctx, PAYMENT, live.id, order_id, live.state, "expire")
