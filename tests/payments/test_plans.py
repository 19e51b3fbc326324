"""What each purchase asks is planned once a connection, not once a purchase.

PostgreSQL plans a prepared statement anew for its first five executions, and for ever if the values
make it look cheaper than any values would: an array shorter than the ten it expects, a code that
is not given. Planning the joins of a basket costs twice as much as running them.
"""

from __future__ import annotations

from sqlalchemy import text

from shop.orders.commands import place_order
from shop.orders.queries import order_by_id, order_for
from shop.payments.commands import start_payment
from shop.payments.sync import sync_payment
from tests.shop.test_orders_place import WISH

TRIED = 5
"""Executions after which PostgreSQL compares (`plancache.c`)."""

PURCHASES = 12
PLANS = text("SELECT custom_plans, generic_plans, statement FROM pg_prepared_statements")


def test_a_purchase_is_planned_once(transactions, provider):
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE stock SET on_hand = on_hand + 1000"))
    for _ in range(PURCHASES):
        with transactions.begin() as ctx:
            placed = place_order(ctx, WISH)
            order_by_id(ctx, placed.id)
        start_payment(transactions, placed.number, token=placed.access_token)
        reference = list(provider.checkouts)[-1]
        provider.pay(reference)
        assert sync_payment(transactions, reference)
        with transactions.begin() as ctx:
            assert order_for(ctx, placed.number, placed.access_token)["state"] == "paid"
    with transactions.begin() as ctx:
        plans = ctx.session.execute(PLANS).all()
    asked = [plan for plan in plans if plan.custom_plans + plan.generic_plans >= PURCHASES - 2]
    assert len(asked) > 20
    anew = [plan.statement for plan in asked if plan.custom_plans > TRIED]
    assert anew == []
