"""Nothing is sold that is not there."""

from __future__ import annotations

import time as clock
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.catalog import Sku
from models.inventory import MovementCause, Stock, StockMovement
from models.orders import Order
from shop.context import Transactions
from shop.errors import Conflict
from shop.ids import new_id
from shop.inventory import commands as inventory
from shop.orders.commands import place_order
from tests.shop.test_orders_place import WISH

pytestmark = pytest.mark.race


def stocked(transactions: Transactions, sku: str, on_hand: int, reserved: int = 0) -> Any:
    """Leave `on_hand` pieces of a SKU, some of them promised already."""
    with transactions.begin() as ctx:
        sku_id = ctx.session.execute(select(Sku.id).where(Sku.code == sku)).scalar_one()
        level = ctx.session.orm.get_one(Stock, sku_id)
        inventory.adjust(ctx, sku_id, on_hand - level.on_hand, MovementCause.COUNT, "test")
        if reserved:
            inventory.reserve(ctx, new_id(), {sku_id: reserved})
    return sku_id


def buy(transactions: Transactions, *lines: tuple[str, int]) -> str:
    with transactions.begin() as ctx:
        return place_order(ctx, replace(WISH, lines=lines)).number


def level(transactions: Transactions, sku_id: Any) -> tuple[int, int]:
    with transactions.begin() as ctx:
        row = ctx.session.orm.get_one(Stock, sku_id)
        moved = ctx.session.execute(
            select(
                func.sum(StockMovement.on_hand_delta), func.sum(StockMovement.reserved_delta)
            ).where(StockMovement.sku_id == sku_id)
        ).one()
        assert tuple(moved) == (row.on_hand, row.reserved)
        return row.on_hand, row.reserved


def orders(transactions: Transactions) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(Order)).scalar_one()


def outcomes(results: list[Any]) -> list[str]:
    return sorted(one.error_code if isinstance(one, Exception) else "ok" for one in results)


def test_two_buyers_and_the_last_box(transactions, together):
    sku_id = stocked(transactions, "P03-1", 1)
    results = together(*[partial(buy, transactions, ("P03-1", 1))] * 2)
    assert outcomes(results) == ["ok", "out_of_stock"]
    assert (level(transactions, sku_id), orders(transactions)) == ((1, 1), 1)


def unguarded_reserve(ctx: Any, order_id: Any, quantities: Any) -> None:
    """What shops do that sell twice: look, then write."""
    del order_id
    for sku_id, quantity in quantities.items():
        held = ctx.session.execute(
            select(Stock.on_hand, Stock.reserved).where(Stock.sku_id == sku_id)
        ).one()
        if held.on_hand - held.reserved < quantity:
            raise Conflict(code="out_of_stock")
        clock.sleep(0.2)
        ctx.session.execute(
            update(Stock).where(Stock.sku_id == sku_id).values(reserved=held.reserved + quantity)
        )


def test_control_without_the_guard_both_get_the_last_box(transactions, together, monkeypatch):
    stocked(transactions, "P03-1", 1)
    monkeypatch.setattr("shop.orders.commands.reserve", unguarded_reserve)
    results = together(*[partial(buy, transactions, ("P03-1", 1))] * 2)
    assert outcomes(results) == ["ok", "ok"]
    assert orders(transactions) == 2


def test_the_database_itself_refuses_to_oversell(transactions):
    sku_id = stocked(transactions, "P03-1", 1)
    with pytest.raises(Exception, match="never_oversold"), transactions.begin() as ctx:
        ctx.session.execute(update(Stock).where(Stock.sku_id == sku_id).values(reserved=2))
    assert level(transactions, sku_id) == (1, 0)


def test_a_hundred_buyers_on_ten_boxes_of_which_four_are_promised(transactions, together):
    sku_id = stocked(transactions, "P03-1", 10, reserved=4)
    results = together(*[partial(buy, transactions, ("P03-1", 1))] * 100)
    assert outcomes(results) == ["ok"] * 6 + ["out_of_stock"] * 94
    assert (level(transactions, sku_id), orders(transactions)) == ((10, 10), 6)


def test_two_lines_of_one_sku_count_together(transactions, together):
    sku_id = stocked(transactions, "P03-1", 5)
    results = together(*[partial(buy, transactions, ("P03-1", 2), ("P03-1", 1))] * 2)
    assert outcomes(results) == ["ok", "out_of_stock"]
    assert level(transactions, sku_id) == (5, 3)


def test_opposite_line_orders_do_not_wait_for_each_other_in_a_ring(transactions, together):
    first, second = stocked(transactions, "P03-1", 100), stocked(transactions, "P01-1", 100)
    there = partial(buy, transactions, ("P03-1", 4), ("P01-1", 4))
    back = partial(buy, transactions, ("P01-1", 4), ("P03-1", 4))
    results = together(*[there, back] * 6)
    assert outcomes(results) == ["ok"] * 12
    assert (level(transactions, first), level(transactions, second)) == ((100, 48), (100, 48))


def test_control_who_locks_in_the_order_of_the_basket_makes_a_ring(
    transactions, together, loose, monkeypatch
):
    first, second = stocked(transactions, "P03-1", 100), stocked(transactions, "P01-1", 100)

    def unsorted(session: Any, sku_ids: Any) -> None:
        for sku_id in sku_ids:
            session.execute(select(Stock.sku_id).where(Stock.sku_id == sku_id).with_for_update())

    loose.meet(after="FOR UPDATE")  # each has its first
    monkeypatch.setattr("shop.inventory.commands.lock_stock", unsorted)
    there = partial(buy, transactions, ("P03-1", 4), ("P01-1", 4))
    back = partial(buy, transactions, ("P01-1", 4), ("P03-1", 4))
    assert outcomes(together(there, back)) == ["ok", "try_again"]
    held = sorted([level(transactions, first), level(transactions, second)])
    assert held == [(100, 4), (100, 4)]
