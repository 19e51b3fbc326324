"""One order with everything in it, by one statement however many lines it has.

The parts, the lines and the timeline come as JSON beside the order's own row. Four statements
would say the same, and each costs more than the few microseconds of putting rows into JSON and
taking them out again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models.catalog import Cooperative
from models.orders import Consignment, Order, OrderEvent, OrderLine
from models.organization import Campaign, Channel, Storefront, Unit
from shop.context import Ctx

ORDERS, CONSIGNMENTS, LINES = Order.__table__, Consignment.__table__, OrderLine.__table__
EVENTS, COOPERATIVES = OrderEvent.__table__, Cooperative.__table__
UNITS, CHANNELS = Unit.__table__, Channel.__table__
CAMPAIGNS, STOREFRONTS = Campaign.__table__, Storefront.__table__

Row = dict[str, Any]

HIDDEN = {
    "phone_hash",
    "buyer_key",
    "unit_id",
    "channel_id",
    "campaign_id",
    "platform_id",
    "storefront_id",
}

IN_PART = list(CONSIGNMENTS.c)
IN_LINE = [column for column in LINES.c if column.name not in {"order_id", "position"}]
IN_EVENT = [EVENTS.c[name] for name in ("subject", "event", "from_state", "to_state", "why", "at")]


def _listed(columns: Sequence[Any], *order: Any) -> Any:
    return func.json_agg(aggregate_order_by(func.json_build_array(*columns), *order))


PARTS = (
    select(_listed([*IN_PART, COOPERATIVES.c.code, COOPERATIVES.c.name], CONSIGNMENTS.c.number))
    .select_from(CONSIGNMENTS)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(CONSIGNMENTS.c.order_id == ORDERS.c.id)
    .correlate(ORDERS)
    .scalar_subquery()
)
INSIDE = (
    select(_listed(IN_LINE, LINES.c.position))
    .where(LINES.c.order_id == ORDERS.c.id)
    .correlate(ORDERS)
    .scalar_subquery()
)
TIMELINE = (
    select(_listed(IN_EVENT, EVENTS.c.at, EVENTS.c.id))
    .where(EVENTS.c.order_id == ORDERS.c.id)
    .correlate(ORDERS)
    .scalar_subquery()
)
OPENED = (
    select(
        *(column for column in ORDERS.c if column.name not in HIDDEN),
        UNITS.c.code.label("unit"),
        UNITS.c.name.label("unit_name"),
        CHANNELS.c.code.label("channel"),
        CHANNELS.c.name.label("channel_name"),
        CAMPAIGNS.c.code.label("campaign"),
        STOREFRONTS.c.code.label("storefront"),
        PARTS.label("parts"),
        INSIDE.label("lines"),
        TIMELINE.label("events"),
    )
    .select_from(ORDERS)
    .join(CHANNELS, CHANNELS.c.id == ORDERS.c.channel_id)
    .join(STOREFRONTS, STOREFRONTS.c.id == ORDERS.c.storefront_id)
    .outerjoin(UNITS, UNITS.c.id == ORDERS.c.unit_id)
    .outerjoin(CAMPAIGNS, CAMPAIGNS.c.id == ORDERS.c.campaign_id)
)
BY_ID = OPENED.where(ORDERS.c.id == bindparam("wanted"))
BY_NUMBER = OPENED.where(ORDERS.c.number == bindparam("wanted"))


def opened_by_id(ctx: Ctx, order_id: UUID) -> Row | None:
    """An order with `consignments` (their `lines` in them) and `events`; None if there is none."""
    return _opened(ctx, BY_ID, order_id)


def opened_by_number(ctx: Ctx, number: str) -> Row | None:
    """`opened_by_id` by number. Whether the actor may see it is the caller's question."""
    return _opened(ctx, BY_NUMBER, number)


def _opened(ctx: Ctx, statement: Any, wanted: UUID | str) -> Row | None:
    found = ctx.session.execute(statement, {"wanted": wanted}).mappings().one_or_none()
    if found is None:
        return None
    order = dict(found)
    lines: dict[UUID, list[Row]] = defaultdict(list)
    for line in _rows(order.pop("lines"), IN_LINE):
        lines[line["consignment_id"]].append(line_shown(line))
    parts = _rows(order.pop("parts"), IN_PART, "cooperative_code", "cooperative_name")
    order["consignments"] = [part_shown(part, lines[part["id"]]) for part in parts]
    order["events"] = _rows(order["events"], IN_EVENT)
    return order


def part_shown(part: Mapping[Any, Any], lines: list[Row]) -> Row:
    """A consignment with its cooperative and its lines."""
    cooperative = {"code": part["cooperative_code"], "name": part["cooperative_name"]}
    return {**part, "cooperative": cooperative, "lines": lines}


def line_shown(line: Mapping[Any, Any]) -> Row:
    """A line as its buyer reads it."""
    snapshot = line["snapshot"]
    return {
        "line_id": line["id"],
        "sku": snapshot["sku_code"],
        "slug": snapshot["slug"],
        "name": line["product_name"],
        "name_en": snapshot["product_name_en"],
        "spec": line["sku_name"],
        "image_url": snapshot["image"],
        "quantity": line["quantity"],
        "shipped_quantity": line["shipped_quantity"],
        "unit_price_fen": line["unit_price_fen"],
        "goods_fen": line["goods_fen"],
        "discount_fen": line["discount_fen"],
        "no_return_confirmed": line["no_return_confirmed"],
    }


def _rows(values: Sequence[Sequence[Any]] | None, columns: Sequence[Any], *more: str) -> list[Row]:
    """Rows as a SELECT of `columns` would have brought them, from JSON."""
    names = [*(column.name for column in columns), *more]
    rows = [dict(zip(names, fields, strict=True)) for fields in values or ()]
    for column in columns:
        way = WAYS.get(column)
        if way is not None:
            for row in rows:
                if row[column.name] is not None:
                    row[column.name] = way(row[column.name])
    return rows


def _ways(*tables: Table) -> dict[Column[Any], Callable[[str], Any]]:
    """How what JSON has no word for becomes a value again."""
    found: dict[Column[Any], Callable[[str], Any]] = {}
    for column in (column for table in tables for column in table.c):
        kind = column.type.python_type
        if kind is UUID:
            found[column] = UUID
        elif kind is datetime:
            found[column] = datetime.fromisoformat
        elif issubclass(kind, Enum):
            found[column] = kind
    return found


WAYS = _ways(CONSIGNMENTS, LINES, EVENTS)
