"""Disputes (拒付): the payer's bank takes the money back, for a while or for good.

While one is open its part of the order is frozen: it is owed to the cooperatives, but not paid out.
Won, it is free again; lost, it leaves what they are owed and the aid record, and with the last of
the money goes what has not been shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.payments import Payment, PaymentState
from models.refunds import Dispute, DisputeLine, DisputeState
from shop import logging
from shop.aid.commands import record_refund
from shop.context import Ctx
from shop.ids import new_id
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, added, legs
from shop.machine import append, move_locked
from shop.payments import pieces, refund_rows
from shop.payments.differences import open_difference
from shop.payments.gateway import DisputeStatus
from shop.payments.refund_rules import Part, spread, with_the_last
from shop.payments.states import DISPUTE

PAYMENTS, DISPUTES = Payment.__table__, Dispute.__table__
DISPUTE_LINES = DisputeLine.__table__

CURRENCY = "CNY"
BY_REFERENCE = (
    select(DISPUTES).where(DISPUTES.c.reference == bindparam("reference")).with_for_update()
)
HANGS_ON_LINES = (
    select(func.coalesce(func.sum(DISPUTE_LINES.c.goods_fen + DISPUTE_LINES.c.freight_fen), 0))
    .where(DISPUTE_LINES.c.dispute_id == DISPUTES.c.id)
    .scalar_subquery()
)
UNCOVERED = (
    select(
        DISPUTES.c.id,
        DISPUTES.c.reference,
        (DISPUTES.c.withheld_fen - HANGS_ON_LINES).label("uncovered_fen"),
    )
    .where(
        DISPUTES.c.payment_id == bindparam("payment"),
        DISPUTES.c.state == DisputeState.LOST,
        DISPUTES.c.withheld_fen > HANGS_ON_LINES,
    )
    .order_by(DISPUTES.c.id)
    .with_for_update(of=DISPUTES)
)
"""Lost disputes that took more than the lines had left, most often as a refund claimed it."""

log = logging.get("payments")


def apply_dispute(ctx: Ctx, order: Any, payment_id: UUID, seen: DisputeStatus) -> bool:
    """Write one dispute as the provider shows it now; True when something changed.

    The order is locked. Told again, or told of an earlier state, nothing changes.
    """
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": payment_id}).one()
    if seen.currency.upper() != CURRENCY:
        return _foreign(ctx, payment, seen)
    dispute = ctx.session.execute(BY_REFERENCE, {"reference": seen.reference}).one_or_none()
    changed = dispute is None
    if dispute is None:
        dispute = _opened(ctx, order, payment, seen)
    if dispute.state is not DisputeState.OPEN:
        return changed
    if (seen.withheld or seen.state == "lost") and not dispute.withheld_fen:
        _withhold(ctx, payment, dispute, seen)
        dispute = ctx.session.execute(BY_REFERENCE, {"reference": seen.reference}).one()
        changed = True
    if seen.state == "won":
        _win(ctx, payment, dispute)
    elif seen.state == "lost":
        _lose(ctx, payment, dispute)
    return changed or seen.state != "open"


def _opened(ctx: Ctx, order: Any, payment: Any, seen: DisputeStatus) -> Any:
    row = {
        "id": new_id(),
        "reference": seen.reference,
        "order_id": order.id,
        "payment_id": payment.id,
        "state": DisputeState.OPEN,
        "amount_fen": seen.amount_fen,
        "withheld_fen": 0,
        "reason": seen.reason,
        "evidence_due_at": seen.evidence_due_at,
        "opened_at": seen.created_at,
    }
    written = ctx.session.execute(insert(DISPUTES).values(row).returning(DISPUTES)).one()
    append(ctx, "dispute", written.id, order.id, "open", None, DisputeState.OPEN, why=seen.reason)
    _write_parts(ctx, written.id, _parts(ctx, payment, seen.amount_fen))
    log.error("payment.disputed", order_id=str(order.id), reason=seen.reason)
    return written


def _parts(ctx: Ctx, payment: Any, amount_fen: int) -> list[Part]:
    """The lines that a dispute hangs on: what refunds have left of them, as far as it reaches."""
    if payment.state is not PaymentState.SUCCEEDED:
        return []
    lines = refund_rows.lines_of(ctx, payment.order_id)
    reach = min(amount_fen, sum(line.goods_left_fen + line.freight_left_fen for line in lines))
    if not reach:
        return []
    return [part for part in spread(lines, reach, freight=True) if part.amount_fen]


def _write_parts(ctx: Ctx, dispute_id: UUID, parts: Sequence[Part]) -> None:
    ctx.session.execute(delete(DISPUTE_LINES).where(DISPUTE_LINES.c.dispute_id == dispute_id))
    if parts:
        ctx.session.execute(insert(DISPUTE_LINES), _part_rows(dispute_id, parts))


def _part_rows(dispute_id: UUID, parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [
        {
            "dispute_id": dispute_id,
            "order_line_id": part.line.id,
            "goods_fen": part.goods_fen,
            "freight_fen": part.freight_fen,
        }
        for part in parts
    ]


def _withhold(ctx: Ctx, payment: Any, dispute: Any, seen: DisputeStatus) -> None:
    amount = seen.amount_fen
    ctx.session.execute(
        update(DISPUTES).where(DISPUTES.c.id == dispute.id).values(withheld_fen=amount)
    )
    _shift(ctx, payment, amount)
    post(
        ctx,
        _cause(payment, dispute, "withheld", seen.created_at),
        legs((Account.DISPUTES_HELD, amount), (Account.PROVIDER_CLEARING, -amount)),
    )


def _win(ctx: Ctx, payment: Any, dispute: Any) -> None:
    amount = dispute.withheld_fen
    _close(ctx, dispute, "win", withheld_fen=0)
    if amount:
        _shift(ctx, payment, -amount)
        post(
            ctx,
            _cause(payment, dispute, "won", ctx.now),
            legs((Account.PROVIDER_CLEARING, amount), (Account.DISPUTES_HELD, -amount)),
        )


def _lose(ctx: Ctx, payment: Any, dispute: Any) -> None:
    """The money is gone: what is left of the lines pays for it; what no line covers is ours."""
    _close(ctx, dispute, "lose")
    amount = dispute.withheld_fen
    parts = _parts(ctx, payment, amount)
    _write_parts(ctx, dispute.id, parts)
    parts = with_the_last(refund_rows.lines_of(ctx, payment.order_id), parts) if parts else []
    taken = _take(ctx, dispute, parts, dispute.id)
    # An order whose money has all gone back is shipped no further, whoever took the last of it.
    pieces.give_up(ctx, payment.order_id, parts, dispute.reference, why="dispute")
    rest = amount - sum(taken.values())
    post(
        ctx,
        _cause(payment, dispute, "lost", ctx.now),
        legs((Account.SUSPENSE, rest), (Account.DISPUTES_HELD, -amount), payable=taken),
    )


def cover(ctx: Ctx, payment: Any, refund_id: UUID) -> dict[str, int]:
    """Let lost disputes have what a refund that failed has left to the lines: the payer has it.

    A bank may take a whole charge back while a part of it is on its way anyhow. That part was ours
    to bear, as long as it went back twice.

    Args:
        ctx: the transaction.
        payment: its row, locked, as its order is.
        refund_id: the refund whose money is back on the lines.

    Returns:
        What the cooperatives are owed less, in fen by their codes; it is not posted yet.
    """
    taken: dict[str, int] = {}
    for dispute in ctx.session.execute(UNCOVERED, {"payment": payment.id}).all():
        parts = _parts(ctx, payment, int(dispute.uncovered_fen))
        if parts:
            _add_parts(ctx, dispute.id, parts)
            # What the dispute took when it was lost bears its own key.
            of_this = _take(ctx, dispute, parts, uuid5(dispute.id, refund_id.hex))
            taken = added([*taken.items(), *of_this.items()])
    return taken


def _add_parts(ctx: Ctx, dispute_id: UUID, parts: Sequence[Part]) -> None:
    writing = insert(DISPUTE_LINES)
    names = ("goods_fen", "freight_fen")
    ctx.session.execute(
        writing.on_conflict_do_update(
            index_elements=["dispute_id", "order_line_id"],
            set_={name: DISPUTE_LINES.c[name] + writing.excluded[name] for name in names},
        ),
        _part_rows(dispute_id, parts),
    )


def _take(ctx: Ctx, dispute: Any, parts: Sequence[Part], cause_id: UUID) -> dict[str, int]:
    """What is lost leaves the lines and the aid record; by cooperative, in fen."""
    if parts:
        refund_rows.claim(ctx, parts)
    for part in parts:
        if not part.amount_fen:
            continue
        record_refund(
            ctx,
            order_line_id=part.line.id,
            cause_id=cause_id,
            at=ctx.now,
            quantity=part.withdrawn,
            goods_fen=part.goods_fen,
            freight_fen=part.freight_fen,
            reason=f"dispute {dispute.reference}",
        )
    return added((part.line.cooperative, part.amount_fen) for part in parts)


def _close(ctx: Ctx, dispute: Any, event: str, **values: int) -> None:
    move_locked(
        ctx,
        DISPUTE,
        dispute.id,
        dispute.order_id,
        dispute.state,
        event,
        values={"closed_at": ctx.now, **values},
    )


def _shift(ctx: Ctx, payment: Any, fen: int) -> None:
    ctx.session.execute(
        update(PAYMENTS)
        .where(PAYMENTS.c.id == payment.id)
        .values(disputed_fen=PAYMENTS.c.disputed_fen + fen)
    )


def _cause(payment: Any, dispute: Any, event: str, at: Any) -> Cause:
    return Cause(
        subject="dispute",
        subject_id=dispute.id,
        event=event,
        at=at,
        payment_id=payment.id,
        order_id=payment.order_id,
    )


def _foreign(ctx: Ctx, payment: Any, seen: DisputeStatus) -> bool:
    return open_difference(
        ctx,
        "dispute_currency",
        seen.reference,
        day_of=seen.created_at,
        theirs_fen=-seen.amount_fen,
        order_id=payment.order_id,
        payment_id=payment.id,
        detail=seen.currency.upper(),
    )
