"""What became of a refund: each end happens once, however often it is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update

from models.payments import Payment, PaymentMethod
from models.refunds import RefundState
from shop.aid.commands import record_refund
from shop.aid.undo import undo_refund
from shop.context import Ctx
from shop.ledger.commands import post
from shop.ledger.rules import Account, added, legs, negated
from shop.machine import move_locked
from shop.payments import refund_rows
from shop.payments.disputes import cover
from shop.payments.refund_rules import BY_BANK
from shop.payments.refund_writing import refund_cause
from shop.payments.states import REFUND

PAYMENTS = Payment.__table__


def succeed(
    ctx: Ctx, refund: Any, payment: Any, *, reference: str | None, settled_at: datetime
) -> bool:
    """The money is back with the buyer: leaves the aid record and what is in flight.

    Order, payment and refund are locked. A failed refund that succeeds after all stays failed:
    the caller opens a difference.
    """
    if refund.state not in {RefundState.REQUESTED, RefundState.SENT}:
        return False
    values = {"settled_at": settled_at, "reference": reference, "failure_code": None}
    _move(ctx, refund, "succeed", values)
    _shift(ctx, payment, refunding=-refund.amount_fen, refunded=refund.amount_fen)
    given_up = refund_rows.pieces_of(ctx, refund.id)
    for row in refund_rows.parts_of(ctx, refund.id):
        if row.goods_fen + row.freight_fen:
            record_refund(
                ctx,
                order_line_id=row.order_line_id,
                cause_id=refund.id,
                at=settled_at,
                quantity=given_up[row.order_line_id],
                goods_fen=row.goods_fen,
                freight_fen=row.freight_fen,
                reason=refund.reason,
            )
    cash = _cash(payment, reference)
    amount = refund.amount_fen
    post(
        ctx,
        refund_cause(refund.id, payment, "succeeded", settled_at),
        legs((Account.REFUNDS_IN_FLIGHT, amount), (cash, -amount)),
    )
    return True


def fail(ctx: Ctx, refund: Any, payment: Any, *, code: str, reference: str | None = None) -> bool:
    """The money did not reach the buyer: it is owed as before, and a person has to look.

    Goods that the refund gave up stay given up; only the money comes back. What a dispute has taken
    of it meanwhile is owed to nobody.
    """
    if refund.state is RefundState.FAILED:
        return False
    amount = refund.amount_fen
    had_succeeded = refund.state is RefundState.SUCCEEDED
    values = {"failure_code": code, "reference": reference or refund.reference}
    _move(ctx, refund, "fail", values, why=code)
    parts = refund_rows.parts_of(ctx, refund.id)
    refund_rows.unclaim_money(ctx, parts)
    owed = added((row.cooperative, row.goods_fen + row.freight_fen) for row in parts)
    rest = amount - sum(owed.values())
    if had_succeeded:
        _shift(ctx, payment, refunding=0, refunded=-amount)
        undo_refund(ctx, refund.id, ctx.now, code)
        source = _cash(payment, refund.reference)
    else:
        _shift(ctx, payment, refunding=-amount, refunded=0)
        source = Account.REFUNDS_IN_FLIGHT
    gone = cover(ctx, payment, refund.id)
    owed = added([*owed.items(), *negated(gone).items()])
    post(
        ctx,
        refund_cause(refund.id, payment, "failed", ctx.now),
        legs(
            (source, amount),
            (Account.SUSPENSE, -rest - sum(gone.values())),
            payable=negated(owed),
        ),
    )
    return True


def _cash(payment: Any, reference: str | None) -> Account:
    """Where the money leaves; a bank transfer's line on the statement meets it in suspense."""
    by_bank = (reference or "").startswith(BY_BANK)
    stripe = payment.method is PaymentMethod.STRIPE and not by_bank
    return Account.PROVIDER_CLEARING if stripe else Account.SUSPENSE


def _move(ctx: Ctx, refund: Any, event: str, values: dict[str, Any], why: str = "") -> None:
    move_locked(
        ctx, REFUND, refund.id, refund.order_id, refund.state, event, why=why, values=values
    )


def _shift(ctx: Ctx, payment: Any, *, refunding: int, refunded: int) -> None:
    ctx.session.execute(
        update(PAYMENTS)
        .where(PAYMENTS.c.id == payment.id)
        .values(
            refunding_fen=PAYMENTS.c.refunding_fen + refunding,
            refunded_fen=PAYMENTS.c.refunded_fen + refunded,
        )
    )
