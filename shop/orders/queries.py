"""Reading orders: a constant number of statements however many lines they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from models.catalog import Cooperative
from models.orders import Consignment, Order, OrderLine, OrderState
from shop import crypto, phones
from shop.context import Ctx
from shop.errors import Unauthenticated
from shop.ids import is_order_number
from shop.orders.access import access_token, refuse_unseen
from shop.orders.opened_queries import line_shown, opened_by_id, opened_by_number, part_shown
from shop.orders.states import reading

ORDERS, CONSIGNMENTS, LINES = Order.__table__, Consignment.__table__, OrderLine.__table__
COOPERATIVES = Cooperative.__table__

Row = dict[str, Any]

# Built once: building a statement anew costs as much as sending it.
PARTS = (
    select(
        CONSIGNMENTS,
        COOPERATIVES.c.code.label("cooperative_code"),
        COOPERATIVES.c.name.label("cooperative_name"),
    )
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(CONSIGNMENTS.c.order_id == bindparam("wanted", type_=ARRAY(Uuid)).any_())
    .order_by(CONSIGNMENTS.c.number)
)
LINES_OF = (
    select(LINES)
    .where(LINES.c.order_id == bindparam("wanted", type_=ARRAY(Uuid)).any_())
    .order_by(LINES.c.order_id, LINES.c.position)
)


def order_for(ctx: Ctx, number: str, token: str | None = None) -> Row:
    """An order with its consignments, lines and timeline, as its buyer may see it.

    The phone is masked: nobody needs to be told their own number.

    Raises:
        NotFound: there is none, or the actor may not see it.
    """
    order = opened_by_number(ctx, number) if is_order_number(number) else None
    refuse_unseen(ctx, order, token)
    assert order is not None
    return _shown(ctx, order)


def order_by_id(ctx: Ctx, order_id: UUID) -> Row:
    """`order_for` without the question who asks: for commands and jobs.

    Raises:
        LookupError: there is none, a bug.
    """
    order = opened_by_id(ctx, order_id)
    if order is None:
        raise LookupError(order_id)
    return _shown(ctx, order)


def _shown(ctx: Ctx, order: Row) -> Row:
    phone = crypto.decrypt(order.pop("phone_encrypted"), ctx.settings.secret_key)
    return {
        **order,
        "access_token": access_token(ctx.settings, order["id"]),
        "status": reading(order["state"], [part["state"] for part in order["consignments"]]),
        "address": {
            "recipient": order["recipient"],
            "phone": phones.mask(phone),
            "division_code": order["division_code"],
            "division": order["division_text"],
            "detail": order["address_detail"],
        },
    }


def orders_of_actor(ctx: Ctx, before: UUID | None, limit: int) -> list[Row]:
    """The actor's own orders, newest first, with their consignments and lines.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if ctx.actor.user_id is None:
        raise Unauthenticated
    wanted = [ORDERS.c.buyer_id == ctx.actor.user_id]
    if before is not None:
        wanted.append(ORDERS.c.id < before)
    heads = (
        ctx.session.execute(
            select(
                ORDERS.c.id,
                ORDERS.c.number,
                ORDERS.c.state,
                ORDERS.c.goods_fen,
                ORDERS.c.discount_fen,
                ORDERS.c.freight_fen,
                ORDERS.c.total_fen,
                ORDERS.c.placed_at,
                ORDERS.c.pay_before,
                ORDERS.c.paid_at,
            )
            .where(*wanted)
            .order_by(ORDERS.c.id.desc())
            .limit(limit)
        )
        .mappings()
        .all()
    )
    parts = _consignments(ctx, [head["id"] for head in heads])
    return [
        {
            **head,
            "consignments": parts[head["id"]],
            "status": reading(head["state"], [part["state"] for part in parts[head["id"]]]),
        }
        for head in heads
    ]


def state_of(ctx: Ctx, order_id: UUID) -> OrderState:
    """Just the state of an order."""
    found: OrderState = ctx.session.execute(
        select(ORDERS.c.state).where(ORDERS.c.id == order_id)
    ).scalar_one()
    return found


def _consignments(ctx: Ctx, order_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The consignments of several orders with their lines: two statements for all of them."""
    by_order: dict[UUID, list[Row]] = defaultdict(list)
    if not order_ids:
        return by_order
    lines = _lines(ctx, order_ids)
    found = ctx.session.execute(PARTS, {"wanted": order_ids}).mappings()
    for part in found:
        by_order[part["order_id"]].append(part_shown(part, lines[part["id"]]))
    return by_order


def _lines(ctx: Ctx, order_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    by_consignment: dict[UUID, list[Row]] = defaultdict(list)
    for line in ctx.session.execute(LINES_OF, {"wanted": order_ids}).mappings():
        by_consignment[line["consignment_id"]].append(line_shown(line))
    return by_consignment
