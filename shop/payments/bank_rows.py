"""The bank's lines and their matches as rows: reading, locking and writing them.

Locks are taken in one order everywhere: orders (by key), then the receipt, then its matches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from models.bank import BankMatch, BankReceipt, MatchState, ReceiptState
from models.orders import Order, OrderState
from shop.context import Ctx
from shop.errors import NotFound
from shop.ids import new_id

RECEIPTS, MATCHES = BankReceipt.__table__, BankMatch.__table__
ORDERS = Order.__table__

OUTDATED = "outdated"
"""The note of a proposal that fell away by itself: nobody has said that it was wrong."""

SET_ASIDE = "set_aside"
BY_ITSELF = (OUTDATED, SET_ASIDE, "order_paid", "order_cancelled")
"""The notes of matches that nobody has rejected: their line or their order went another way."""

RECEIPT = select(RECEIPTS).where(RECEIPTS.c.id == bindparam("wanted"))
RECEIPT_LOCKED = RECEIPT.with_for_update()
MATCH = select(MATCHES).where(MATCHES.c.id == bindparam("wanted"))
MATCH_LOCKED = MATCH.with_for_update()
RECEIVED = (
    select(func.coalesce(func.sum(MATCHES.c.amount_fen), 0))
    .join(RECEIPTS, RECEIPTS.c.id == MATCHES.c.receipt_id)
    .where(
        MATCHES.c.order_id == bindparam("wanted"),
        MATCHES.c.state == MatchState.APPROVED,
        MATCHES.c.payment_id.is_(None),
        RECEIPTS.c.amount_fen > 0,
    )
)
APPROVED_OF = (
    select(MATCHES.c.id, MATCHES.c.receipt_id, MATCHES.c.amount_fen, RECEIPTS.c.booked_on)
    .join(RECEIPTS, RECEIPTS.c.id == MATCHES.c.receipt_id)
    .where(
        MATCHES.c.order_id == bindparam("wanted"),
        MATCHES.c.state == MatchState.APPROVED,
        MATCHES.c.payment_id.is_(None),
        RECEIPTS.c.amount_fen > 0,
    )
    .order_by(MATCHES.c.id)
)
LIVE_MATCHES = (
    select(MATCHES)
    .where(
        MATCHES.c.receipt_id == bindparam("wanted"),
        MATCHES.c.state != MatchState.REJECTED,
    )
    .order_by(MATCHES.c.id)
    .with_for_update()
)
UNSETTLED_OF = (
    select(MATCHES.c.receipt_id)
    .where(
        MATCHES.c.order_id == bindparam("wanted"),
        MATCHES.c.state != MatchState.REJECTED,
        MATCHES.c.payment_id.is_(None),
    )
    .order_by(MATCHES.c.receipt_id)
    .distinct()
)
LOCK_ORDERS = (
    select(ORDERS.c.id)
    .where(ORDERS.c.id == bindparam("wanted", type_=ARRAY(Uuid)).any_())
    .order_by(ORDERS.c.id)
    .with_for_update()
)
WRITE_MATCH = insert(MATCHES)
REJECTED = (
    select(MATCHES.c.id)
    .where(
        MATCHES.c.receipt_id == bindparam("receipt_id"),
        MATCHES.c.order_id == bindparam("order_id"),
        MATCHES.c.state == MatchState.REJECTED,
        MATCHES.c.note.not_in(BY_ITSELF),
    )
    .limit(1)
)
STRANDED = (
    select(MATCHES.c.order_id, ORDERS.c.state)
    .join(ORDERS, ORDERS.c.id == MATCHES.c.order_id)
    .where(
        MATCHES.c.state != MatchState.REJECTED,
        MATCHES.c.payment_id.is_(None),
        ORDERS.c.state != OrderState.PENDING_PAYMENT,
    )
    .distinct()
)


def receipt(ctx: Ctx, receipt_id: UUID, *, locked: bool = False) -> Any:
    """One line of the bank's.

    Raises:
        NotFound: there is none.
    """
    statement = RECEIPT_LOCKED if locked else RECEIPT
    found = ctx.session.execute(statement, {"wanted": receipt_id}).one_or_none()
    if found is None:
        raise NotFound("没有找到这笔银行流水", "There is no such line of the bank")
    return found


def match(ctx: Ctx, match_id: UUID, *, locked: bool = False) -> Any:
    """One match.

    Raises:
        NotFound: there is none.
    """
    statement = MATCH_LOCKED if locked else MATCH
    found = ctx.session.execute(statement, {"wanted": match_id}).one_or_none()
    if found is None:
        raise NotFound("没有找到这条匹配", "There is no such match")
    return found


def lock_orders(ctx: Ctx, order_ids: Iterable[UUID]) -> None:
    """Lock several orders, by key, so that two receipts can never wait for each other."""
    ctx.session.execute(LOCK_ORDERS, {"wanted": sorted(set(order_ids))}).all()


def live_matches(ctx: Ctx, receipt_id: UUID) -> list[Any]:
    """The matches of a receipt that are not rejected, locked."""
    return list(ctx.session.execute(LIVE_MATCHES, {"wanted": receipt_id}))


def rejected(ctx: Ctx, receipt_id: UUID, order_id: UUID) -> bool:
    """Whether a person has said that this line is not for this order."""
    wanted = {"receipt_id": receipt_id, "order_id": order_id}
    return ctx.session.execute(REJECTED, wanted).first() is not None


def received_fen(ctx: Ctx, order_id: UUID) -> int:
    """What approved matches have brought for an order that is not paid yet, in fen."""
    found: int = ctx.session.execute(RECEIVED, {"wanted": order_id}).scalar_one()
    return int(found)


def write_match(
    ctx: Ctx,
    receipt_id: UUID,
    order_id: UUID,
    amount_fen: int,
    state: MatchState,
    why: str,
    *,
    note: str = "",
    entered_by: UUID | None = None,
    payment_id: UUID | None = None,
) -> UUID:
    """Write a match; the receipt and, if it is approved, the order are locked. Its key."""
    match_id = new_id()
    decided = ctx.now if state is MatchState.APPROVED else None
    ctx.session.execute(
        WRITE_MATCH,
        {
            "id": match_id,
            "receipt_id": receipt_id,
            "order_id": order_id,
            "payment_id": payment_id,
            "state": state,
            "amount_fen": amount_fen,
            "why": why,
            "note": note,
            "entered_by": entered_by,
            "entered_at": ctx.now,
            "decided_at": decided,
        },
    )
    if state is MatchState.APPROVED:
        claim(ctx, receipt_id, amount_fen)
    return match_id


def claim(ctx: Ctx, receipt_id: UUID, amount_fen: int) -> None:
    """Take so much of a locked incoming receipt (negative: give back); its state follows.

    The table's checks refuse more than there is.
    """
    row = receipt(ctx, receipt_id)
    matched = row.matched_fen + (amount_fen if row.amount_fen > 0 else 0)
    whole = matched == row.amount_fen or row.amount_fen < 0
    ctx.session.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.id == receipt_id)
        .values(
            matched_fen=matched,
            state=ReceiptState.MATCHED if whole else ReceiptState.OPEN,
            open_reason="" if whole else row.open_reason,
            set_aside_reason=None,  # given back, all that is open of it is to be explained anew
        )
    )
    if whole:
        ctx.session.execute(
            update(MATCHES)
            .where(MATCHES.c.receipt_id == receipt_id, MATCHES.c.state == MatchState.PROPOSED)
            .values(state=MatchState.REJECTED, decided_at=ctx.now, note=OUTDATED)
        )


def explain(ctx: Ctx, receipt_id: UUID, reason: str) -> None:
    """Say why a receipt, or the rest of it, is left to a person: a code, see `bank_matching`."""
    ctx.session.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.id == receipt_id, RECEIPTS.c.state == ReceiptState.OPEN)
        .values(open_reason=reason)
    )


def release_matches(ctx: Ctx, order_id: UUID, reason: str) -> int:
    """Give the money of an order that will not have it back to its receipts; how many.

    The order is locked. What was proposed or entered is over too.
    """
    found = ctx.session.execute(UNSETTLED_OF, {"wanted": order_id}).scalars().all()
    count = 0
    for receipt_id in found:
        receipt(ctx, receipt_id, locked=True)
        for one in live_matches(ctx, receipt_id):
            if one.order_id != order_id or one.payment_id is not None:
                continue
            ctx.session.execute(
                update(MATCHES)
                .where(MATCHES.c.id == one.id)
                .values(state=MatchState.REJECTED, decided_at=ctx.now, note=reason)
            )
            if one.state is MatchState.APPROVED:
                claim(ctx, receipt_id, -one.amount_fen)
            count += 1
        explain(ctx, receipt_id, reason)
    return count
