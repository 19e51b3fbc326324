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


def test_of_two_managers_with_the_same_tag_one_sets_the_price(transactions, together):
    bob = transactions.acting(actor_of(transactions, "bob"))

    def set_price() -> int:
        with bob.begin() as ctx:
            return change_price(ctx, "P01-1", 5000, "", 1)

    results = together(set_price, set_price)
    assert sorted(map(outcome, results), key=str) == [2, "precondition_failed"]


def test_the_last_box_is_either_sold_or_found_broken(transactions, together):
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
    assert sorted(map(outcome, results)) in (["broken", "out_of_stock"], ["below_reserved", "sold"])
    with transactions.begin() as ctx:
        assert queries.level(ctx.session, box).available == 0
