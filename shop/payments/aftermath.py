"""What became of a charge after it was paid, as the provider shows it now: refunds, disputes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from models.payments import Payment, PaymentState
from models.reconciliation import Side
from models.refunds import Refund, RefundCause, RefundState
from shop.context import Ctx
from shop.machine import move_locked
from shop.orders.access import locked_order
from shop.payments import pieces, refund_effects, refund_rows
from shop.payments.differences import compared, open_difference
from shop.payments.disputes import apply_dispute
from shop.payments.gateway import Aftermath, RefundStatus
from shop.payments.refund_rules import money_left, spread, with_the_last
from shop.payments.refund_writing import write_refund
from shop.payments.states import REFUND

PAYMENTS, REFUNDS = Payment.__table__, Refund.__table__
CURRENCY = "CNY"
TOO_MUCH = "refund_exceeds_payment"
"""A difference that may vanish: a refund of ours that claims the money has not failed yet."""

KNOWN_AS = (
    select(REFUNDS)
    .where(
        REFUNDS.c.payment_id == bindparam("payment_id"),
        (REFUNDS.c.id == bindparam("refund_id")) | (REFUNDS.c.reference == bindparam("reference")),
    )
    .with_for_update()
)
UNSENT = (
    select(REFUNDS)
    .where(
        REFUNDS.c.payment_id == bindparam("payment_id"),
        REFUNDS.c.state == RefundState.REQUESTED,
    )
    .order_by(REFUNDS.c.id.desc())
    .with_for_update()
)


def apply_aftermath(ctx: Ctx, payment_id: UUID, seen: Aftermath) -> bool:
    """Write what the provider says; True when something changed. As often as one likes."""
    order_id = ctx.session.execute(
        select(PAYMENTS.c.order_id).where(PAYMENTS.c.id == payment_id)
    ).scalar_one()
    order = locked_order(ctx, order_id)
    changed = [apply_refund(ctx, order, payment_id, one) for one in seen.refunds]
    changed += [apply_dispute(ctx, order, payment_id, one) for one in seen.disputes]
    return any(changed)


def apply_refund(ctx: Ctx, order: Any, payment_id: UUID, seen: RefundStatus) -> bool:
    """One refund of a payment; its order is locked. One that we did not ask for is adopted."""
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": payment_id}).one()
    refund = _known(ctx, payment_id, seen)
    if seen.currency.upper() != CURRENCY or (refund and refund.amount_fen != seen.amount_fen):
        ours = refund.amount_fen if refund else None
        return _differs(ctx, payment, seen, "refund_amount", ours_fen=ours)
    if refund is None:
        if seen.state == "failed":
            _settled(ctx, seen, TOO_MUCH)
            return False  # nothing came of it, and nothing is to be undone
        refund = _adopted(ctx, order, payment, seen)
        if refund is None:
            return _differs(ctx, payment, seen, TOO_MUCH)
        _settled(ctx, seen, TOO_MUCH)  # it fits by now
        payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": payment_id}).one()
        _become(ctx, refund, payment, seen)
        return True
    return _become(ctx, refund, payment, seen)


def _become(ctx: Ctx, refund: Any, payment: Any, seen: RefundStatus) -> bool:
    if seen.state == "succeeded":
        if refund.state is RefundState.FAILED:
            return _arrived(ctx, refund, payment, seen)
        return refund_effects.succeed(
            ctx, refund, payment, reference=seen.reference, settled_at=seen.created_at
        )
    if seen.state == "failed":
        _settled(ctx, seen, refund_rows.AFTER_FAILING)
        code = seen.failure_code or "failed"
        return refund_effects.fail(ctx, refund, payment, code=code, reference=seen.reference)
    if refund.state is not RefundState.REQUESTED and refund.reference is not None:
        return False
    if refund.state not in {RefundState.REQUESTED, RefundState.SENT}:
        return False
    return under_way(ctx, refund, seen.reference)


def under_way(ctx: Ctx, refund: Any, reference: str | None) -> bool:
    """The provider has it, or is about to: remember its reference and when it went."""
    values = {"reference": reference or refund.reference, "sent_at": refund.sent_at or ctx.now}
    if refund.state is RefundState.REQUESTED:
        moved = move_locked(
            ctx, REFUND, refund.id, refund.order_id, refund.state, "send", values=values
        )
        return moved.changed
    ctx.session.execute(REFUNDS.update().where(REFUNDS.c.id == refund.id).values(values))
    return True


def _known(ctx: Ctx, payment_id: UUID, seen: RefundStatus) -> Any:
    return ctx.session.execute(
        KNOWN_AS,
        {"payment_id": payment_id, "refund_id": seen.refund_id, "reference": seen.reference},
    ).one_or_none()


def _adopted(ctx: Ctx, order: Any, payment: Any, seen: RefundStatus) -> Any:
    """A refund made in the provider's dashboard, as one of ours; None when it does not fit.

    It is attributed to what is left of the goods, then of the freight. Where it returns the whole
    order, what was not shipped stays here; else it gives up no pieces: nobody said which.
    """
    room = _room(ctx, payment, seen.amount_fen)
    if room < seen.amount_fen:
        return None
    lines = refund_rows.lines_of(ctx, order.id)
    settles = payment.state is PaymentState.SUCCEEDED and seen.amount_fen <= money_left(lines)
    parts = with_the_last(lines, spread(lines, seen.amount_fen, freight=True)) if settles else []
    refund_id = write_refund(
        ctx,
        order,
        payment,
        RefundCause.AT_PROVIDER,
        parts,
        amount_fen=seen.amount_fen,
        reference=seen.reference,
    )
    pieces.give_up(ctx, order.id, parts, refund_rows.number_of(ctx, refund_id))
    return ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()


def _room(ctx: Ctx, payment: Any, wanted_fen: int) -> int:
    """What is left of a payment; refunds of ours that nobody has sent yet give way."""
    room: int = payment.captured_fen - payment.refunded_fen - payment.refunding_fen
    if room < wanted_fen:
        for refund in ctx.session.execute(UNSENT, {"payment_id": payment.id}).all():
            refund_effects.fail(ctx, refund, payment, code="overtaken")
            room += refund.amount_fen
            if room >= wanted_fen:
                break
    return room


def _arrived(ctx: Ctx, refund: Any, payment: Any, seen: RefundStatus) -> bool:
    """The provider says that a failed refund has succeeded: it is not tried again meanwhile."""
    if refund.reference is None:
        ctx.session.execute(
            REFUNDS.update().where(REFUNDS.c.id == refund.id).values(reference=seen.reference)
        )
    return _differs(ctx, payment, seen, refund_rows.AFTER_FAILING)


def _settled(ctx: Ctx, seen: RefundStatus, kind: str) -> None:
    """What was said of it holds no more."""
    compared(ctx, Side.PROVIDER, [kind], [seen.reference], [])


def _differs(
    ctx: Ctx, payment: Any, seen: RefundStatus, kind: str, ours_fen: int | None = None
) -> bool:
    return open_difference(
        ctx,
        kind,
        seen.reference,
        day_of=seen.created_at,
        theirs_fen=-seen.amount_fen,
        ours_fen=None if ours_fen is None else -ours_fen,
        order_id=payment.order_id,
        payment_id=payment.id,
        detail=seen.currency.upper(),
    )
