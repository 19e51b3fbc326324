"""Goods are confirmed, by the buyer or the timer, while somebody is at work on the same order."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from models.orders import Order
from shop.context import Ctx, Transactions
from shop.db import Database
from shop.errors import ShopError
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.orders.access import locked_order
from shop.orders.commands import confirm_receipt
from shop.orders.jobs import complete_shipped
from tests import refund_factories as fact
from tests.conftest import acting

pytestmark = pytest.mark.race

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


class Racer(Thread):
    """A call in a thread of its own; `ended` says what became of it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call, self.ended = call, ""
        self.start()

    def run(self) -> None:
        self.ended = outcome(self._call)


def outcome(call: Callable[[], Any]) -> str:
    """What became of a call: "done", or the code of its refusal."""
    try:
        call()
    except ShopError as error:
        return error.error_code
    return "done"


def half_shipped(transactions: Transactions) -> UUID:
    """A paid order: Bob's tea has been shipped, Charlie's walnuts have not."""
    with transactions.begin() as ctx:
        order = fact.bought(ctx)
        number = ctx.session.execute(select(Order.number).where(Order.id == order)).scalar_one()
        ship_parcel(acting(ctx, "bob"), f"{number}-1", ShipParcel("zhongtong", "ZT0001"))
    return order


def parts(transactions: Transactions, order: UUID) -> list[str]:
    with transactions.begin() as ctx:
        return fact.parts(ctx, order)


def until_somebody_waits(database: Database) -> None:
    with database.engine.connect() as line:
        while not line.execute(text(WAITING)).scalar_one():
            line.rollback()


def confirmed_under_a_refund(
    transactions: Transactions, database: Database, order: UUID
) -> list[str]:
    """What is left is refunded; the buyer confirms while the refund holds the order."""

    def confirm() -> None:
        with transactions.begin() as ctx:
            confirm_receipt(ctx, order)

    def refund() -> None:
        with transactions.begin() as ctx:
            locked_order(ctx, order)
            racers.append(Racer(confirm))
            until_somebody_waits(database)
            fact.ask(ctx, order, fact.of(ctx, order, 2))

    racers: list[Racer] = []
    ended = outcome(refund)
    racers[0].join(60)
    return sorted([ended, racers[0].ended])


def test_a_receipt_waits_for_the_refund_of_the_rest(
    transactions: Transactions, database: Database
) -> None:
    order = half_shipped(transactions)
    assert confirmed_under_a_refund(transactions, database, order) == ["done", "done"]
    assert parts(transactions, order) == ["completed", "cancelled"]


def test_control_without_the_orders_lock_they_wait_for_each_other(
    transactions: Transactions, database: Database, loose: Any
) -> None:
    order = half_shipped(transactions)
    loose.without(r"\s+FOR NO KEY UPDATE")
    assert confirmed_under_a_refund(transactions, database, order) == ["done", "try_again"]


def test_the_timer_leaves_an_order_to_whoever_is_at_work_on_it(
    transactions: Transactions, time: Any
) -> None:
    held, free = half_shipped(transactions), half_shipped(transactions)
    time.forward(days=11)
    with transactions.begin() as ctx:
        locked_order(ctx, held)
        timer = Racer(lambda: complete_shipped(transactions))
        timer.join(60)
        assert timer.ended == "done"
        fact.ask(ctx, held, fact.of(ctx, held, 2))
    assert parts(transactions, held) == ["shipped", "cancelled"]
    assert parts(transactions, free) == ["completed", "pending_shipment"]
    complete_shipped(transactions)
    assert parts(transactions, held) == ["completed", "cancelled"]


def test_ten_days_to_the_moment(transactions: Transactions, time: Any) -> None:
    order = half_shipped(transactions)
    time.forward(days=10)
    complete_shipped(transactions)
    assert parts(transactions, order) == ["shipped", "pending_shipment"]
    time.forward(seconds=1)
    complete_shipped(transactions)
    complete_shipped(transactions)
    assert parts(transactions, order) == ["completed", "pending_shipment"]
    with transactions.begin() as ctx:
        events = [event for event in told(ctx, order) if event[0] == "complete"]
    assert events == [("complete", "timer", None)]


def told(ctx: Ctx, order: UUID) -> list[tuple[str, str, Any]]:
    """(event, why, who) of the timeline."""
    found = ctx.session.execute(
        text("SELECT event, why, actor_id FROM order_event WHERE order_id = :order ORDER BY id"),
        {"order": order},
    )
    return [tuple(row) for row in found]
