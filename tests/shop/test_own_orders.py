"""A buyer's own orders, and what a guest still knows of one."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from sqlalchemy import select, update

from models.identity import User
from models.orders import Consignment, ConsignmentState, Order, OrderState
from shop.errors import NotFound, Unauthenticated
from shop.orders.access import access_token
from shop.orders.lookup_queries import access_by_phone
from shop.orders.own_queries import Shelf, own_counts, own_orders
from shop.orders.states import reading
from tests import cast
from tests.conftest import NOW, acting
from tests.fulfilment_factories import place

ORDERS, PARTS = Order.__table__, Consignment.__table__
C, O = ConsignmentState, OrderState  # noqa: E741
STATES = [
    (order, parts)
    for order in OrderState
    for parts in combinations_with_replacement(ConsignmentState, 2)
]


@pytest.fixture
def alices(ctx):
    """An order of Alice's in two consignments; the number."""
    number = place(ctx)
    alice = select(User.id).where(User.email == cast.email("alice")).scalar_subquery()
    ctx.session.execute(update(ORDERS).where(ORDERS.c.number == number).values(buyer_id=alice))
    return number


def put(ctx, number: str, order: OrderState, parts: tuple[ConsignmentState, ...]) -> None:
    paid = NOW if order is O.PAID else None
    ctx.session.execute(
        update(ORDERS).where(ORDERS.c.number == number).values(state=order, paid_at=paid)
    )
    for place_, state in enumerate(parts, start=1):
        ctx.session.execute(
            update(PARTS).where(PARTS.c.number == f"{number}-{place_}").values(state=state)
        )


def shelf_of(status: str) -> str | None:
    """The part shipped wait with those to be shipped; what was cancelled stands nowhere."""
    known = {
        "partially_shipped": "pending_shipment",
        **dict.fromkeys(("cancelled", "refunding", "refunded")),
    }
    return known.get(status, status)


@pytest.mark.parametrize(("order", "parts"), STATES)
def test_an_order_stands_where_it_is_read_to_stand(ctx, alices, order, parts):
    put(ctx, alices, order, parts)
    mine = acting(ctx, "alice")
    [found] = own_orders(mine)
    assert found["status"] == reading(order, parts)
    standing = [shelf for shelf in Shelf if own_orders(mine, shelf=shelf)]
    wanted = shelf_of(found["status"])
    assert standing == ([Shelf(wanted)] if wanted else [])
    assert own_counts(mine) == {shelf.value: int(shelf in standing) for shelf in Shelf}


def test_others_orders_are_not_among_them(ctx, alices):
    place(ctx)
    assert [row["number"] for row in own_orders(acting(ctx, "alice"))] == [alices]
    assert own_orders(acting(ctx, "stan")) == []


def test_they_come_newest_first_page_by_page(ctx, alices):
    second = place(ctx)
    alice = acting(ctx, "alice")
    ctx.session.execute(
        update(ORDERS).where(ORDERS.c.number == second).values(buyer_id=alice.actor.user_id)
    )
    [first] = own_orders(alice, limit=1)
    [after] = own_orders(alice, before=first["id"], limit=1)
    assert (first["number"], after["number"]) == (second, alices)
    assert [line["quantity"] for line in first["lines"]] == [3, 2]


@pytest.mark.parametrize("ask", [own_orders, own_counts])
def test_a_visitor_has_none_to_ask_for(ctx, ask):
    with pytest.raises(Unauthenticated):
        ask(ctx)


def test_number_and_phone_open_an_order(ctx):
    number = place(ctx)
    order_id = ctx.session.execute(select(ORDERS.c.id).where(ORDERS.c.number == number)).scalar()
    expected = access_token(ctx.settings, order_id)
    assert access_by_phone(ctx, number, "+86 154 0000 0001") == expected


@pytest.mark.parametrize("phone", ["13800000000", "", "letters", "1" * 100])
def test_another_phone_does_not(ctx, phone):
    number = place(ctx)
    with pytest.raises(NotFound) as wrong_phone:
        access_by_phone(ctx, number, phone)
    with pytest.raises(NotFound) as wrong_number:
        access_by_phone(ctx, "26112300000000", "15400000001")
    assert wrong_phone.value.message("zh") == wrong_number.value.message("zh")
