"""Matching the bank's lines to orders, and letting an order go on once its money is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update

from models.bank import BankMatch, MatchState, ReceiptState
from models.orders import OrderState
from models.payments import PaymentMethod
from shop.clock import day_start
from shop.context import Ctx
from shop.jobs.queue import enqueue
from shop.machine import append, decide, move_locked
from shop.orders.access import locked_order
from shop.payments import bank_rows
from shop.payments.arrival import settle
from shop.payments.bank_candidates import found_for, open_part, order_ids
from shop.payments.bank_matching import Decision, Found, Match
from shop.payments.bank_matching import decide as decide_match
from shop.payments.bank_states import MATCH
from shop.payments.bank_transfer import write_transfer
from shop.payments.commands import CLOSE, LIVE_OF
from shop.payments.states import PAYMENT

MATCHES = BankMatch.__table__


def match_receipt(ctx: Ctx, receipt_id: UUID, beside: Sequence[UUID] = ()) -> bool:
    """Let the rules look at one incoming line; True when it is wholly matched by it.

    Args:
        ctx: the transaction.
        receipt_id: the line.
        beside: other open lines whose remark names the same single order.
    """
    row = bank_rows.receipt(ctx, receipt_id)
    if not _lookable(row):
        return False
    others = [bank_rows.receipt(ctx, one) for one in beside]
    locked = order_ids(found_for(ctx, row, others))
    bank_rows.lock_orders(ctx, locked)
    rows = {one: bank_rows.receipt(ctx, one, locked=True) for one in sorted((receipt_id, *beside))}
    row, others = rows[receipt_id], [rows[one] for one in beside if _lookable(rows[one])]
    if not _lookable(row):
        return False
    found = found_for(ctx, row, others)
    entered = any(
        one.state is MatchState.ENTERED
        for each in (row, *others)
        for one in bank_rows.live_matches(ctx, each.id)
    )
    if entered or not order_ids(found) <= locked:
        return False  # a person is at it, or it has just changed: the next run looks again
    return _carry_out(ctx, row, _decision(ctx, row, found))


def _decision(ctx: Ctx, row: Any, found: Found) -> Decision:
    """What the rules say, but nothing for certain that a person has said is wrong."""
    if len(found.named) == 1:
        order_id = found.named[0].id
        beside = [one for one in found.beside if not bank_rows.rejected(ctx, one.id, order_id)]
        found = replace(found, beside=tuple(beside))
    decision = decide_match(open_part(row), found)
    certain = (one for one in decision.matches if one.certain)
    if any(bank_rows.rejected(ctx, one.receipt_id, one.order_id) for one in certain):
        return Decision(reason="match_rejected")
    return decision


def _lookable(row: Any) -> bool:
    return bool(row.state is ReceiptState.OPEN and row.amount_fen > 0)


def _carry_out(ctx: Ctx, row: Any, decision: Decision) -> bool:
    wanted = {one.order_id for one in decision.matches}
    for old in bank_rows.live_matches(ctx, row.id):
        if old.state is MatchState.PROPOSED and old.order_id not in wanted:
            set_state(ctx, old, "reject", {"decided_at": ctx.now, "note": bank_rows.OUTDATED})
    for one in decision.matches:
        if one.certain:
            _match(ctx, one)
        else:
            _propose(ctx, one)
    certain = [one for one in decision.matches if one.certain]
    bank_rows.explain(ctx, row.id, decision.reason)
    for order_id in sorted({one.order_id for one in certain}):
        settle_if_whole(ctx, order_id)
    return bool(certain)


def _match(ctx: Ctx, one: Match) -> None:
    """A certain match: a proposal becomes it, or it is new."""
    old = _live(ctx, one)
    if old is None:
        match_id = bank_rows.write_match(
            ctx, one.receipt_id, one.order_id, one.amount_fen, MatchState.APPROVED, one.why
        )
    else:
        match_id = old.id
        values = {"amount_fen": one.amount_fen, "why": one.why, "decided_at": ctx.now}
        set_state(ctx, old, "match", values)
        bank_rows.claim(ctx, one.receipt_id, one.amount_fen)
    tell_order(ctx, match_id, one.order_id, one.why)


def _propose(ctx: Ctx, one: Match) -> None:
    """A likely match, once: what a person has rejected is not proposed to them again."""
    old = _live(ctx, one)
    if old is None and not bank_rows.rejected(ctx, one.receipt_id, one.order_id):
        bank_rows.write_match(
            ctx, one.receipt_id, one.order_id, one.amount_fen, MatchState.PROPOSED, one.why
        )
    elif old is not None and old.state is MatchState.PROPOSED:
        ctx.session.execute(
            update(MATCHES)
            .where(MATCHES.c.id == old.id)
            .values(amount_fen=one.amount_fen, why=one.why)
        )


def _live(ctx: Ctx, one: Match) -> Any:
    live = bank_rows.live_matches(ctx, one.receipt_id)
    return next((old for old in live if old.order_id == one.order_id), None)


def set_state(ctx: Ctx, row: Any, event: str, values: Mapping[str, Any]) -> None:
    """Move a locked match along its table.

    Raises:
        Conflict: `bank_match_<state>`.
    """
    after = decide(MATCH, row.state, event)
    ctx.session.execute(update(MATCHES).where(MATCHES.c.id == row.id).values(state=after, **values))


def tell_order(ctx: Ctx, match_id: UUID, order_id: UUID, why: str) -> None:
    """Write on the order's timeline that money of the bank's is for it; `why` says who found so."""
    append(ctx, "bank_match", match_id, order_id, "approve", None, MatchState.APPROVED, why=why)


def settle_if_whole(ctx: Ctx, order_id: UUID, paid_at: datetime | None = None) -> UUID | None:
    """Let a locked order go on when approved matches reach its total; the payment's key.

    It is paid on the day that the bank booked the last of its money, or when it was placed, if
    that is later; or at `paid_at`.
    """
    order = locked_order(ctx, order_id)
    rows = ctx.session.execute(bank_rows.APPROVED_OF, {"wanted": order_id}).all()
    if order.state is not OrderState.PENDING_PAYMENT:
        return None
    if sum(row.amount_fen for row in rows) < order.total_fen:
        return None
    if paid_at is None:
        paid_at = max(day_start(max(row.booked_on for row in rows)), order.placed_at)
    payment = _attempt(ctx, order)
    settle(ctx, order, payment, order.total_fen, paid_at)
    ctx.session.execute(
        update(MATCHES)
        .where(MATCHES.c.id.in_([row.id for row in rows]))
        .values(payment_id=payment.id)
    )
    bank_rows.release_matches(ctx, order_id, "order_paid")
    payment_id: UUID = payment.id
    return payment_id


def _attempt(ctx: Ctx, order: Any) -> Any:
    """The attempt that the money is for; a checkout that is open is given up, here and there."""
    live = ctx.session.execute(LIVE_OF, {"order_id": order.id}).one_or_none()
    if live is not None and live.method is PaymentMethod.BANK_TRANSFER:
        return live
    if live is not None:
        move_locked(ctx, PAYMENT, live.id, order.id, live.state, "expire", why="bank_transfer")
        if live.reference is not None:
            enqueue(ctx, CLOSE, reference=live.reference)
    return write_transfer(ctx, order)
