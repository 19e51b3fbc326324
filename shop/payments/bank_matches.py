"""Matching the bank's lines to orders, and letting an order go on once its money is there.

Two people for what a rule does not see: one enters a match, another approves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from models.bank import BankMatch, MatchState, ReceiptState
from models.orders import OrderState
from models.payments import PaymentMethod
from shop import audit
from shop.clock import day_start
from shop.context import Ctx
from shop.errors import Conflict, Invalid, Words
from shop.jobs.queue import enqueue
from shop.machine import append, decide, move_locked
from shop.orders.access import locked_order, order_id_of
from shop.payments import bank_rows
from shop.payments.arrival import settle
from shop.payments.bank_candidates import found_for, missing_fen, open_part, order_ids
from shop.payments.bank_matching import Decision, Match
from shop.payments.bank_matching import decide as decide_match
from shop.payments.bank_states import MATCH
from shop.payments.bank_transfer import write_transfer
from shop.payments.commands import LIVE_OF
from shop.payments.states import PAYMENT

MATCHES = BankMatch.__table__

CLOSE = "payments.close_checkout"
"""The job that closes a checkout whose order has been paid by transfer."""

MAX_NOTE = 500


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
    return _carry_out(ctx, row, decide_match(open_part(row), found))


def _lookable(row: Any) -> bool:
    return bool(row.state is ReceiptState.OPEN and row.amount_fen > 0)


def _carry_out(ctx: Ctx, row: Any, decision: Decision) -> bool:
    wanted = {one.order_id for one in decision.matches}
    for old in bank_rows.live_matches(ctx, row.id):
        if old.state is MatchState.PROPOSED and old.order_id not in wanted:
            _set(ctx, old, "reject", {"decided_at": ctx.now, "note": bank_rows.OUTDATED})
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
        _set(ctx, old, "match", values)
        bank_rows.claim(ctx, one.receipt_id, one.amount_fen)
    _tell(ctx, match_id, one.order_id, one.why)


def _propose(ctx: Ctx, one: Match) -> None:
    """A likely match, once: what a person has rejected is not proposed to them again."""
    old = _live(ctx, one)
    if old is None and not _rejected(ctx, one):
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


def _rejected(ctx: Ctx, one: Match) -> bool:
    found = ctx.session.execute(
        select(MATCHES.c.id).where(
            MATCHES.c.receipt_id == one.receipt_id,
            MATCHES.c.order_id == one.order_id,
            MATCHES.c.state == MatchState.REJECTED,
            MATCHES.c.note != bank_rows.OUTDATED,
        )
    )
    return found.first() is not None


def _set(ctx: Ctx, row: Any, event: str, values: Mapping[str, Any]) -> None:
    """Move a locked match along its table.

    Raises:
        Conflict: `bank_match_<state>`.
    """
    after = decide(MATCH, row.state, event)
    ctx.session.execute(update(MATCHES).where(MATCHES.c.id == row.id).values(state=after, **values))


def _tell(ctx: Ctx, match_id: UUID, order_id: UUID, why: str) -> None:
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


def enter_match(ctx: Ctx, receipt_id: UUID, number: str, amount_fen: int | None, note: str) -> UUID:
    """A person says that (so much of) a line is for this order; another has to approve it.

    Without an amount it is as much as the line has and the order lacks. A proposal is taken up.

    Raises:
        NotFound: no such line or order.
        Invalid: no amount, or a note too long.
        Conflict: `order_<state>`, `bank_receipt_<state>`, `receipt_outgoing`, `match_exceeds`,
            `match_exists`.
    """
    note = checked_note(note)
    order = locked_order(ctx, order_id_of(ctx, number))
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    amount = _checked_amount(ctx, order, row, amount_fen)
    live = bank_rows.live_matches(ctx, receipt_id)
    old = next((one for one in live if one.order_id == order.id), None)
    if old is not None and old.state is not MatchState.PROPOSED:
        raise Conflict(
            "这笔流水与该订单已有匹配",
            "This line is matched to the order already",
            code="match_exists",
        )
    who = ctx.actor.user_id
    if old is None:
        match_id = bank_rows.write_match(
            ctx,
            receipt_id,
            order.id,
            amount,
            MatchState.ENTERED,
            "person",
            note=note,
            entered_by=who,
        )
    else:
        match_id = old.id
        values = {"amount_fen": amount, "note": note, "entered_by": who, "entered_at": ctx.now}
        _set(ctx, old, "enter", values)
    _record(ctx, "bank.match", match_id, order=number, amount_fen=amount, reason=note)
    return match_id


def approve_match(ctx: Ctx, match_id: UUID) -> UUID | None:
    """The second person agrees; the payment's key if the order is paid by it.

    Raises:
        NotFound: no such match.
        Conflict: `second_person_needed`, one's own entry; `bank_match_<state>`; and what
            `enter_match` says, things having changed since.
    """
    unlocked = bank_rows.match(ctx, match_id)
    order = locked_order(ctx, unlocked.order_id)
    row = bank_rows.receipt(ctx, unlocked.receipt_id, locked=True)
    found = bank_rows.match(ctx, match_id, locked=True)
    decide(MATCH, found.state, "approve")
    if found.state is MatchState.APPROVED:
        return None
    if ctx.actor.user_id is None or ctx.actor.user_id == found.entered_by:
        raise Conflict(
            "须由另一人复核，不能复核自己录入的匹配",
            "Another person has to approve what you entered",
            code="second_person_needed",
        )
    _checked_amount(ctx, order, row, found.amount_fen)
    _set(ctx, found, "approve", {"approved_by": ctx.actor.user_id, "decided_at": ctx.now})
    bank_rows.claim(ctx, row.id, found.amount_fen)
    _tell(ctx, match_id, order.id, "person")
    paid = settle_if_whole(ctx, order.id)
    # Last, because the log's chain is one lock for all and settling takes more receipts.
    _record(ctx, "bank.approve", match_id, order=order.number, amount_fen=found.amount_fen)
    return paid


def reject_match(ctx: Ctx, match_id: UUID, note: str) -> None:
    """A person says that a proposed or entered match is wrong.

    Raises:
        NotFound: no such match.
        Conflict: `bank_match_<state>`, it has been approved.
    """
    note = checked_note(note)
    unlocked = bank_rows.match(ctx, match_id)
    order = locked_order(ctx, unlocked.order_id)
    bank_rows.receipt(ctx, unlocked.receipt_id, locked=True)
    found = bank_rows.match(ctx, match_id, locked=True)
    if found.state is MatchState.REJECTED:
        return
    _set(ctx, found, "reject", {"decided_at": ctx.now, "note": note or found.note})
    _record(
        ctx, "bank.reject", match_id, order=order.number, amount_fen=found.amount_fen, reason=note
    )


def _checked_amount(ctx: Ctx, order: Any, row: Any, amount_fen: int | None) -> int:
    """What a match may be: no more than the line has left, nor than the order lacks."""
    if row.amount_fen < 0:
        raise Conflict(
            "支出流水不能匹配订单", "Money that went out pays no order", code="receipt_outgoing"
        )
    if row.state is not ReceiptState.OPEN:
        raise Conflict(
            "这笔流水已处理完毕",
            "This line of the bank is dealt with",
            code=f"bank_receipt_{row.state}",
        )
    if order.state is not OrderState.PENDING_PAYMENT:
        raise Conflict(
            "订单不在待付款状态", "The order does not wait for money", code=f"order_{order.state}"
        )
    most = min(row.amount_fen - row.matched_fen, missing_fen(ctx, order))
    amount = most if amount_fen is None else amount_fen
    if amount <= 0 and amount_fen is not None:
        words = Words("须大于零", "More than zero")
        raise Invalid("金额须大于零", words.en, fields={"amount_fen": [words]})
    if amount > most or most <= 0:
        raise Conflict(
            "金额超过流水余额或订单待收金额",
            "That is more than the line has left or the order lacks",
            code="match_exceeds",
            most_fen=most,
        )
    return amount


def checked_note(note: str) -> str:
    """A note, trimmed.

    Raises:
        Invalid: it is a novel.
    """
    text = note.strip()
    if len(text) > MAX_NOTE:
        words = Words(f"不超过 {MAX_NOTE} 字", f"At most {MAX_NOTE} characters")
        raise Invalid(words, words.en, fields={"note": [words]})
    return text


def _record(ctx: Ctx, action: str, match_id: UUID, *, reason: str = "", **after: Any) -> None:
    audit.record(ctx, action, "bank_match", str(match_id), after=after, reason=reason)
