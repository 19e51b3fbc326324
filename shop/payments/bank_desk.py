"""The bank's lines as finance reads them, with the orders they are matched to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased

from models.bank import BankMatch, BankReceipt, BankStatement, MatchState, ReceiptState
from models.identity import Role, User
from models.orders import Order, OrderState, PaymentTerms
from models.payments import Payment, PaymentMethod
from models.refunds import Refund, RefundState
from shop import audit, phones
from shop.context import Ctx
from shop.errors import NotFound
from shop.orders.rules import institutional
from shop.payments import bank_rows
from shop.payments.bank_candidates import MISSING
from shop.payments.bank_refunds import RETURNED

RECEIPTS, MATCHES = BankReceipt.__table__, BankMatch.__table__
STATEMENTS, ORDERS, USERS = BankStatement.__table__, Order.__table__, User.__table__
REFUNDS, PAYMENTS = Refund.__table__, Payment.__table__
ENTERED_BY, APPROVED_BY = aliased(USERS), aliased(USERS)

Row = dict[str, Any]


READS_PERSONAL_DATA = frozenset({Role.FINANCE})
"""Who compares payers with orders needs their names; who only agrees to a match does not."""

KEPT_DIGITS = 4
"""Of an account's number, as banks print it where others may look."""


class Pile(StrEnum):
    """How far a line of the bank's is explained, as the desk sorts them."""

    OPEN = "open"
    PROPOSED = "proposed"
    ENTERED = "entered"
    MATCHED = "matched"
    SET_ASIDE = "set_aside"


def _has(state: MatchState) -> ColumnElement[bool]:
    return exists(
        select(MATCHES.c.id).where(MATCHES.c.receipt_id == RECEIPTS.c.id, MATCHES.c.state == state)
    )


_OPEN = RECEIPTS.c.state == ReceiptState.OPEN
PILES: dict[Pile, ColumnElement[bool]] = {
    Pile.OPEN: and_(_OPEN, ~_has(MatchState.PROPOSED), ~_has(MatchState.ENTERED)),
    Pile.PROPOSED: and_(_OPEN, _has(MatchState.PROPOSED), ~_has(MatchState.ENTERED)),
    Pile.ENTERED: and_(_OPEN, _has(MatchState.ENTERED)),
    Pile.MATCHED: RECEIPTS.c.state == ReceiptState.MATCHED,
    Pile.SET_ASIDE: RECEIPTS.c.state == ReceiptState.SET_ASIDE,
}
LINE = (
    select(
        RECEIPTS,
        (RECEIPTS.c.amount_fen - RECEIPTS.c.matched_fen).label("open_fen"),
        STATEMENTS.c.filename,
        USERS.c.name.label("entered_by_name"),
    )
    .outerjoin(STATEMENTS, STATEMENTS.c.id == RECEIPTS.c.statement_id)
    .outerjoin(USERS, USERS.c.id == RECEIPTS.c.entered_by)
)
MATCHES_OF = (
    select(
        MATCHES.c.id,
        MATCHES.c.receipt_id,
        MATCHES.c.state,
        MATCHES.c.amount_fen,
        MATCHES.c.why,
        MATCHES.c.note,
        MATCHES.c.entered_at,
        MATCHES.c.decided_at,
        MATCHES.c.entered_by.label("entered_by_id"),
        ENTERED_BY.c.name.label("entered_by"),
        APPROVED_BY.c.name.label("approved_by"),
        ORDERS.c.number.label("order"),
        ORDERS.c.state.label("order_state"),
        ORDERS.c.total_fen.label("order_total_fen"),
        MISSING.label("order_missing_fen"),
    )
    .join(ORDERS, ORDERS.c.id == MATCHES.c.order_id)
    .outerjoin(ENTERED_BY, ENTERED_BY.c.id == MATCHES.c.entered_by)
    .outerjoin(APPROVED_BY, APPROVED_BY.c.id == MATCHES.c.approved_by)
    .order_by(MATCHES.c.id)
)


def lines_on_desk(
    ctx: Ctx, pile: Pile | None = None, before: UUID | None = None, limit: int = 24
) -> list[Row]:
    """Lines of one pile (or all), newest first, each with its `matches` that are not rejected.

    Payers are masked for everybody but finance. `before` is the `id` of the last row already read.
    """
    wanted = [] if pile is None else [PILES[pile]]
    if before is not None:
        wanted.append(RECEIPTS.c.id < before)
    found = ctx.session.execute(
        LINE.where(*wanted).order_by(RECEIPTS.c.id.desc()).limit(limit)
    ).mappings()
    rows = [_shown(ctx, row) for row in found]
    matches = _matches(ctx, [row["id"] for row in rows])
    return [
        {**row, "matches": [one for one in matches[row["id"]] if one["state"] != "rejected"]}
        for row in rows
    ]


def line_on_desk(ctx: Ctx, receipt_id: UUID) -> Row:
    """One line with all its matches, the rejected too.

    The payer is masked for everybody but finance, whose reading is written down.

    Raises:
        NotFound: there is none.
    """
    row = ctx.session.execute(LINE.where(RECEIPTS.c.id == receipt_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有找到这笔银行流水", "There is no such line of the bank")
    shown = _shown(ctx, row)
    if not shown["masked"]:
        audit.record(
            ctx,
            "personal_data.read",
            "bank_receipt",
            str(receipt_id),
            after={"fields": ["payer_name", "payer_account"]},
        )
    return {**shown, "matches": _matches(ctx, [receipt_id])[receipt_id]}


def _shown(ctx: Ctx, row: Mapping[str, Any]) -> Row:
    """A row with its payer, `masked` or not."""
    if ctx.actor.has(*READS_PERSONAL_DATA):
        return {**row, "masked": False}
    name, account = row["payer_name"] or "", row["payer_account"] or ""
    kept = account[-KEPT_DIGITS:] if len(account) > KEPT_DIGITS else ""
    return {
        **row,
        "payer_name": phones.mask_name(name),
        "payer_account": f"****{kept}" if account else "",
        "masked": True,
    }


def match_on_desk(ctx: Ctx, match_id: UUID) -> Row:
    """One match.

    Raises:
        NotFound: there is none.
    """
    row = ctx.session.execute(MATCHES_OF.where(MATCHES.c.id == match_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有找到这条匹配", "There is no such match")
    return dict(row)


def _matches(ctx: Ctx, receipt_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    by_line: dict[UUID, list[Row]] = defaultdict(list)
    if receipt_ids:
        wanted = MATCHES_OF.where(MATCHES.c.receipt_id.in_(receipt_ids))
        for row in ctx.session.execute(wanted).mappings():
            by_line[row["receipt_id"]].append(dict(row))
    return by_line


def counts(ctx: Ctx) -> dict[str, int]:
    """Pile -> how many lines lie there: one statement."""
    row = ctx.session.execute(
        select(*(func.count().filter(where).label(pile.value) for pile, where in PILES.items()))
    ).one()
    return {pile.value: getattr(row, pile.value) for pile in Pile}


def statements(ctx: Ctx, limit: int = 5) -> list[Row]:
    """The files that were imported last."""
    found = ctx.session.execute(
        select(
            STATEMENTS.c.filename,
            STATEMENTS.c.rows_read,
            STATEMENTS.c.rows_new,
            STATEMENTS.c.imported_at,
            USERS.c.name.label("imported_by"),
        )
        .outerjoin(USERS, USERS.c.id == STATEMENTS.c.imported_by)
        .order_by(STATEMENTS.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in found.mappings()]


def last_line_on(ctx: Ctx) -> date | None:
    """The day of the newest line we have."""
    found: date | None = ctx.session.execute(select(func.max(RECEIPTS.c.booked_on))).scalar_one()
    return found


def refunds_to_pay(ctx: Ctx, limit: int = 24) -> list[Row]:
    """Refunds by transfer that a person has to pay out, or whose line the bank has not sent yet.

    `payer_name` and `payer_account` are of the newest line that the order was paid by, masked as
    the lines themselves.
    """
    paid_by = (
        select(RECEIPTS.c.payer_name, RECEIPTS.c.payer_account)
        .join(MATCHES, MATCHES.c.receipt_id == RECEIPTS.c.id)
        .where(
            MATCHES.c.payment_id == REFUNDS.c.payment_id,
            MATCHES.c.why != RETURNED,
            RECEIPTS.c.amount_fen > 0,
        )
        .order_by(RECEIPTS.c.id.desc())
        .limit(1)
        .lateral()
    )
    found = ctx.session.execute(
        select(
            REFUNDS.c.number,
            REFUNDS.c.state,
            REFUNDS.c.amount_fen,
            REFUNDS.c.requested_at,
            REFUNDS.c.sent_at,
            ORDERS.c.number.label("order"),
            paid_by.c.payer_name,
            paid_by.c.payer_account,
        )
        .join(PAYMENTS, PAYMENTS.c.id == REFUNDS.c.payment_id)
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .outerjoin(paid_by, paid_by.c.payer_name.is_not(None))
        .where(
            PAYMENTS.c.method == PaymentMethod.BANK_TRANSFER,
            REFUNDS.c.state.in_((RefundState.REQUESTED, RefundState.SENT)),
        )
        .order_by(REFUNDS.c.id)
        .limit(limit)
    )
    return [_shown(ctx, row) for row in found.mappings()]


def waiting_orders(ctx: Ctx, amount_fen: int, limit: int = 5) -> list[Row]:
    """Unpaid orders that lack exactly so much: what a person may want to match a line to."""
    found = ctx.session.execute(
        select(
            ORDERS.c.number, ORDERS.c.buyer_name, ORDERS.c.placed_at, MISSING.label("missing_fen")
        )
        .where(
            ORDERS.c.state == OrderState.PENDING_PAYMENT,
            ORDERS.c.total_fen >= amount_fen,
            MISSING - amount_fen == 0,
        )
        .order_by(ORDERS.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in found.mappings()]


def terms_of(ctx: Ctx, order: Row) -> Row:
    """How a unit's order is to be paid: `order` as `shop.orders.queries` gives it.

    `by_unit`: it may come by transfer; `received_fen` of it has come; `overdue`: its time has
    passed and the money is still welcome; `extendable`: it may be given more time, once.
    """
    by_unit = institutional(order["buyer_kind"], order["purpose"])
    waits = by_unit and order["state"] is OrderState.PENDING_PAYMENT
    on_credit = order["payment_terms"] is PaymentTerms.PAY_AFTER_DELIVERY
    return {
        "by_unit": by_unit,
        "waits": waits,
        "on_credit": on_credit,
        "overdue": waits and on_credit and order["pay_before"] <= ctx.now,
        "extendable": waits and order["pay_extended_at"] is None,
        "received_fen": bank_rows.received_fen(ctx, order["id"]) if waits else 0,
    }
