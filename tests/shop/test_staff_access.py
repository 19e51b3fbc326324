"""Staff read orders on their desk, masked; they are not the buyer."""

from __future__ import annotations

import pytest

from shop.errors import NotFound
from shop.orders.access import order_id_for
from shop.orders.commands import place_order
from shop.orders.desk import order_on_desk
from tests.conftest import acting
from tests.shop.test_orders_place import WISH


@pytest.mark.parametrize("who", ["olga", "fiona", "ada", "bob", "alice"])
def test_nobody_else_acts_as_the_buyer(ctx, who):
    number = place_order(ctx, WISH).number
    with pytest.raises(NotFound):
        order_id_for(acting(ctx, who), number)


def test_the_desk_shows_no_person(ctx):
    number = place_order(ctx, WISH).number
    shown = order_on_desk(acting(ctx, "olga"), number)
    assert (shown["buyer_name"], shown["address"]["recipient"]) == ("林*", "林*")
    assert "access_token" not in shown
    assert "220" not in shown["address"]["detail"]
