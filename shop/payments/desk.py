"""What a person of finance has to look after: money that no order may keep, and all the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select

from models.bank import BankReceipt
from models.orders import Order
from models.payments import Payment, PaymentState
from models.reconciliation import Difference, DifferenceState
from models.refunds import Dispute, DisputeState
from shop.context import Ctx
from shop.payments.bank_desk import PILES, Pile
from shop.payments.overdue import overdue_count
from shop.payments.refund_queries import LEFT_FEN, REFUNDS, STUCK, refund_counts
from shop.payments.refund_rows import ARRIVED

PAYMENTS, ORDERS = Payment.__table__, Order.__table__
DIFFERENCES, DISPUTES = Difference.__table__, Dispute.__table__
RECEIPTS = BankReceipt.__table__

FOREIGN = and_(
    PAYMENTS.c.captured_fen == 0,
    exists(
        select(DIFFERENCES.c.id).where(
            DIFFERENCES.c.payment_id == PAYMENTS.c.id,
            DIFFERENCES.c.state == DifferenceState.OPEN,
        )
    ),
)
"""Another currency's money: nothing of it is in our books until somebody has explained it."""

DUE = and_(
    PAYMENTS.c.state == PaymentState.NEEDS_REFUND,
    or_(LEFT_FEN > 0, FOREIGN),
    # A refund that failed stands on a list of its own, with its own button.
    ~exists(select(REFUNDS.c.id).where(REFUNDS.c.payment_id == PAYMENTS.c.id, STUCK)),
    # One that has arrived after all is a difference.
    ~exists(select(REFUNDS.c.id).where(REFUNDS.c.payment_id == PAYMENTS.c.id, ARRIVED)),
)


def needing_refund(ctx: Ctx, before: UUID | None = None, limit: int = 24) -> list[dict[str, Any]]:
    """Payments of which something has to go back, newest first, each with `why` and its order.

    `left_fen` is what nobody has sent back yet; 0 for money of another currency. `before` is the
    `id` of the last row already read.
    """
    wanted = [DUE]
    if before is not None:
        wanted.append(PAYMENTS.c.id < before)
    rows = ctx.session.execute(
        select(
            PAYMENTS.c.id,
            PAYMENTS.c.method,
            PAYMENTS.c.amount_fen,
            PAYMENTS.c.captured_fen,
            LEFT_FEN.label("left_fen"),
            PAYMENTS.c.currency,
            PAYMENTS.c.reference,
            PAYMENTS.c.created_at,
            PAYMENTS.c.settled_at,
            ORDERS.c.number.label("order_number"),
            ORDERS.c.total_fen,
            PAYMENTS.c.failure_code.label("why"),
        )
        .join(ORDERS, ORDERS.c.id == PAYMENTS.c.order_id)
        .where(*wanted)
        .order_by(PAYMENTS.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def refunds_due(ctx: Ctx) -> tuple[int, int]:
    """How many payments have something to go back, and how much, in fen."""
    row = ctx.session.execute(
        select(func.count(), func.coalesce(func.sum(LEFT_FEN), 0)).where(DUE)
    ).one()
    return int(row[0]), int(row[1])


BANK = {"receipts": Pile.OPEN, "proposed": Pile.PROPOSED, "matches": Pile.ENTERED}


def finance_counts(ctx: Ctx) -> dict[str, tuple[int, int]]:
    """What waits for a person, kind by kind: (how many, how much in fen).

    `due` money to send back, `stuck` failed refunds, `slow` refunds without an answer, `overdue`
    orders that could not be closed, `disputes` open, `differences` unexplained. Of the bank's
    incoming lines, as its desk piles them up: `receipts` that match nothing, `proposed` matches to
    take up, `matches` to approve.
    """
    amounts = {
        "disputes": (DISPUTES.c.amount_fen, DISPUTES, DISPUTES.c.state == DisputeState.OPEN),
        **{
            kind: (
                RECEIPTS.c.amount_fen - RECEIPTS.c.matched_fen,
                RECEIPTS,
                and_(PILES[pile], RECEIPTS.c.amount_fen > 0),
            )
            for kind, pile in BANK.items()
        },
        "differences": (
            func.abs(
                func.coalesce(DIFFERENCES.c.theirs_fen, 0)
                - func.coalesce(DIFFERENCES.c.ours_fen, 0)
            ),
            DIFFERENCES,
            DIFFERENCES.c.state == DifferenceState.OPEN,
        ),
    }
    counted = {
        kind: ctx.session.execute(
            select(func.count(), func.coalesce(func.sum(fen), 0)).select_from(table).where(where)
        ).one()
        for kind, (fen, table, where) in amounts.items()
    }
    return {
        "due": refunds_due(ctx),
        **refund_counts(ctx),
        "overdue": overdue_count(ctx),
        **{kind: (int(row[0]), int(row[1])) for kind, row in counted.items()},
    }
