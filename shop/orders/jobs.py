"""What the worker does for orders."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.orders import Consignment, ConsignmentState, Order
from shop.context import Transactions
from shop.jobs.registry import job
from shop.orders.commands import complete

ORDERS, CONSIGNMENTS = Order.__table__, Consignment.__table__
SLICE = 500


@job("orders.complete_shipped", cron="7 * * * *")
def complete_shipped(transactions: Transactions) -> None:
    """What was shipped days ago has arrived (domain 4.4: 10 days).

    An order that somebody is at work on is left to the next hour: waiting for one would hold up
    all the others, and whoever wants these.
    """
    with transactions.begin() as ctx:
        before = ctx.now - timedelta(days=ctx.settings.auto_complete_days)
        found = ctx.session.execute(
            select(CONSIGNMENTS.c.id, CONSIGNMENTS.c.order_id)
            .join(ORDERS, ORDERS.c.id == CONSIGNMENTS.c.order_id)
            .where(
                CONSIGNMENTS.c.state == ConsignmentState.SHIPPED,
                CONSIGNMENTS.c.shipped_at < before,
            )
            .order_by(CONSIGNMENTS.c.id)
            .limit(SLICE)
            .with_for_update(of=ORDERS, key_share=True, skip_locked=True)
        ).all()
        for row in found:
            complete(ctx, row.id, row.order_id, "timer")
