"""Orders that are placed and paid, ready to be shipped."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.orders import Consignment, Order, OrderLine
from shop.context import Ctx
from shop.identity.rules import AddressInput
from shop.ids import new_id
from shop.orders.access import locked_order
from shop.orders.commands import place_order
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.orders.payment_commands import mark_paid
from tests.cast import ADDRESS


def place(ctx: Ctx, *lines: tuple[str, int]) -> str:
    """An order's number; by default 3 of Bob's tea and 2 of Charlie's walnuts."""
    wish = PlaceOrder(
        lines=lines or (("P01-1", 3), ("P06-1", 2)),
        address=AddressInput(**ADDRESS),
        buyer=BuyerInput(name="林晓"),
        note="请放门卫",
        no_return_confirmed=True,
    )
    return place_order(ctx, wish).number


def pay(ctx: Ctx, number: str) -> None:
    order_id = ctx.session.execute(select(Order.id).where(Order.number == number)).scalar_one()
    mark_paid(ctx, locked_order(ctx, order_id), new_id(), ctx.now)


def paid(ctx: Ctx, *lines: tuple[str, int]) -> str:
    """The number of a paid order; its consignments are `<number>-1` (Bob), `-2` (Charlie)."""
    number = place(ctx, *lines)
    pay(ctx, number)
    return number


def lines_of(ctx: Ctx, consignment_number: str) -> list[Any]:
    return list(
        ctx.session.execute(
            select(OrderLine.__table__)
            .join(Consignment, Consignment.id == OrderLine.consignment_id)
            .where(Consignment.number == consignment_number)
            .order_by(OrderLine.position)
        )
    )
