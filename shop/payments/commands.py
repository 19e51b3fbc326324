"""Starting a payment, learning what became of it, closing what nobody will pay.

These use cases call a foreign system, so they take `Transactions`: first the row that says what
we are about to do, then the call with nothing open, then the row with the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from models.orders import OrderState
from models.payments import Payment, PaymentMethod, PaymentState
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.machine import append, move_locked
from shop.orders.access import access_token, locked_order_for, order_id_for
from shop.orders.commands import close_order
from shop.payments.gateway import (
    CheckoutOpened,
    CheckoutRequest,
    CheckoutStatus,
    PaymentGateway,
    checkout_expiry,
)
from shop.payments.providers import gateway
from shop.payments.rules import checked_return_url
from shop.payments.states import LIVE, PAYMENT
from shop.payments.sync import apply_status

PAYMENTS = Payment.__table__

WRITE_PAYMENT = insert(PAYMENTS).returning(PAYMENTS)
BY_ID_LOCKED = select(PAYMENTS).where(PAYMENTS.c.id == bindparam("wanted")).with_for_update()
LIVE_OF = select(PAYMENTS).where(
    PAYMENTS.c.order_id == bindparam("order_id"), PAYMENTS.c.state.in_(LIVE)
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay, as the buyer sees it."""

    id: UUID
    state: PaymentState
    method: PaymentMethod
    amount_fen: int
    redirect_url: str | None
    expires_at: datetime


def start_payment(
    transactions: Transactions,
    number: str,
    *,
    token: str | None = None,
    return_url: str | None = None,
) -> Attempt:
    """Open a checkout for an order, or return the one that is open already.

    Raises:
        NotFound: the actor may not see the order.
        Conflict: `order_paid`, `order_cancelled`, `order_expired`.
        Invalid: the return address is none of ours.
        GatewayUnavailable, GatewayRejected: the provider; the attempt can be repeated.
    """
    checked_return_url(return_url, production=transactions.settings.production)
    with transactions.begin() as ctx:
        order = locked_order_for(ctx, number, token)
        attempt = _live_attempt(ctx, order) or _new_attempt(ctx, order, return_url)
        if attempt.redirect_url is not None:
            return _facts(attempt)
    transactions.nothing_open()
    request = _request(transactions, order, attempt)
    opened = gateway(transactions.settings).open_checkout(request)
    with transactions.begin() as ctx:
        return _opened(ctx, attempt.id, opened)


def _live_attempt(ctx: Ctx, order: Any) -> Any:
    """The attempt that can still be finished; the order is locked, so there comes no other.

    Raises:
        Conflict: the order does not wait for money (any more).
    """
    if order.state is not OrderState.PENDING_PAYMENT:
        paid = order.state is OrderState.PAID
        raise Conflict(
            "订单已支付" if paid else "订单已取消",
            "The order is paid already" if paid else "The order has been cancelled",
            code=f"order_{order.state}",
        )
    if order.pay_before <= ctx.now:
        raise Conflict(
            "订单已超过付款时间，请重新下单", "The time to pay has passed", code="order_expired"
        )
    live = ctx.session.execute(LIVE_OF, {"order_id": order.id}).one_or_none()
    if live is not None and live.expires_at <= ctx.now:
        # Its page has run out: it makes room for the next attempt.
        move_locked(ctx, PAYMENT, live.id, order.id, live.state, "expire")
        return None
    return live


def _new_attempt(ctx: Ctx, order: Any, return_url: str | None) -> Any:
    row = {
        "id": new_id(),
        "order_id": order.id,
        "method": PaymentMethod.STRIPE,
        "state": PaymentState.CREATED,
        "amount_fen": order.total_fen,
        "currency": "CNY",
        "captured_fen": 0,
        "return_url": return_url,
        "expires_at": checkout_expiry(order.pay_before, ctx.now),
        "created_at": ctx.now,
    }
    written = ctx.session.execute(WRITE_PAYMENT, row).one()
    append(ctx, "payment", row["id"], order.id, "start", None, PaymentState.CREATED)
    return written


def _request(transactions: Transactions, order: Any, attempt: Any) -> CheckoutRequest:
    secret = access_token(transactions.settings, order.id)
    page = f"{transactions.settings.public_url}/orders/{order.number}"
    return CheckoutRequest(
        attempt_id=attempt.id,
        order_number=order.number,
        amount_fen=attempt.amount_fen,
        summary=f"消费帮扶订单 {order.number}",
        language=order.language,
        expires_at=attempt.expires_at,
        success_url=attempt.return_url or f"{page}/result?access_token={secret}",
        cancel_url=f"{page}?access_token={secret}",
        buyer_email=order.buyer_email,
    )


def _opened(ctx: Ctx, attempt_id: UUID, opened: CheckoutOpened) -> Attempt:
    """Store where the buyer pays. Meanwhile the attempt may have moved on; then it keeps that."""
    found = ctx.session.execute(BY_ID_LOCKED, {"wanted": attempt_id}).one()
    address = {"reference": opened.reference, "redirect_url": opened.redirect_url}
    state = found.state
    if state is PaymentState.CREATED:
        state = PaymentState.PENDING
        move_locked(ctx, PAYMENT, attempt_id, found.order_id, found.state, "open", values=address)
    else:
        ctx.session.execute(update(PAYMENTS).where(PAYMENTS.c.id == attempt_id).values(address))
    return Attempt(
        attempt_id, state, found.method, found.amount_fen, opened.redirect_url, found.expires_at
    )


def _facts(row: Any) -> Attempt:
    return Attempt(row.id, row.state, row.method, row.amount_fen, row.redirect_url, row.expires_at)


def cancel_unpaid(transactions: Transactions, number: str, token: str | None = None) -> None:
    """The buyer changes their mind before paying.

    Raises:
        NotFound: the actor may not see the order.
        Conflict: `order_paid`, or `payment_processing`: the money is on its way.
    """
    with transactions.begin() as ctx:
        order_id = order_id_for(ctx, number, token)
    status = close_unpaid(transactions, order_id, "cancel", "buyer")
    if status is not None and status.state == "processing":
        raise Conflict(
            "付款正在处理中，暂时不能取消",
            "The payment is being processed",
            code="payment_processing",
        )


def close_unpaid(
    transactions: Transactions, order_id: UUID, event: str, why: str
) -> CheckoutStatus | None:
    """Close an unpaid order (`cancel` or `expire`): first at the provider, then here.

    Asked first, the provider cannot take money for goods that we have just put back. If it has
    the money already, the order is paid instead; while it is processing, nothing is closed.

    Returns:
        The provider's last word, if a checkout was open.

    Raises:
        Conflict: `order_paid`.
        GatewayUnavailable: nothing is closed; the caller tries again.
    """
    with transactions.begin() as ctx:
        live = ctx.session.execute(LIVE_OF, {"order_id": order_id}).one_or_none()
    status = None
    if live is not None and live.reference is not None:
        status = _close_checkout(gateway(transactions.settings), transactions, live.reference)
        if status.state in {"paid", "processing"}:
            return _keep(transactions, status)
    with transactions.begin() as ctx:
        close_order(ctx, order_id, event, why)
        _expire_attempt(ctx, order_id)
    return status


def _close_checkout(
    provider: PaymentGateway, transactions: Transactions, reference: str
) -> CheckoutStatus:
    transactions.nothing_open()
    return provider.close_checkout(reference)


def _keep(transactions: Transactions, status: CheckoutStatus) -> CheckoutStatus:
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
