"""Asking for a refund: claimed and posted here, sent by a job after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from models.payments import Payment, PaymentState
from models.refunds import (
    Dispute,
    Refund,
    RefundCause,
    RefundLine,
    RefundState,
)
from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.orders.access import locked_order
from shop.payments import pieces, refund_rows
from shop.payments.refund_rules import (
    WHY,
    Part,
    RefundWish,
    exceeds,
    left_of,
    nothing_left,
    plan,
    still_there,
)
from shop.payments.refund_writing import refuse_disputed, write_refund
from shop.reasons import checked_reason

PAYMENTS, REFUNDS = Payment.__table__, Refund.__table__
REFUND_LINES, DISPUTES = RefundLine.__table__, Dispute.__table__


PAID_BY = (
    select(PAYMENTS)
    .where(PAYMENTS.c.order_id == bindparam("order_id"), PAYMENTS.c.state == PaymentState.SUCCEEDED)
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A refund that fits: nothing of it is written. `left_fen` remains to be refunded after it."""

    order: Any
    payment: Any
    parts: list[Part]
    amount_fen: int
    left_fen: int


def plan_refund(ctx: Ctx, order_id: UUID, wish: RefundWish) -> Planned:
    """What a refund would return; locks the order and its payment.

    Raises:
        Invalid: the wish makes no sense.
        Conflict: `order_not_paid`, `payment_disputed`, `refund_exceeds_paid`, `nothing_to_refund`.
    """
    order = locked_order(ctx, order_id)
    payment = ctx.session.execute(PAID_BY, {"order_id": order_id}).one_or_none()
    if payment is None:
        raise Conflict("订单尚未付款", "The order has not been paid", code="order_not_paid")
    refuse_disputed(ctx, payment.id)
    parts = plan(refund_rows.lines_of(ctx, order_id), wish)
    amount = sum(part.amount_fen for part in parts)
    left = left_of(payment)
    if amount > left:
        raise exceeds(left)
    return Planned(order, payment, parts, amount, left - amount)


def request_refund(ctx: Ctx, order_id: UUID, wish: RefundWish, reason: str) -> UUID:
    """Refund all or a part of what settled an order; the refund's key.

    Raises:
        Invalid: the wish makes no sense, or there is no reason.
        Conflict: see `plan_refund`.
    """
    reason = checked_reason(reason, *WHY)
    found = plan_refund(ctx, order_id, wish)
    refund_id = write_refund(
        ctx, found.order, found.payment, RefundCause.STAFF, found.parts, reason=reason
    )
    pieces.give_up(ctx, order_id, found.parts, refund_rows.number_of(ctx, refund_id))
    # Last, as when a parcel is shipped: who holds the log never waits for goods.
    _on_record(ctx, "refund.request", refund_id, found.amount_fen, reason)
    return refund_id


def refund_payment(ctx: Ctx, payment_id: UUID, reason: str) -> UUID:
    """Send back, whole, money that no order may keep (a payment that `needs_refund`).

    Raises:
        NotFound: no such payment.
        Conflict: `payment_<state>`, it settles an order: refund the order; `nothing_to_refund`;
            `payment_disputed`.
    """
    reason = checked_reason(reason, *WHY)
    order_id = ctx.session.execute(
        select(PAYMENTS.c.order_id).where(PAYMENTS.c.id == payment_id)
    ).scalar_one_or_none()
    if order_id is None:
        raise NotFound("没有找到这笔付款", "There is no such payment")
    order = locked_order(ctx, order_id)
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": payment_id}).one()
    if payment.state is not PaymentState.NEEDS_REFUND:
        raise Conflict(
            "这笔付款属于订单，请按订单退款",
            "This payment settles an order: refund the order",
            code=f"payment_{payment.state}",
        )
    refuse_disputed(ctx, payment.id)
    left = left_of(payment)
    if left <= 0:
        raise nothing_left()
    cause = RefundCause.AMOUNT_MISMATCH
    if payment.failure_code in {RefundCause.LATE, RefundCause.DOUBLE}:
        cause = RefundCause.STAFF
    refund_id = write_refund(ctx, order, payment, cause, (), amount_fen=left, reason=reason)
    _on_record(ctx, "refund.request", refund_id, left, reason)
    return refund_id


def refund_unwanted(ctx: Ctx, order: Any, payment_id: UUID, amount_fen: int, why: str) -> None:
    """Queue the refund of late or double money, once; the order and its payments are locked."""
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": payment_id}).one()
    write_refund(ctx, order, payment, RefundCause(why), (), amount_fen=amount_fen)


@dataclass(frozen=True, slots=True)
class Again:
    """What of a failed refund is still to go back: nothing of it is written."""

    order: Any
    failed: Any
    payment: Any
    parts: list[Part]
    amount_fen: int


def retry_refund(ctx: Ctx, refund_id: UUID) -> UUID:
    """Try a failed refund again as a new one with the same parts; the new one's key.

    Pieces that the first one gave up stay given up. Of what has gone back another way meanwhile
    only the rest is sent.

    Raises:
        NotFound, Conflict: see `plan_again`.
    """
    found = plan_again(ctx, refund_id)
    again_id = write_again(ctx, found)
    _on_record(ctx, "refund.retry", again_id, found.amount_fen, found.failed.reason)
    return again_id


def write_again(ctx: Ctx, found: Again, reference: str | None = None) -> UUID:
    """Write what was planned; with a `reference` it has been paid out already."""
    again_id = write_refund(
        ctx,
        found.order,
        found.payment,
        found.failed.cause,
        found.parts,
        amount_fen=found.amount_fen,
        reason=found.failed.reason,
        retry_of=found.failed.id,
        reference=reference,
    )
    number = refund_rows.number_of(ctx, again_id)
    pieces.give_up(ctx, found.order.id, found.parts, number)
    return again_id


def plan_again(ctx: Ctx, refund_id: UUID) -> Again:
    """What trying a failed refund again would send; locks the order, the refund and its payment.

    Raises:
        NotFound: no such refund.
        Conflict: `refund_<state>`, it has not failed; `refund_retried`; `refund_arrived`, the
            provider says that it has succeeded after all; `refund_exceeds_paid`.
    """
    order_id = ctx.session.execute(
        select(REFUNDS.c.order_id).where(REFUNDS.c.id == refund_id)
    ).scalar_one_or_none()
    if order_id is None:
        raise NotFound("没有找到这笔退款", "There is no such refund")
    order = locked_order(ctx, order_id)
    failed = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    if failed.state is not RefundState.FAILED:
        raise Conflict(
            "这笔退款没有失败", "This refund has not failed", code=f"refund_{failed.state}"
        )
    again = select(REFUNDS.c.id).where(REFUNDS.c.retry_of == refund_id)
    if ctx.session.execute(again).first() is not None:
        raise Conflict("这笔退款已重新发起", "This refund has been retried", code="refund_retried")
    if ctx.session.execute(refund_rows.HAS_ARRIVED, {"wanted": refund_id}).first() is not None:
        raise Conflict(
            "支付渠道显示这笔退款已经到账，请先核对差异",
            "The provider says that this refund has arrived; look at the difference first",
            code="refund_arrived",
        )
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": failed.payment_id}).one()
    refuse_disputed(ctx, payment.id)
    parts, amount = _rest_of(ctx, failed)
    left = left_of(payment)
    if not failed.goods_fen + failed.freight_fen:
        amount = min(failed.amount_fen, left)
    if not 0 < amount <= left:
        raise exceeds(left)
    return Again(order, failed, payment, parts, amount)


def _rest_of(ctx: Ctx, failed: Any) -> tuple[list[Part], int]:
    """What is left to send of a failed refund, by line, and how much that is.

    `refund_queries.RETRY_FEN` says the same of many.
    """
    lines = refund_rows.lines_of(ctx, failed.order_id)
    rows = refund_rows.parts_of(ctx, failed.id)
    found = still_there(lines, rows, pieces=_for_pieces(failed, rows))
    return found, sum(part.amount_fen for part in found)


def _for_pieces(failed: Any, rows: Sequence[Any]) -> bool:
    """Whether its money is for its lines alone; a second try does not say what was given up."""
    return failed.retry_of is not None or any(row.withdrawn or row.returned for row in rows)


def _on_record(ctx: Ctx, action: str, refund_id: UUID, amount_fen: int, reason: str) -> None:
    """Write down what a person of the staff did."""
    number = refund_rows.number_of(ctx, refund_id)
    audit.record(ctx, action, "refund", number, after={"amount_fen": amount_fen}, reason=reason)
