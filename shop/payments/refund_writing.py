"""Writing a refund: its money is claimed and posted in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from models.payments import Payment, PaymentMethod
from models.refunds import Dispute, DisputeState, Refund, RefundCause, RefundLine, RefundState
from shop.context import Ctx
from shop.errors import Conflict
from shop.ids import new_id
from shop.jobs.queue import enqueue
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, added, legs
from shop.machine import append
from shop.payments import refund_rows
from shop.payments.refund_rules import Part

PAYMENTS, REFUNDS = Payment.__table__, Refund.__table__
REFUND_LINES, DISPUTES = RefundLine.__table__, Dispute.__table__

SEND = "payments.send_refund"
"""The job that carries a refund to the provider."""


def write_refund(
    ctx: Ctx,
    order: Any,
    payment: Any,
    cause: RefundCause,
    parts: Sequence[Part],
    *,
    amount_fen: int | None = None,
    reason: str = "",
    retry_of: UUID | None = None,
    reference: str | None = None,
) -> UUID:
    """Write a refund, claim its money, post it, and let the job send it; the refund's key.

    The caller has locked order and payment and made sure that it fits. Without `parts` the money
    belongs to no order: it is taken from suspense. With a `reference` it is the provider's own
    and there is nothing to send.
    """
    goods, freight = sum(p.goods_fen for p in parts), sum(p.freight_fen for p in parts)
    amount = goods + freight if amount_fen is None else amount_fen
    row = {
        "id": new_id(),
        "number": refund_rows.next_number(ctx, order),
        "order_id": order.id,
        "payment_id": payment.id,
        "state": RefundState.REQUESTED,
        "cause": cause,
        "amount_fen": amount,
        "goods_fen": goods,
        "freight_fen": freight,
        "reason": reason,
        "reference": reference,
        "retry_of": retry_of,
        "requested_by": ctx.actor.user_id,
        "requested_at": ctx.now,
    }
    ctx.session.execute(insert(REFUNDS).values(row))
    refund_id: UUID = row["id"]
    append(ctx, "refund", refund_id, order.id, "request", None, RefundState.REQUESTED, why=cause)
    _write_parts(ctx, refund_id, parts)
    _claim(ctx, refund_id, payment, amount, parts)
    if payment.method is PaymentMethod.STRIPE and reference is None:
        enqueue(ctx, SEND, refund=str(refund_id))
    return refund_id


def _claim(ctx: Ctx, refund_id: UUID, payment: Any, amount: int, parts: Sequence[Part]) -> None:
    """Take the money of a payment out of what it still holds, and out of what is owed for it."""
    ctx.session.execute(
        update(PAYMENTS)
        .where(PAYMENTS.c.id == payment.id)
        .values(refunding_fen=PAYMENTS.c.refunding_fen + amount)
    )
    taken = added((part.line.cooperative, part.amount_fen) for part in parts)
    post(
        ctx,
        refund_cause(refund_id, payment, "requested", ctx.now),
        legs(
            (Account.REFUNDS_IN_FLIGHT, -amount),
            (Account.SUSPENSE, amount - sum(taken.values())),
            payable=taken,
        ),
    )


def refund_cause(refund_id: UUID, payment: Any, event: str, at: Any) -> Cause:
    """What the ledger writes beside the postings of a refund."""
    return Cause(
        subject="refund",
        subject_id=refund_id,
        event=event,
        at=at,
        payment_id=payment.id,
        order_id=payment.order_id,
    )


def refuse_disputed(ctx: Ctx, payment_id: UUID) -> None:
    """A disputed payment is not refunded: the provider refuses, and the bank decides.

    A mere inquiry has taken no money: there a refund is what keeps it from becoming a dispute.

    Raises:
        Conflict: `payment_disputed`.
    """
    found = ctx.session.execute(
        select(func.count())
        .select_from(DISPUTES)
        .where(
            DISPUTES.c.payment_id == payment_id,
            DISPUTES.c.state == DisputeState.OPEN,
            DISPUTES.c.withheld_fen > 0,
        )
    ).scalar_one()
    if found:
        raise Conflict(
            "付款正在争议处理中，暂时不能退款",
            "The payment is disputed; it cannot be refunded now",
            code="payment_disputed",
        )


def _write_parts(ctx: Ctx, refund_id: UUID, parts: Sequence[Part]) -> None:
    if not parts:
        return
    ctx.session.execute(
        insert(REFUND_LINES),
        [
            {
                "refund_id": refund_id,
                "order_line_id": part.line.id,
                "goods_fen": part.goods_fen,
                "freight_fen": part.freight_fen,
                "withdrawn": part.withdrawn,
                "returned": part.returned,
            }
            for part in parts
        ],
    )
    refund_rows.claim(ctx, parts)
