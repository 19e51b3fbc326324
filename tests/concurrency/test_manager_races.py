"""Managers meet each other, and their buyers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.catalog import Sku
from models.inventory import MovementCause
from shop.catalog.commands import change_price
from shop.context import Transactions
from shop.errors import ShopError
from shop.ids import new_id
from shop.inventory import queries
from shop.inventory.commands import adjust, reserve
from tests.conftest import actor_of

pytestmark = pytest.mark.race


def sku_id(transactions: Transactions, code: str) -> Any:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(Sku.id).where(Sku.code == code)).scalar_one()


def outcome(result: Any) -> Any:
    return result.error_code if isinstance(result, ShopError) else result


def prices_set(transactions: Transactions, together: Any) -> list[Any]:
    """Two windows of one manager, with the same tag, set the price at once."""
    bob = transactions.acting(actor_of(transactions, "bob"))

    def set_price() -> int:
        with bob.begin() as ctx:
            return change_price(ctx, "P01-1", 5000, "春茶涨价", 1)

    return sorted(map(outcome, together(set_price, set_price)), key=str)


def test_of_two_managers_with_the_same_tag_one_sets_the_price(transactions, together):
    assert prices_set(transactions, together) == [2, "precondition_failed"]


def test_control_without_the_tag_the_second_price_covers_the_first(transactions, together, loose):
    loose.without(r"AND sku\.version = \S+")
    assert prices_set(transactions, together) == [2, 3]


def last_box(transactions: Transactions, together: Any) -> tuple[list[Any], int]:
    """The last box is bought and found broken at once: what came of both, and what is left."""
    box = sku_id(transactions, "P25-1")

    def change(pieces: int) -> str:
        with transactions.begin() as ctx:
            adjust(ctx, box, pieces, MovementCause.DAMAGE, "压坏")
        return "broken"

    def buy() -> str:
        with transactions.begin() as ctx:
            reserve(ctx, new_id(), {box: 1})
        return "sold"

    change(-159)
    results = together(lambda: change(-1), buy)
    with transactions.begin() as ctx:
        return sorted(map(outcome, results)), queries.level(ctx.session, box).available


def test_the_last_box_is_either_sold_or_found_broken(transactions, together):
    results, left = last_box(transactions, together)
    assert results in (["broken", "out_of_stock"], ["below_reserved", "sold"])
    assert left == 0


def test_control_without_the_guards_a_broken_box_is_sold(transactions, together, loose):
    loose.drop("stock.ck_stock_never_oversold")
    loose.without(
        r"AND stock\.on_hand - stock\.reserved >= \w+\.quantity",
        r"AND stock\.on_hand \+ \S+ >= stock\.reserved",
    )
    assert last_box(transactions, together) == (["broken", "sold"], -1)
