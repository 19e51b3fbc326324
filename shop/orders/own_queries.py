"""A buyer's own orders as a list: by what the buyer reads of them, two statements a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select

from models.orders import Consignment, ConsignmentState, Order, OrderLine, OrderState
from shop.context import Ctx
from shop.errors import Unauthenticated
from shop.orders.processing import IS_PROCESSING
from shop.orders.queries import IS_REFUNDED, SETTLES, SETTLING
from shop.orders.states import reading

ORDERS, CONSIGNMENTS, LINES = Order.__table__, Consignment.__table__, OrderLine.__table__

Row = dict[str, Any]

C = ConsignmentState
WAITING = (C.PENDING_PAYMENT, C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED)


class Shelf(StrEnum):
    """Where an order stands for its buyer; the part shipped wait with those to be shipped."""

    PENDING_PAYMENT = "pending_payment"
    PENDING_SHIPMENT = "pending_shipment"
    SHIPPED = "shipped"
    COMPLETED = "completed"


def own_orders(
    ctx: Ctx, *, shelf: Shelf | None = None, before: UUID | None = None, limit: int = 10
) -> list[Row]:
    """The actor's orders, newest first, each with its `status` and its `lines`.

    Args:
        ctx: the actor's.
        shelf: only those that stand there.
        before: the `id` of the last order already read.
        limit: how many at most.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    wanted = [_mine(ctx)]
    if shelf is not None:
        wanted.append(SHELVES[shelf])
    if before is not None:
        wanted.append(ORDERS.c.id < before)
    states = (
        select(func.array_agg(CONSIGNMENTS.c.state))
        .where(CONSIGNMENTS.c.order_id == ORDERS.c.id)
        .scalar_subquery()
    )
    columns = ("id", "number", "state", "total_fen", "placed_at", "pay_before")
    found = ctx.session.execute(
        select(
            *(ORDERS.c[name] for name in columns),
            states.label("states"),
            IS_REFUNDED.label("is_refunded"),
            IS_PROCESSING.label("payment_processing"),
        )
        .outerjoin(SETTLING, SETTLES)
        .where(*wanted)
        .order_by(ORDERS.c.id.desc())
        .limit(limit)
    ).mappings()
    heads = [dict(row) for row in found]
    lines = _lines(ctx, [head["id"] for head in heads])
    for head in heads:
        parts = (ConsignmentState(state) for state in head.pop("states") or ())
        head["status"] = reading(head["state"], parts, refunded=head["is_refunded"])
        head["lines"] = lines[head["id"]]
    return heads


def own_counts(ctx: Ctx) -> dict[str, int]:
    """Shelf -> how many of the actor's orders stand there and wait for them: one statement.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    row = ctx.session.execute(
        select(
            *(
                func.count().filter(condition).label(shelf.value)
                for shelf, condition in COUNTED.items()
            )
        ).where(_mine(ctx))
    ).one()
    return {shelf.value: getattr(row, shelf.value) for shelf in Shelf}


def _mine(ctx: Ctx) -> ColumnElement[bool]:
    if ctx.actor.user_id is None:
        raise Unauthenticated
    return ORDERS.c.buyer_id == ctx.actor.user_id


def _part(*states: ConsignmentState) -> ColumnElement[bool]:
    return exists(
        select(CONSIGNMENTS.c.id).where(
            CONSIGNMENTS.c.order_id == ORDERS.c.id, CONSIGNMENTS.c.state.in_(states)
        )
    )


_PAID = ORDERS.c.state == OrderState.PAID

SHELVES: dict[Shelf, ColumnElement[bool]] = {
    Shelf.PENDING_PAYMENT: ORDERS.c.state == OrderState.PENDING_PAYMENT,
    Shelf.PENDING_SHIPMENT: and_(_PAID, _part(*WAITING)),
    Shelf.SHIPPED: and_(_PAID, _part(C.SHIPPED), ~_part(*WAITING)),
    Shelf.COMPLETED: and_(_PAID, _part(C.COMPLETED), ~_part(C.SHIPPED, *WAITING)),
}
"""`shop.orders.states.reading`, said to the database."""

COUNTED = {
    **SHELVES,
    Shelf.PENDING_PAYMENT: and_(SHELVES[Shelf.PENDING_PAYMENT], ~IS_PROCESSING),
}
"""A count asks for something to be done: not for what is handed in already."""


def _lines(ctx: Ctx, order_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    by_order: dict[UUID, list[Row]] = defaultdict(list)
    if not order_ids:
        return by_order
    found = ctx.session.execute(
        select(
            LINES.c.order_id,
            LINES.c.product_name.label("name"),
            LINES.c.snapshot["product_name_en"].astext.label("name_en"),
            LINES.c.snapshot["image"].astext.label("image"),
            LINES.c.quantity,
        )
        .where(LINES.c.order_id.in_(order_ids))
        .order_by(LINES.c.order_id, LINES.c.position)
    ).mappings()
    for line in found:
        by_order[line["order_id"]].append(dict(line))
    return by_order
