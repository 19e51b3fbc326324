"""Lines of the bank's that pay no order: payouts, refunds that left, and what a person explains."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from models.bank import BankMatch, BankReceipt, MatchState, ReceiptState
from models.payments import Payment, PaymentMethod
from models.reconciliation import ProviderTransaction
from models.refunds import Refund, RefundState
from shop import audit
from shop.clock import day_start
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.machine import decide, move_locked
from shop.orders.access import locked_order
from shop.payments import bank_rows, refund_effects, refund_rows
from shop.payments.bank_matching import names_payout, refund_numbers_in
from shop.payments.bank_states import RECEIPT
from shop.payments.refund_rules import BY_BANK
from shop.payments.states import REFUND
from shop.reasons import checked_reason

RECEIPTS, MATCHES = BankReceipt.__table__, BankMatch.__table__
REFUNDS, PAYMENTS = Refund.__table__, Payment.__table__
LINES = ProviderTransaction.__table__

UNFINISHED = (RefundState.REQUESTED, RefundState.SENT)
PAYOUT = "payout"
"""Begins the reason of a line that the provider paid out: `payout po_…`."""

PAYOUTS = select(LINES.c.reference, LINES.c.source).where(
    LINES.c.kind == "payout", LINES.c.amount_fen == -bindparam("amount"), LINES.c.currency == "CNY"
)
REFUND_NAMED = (
    select(REFUNDS.c.id, REFUNDS.c.order_id)
    .join(PAYMENTS, PAYMENTS.c.id == REFUNDS.c.payment_id)
    .where(
        REFUNDS.c.number == bindparam("number"),
        PAYMENTS.c.method == PaymentMethod.BANK_TRANSFER,
    )
)


def set_aside(ctx: Ctx, receipt_id: UUID, reason: str) -> None:
    """A person explains what is open of a line without an order.

    Raises:
        NotFound: no such line.
        Invalid: no reason, or a novel.
        Conflict: `bank_receipt_<state>`; `match_waiting`, somebody has entered a match for it.
    """
    text = checked_reason(reason)
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    live = bank_rows.live_matches(ctx, receipt_id)
    if any(one.state is MatchState.ENTERED for one in live):
        raise Conflict(
            "有待复核的匹配，请先复核或驳回",
            "A match waits for a second person; decide that first",
            code="match_waiting",
        )
    _put_aside(ctx, row, text)
    audit.record(
        ctx,
        "bank.set_aside",
        "bank_receipt",
        str(receipt_id),
        after={"amount_fen": row.amount_fen - row.matched_fen},
        reason=text,
    )


def reopen(ctx: Ctx, receipt_id: UUID) -> None:
    """A line that was set aside is to be explained anew.

    Raises:
        NotFound: no such line.
        Conflict: `bank_receipt_<state>`, it is not set aside.
    """
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    after = decide(RECEIPT, row.state, "reopen")
    ctx.session.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.id == receipt_id)
        .values(state=after, set_aside_reason=None)
    )
    audit.record(
        ctx,
        "bank.reopen",
        "bank_receipt",
        str(receipt_id),
        before={"reason": row.set_aside_reason},
    )


def _put_aside(ctx: Ctx, row: Any, reason: str) -> None:
    after = decide(RECEIPT, row.state, "set_aside")
    ctx.session.execute(
        update(RECEIPTS)
        .where(RECEIPTS.c.id == row.id)
        .values(state=after, set_aside_reason=reason, open_reason="")
    )
    ctx.session.execute(
        update(MATCHES)
        .where(MATCHES.c.receipt_id == row.id, MATCHES.c.state == MatchState.PROPOSED)
        .values(state=MatchState.REJECTED, decided_at=ctx.now, note=bank_rows.SET_ASIDE)
    )


def set_payout_aside(ctx: Ctx, receipt_id: UUID) -> bool:
    """Set a line aside that names one of the provider's payouts with its amount."""
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    if row.state is not ReceiptState.OPEN or row.matched_fen or row.amount_fen < 0:
        return False
    texts = (row.remark, row.payer_name, row.bank_reference or "")
    for line in ctx.session.execute(PAYOUTS, {"amount": row.amount_fen}):
        if names_payout(texts, [line.source or "", line.reference]):
            _put_aside(ctx, row, f"{PAYOUT} {line.source or line.reference}")
            return True
    return False


def match_outgoing(ctx: Ctx, receipt_id: UUID) -> bool:
    """A line of money that went out ends the refund whose number and amount it says."""
    row = bank_rows.receipt(ctx, receipt_id)
    if row.amount_fen > 0:
        return False
    for number in refund_numbers_in(row.remark):
        named = ctx.session.execute(REFUND_NAMED, {"number": number}).one_or_none()
        if named is not None and _pay_back(ctx, row.id, named):
            return True
    bank_rows.receipt(ctx, receipt_id, locked=True)
    bank_rows.explain(ctx, receipt_id, "no_refund")
    return False


def _pay_back(ctx: Ctx, receipt_id: UUID, named: Any) -> bool:
    order = locked_order(ctx, named.order_id)
    row = bank_rows.receipt(ctx, receipt_id, locked=True)
    refund = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": named.id}).one()
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": refund.payment_id}).one()
    fits = row.state is ReceiptState.OPEN and refund.state in UNFINISHED
    if not fits or refund.amount_fen != -row.amount_fen:
        return False
    settled_at = max(day_start(row.booked_on), refund.requested_at)
    refund_effects.succeed(
        ctx, refund, payment, reference=f"{BY_BANK}{row.id}", settled_at=settled_at
    )
    bank_rows.write_match(
        ctx,
        row.id,
        order.id,
        refund.amount_fen,
        MatchState.APPROVED,
        "refund",
        note=refund.number,
        payment_id=payment.id,
    )
    return True


def mark_sent(ctx: Ctx, number: str) -> None:
    """A person has told the bank to pay a refund out; its line on the statement ends it.

    Raises:
        NotFound: there is no such refund by transfer.
        Conflict: `refund_<state>`, it has ended.
    """
    named = ctx.session.execute(REFUND_NAMED, {"number": number}).one_or_none()
    if named is None:
        raise NotFound("没有找到这笔退款", "There is no such refund by transfer")
    locked_order(ctx, named.order_id)
    refund = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": named.id}).one()
    moved = move_locked(
        ctx, REFUND, refund.id, refund.order_id, refund.state, "send", values={"sent_at": ctx.now}
    )
    if moved.changed:
        audit.record(ctx, "refund.sent", "refund", number, after={"amount_fen": refund.amount_fen})
