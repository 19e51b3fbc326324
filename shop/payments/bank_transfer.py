"""Paying by bank transfer (对公转账): for units, with the order's number as the remark."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from models.orders import Order, OrderState, PaymentTerms
from models.payments import Payment, PaymentMethod, PaymentState
from shop import audit
from shop.context import Ctx, Transactions
from shop.errors import Conflict, TryAgain
from shop.machine import move_locked
from shop.orders.access import locked_order, locked_order_for, order_id_of
from shop.orders.rules import EXTENSION_DAYS, INSTITUTIONAL_DAYS, institutional
from shop.payments.closing import close_checkout, keep
from shop.payments.commands import LIVE_OF, Attempt, refuse_unless_waiting, write_attempt
from shop.payments.providers import gateway
from shop.payments.rules import BankAccount
from shop.payments.states import PAYMENT
from shop.payments.sync import apply_status
from shop.settings import Settings

ORDERS, PAYMENTS = Order.__table__, Payment.__table__

DEMO = BankAccount("永平助农商城（演示账户，请勿付款）", "0000 0000 0000 0000", "演示银行永平支行")
"""What is shown where no account is set and no real money can come."""

TRIES = 3
"""A checkout closed at the provider and another opened meanwhile: once is chance."""


def account(settings: Settings) -> BankAccount:
    """The account that transfers go to.

    Raises:
        Conflict: `bank_transfer_unavailable`, none is set and this is no demonstration.
    """
    found = BankAccount(
        settings.bank_account_name, settings.bank_account_number, settings.bank_name
    )
    if found.name and found.number and found.bank:
        return found
    if settings.production:
        raise Conflict(
            "暂不支持对公转账，请联系商城",
            "Bank transfer is not available at the moment",
            code="bank_transfer_unavailable",
        )
    return DEMO


def start_transfer(transactions: Transactions, number: str, *, token: str | None = None) -> Attempt:
    """Let a unit pay by transfer: the live attempt, or a new one in place of an open checkout.

    Raises:
        NotFound: the actor may not see the order.
        Conflict: `bank_transfer_not_allowed`, a person's order; `bank_transfer_unavailable`;
            `order_paid`, `order_cancelled`, `order_expired`; `payment_processing`, the money is
            on its way by another method.
        GatewayUnavailable: an open checkout could not be closed; the attempt can be repeated.
    """
    into = account(transactions.settings)
    for _ in range(TRIES):
        with transactions.begin() as ctx:
            order = locked_order_for(ctx, number, token)
            found = _transfer_of(ctx, order)
        if found.method is PaymentMethod.BANK_TRANSFER:
            return Attempt(
                found.id,
                found.state,
                found.method,
                found.amount_fen,
                None,
                found.expires_at,
                bank_reference=number,
                bank_account=into,
            )
        _close(transactions, found.reference)
    raise TryAgain


def _transfer_of(ctx: Ctx, order: Any) -> Any:
    """The live attempt by transfer, new if need be; or the open checkout that is in its way."""
    refuse_persons(order)
    refuse_unless_waiting(ctx, order)
    live = ctx.session.execute(LIVE_OF, {"order_id": order.id}).one_or_none()
    if live is not None:
        useful = live.method is PaymentMethod.BANK_TRANSFER or live.reference is not None
        if useful and (live.expires_at > ctx.now or live.intent_reference is not None):
            return live
        move_locked(ctx, PAYMENT, live.id, order.id, live.state, "expire")
    return write_transfer(ctx, order)


def refuse_persons(order: Any) -> None:
    """A transfer takes days: only a unit's order is held for so long.

    Raises:
        Conflict: `bank_transfer_not_allowed`.
    """
    if not institutional(order.buyer_kind, order.purpose):
        raise Conflict(
            "对公转账仅限单位订单",
            "Bank transfer is for units' orders",
            code="bank_transfer_not_allowed",
        )


def write_transfer(ctx: Ctx, order: Any) -> Any:
    """A new attempt by transfer, pending at once; the order is locked and has no live one."""
    return write_attempt(
        ctx, order, PaymentMethod.BANK_TRANSFER, PaymentState.PENDING, _until(ctx, order)
    )


def _until(ctx: Ctx, order: Any) -> datetime:
    """An order on credit may be overdue and still be paid."""
    until: datetime = order.pay_before
    if order.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        return max(until, ctx.now + timedelta(days=INSTITUTIONAL_DAYS))
    return until


def _close(transactions: Transactions, reference: str) -> None:
    """Close the checkout in the way; what it brought meanwhile is written down.

    Raises:
        Conflict: `order_paid`, `payment_processing`.
    """
    status = close_checkout(gateway(transactions.settings), transactions, reference)
    if status.state == "processing":
        keep(transactions, status)
        raise Conflict(
            "付款正在处理中，暂时不能更换支付方式",
            "A payment is being processed",
            code="payment_processing",
        )
    if status.state == "paid":
        keep(transactions, status)
    with transactions.begin() as ctx:
        apply_status(ctx, status)


def extend(ctx: Ctx, number: str) -> datetime:
    """Give a unit 15 days more to pay, once; until when it has time now.

    Raises:
        NotFound: there is no such order.
        Conflict: `order_<state>`, it does not wait for money; `not_institutional`;
            `already_extended`.
    """
    order = locked_order(ctx, order_id_of(ctx, number))
    if order.state is not OrderState.PENDING_PAYMENT:
        raise Conflict(
            "只有待付款的订单可以延长付款期",
            "Only an unpaid order has a time to pay",
            code=f"order_{order.state}",
        )
    if not institutional(order.buyer_kind, order.purpose):
        raise Conflict(
            "只有单位订单可以延长付款期",
            "Only a unit's order can be extended",
            code="not_institutional",
        )
    if order.pay_extended_at is not None:
        raise Conflict(
            "付款期只能延长一次",
            "The time to pay has been extended before",
            code="already_extended",
        )
    until: datetime = order.pay_before + timedelta(days=EXTENSION_DAYS)
    ctx.session.execute(
        update(ORDERS)
        .where(ORDERS.c.id == order.id)
        .values(pay_before=until, pay_extended_at=ctx.now)
    )
    live = ctx.session.execute(LIVE_OF, {"order_id": order.id}).one_or_none()
    if live is not None and live.method is PaymentMethod.BANK_TRANSFER:
        ctx.session.execute(
            update(PAYMENTS).where(PAYMENTS.c.id == live.id).values(expires_at=until)
        )
    audit.record(
        ctx,
        "order.extend",
        "order",
        number,
        before={"pay_before": order.pay_before.isoformat()},
        after={"pay_before": until.isoformat()},
    )
    return until
