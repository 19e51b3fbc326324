"""What the worker does with the bank's lines: each in a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.bank import BankReceipt, ReceiptState
from shop import logging
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.jobs.registry import job
from shop.orders.access import locked_order
from shop.payments import bank_rows
from shop.payments.bank_aside import match_outgoing, set_payout_aside
from shop.payments.bank_import import MATCH
from shop.payments.bank_matches import match_receipt
from shop.payments.bank_matching import numbers_in
from shop.payments.closing import close_checkout
from shop.payments.commands import CLOSE
from shop.payments.providers import gateway
from shop.payments.sync import apply_status

RECEIPTS = BankReceipt.__table__

SLICE = 5_000
"""Open lines looked at in one run, the newest first: more would be a month that nobody worked."""

log = logging.get("bank")


@job(MATCH, cron="23 * * * *")
def match_receipts(transactions: Transactions) -> None:
    """Look at every open line: payouts aside, refunds that left, orders that were paid."""
    with transactions.begin() as ctx:
        release_stranded(ctx)
    with transactions.begin() as ctx:
        rows = open_lines(ctx)
    beside = naming_one(rows)
    for row in reversed(rows):
        try:
            with transactions.begin() as ctx:
                look_at(ctx, row, beside)
        except ShopError as error:  # one line that is just being worked at holds up no other
            log.warning("bank.line_postponed", receipt_id=str(row.id), code=error.error_code)


def look_at(ctx: Ctx, row: Any, beside: dict[str, list[UUID]]) -> bool:
    """Let the rules look at one line; True when it is explained by it."""
    if row.amount_fen < 0:
        return match_outgoing(ctx, row.id)
    if set_payout_aside(ctx, row.id):
        return True
    numbers = numbers_in(row.remark)
    others = beside.get(numbers[0], []) if len(numbers) == 1 else []
    return match_receipt(ctx, row.id, [one for one in others if one != row.id])


def open_lines(ctx: Ctx) -> list[Any]:
    """Every line that is not explained yet, the newest first."""
    found = ctx.session.execute(
        select(RECEIPTS.c.id, RECEIPTS.c.amount_fen, RECEIPTS.c.remark)
        .where(RECEIPTS.c.state == ReceiptState.OPEN)
        .order_by(RECEIPTS.c.id.desc())
        .limit(SLICE)
    )
    return list(found)


def naming_one(rows: list[Any]) -> dict[str, list[UUID]]:
    """Order number -> the incoming lines whose remark names it and no other."""
    found: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        numbers = numbers_in(row.remark) if row.amount_fen > 0 else []
        if len(numbers) == 1:
            found[numbers[0]].append(row.id)
    return found


def release_stranded(ctx: Ctx) -> int:
    """Matches of orders that were closed, or paid otherwise, give their money back to the lines."""
    found = ctx.session.execute(bank_rows.STRANDED).all()
    count = 0
    for row in sorted(found, key=lambda one: one.order_id):
        order = locked_order(ctx, row.order_id)
        if order.state is row.state:
            count += bank_rows.release_matches(ctx, row.order_id, f"order_{row.state}")
    return count


@job(CLOSE)
def close_given_up(transactions: Transactions, reference: str) -> None:
    """Close the checkout of an order that has been paid otherwise, so that nobody pays twice."""
    status = close_checkout(gateway(transactions.settings), transactions, reference)
    with transactions.begin() as ctx:
        apply_status(ctx, status)
