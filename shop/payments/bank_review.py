"""Two people for what a rule does not see: one enters a match, another approves it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.bank import MatchState, ReceiptState
from models.orders import OrderState
from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, Invalid, Words
from shop.machine import decide
from shop.orders.access import locked_order, order_id_of
from shop.payments import bank_refunds, bank_rows
from shop.payments.bank_candidates import missing_fen
from shop.payments.bank_matches import set_state, settle_if_whole, tell_order
from shop.payments.bank_states import MATCH

MAX_NOTE = 500


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
        set_state(ctx, old, "enter", values)
    _record(ctx, "bank.match", match_id, order=number, amount_fen=amount, reason=note)
    return match_id


def approve_match(ctx: Ctx, match_id: UUID) -> UUID | None:
    """The second person agrees; the payment's key if the order is paid by it.

    Raises:
        NotFound: no such match.
        Conflict: `second_person_needed`, one's own entry; `bank_match_<state>`; and what
            `enter_match` or `bank_refunds.check` says, things having changed since.
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
    if found.why in bank_refunds.WHYS:
        _approve_refund(ctx, row, found)
        return None
    _checked_amount(ctx, order, row, found.amount_fen)
    set_state(ctx, found, "approve", {"approved_by": ctx.actor.user_id, "decided_at": ctx.now})
    bank_rows.claim(ctx, row.id, found.amount_fen)
    tell_order(ctx, match_id, order.id, "person")
    paid = settle_if_whole(ctx, order.id)
    # Last, because the log's chain is one lock for all and settling takes more receipts.
    _record(ctx, "bank.approve", match_id, order=order.number, amount_fen=found.amount_fen)
    return paid


def _approve_refund(ctx: Ctx, row: Any, found: Any) -> None:
    """The second person agrees that a line is a refund's."""
    number = bank_refunds.carry_out(ctx, row, found)
    set_state(ctx, found, "approve", {"approved_by": ctx.actor.user_id, "decided_at": ctx.now})
    bank_rows.claim(ctx, row.id, found.amount_fen)
    _record(ctx, "bank.approve", found.id, refund=number, amount_fen=found.amount_fen)


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
    set_state(ctx, found, "reject", {"decided_at": ctx.now, "note": note or found.note})
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
