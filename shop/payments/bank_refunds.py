"""Refunds and the bank: one that it sent back, and one that it paid out in the provider's place.

Two people, as for every line that no rule explains: one enters which refund it is, another
approves.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from models.bank import MatchState, ReceiptState
from models.payments import PaymentMethod
from models.refunds import Refund, RefundState
from shop import audit
from shop.clock import day_start
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.orders.access import locked_order
from shop.payments import bank_rows, refund_effects, refund_rows
from shop.payments.bank_aside import REFUND_NAMED
from shop.payments.bank_matches import set_state
from shop.payments.refund_rules import BY_BANK
from shop.payments.refunds import plan_again, write_again
from shop.reasons import checked_reason

REFUNDS = Refund.__table__

RETURNED, PAID = "refund_returned", "refund_paid"
"""Why a line belongs to an order: it brings a refund back, or pays one that had failed."""

WHYS = (RETURNED, PAID)
FAILED_BY_BANK = "returned_by_bank"
REJECTED_BY_BANK = "rejected_by_bank"

NUMBERED = select(REFUNDS.c.id, REFUNDS.c.order_id, REFUNDS.c.payment_id).where(
    REFUNDS.c.number == bindparam("number")
)


def enter_refund(ctx: Ctx, receipt_id: UUID, number: str, reason: str) -> UUID:
    """A person says which refund a line is of; another has to approve it. The match's key.

    Money that came in brings back a refund by transfer that had arrived; money that went out has
    paid a refund that had failed.

    Raises:
        NotFound: no such line or refund.
        Invalid: no reason, or a novel.
        Conflict: `match_exists`, the line is somebody's already; and what `check` says.
    """
    reason = checked_reason(reason)
    named = _named(ctx, number)
    order = locked_order(ctx, named.order_id)
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    why = RETURNED if row.amount_fen > 0 else PAID
    amount = check(ctx, row, named.id, why)
    for old in bank_rows.live_matches(ctx, receipt_id):
        if old.state is not MatchState.PROPOSED:
            raise Conflict("这笔流水已有匹配", "This line is matched already", code="match_exists")
        if old.order_id == order.id:
            values = {"decided_at": ctx.now, "note": bank_rows.OUTDATED}
            set_state(ctx, old, "reject", values)
    match_id = bank_rows.write_match(
        ctx,
        receipt_id,
        order.id,
        amount,
        MatchState.ENTERED,
        why,
        note=f"{number} {reason}",
        entered_by=ctx.actor.user_id,
        payment_id=named.payment_id,
    )
    after = {"refund": number, "amount_fen": amount}
    audit.record(ctx, "bank.match", "bank_match", str(match_id), after=after, reason=reason)
    return match_id


def carry_out(ctx: Ctx, row: Any, match: Any) -> str:
    """What the second person has agreed to; order, line and match are locked. The refund's number.

    Raises:
        Conflict: see `check`, things having changed since.
    """
    number = str(match.note).partition(" ")[0]
    refund_id = _named(ctx, number).id
    check(ctx, row, refund_id, match.why)
    if match.why == RETURNED:
        refund, payment = _locked(ctx, refund_id)
        refund_effects.fail(ctx, refund, payment, code=FAILED_BY_BANK)
        return number
    reference = f"{BY_BANK}{row.id}"
    again_id = write_again(ctx, plan_again(ctx, refund_id), reference)
    refund, payment = _locked(ctx, again_id)
    settled_at = max(day_start(row.booked_on), refund.requested_at)
    refund_effects.succeed(ctx, refund, payment, reference=reference, settled_at=settled_at)
    return number


def check(ctx: Ctx, row: Any, refund_id: UUID, why: str) -> int:
    """What a line may say of a refund: its amount, in fen. The order and the line are locked.

    Raises:
        Conflict: `bank_receipt_<state>`; `refund_<state>`; `refund_not_by_transfer`, the bank has
            never paid it; `refund_amount`, with `wanted_fen`; and what `plan_again` says.
    """
    if row.state is not ReceiptState.OPEN:
        raise Conflict(
            "这笔流水已处理完毕",
            "This line of the bank is dealt with",
            code=f"bank_receipt_{row.state}",
        )
    if why == PAID:
        wanted = plan_again(ctx, refund_id).amount_fen
    else:
        refund, payment = _locked(ctx, refund_id)
        _refuse_unless_paid_out(refund, payment)
        wanted = refund.amount_fen
    if abs(row.amount_fen) - row.matched_fen != wanted:
        raise Conflict(
            "流水金额与退款金额不一致",
            "The line and the refund are not of the same amount",
            code="refund_amount",
            wanted_fen=wanted,
        )
    return int(wanted)


def fail_sent(ctx: Ctx, number: str, reason: str) -> None:
    """A person says that the bank did not carry out a refund by transfer: it has paid nothing.

    Raises:
        NotFound: there is no such refund by transfer.
        Invalid: no reason, or a novel.
        Conflict: `refund_<state>`, the bank was not told to pay it, or it has ended.
    """
    reason = checked_reason(reason)
    named = ctx.session.execute(REFUND_NAMED, {"number": number}).one_or_none()
    if named is None:
        raise NotFound("没有找到这笔退款", "There is no such refund by transfer")
    locked_order(ctx, named.order_id)
    refund, payment = _locked(ctx, named.id)
    if refund.state is not RefundState.SENT:
        raise _not_so(refund)
    refund_effects.fail(ctx, refund, payment, code=REJECTED_BY_BANK)
    after = {"amount_fen": refund.amount_fen}
    audit.record(ctx, "refund.fail", "refund", number, after=after, reason=reason)


def _refuse_unless_paid_out(refund: Any, payment: Any) -> None:
    if refund.state is not RefundState.SUCCEEDED:
        raise _not_so(refund)
    by_bank = (refund.reference or "").startswith(BY_BANK)
    if payment.method is not PaymentMethod.BANK_TRANSFER and not by_bank:
        raise Conflict(
            "这笔退款不是由银行汇出的",
            "This refund was not paid out by the bank",
            code="refund_not_by_transfer",
        )


def _not_so(refund: Any) -> Conflict:
    return Conflict(
        "退款当前的状态不能这样处理",
        "A refund in this state cannot be handled so",
        code=f"refund_{refund.state}",
    )


def _named(ctx: Ctx, number: str) -> Any:
    found = ctx.session.execute(NUMBERED, {"number": number}).one_or_none()
    if found is None:
        raise NotFound("没有找到这笔退款", "There is no such refund")
    return found


def _locked(ctx: Ctx, refund_id: UUID) -> tuple[Any, Any]:
    refund = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    wanted = {"wanted": refund.payment_id}
    return refund, ctx.session.execute(refund_rows.PAYMENT_LOCKED, wanted).one()
