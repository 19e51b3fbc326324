"""Carrying a refund to the provider: after the commit, with its own key, as often as it takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.payments import PaymentMethod
from models.refunds import Refund, RefundState
from shop.context import Ctx, Transactions
from shop.orders.access import locked_order
from shop.payments import refund_effects, refund_rows
from shop.payments.aftermath import apply_aftermath, apply_refund, under_way
from shop.payments.gateway import GatewayRejected, RefundRequest
from shop.payments.providers import gateway

REFUNDS = Refund.__table__

UNFINISHED = (RefundState.REQUESTED, RefundState.SENT)


def carry(transactions: Transactions, refund_id: UUID) -> None:
    """Ask the provider for a refund and write what it answers. Safe to repeat and to interrupt.

    Once it may have been asked for, the provider's list is looked at first: its answer may have
    been lost, and it keeps our key for a day only. One that has the provider's own number is only
    looked at: above all one made in the dashboard, which does not know our key.

    Raises:
        GatewayUnavailable: try again later.
    """
    with transactions.begin() as ctx:
        before = _about_to_send(ctx, refund_id)
    if before is None:
        return
    request, payment_id, asked, theirs = before
    transactions.nothing_open()
    provider = gateway(transactions.settings)
    if asked and (_found(transactions, request, payment_id) or theirs):
        return
    try:
        seen = provider.send_refund(request)
    except GatewayRejected as error:
        code = str(error.extra.get("provider_code") or "rejected")
        # The list again: refused as a repetition, it may be there all the same.
        _found(transactions, request, payment_id, refused=code)
        return
    with transactions.begin() as ctx:
        order = locked_order(ctx, _order_of(ctx, refund_id))
        apply_refund(ctx, order, payment_id, seen)


def _about_to_send(ctx: Ctx, refund_id: UUID) -> tuple[RefundRequest, UUID, bool, bool] | None:
    """Mark it as sent; None when there is nothing to send.

    The request, the payment, whether it may have been asked for before, and whether the provider
    is known to have it.
    """
    order = locked_order(ctx, _order_of(ctx, refund_id))
    refund = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    if refund.state not in UNFINISHED:
        return None
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": refund.payment_id}).one()
    if payment.method is not PaymentMethod.STRIPE:
        return None
    asked = refund.state is RefundState.SENT
    if not asked:
        under_way(ctx, refund, None)
    request = RefundRequest(
        refund_id=refund.id,
        intent_reference=payment.intent_reference,
        amount_fen=refund.amount_fen,
        order_number=order.number,
    )
    return request, payment.id, asked, refund.reference is not None


def _found(
    transactions: Transactions,
    request: RefundRequest,
    payment_id: UUID,
    *,
    refused: str | None = None,
) -> bool:
    """Apply the provider's list; True when our refund is on it.

    One that is not, and was `refused` with that code, has failed; it goes first, because what is
    on the list may need the money that it claims.
    """
    transactions.nothing_open()
    seen = gateway(transactions.settings).fetch_aftermath(request.intent_reference)
    found = any(one.refund_id == request.refund_id for one in seen.refunds)
    with transactions.begin() as ctx:
        if refused is not None and not found:
            _fail(ctx, request.refund_id, refused)
        apply_aftermath(ctx, payment_id, seen)
    return found


def _fail(ctx: Ctx, refund_id: UUID, code: str) -> None:
    locked_order(ctx, _order_of(ctx, refund_id))
    refund: Any = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    if refund.state in UNFINISHED and refund.reference is None:  # else they have it after all
        wanted = {"wanted": refund.payment_id}
        payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, wanted).one()
        refund_effects.fail(ctx, refund, payment, code=code)


def _order_of(ctx: Ctx, refund_id: UUID) -> UUID:
    found: UUID = ctx.session.execute(
        select(REFUNDS.c.order_id).where(REFUNDS.c.id == refund_id)
    ).scalar_one()
    return found
