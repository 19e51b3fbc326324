"""Reading orders: a constant number of statements however many lines they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CollectionAggregate,
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from models.catalog import Cooperative
from models.orders import Consignment, Order, OrderEvent, OrderLine, OrderState
from models.organization import Campaign, Channel, Storefront, Unit
from models.payments import Payment, PaymentState
from shop import crypto, phones
from shop.context import Ctx
from shop.errors import Unauthenticated
from shop.orders.access import access_token, visible
from shop.orders.processing import IS_PROCESSING
from shop.orders.states import reading

ORDERS, CONSIGNMENTS, LINES = Order.__table__, Consignment.__table__, OrderLine.__table__
EVENTS, COOPERATIVES = OrderEvent.__table__, Cooperative.__table__
UNITS, CHANNELS = Unit.__table__, Channel.__table__
CAMPAIGNS, STOREFRONTS = Campaign.__table__, Storefront.__table__

SETTLING = Payment.__table__.alias("settling")

Row = dict[str, Any]

SETTLES = and_(SETTLING.c.order_id == ORDERS.c.id, SETTLING.c.state == PaymentState.SUCCEEDED)
"""The payment that an order was settled with; there is one at most."""
REFUNDED_FEN = func.coalesce(SETTLING.c.refunded_fen, 0)
REFUNDING_FEN = func.coalesce(SETTLING.c.refunding_fen, 0)
IS_REFUNDED = and_(REFUNDED_FEN + func.coalesce(SETTLING.c.disputed_fen, 0) > 0, REFUNDING_FEN == 0)
"""Money has gone back, or its bank has taken it back, and no more is on its way; see
`states.reading`."""
HIDDEN = {
    "phone_encrypted",
    "phone_hash",
    "buyer_key",
    "unit_id",
    "channel_id",
    "campaign_id",
    "platform_id",
    "storefront_id",
}

# Built once: building a statement anew costs as much as sending it.
_HEAD = (
    select(
        *(column for column in ORDERS.c if column.name not in HIDDEN),
        ORDERS.c.phone_encrypted,
        UNITS.c.code.label("unit"),
        UNITS.c.name.label("unit_name"),
        UNITS.c.name_en.label("unit_name_en"),
        CHANNELS.c.code.label("channel"),
        CHANNELS.c.name.label("channel_name"),
        CHANNELS.c.name_en.label("channel_name_en"),
        CAMPAIGNS.c.code.label("campaign"),
        STOREFRONTS.c.code.label("storefront"),
        REFUNDED_FEN.label("refunded_fen"),
        REFUNDING_FEN.label("refunding_fen"),
        IS_REFUNDED.label("is_refunded"),
        IS_PROCESSING.label("payment_processing"),
    )
    .select_from(ORDERS)
    .join(CHANNELS, CHANNELS.c.id == ORDERS.c.channel_id)
    .join(STOREFRONTS, STOREFRONTS.c.id == ORDERS.c.storefront_id)
    .outerjoin(UNITS, UNITS.c.id == ORDERS.c.unit_id)
    .outerjoin(CAMPAIGNS, CAMPAIGNS.c.id == ORDERS.c.campaign_id)
    .outerjoin(SETTLING, SETTLES)
)
HEAD = _HEAD.where(ORDERS.c.id == bindparam("wanted"))
HEAD_BY_NUMBER = _HEAD.where(ORDERS.c.number == bindparam("wanted"))
TIMELINE = (
    select(
        EVENTS.c.subject,
        EVENTS.c.event,
        EVENTS.c.from_state,
        EVENTS.c.to_state,
        EVENTS.c.why,
        EVENTS.c.at,
    )
    .where(EVENTS.c.order_id == bindparam("wanted"))
    .order_by(EVENTS.c.at, EVENTS.c.id)
)
OF_A_LINE = (
    "id",
    "snapshot",
    "product_name",
    "sku_name",
    "quantity",
    "shipped_quantity",
    "withdrawn",
    "returned",
    "back_goods_fen",
    "back_freight_fen",
    "unit_price_fen",
    "goods_fen",
    "discount_fen",
    "no_return_confirmed",
)
_PARTS = (
    select(
        CONSIGNMENTS,
        COOPERATIVES.c.code.label("cooperative_code"),
        COOPERATIVES.c.name.label("cooperative_name"),
        COOPERATIVES.c.name_en.label("cooperative_name_en"),
        *(LINES.c[name].label(f"line_{name}") for name in OF_A_LINE),
    )
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .join(LINES, LINES.c.consignment_id == CONSIGNMENTS.c.id)
    .order_by(CONSIGNMENTS.c.number, LINES.c.position)
)
"""A row for each line, with its consignment: none is without lines."""


def _of(wanted: ColumnElement[UUID] | CollectionAggregate[UUID]) -> Select[Any]:
    # Said of both tables: by the join alone PostgreSQL would read all lines of a young shop, and
    # keep to that plan while they grow.
    return _PARTS.where(CONSIGNMENTS.c.order_id == wanted, LINES.c.order_id == wanted)


PARTS_OF_ONE = _of(bindparam("wanted", type_=Uuid))
PARTS_OF_MANY = _of(bindparam("wanted", type_=ARRAY(Uuid)).any_())
"""Two, since of an array PostgreSQL expects more than one and plans for it, anew each time."""

PART_NAMES = (*CONSIGNMENTS.c.keys(), "cooperative_code", "cooperative_name")


def order_for(ctx: Ctx, number: str, token: str | None = None) -> Row:
    """An order with its consignments, lines and timeline, as its buyer may see it.

    The phone is masked: nobody needs to be told their own number.

    Raises:
        NotFound: there is none, or the actor may not see it.
    """
    return _whole(ctx, visible(ctx, HEAD_BY_NUMBER, number, token))


def order_by_id(ctx: Ctx, order_id: UUID) -> Row:
    """`order_for` without the question who asks: for commands and jobs."""
    return _whole(ctx, ctx.session.execute(HEAD, {"wanted": order_id}).one())


def _whole(ctx: Ctx, head: Any) -> Row:
    order_id = head.id
    parts = _consignments(ctx, [order_id])[order_id]
    order = dict(head._mapping)  # noqa: SLF001 - its public name
    phone = crypto.decrypt(order.pop("phone_encrypted"), ctx.settings.secret_key)
    return {
        **order,
        "access_token": access_token(ctx.settings, order_id),
        "status": reading(
            order["state"], [part["state"] for part in parts], refunded=order["is_refunded"]
        ),
        "consignments": parts,
        "address": {
            "recipient": order["recipient"],
            "phone": phones.mask(phone),
            "division_code": order["division_code"],
            "division": order["division_text"],
            "detail": order["address_detail"],
        },
        "events": timeline(ctx, order_id),
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
                REFUNDED_FEN.label("refunded_fen"),
                REFUNDING_FEN.label("refunding_fen"),
                IS_REFUNDED.label("is_refunded"),
                IS_PROCESSING.label("payment_processing"),
            )
            .outerjoin(SETTLING, SETTLES)
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
            "status": reading(
                head["state"],
                [part["state"] for part in parts[head["id"]]],
                refunded=head["is_refunded"],
            ),
        }
        for head in heads
    ]


def timeline(ctx: Ctx, order_id: UUID) -> list[Row]:
    """Every transition of the order and its parts, oldest first."""
    found = ctx.session.execute(TIMELINE, {"wanted": order_id})
    return [dict(row) for row in found.mappings()]


def state_of(ctx: Ctx, order_id: UUID) -> OrderState:
    """Just the state of an order."""
    found: OrderState = ctx.session.execute(
        select(ORDERS.c.state).where(ORDERS.c.id == order_id)
    ).scalar_one()
    return found


def _consignments(ctx: Ctx, order_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The consignments of several orders with their lines: one statement for all of them."""
    by_order: dict[UUID, list[Row]] = defaultdict(list)
    if not order_ids:
        return by_order
    parts: dict[UUID, Row] = {}
    found = (
        ctx.session.execute(PARTS_OF_ONE, {"wanted": order_ids[0]})
        if len(order_ids) == 1
        else ctx.session.execute(PARTS_OF_MANY, {"wanted": order_ids})
    )
    for row in found.mappings():
        part = parts.get(row["id"])
        if part is None:
            part = parts[row["id"]] = _part(row)
            by_order[row["order_id"]].append(part)
        part["lines"].append(_line(row))
    return by_order


def _part(row: Mapping[Any, Any]) -> Row:
    return {
        **{name: row[name] for name in PART_NAMES},
        "cooperative": {
            "code": row["cooperative_code"],
            "name": row["cooperative_name"],
            "name_en": row["cooperative_name_en"],
        },
        "lines": [],
    }


def _line(row: Mapping[Any, Any]) -> Row:
    snapshot = row["line_snapshot"]
    return {
        "line_id": row["line_id"],
        "sku": snapshot["sku_code"],
        "slug": snapshot["slug"],
        "name": row["line_product_name"],
        "name_en": snapshot["product_name_en"],
        "spec": row["line_sku_name"],
        "image_url": snapshot["image"],
        "quantity": row["line_quantity"],
        "shipped_quantity": row["line_shipped_quantity"],
        "withdrawn": row["line_withdrawn"],
        "returned": row["line_returned"],
        "refunded_fen": row["line_back_goods_fen"] + row["line_back_freight_fen"],
        "unit_price_fen": row["line_unit_price_fen"],
        "goods_fen": row["line_goods_fen"],
        "discount_fen": row["line_discount_fen"],
        "no_return_confirmed": row["line_no_return_confirmed"],
    }
