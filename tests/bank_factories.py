"""A bank that says what a test wants, and what the mall made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from models.bank import BankMatch, BankReceipt
from models.ledger import JournalEntry, Posting
from models.orders import Order
from models.organization import Purpose
from shop.context import Ctx, Transactions
from shop.orders.commands import place_order
from shop.orders.inputs import Placed, PlaceOrder
from shop.payments.bank_import import import_statement
from shop.payments.bank_jobs import match_receipts
from tests.conftest import actor_of
from tests.shop.test_orders_place import WISH

FOR_UNIT = replace(WISH, buyer=None, purpose=Purpose.UNION_GIFT)
TOTAL = 13980
"""What FOR_UNIT costs, in fen."""

HEADER = "交易日期,贷方发生额,借方发生额,对方户名,附言,流水号"
DAY = "2026-11-23"


def unit_order(
    transactions: Transactions, wish: PlaceOrder = FOR_UNIT, name: str = "uma"
) -> Placed:
    with transactions.acting(actor_of(transactions, name)).begin() as ctx:
        return place_order(ctx, wish)


def csv(*lines: tuple[int, str] | tuple[int, str, str], day: str = DAY, first: int = 1) -> bytes:
    """A statement: (fen, remark, payer) of each line; negative fen went out."""
    rows = [HEADER]
    for number, (fen, remark, *payer) in enumerate(lines, start=first):
        money = f"{abs(fen) // 100}.{abs(fen) % 100:02}"
        both = f"{money}," if fen > 0 else f",{money}"
        rows.append(f"{day},{both},{payer[0] if payer else '某单位'},{remark},{day}-{number}")
    return "\n".join(rows).encode()


def bank_says(transactions: Transactions, *lines: Any, name: str = "fiona", **more: Any) -> None:
    """Import lines and let the rules look at them."""
    with transactions.acting(actor_of(transactions, name)).begin() as ctx:
        import_statement(ctx, "statement.csv", csv(*lines, **more))
    match_receipts(transactions)


def receipts(ctx: Ctx) -> list[tuple[str, int, int, str]]:
    """(state, amount, matched, why open) of every line, by amount."""
    rows = ctx.session.execute(
        select(
            BankReceipt.state,
            BankReceipt.amount_fen,
            BankReceipt.matched_fen,
            BankReceipt.open_reason,
        ).order_by(BankReceipt.amount_fen, BankReceipt.id)
    )
    return [(str(row.state), row.amount_fen, row.matched_fen, row.open_reason) for row in rows]


def matches(ctx: Ctx) -> list[tuple[str, int, str]]:
    """(state, amount, why) of every match, by amount."""
    rows = ctx.session.execute(
        select(BankMatch.state, BankMatch.amount_fen, BankMatch.why).order_by(
            BankMatch.amount_fen, BankMatch.id
        )
    )
    return [(str(row.state), row.amount_fen, row.why) for row in rows]


def states(ctx: Ctx) -> dict[str, str]:
    """Order number -> state."""
    return {
        number: str(state)
        for number, state in ctx.session.execute(select(Order.number, Order.state))
    }


def balances(ctx: Ctx, accounts: Iterable[str] = ("bank", "suspense")) -> dict[str, int]:
    rows = ctx.session.execute(
        select(Posting.account, func.sum(Posting.amount_fen))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .group_by(Posting.account)
    )
    found = {account: int(fen) for account, fen in rows}
    return {name: found.get(name, 0) for name in accounts}


def receipt_id(ctx: Ctx, amount_fen: int) -> UUID:
    found: UUID = ctx.session.execute(
        select(BankReceipt.id).where(BankReceipt.amount_fen == amount_fen)
    ).scalar_one()
    return found


def match_id(ctx: Ctx) -> UUID:
    """The newest match."""
    found: UUID = ctx.session.execute(
        select(BankMatch.id).order_by(BankMatch.id.desc()).limit(1)
    ).scalar_one()
    return found
