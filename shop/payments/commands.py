"""Starting a payment.

It calls a foreign system, so it takes `Transactions`: first the row that says what we are about to
do, then the call with nothing open, then the row with the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from models.orders import OrderState, PaymentTerms
from models.payments import Payment, PaymentMethod, PaymentState
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.jobs.queue import enqueue
from shop.machine import EVENTS, WRITE_EVENTS, event_row, move_locked
from shop.orders.access import access_token, locked_order_for
from shop.orders.rules import institutional
from shop.payments.bank_rows import received_fen
from shop.payments.gateway import (
    LEAST_CHECKOUT,
    CheckoutOpened,
    CheckoutRequest,
    checkout_expiry,
)
from shop.payments.providers import gateway
from shop.payments.rules import BankAccount, checked_return_url
from shop.payments.states import LIVE, PAYMENT

PAYMENTS = Payment.__table__

WRITE_PAYMENT = insert(PAYMENTS).returning(PAYMENTS).add_cte(WRITE_EVENTS.cte("told"))
BY_ID_LOCKED = select(PAYMENTS).where(PAYMENTS.c.id == bindparam("wanted")).with_for_update()
LIVE_OF = select(PAYMENTS).where(
    PAYMENTS.c.order_id == bindparam("order_id"), PAYMENTS.c.state.in_(LIVE)
)

CLOSE = "payments.close_checkout"
"""The job that closes a checkout whose order has been paid or closed otherwise."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to pay, as the buyer sees it."""

    id: UUID
    state: PaymentState
    method: PaymentMethod
    amount_fen: int
    redirect_url: str | None
    expires_at: datetime
    bank_reference: str | None = None
    bank_account: BankAccount | None = None
    processing: bool = False
    """Handed in, and not decided yet by its provider."""


def start_payment(
    transactions: Transactions,
    number: str,
    *,
    token: str | None = None,
    return_url: str | None = None,
) -> Attempt:
    """Open a checkout for an order, or return the one that is open already.

    Raises:
        NotFound, Conflict, Invalid, GatewayUnavailable, GatewayRejected: see `open_payment`.
    """
    rest = open_payment(transactions, number, token=token, return_url=return_url)
    with transactions.begin() as ctx:
        return rest(ctx)


def open_payment(
    transactions: Transactions,
    number: str,
    *,
    token: str | None = None,
    return_url: str | None = None,
) -> Callable[[Ctx], Attempt]:
    """`start_payment` up to its last transaction, which the caller opens for what this returns.

    So the caller's own note of the answer is there exactly when the attempt's page is.

    Raises:
        NotFound: the actor may not see the order.
        Conflict: `order_paid`, `order_cancelled`, `order_expired`; `transfer_partly_received`,
            the rest has to come by transfer too.
        Invalid: the return address is none of ours.
        GatewayUnavailable, GatewayRejected: the provider; the attempt can be repeated.
    """
    checked_return_url(return_url, production=transactions.settings.production)
    with transactions.begin() as ctx:
        order = locked_order_for(ctx, number, token)
        attempt = _live_attempt(ctx, order) or _new_attempt(ctx, order, return_url)
    if attempt.redirect_url is not None or attempt.intent_reference is not None:
        found = _facts(attempt)
        return lambda _: found
    transactions.nothing_open()
    request = _request(transactions, order, attempt)
    opened = gateway(transactions.settings).open_checkout(request)
    return partial(_opened, attempt_id=attempt.id, opened=opened)


def _live_attempt(ctx: Ctx, order: Any) -> Any:
    """The attempt that can still be finished; the order is locked, so there comes no other.

    Raises:
        Conflict: the order does not wait for money (any more), or has some of it by transfer.
    """
    refuse_unless_waiting(ctx, order)
    if institutional(order.buyer_kind, order.purpose) and received_fen(ctx, order.id):
        raise Conflict(
            "已收到部分转账，余款请继续用对公转账支付",
            "A part has come by bank transfer; please transfer the rest",
            code="transfer_partly_received",
        )
    live = ctx.session.execute(LIVE_OF, {"order_id": order.id}).one_or_none()
    if live is not None and live.intent_reference is not None:
        return live  # its money may come any minute, however long ago its page ran out
    if live is not None and (
        live.method is PaymentMethod.BANK_TRANSFER
        or live.expires_at <= ctx.now
        or _cannot_open(ctx, live)
    ):
        # Its page has run out, or can never be had: it makes room for the next attempt. So does
        # the wish to pay by transfer; money that comes by it all the same finds the order.
        move_locked(ctx, PAYMENT, live.id, order.id, live.state, "expire")
        return None
    return live


def refuse_unless_waiting(ctx: Ctx, order: Any) -> None:
    """Only an order that waits for money can be paid; one on credit waits past its time too.

    Raises:
        Conflict: `order_paid`, `order_cancelled`, `order_expired`.
    """
    if order.state is not OrderState.PENDING_PAYMENT:
        paid = order.state is OrderState.PAID
        raise Conflict(
            "订单已支付" if paid else "订单已取消",
            "The order is paid already" if paid else "The order has been cancelled",
            code=f"order_{order.state}",
        )
    on_credit = order.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY
    if order.pay_before <= ctx.now and not on_credit:
        raise Conflict(
            "订单已超过付款时间，请重新下单", "The time to pay has passed", code="order_expired"
        )


def _cannot_open(ctx: Ctx, live: Any) -> bool:
    """An attempt whose page was never told us, and whose end is too near to ask for it again."""
    return live.reference is None and live.expires_at - ctx.now < LEAST_CHECKOUT


def _new_attempt(ctx: Ctx, order: Any, return_url: str | None) -> Any:
    end = checkout_expiry(order.pay_before, ctx.now)
    return write_attempt(ctx, order, PaymentMethod.STRIPE, PaymentState.CREATED, end, return_url)


def write_attempt(
    ctx: Ctx,
    order: Any,
    method: PaymentMethod,
    state: PaymentState,
    expires_at: datetime,
    return_url: str | None = None,
) -> Any:
    """Begin to be paid what the order costs; the row. The order is locked and has no live one."""
    row = {
        "id": new_id(),
        "order_id": order.id,
        "method": method,
        "state": state,
        "amount_fen": order.total_fen,
        "currency": "CNY",
        # Nothing has moved yet; beside another INSERT SQLAlchemy fills in no defaults.
        **dict.fromkeys(("captured_fen", "refunding_fen", "refunded_fen", "disputed_fen"), 0),
        "return_url": return_url,
        "expires_at": expires_at,
        "created_at": ctx.now,
    }
    told = event_row(ctx, "payment", row["id"], order.id, "start", None, state)
    return ctx.session.execute(WRITE_PAYMENT, {**row, EVENTS.name: [told]}).one()


def _request(transactions: Transactions, order: Any, attempt: Any) -> CheckoutRequest:
    secret = access_token(transactions.settings, order.id)
    page = f"{transactions.settings.public_url}/orders/{order.number}"
    return CheckoutRequest(
        attempt_id=attempt.id,
        order_number=order.number,
        amount_fen=attempt.amount_fen,
        summary=f"{'Yongping order' if order.language == 'en' else '消费帮扶订单'} {order.number}",
        language=order.language,
        expires_at=attempt.expires_at,
        success_url=attempt.return_url or f"{page}/result?access_token={secret}",
        cancel_url=f"{page}?access_token={secret}&unpaid=1",
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
        if state is PaymentState.EXPIRED:  # given up while its page was opened: nobody is to pay
            enqueue(ctx, CLOSE, reference=opened.reference)
    return Attempt(
        attempt_id, state, found.method, found.amount_fen, opened.redirect_url, found.expires_at
    )


def _facts(row: Any) -> Attempt:
    return Attempt(
        row.id,
        row.state,
        row.method,
        row.amount_fen,
        row.redirect_url,
        row.expires_at,
        processing=row.intent_reference is not None,
    )
