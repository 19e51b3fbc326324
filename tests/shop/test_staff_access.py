"""Staff read orders on their desk, masked; they are not the buyer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shop.errors import NotFound
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.orders.access import order_id_for
from shop.orders.commands import confirm_receipt, place_order
from shop.orders.desk import order_on_desk
from tests.conftest import acting
from tests.fulfilment_factories import pay
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


def test_the_timeline_tells_who_ships_and_not_who_buys(ctx):
    alice, bob = acting(ctx, "alice"), acting(ctx, "bob")
    placed = place_order(alice, replace(WISH, buyer=None))
    pay(ctx, placed.number)
    ship_parcel(bob, f"{placed.number}-1", ShipParcel("ems", "EMS1234"))
    confirm_receipt(alice, placed.id)
    assert told(ctx, placed.number) == [
        ("place", None, True),
        *[("pay", None, False)] * 3,
        ("ship_all", "Bob", False),
        ("complete", None, True),
    ]


def test_who_opened_an_order_by_its_link_is_not_named_either(ctx):
    placed = place_order(ctx, WISH)
    pay(ctx, placed.number)
    ship_parcel(acting(ctx, "bob"), f"{placed.number}-1", ShipParcel("ems", "EMS1234"))
    confirm_receipt(acting(ctx, "stan"), placed.id)
    assert told(ctx, placed.number)[-1] == ("complete", None, False)


def told(ctx, number):
    """(event, actor, whether it was the buyer) of the timeline."""
    events = order_on_desk(acting(ctx, "olga"), number)["events"]
    return [(one["event"], one["actor"], one["by_buyer"]) for one in events]
