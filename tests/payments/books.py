"""Everything that money has to do with, read at once: for exact asserts and for comparing ends."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, true

from models.aid import AidEntry
from models.inventory import Stock
from models.ledger import JournalEntry, Posting
from models.orders import Consignment, Order
from models.payments import Payment
from models.reconciliation import Difference
from models.refunds import Dispute, Refund
from shop.context import Transactions


def balances(transactions: Transactions, order: UUID | None = None) -> dict[str, int]:
    """account(:party) -> fen, accounts at zero left out; of one order or of all."""
    with transactions.begin() as ctx:
        rows = ctx.session.execute(
            select(Posting.account, Posting.party, func.sum(Posting.amount_fen))
            .join(JournalEntry, JournalEntry.id == Posting.entry_id)
            .where(true() if order is None else JournalEntry.order_id == order)
            .group_by(Posting.account, Posting.party)
            .order_by(Posting.account, Posting.party)
        )
        return {f"{a}:{p}" if p else a: int(fen) for a, p, fen in rows if fen}


def books(transactions: Transactions, order: UUID | None = None) -> dict[str, Any]:
    """What stands in every book, of one order or of all; the stock is always everybody's."""

    def of(column: Any) -> Any:
        return true() if order is None else column == order

    with transactions.begin() as ctx:
        run = ctx.session.execute
        payments = run(
            select(
                Payment.state,
                Payment.captured_fen,
                Payment.refunding_fen,
                Payment.refunded_fen,
                Payment.disputed_fen,
            )
            .where(of(Payment.order_id))
            .order_by(Payment.id)
        )
        stock = run(select(func.sum(Stock.on_hand), func.sum(Stock.reserved))).one()
        return {
            "orders": [
                str(one)
                for one in run(select(Order.state).where(of(Order.id)).order_by(Order.id)).scalars()
            ],
            "consignments": sorted(
                map(str, run(select(Consignment.state).where(of(Consignment.order_id))).scalars())
            ),
            "payments": [(str(row[0]), *row[1:]) for row in payments],
            "refunds": Counter(
                (str(cause), str(state), fen)
                for cause, state, fen in run(
                    select(Refund.cause, Refund.state, Refund.amount_fen).where(of(Refund.order_id))
                )
            ),
            "disputes": [
                (str(state), fen)
                for state, fen in run(
                    select(Dispute.state, Dispute.withheld_fen).where(of(Dispute.order_id))
                )
            ],
            "differences": sorted(
                run(select(Difference.kind).where(of(Difference.order_id))).scalars()
            ),
            "aid": int(
                run(
                    select(func.coalesce(func.sum(AidEntry.goods_fen), 0)).where(
                        of(AidEntry.order_id)
                    )
                ).scalar_one()
            ),
            "stock": (int(stock[0]), int(stock[1])),
        }
