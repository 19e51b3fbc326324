"""Orders as the organization's staff reads them: everything but who lives where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, exists, select, true

from models.identity import Role, RoleGrant, User
from models.orders import Consignment, Order, OrderEvent, OrderState
from models.organization import Channel, Unit
from shop import phones
from shop.context import Ctx
from shop.identity.policy import STAFF
from shop.orders.access import order_id_of
from shop.orders.queries import IS_REFUNDED, SETTLES, SETTLING, order_by_id
from shop.orders.states import reading

ORDERS, CONSIGNMENTS = Order.__table__, Consignment.__table__
EVENTS, USERS, GRANTS = OrderEvent.__table__, User.__table__, RoleGrant.__table__
UNITS, CHANNELS = Unit.__table__, Channel.__table__

Row = dict[str, Any]

BY_BUYER = EVENTS.c.actor_id == ORDERS.c.buyer_id
AT_A_DESK = exists(
    select(GRANTS.c.id).where(
        GRANTS.c.user_id == EVENTS.c.actor_id, GRANTS.c.role.in_((*STAFF, Role.COOP_MANAGER))
    )
)
"""Whose name a timeline may tell: a person at work here. Whoever opened the order by its link may
be signed in too, and is a buyer like the one whose order it is."""


def orders_on_desk(
    ctx: Ctx,
    *,
    number: str = "",
    state: OrderState | None = None,
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """Orders of all buyers, newest first; names are masked.

    `number` is the beginning of an order number, `before` the `id` of the last row already read.
    """
    wanted = []
    if number:
        wanted.append(ORDERS.c.number.startswith(number, autoescape=True))
    if state is not None:
        wanted.append(ORDERS.c.state == state)
    if before is not None:
        wanted.append(ORDERS.c.id < before)
    found = (
        ctx.session.execute(
            select(
                *(ORDERS.c[name] for name in LISTED),
                UNITS.c.name.label("unit_name"),
                UNITS.c.name_en.label("unit_name_en"),
                CHANNELS.c.name.label("channel_name"),
                CHANNELS.c.name_en.label("channel_name_en"),
                IS_REFUNDED.label("is_refunded"),
            )
            .join(CHANNELS, CHANNELS.c.id == ORDERS.c.channel_id)
            .outerjoin(UNITS, UNITS.c.id == ORDERS.c.unit_id)
            .outerjoin(SETTLING, SETTLES)
            .where(*wanted)
            .order_by(ORDERS.c.id.desc())
            .limit(limit)
        )
        .mappings()
        .all()
    )
    parts = _part_states(ctx, [row["id"] for row in found])
    return [
        {
            **row,
            "buyer_name": phones.mask_name(row["buyer_name"]),
            "status": reading(row["state"], parts[row["id"]], refunded=row["is_refunded"]),
        }
        for row in found
    ]


LISTED = ("id", "number", "state", "buyer_name", "buyer_kind", "total_fen", "placed_at", "paid_at")


def order_on_desk(ctx: Ctx, number: str) -> Row:
    """An order with its parts and its timeline; names, addresses and the note are masked.

    Every event of the timeline tells who of the staff did it (`actor`; empty for buyers and the
    system), and whether it was the order's own buyer (`by_buyer`). The surface
    has asked for `orders.read_any`.

    Raises:
        NotFound: there is none.
    """
    order = order_by_id(ctx, order_id_of(ctx, number))
    address = order["address"]
    return {
        **{key: value for key, value in order.items() if key not in PERSONAL},
        "buyer_name": phones.mask_name(order["buyer_name"]),
        "address": {
            **address,
            "recipient": phones.mask_name(address["recipient"]),
            "detail": phones.mask_address(address["detail"]),
        },
        "has_note": bool(order["note"]),
        "events": _timeline(ctx, order["id"]),
    }


PERSONAL = frozenset({"recipient", "address_detail", "buyer_email", "note", "access_token"})
"""What of an order staff does not need to follow it: the buyer wrote it for the cooperative."""


def _part_states(ctx: Ctx, order_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    states: dict[UUID, list[Any]] = {order_id: [] for order_id in order_ids}
    rows = ctx.session.execute(
        select(CONSIGNMENTS.c.order_id, CONSIGNMENTS.c.state).where(
            CONSIGNMENTS.c.order_id.in_(order_ids)
        )
    )
    for row in rows:
        states[row.order_id].append(row.state)
    return states


def _timeline(ctx: Ctx, order_id: UUID) -> list[Row]:
    rows = ctx.session.execute(
        select(
            EVENTS.c.subject,
            EVENTS.c.event,
            EVENTS.c.to_state,
            EVENTS.c.why,
            EVENTS.c.at,
            CONSIGNMENTS.c.number.label("consignment"),
            case((and_(AT_A_DESK, BY_BUYER.is_not(true())), USERS.c.name)).label("actor"),
            BY_BUYER.is_(true()).label("by_buyer"),
        )
        .join(ORDERS, ORDERS.c.id == EVENTS.c.order_id)
        .outerjoin(CONSIGNMENTS, CONSIGNMENTS.c.id == EVENTS.c.subject_id)
        .outerjoin(USERS, USERS.c.id == EVENTS.c.actor_id)
        .where(EVENTS.c.order_id == order_id)
        .order_by(EVENTS.c.at, EVENTS.c.id)
    )
    return [dict(row) for row in rows.mappings()]
