"""Looking up the orders that a line of the bank's may be for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, and_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from models.bank import BankMatch, BankReceipt, MatchState
from models.identity import BuyerKind
from models.orders import Order, OrderState
from models.organization import Purpose, Unit
from shop.context import Ctx
from shop.payments import bank_rows
from shop.payments.bank_matching import Found, Receipt, Wanted, near_numbers, numbers_in

ORDERS, UNITS = Order.__table__, Unit.__table__
MATCHES, RECEIPTS = BankMatch.__table__, BankReceipt.__table__

MOST = 50
"""Unpaid orders of one amount that are compared by name."""

MISSING = ORDERS.c.total_fen - (
    select(cast(func.coalesce(func.sum(MATCHES.c.amount_fen), 0), BigInteger))
    .join(RECEIPTS, RECEIPTS.c.id == MATCHES.c.receipt_id)
    .where(
        MATCHES.c.order_id == ORDERS.c.id,
        MATCHES.c.state == MatchState.APPROVED,
        MATCHES.c.payment_id.is_(None),
        RECEIPTS.c.amount_fen > 0,
    )
    .correlate(ORDERS)
    .scalar_subquery()
)
WANTED = select(
    ORDERS.c.id,
    ORDERS.c.number,
    ORDERS.c.state,
    MISSING.label("missing_fen"),
    ORDERS.c.buyer_name,
    UNITS.c.name.label("unit_name"),
).outerjoin(UNITS, UNITS.c.id == ORDERS.c.unit_id)
BY_NUMBER = WANTED.where(ORDERS.c.number == bindparam("numbers", type_=ARRAY(Text)).any_())
BY_AMOUNT = (
    WANTED.where(
        ORDERS.c.state == OrderState.PENDING_PAYMENT,
        or_(ORDERS.c.buyer_kind == BuyerKind.UNIT_ACCOUNT, ORDERS.c.purpose != Purpose.PERSONAL),
        and_(ORDERS.c.total_fen >= bindparam("amount"), bindparam("amount") == MISSING),
    )
    .order_by(ORDERS.c.id)
    .limit(MOST)
)


def found_for(ctx: Ctx, row: Any, beside: Sequence[Any]) -> Found:
    """The orders that a receipt's row may be for, as they are now; `beside` are receipts' rows."""
    named = by_number(ctx, numbers_in(row.remark))
    if named:
        return Found(named=named, beside=tuple(map(open_part, beside)))
    return Found(
        near=by_number(ctx, near_numbers(row.remark)),
        same_amount=tuple(
            map(_wanted, ctx.session.execute(BY_AMOUNT, {"amount": open_part(row).open_fen}))
        ),
    )


def by_number(ctx: Ctx, numbers: Sequence[str]) -> tuple[Wanted, ...]:
    """The orders with these numbers, in this order."""
    if not numbers:
        return ()
    rows = ctx.session.execute(BY_NUMBER, {"numbers": list(numbers)})
    return tuple(sorted(map(_wanted, rows), key=lambda one: numbers.index(one.number)))


def order_ids(found: Found) -> set[UUID]:
    """The keys of all orders that were found."""
    return {one.id for one in (*found.named, *found.near, *found.same_amount)}


def open_part(row: Any) -> Receipt:
    """What is open of a receipt's row."""
    return Receipt(row.id, row.amount_fen - row.matched_fen, row.payer_name, row.remark)


def missing_fen(ctx: Ctx, order: Any) -> int:
    """What a locked order still waits for."""
    return int(order.total_fen) - bank_rows.received_fen(ctx, order.id)


def _wanted(row: Any) -> Wanted:
    names = tuple(name for name in (row.unit_name, row.buyer_name) if name)
    return Wanted(row.id, row.number, row.state, int(row.missing_fen), names)
