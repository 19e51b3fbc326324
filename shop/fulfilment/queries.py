"""Reading what has to be shipped and what is on its way. Managers see their own cooperative's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select, tuple_

from models.catalog import Cooperative
from models.fulfilment import Parcel, ParcelLine
from models.orders import Consignment, ConsignmentState, Order, OrderLine
from models.refunds import Dispute, DisputeState
from shop import audit, crypto, phones
from shop.context import Ctx
from shop.errors import NotFound
from shop.fulfilment.carriers import carrier_name
from shop.fulfilment.rules import may_read_recipient

ORDERS = Order.__table__
CONSIGNMENTS = Consignment.__table__
LINES = OrderLine.__table__
PARCELS = Parcel.__table__
PARCEL_LINES = ParcelLine.__table__
COOPERATIVES = Cooperative.__table__
DISPUTES = Dispute.__table__

Row = dict[str, Any]

PARCELS_OF = (
    select(PARCELS, PARCEL_LINES.c.order_line_id, PARCEL_LINES.c.quantity)
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == PARCELS.c.consignment_id)
    .join(PARCEL_LINES, PARCEL_LINES.c.parcel_id == PARCELS.c.id)
    .join(LINES, LINES.c.id == PARCEL_LINES.c.order_line_id)
    .where(CONSIGNMENTS.c.order_id == bindparam("wanted"))
    .order_by(PARCELS.c.shipped_at, PARCELS.c.id, LINES.c.position)
)


WAITS_SINCE = func.coalesce(CONSIGNMENTS.c.paid_at, ORDERS.c.placed_at)
"""Since when somebody waits for the goods; what is shipped on credit is not paid before."""

IS_DISPUTED = exists(
    select(DISPUTES.c.id)
    .where(DISPUTES.c.order_id == ORDERS.c.id, DISPUTES.c.state == DisputeState.OPEN)
    .correlate(ORDERS)
)
"""The payer's bank may take the money back: who is about to ship should know."""


def consignments_for(
    ctx: Ctx,
    state: ConsignmentState | None = None,
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """The consignments of the actor's cooperatives, newest first; recipients are masked.

    `before` is the `id` of the last row already read.
    """
    wanted = [CONSIGNMENTS.c.state == state] if state is not None else []
    if before is not None:
        wanted.append(CONSIGNMENTS.c.id < before)
    return _listed(ctx, _heads(ctx).where(*wanted).order_by(CONSIGNMENTS.c.id.desc()).limit(limit))


def waiting_consignments(
    ctx: Ctx,
    states: Collection[ConsignmentState],
    after: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """The consignments of the actor's cooperatives in these states, who waits longest first.

    `after` is the `id` of the last row already read; recipients are masked.
    """
    wanted: list[ColumnElement[bool]] = [CONSIGNMENTS.c.state.in_(states)]
    if after is not None:
        last = select(WAITS_SINCE).join_from(CONSIGNMENTS, ORDERS).where(CONSIGNMENTS.c.id == after)
        since = ctx.session.execute(last).scalar_one_or_none()
        wanted.append(tuple_(WAITS_SINCE, CONSIGNMENTS.c.id) > (since, after))
    statement = _heads(ctx).where(*wanted).order_by(WAITS_SINCE, CONSIGNMENTS.c.id)
    return _listed(ctx, statement.limit(limit))


def find_consignments(
    ctx: Ctx, text: str, before: UUID | None = None, limit: int = 24
) -> list[Row]:
    """The consignments of the actor's cooperatives that a number leads to, newest first.

    It is the beginning of an order's or a consignment's number, or the whole tracking number of a
    parcel in either case. `before` is the `id` of the last row already read.
    """
    tracked = exists(
        select(PARCELS.c.id).where(
            PARCELS.c.consignment_id == CONSIGNMENTS.c.id, PARCELS.c.tracking_no == text.upper()
        )
    )
    wanted = [or_(CONSIGNMENTS.c.number.startswith(text, autoescape=True), tracked)]
    if before is not None:
        wanted.append(CONSIGNMENTS.c.id < before)
    return _listed(ctx, _heads(ctx).where(*wanted).order_by(CONSIGNMENTS.c.id.desc()).limit(limit))


def consignment_for(ctx: Ctx, number: str) -> Row:
    """One consignment with its parcels. Reading an unmasked recipient is written down.

    Raises:
        NotFound: there is none, or it is another cooperative's.
    """
    found = (
        ctx.session.execute(_heads(ctx).where(CONSIGNMENTS.c.number == number))
        .mappings()
        .one_or_none()
    )
    if found is None:
        raise NotFound("没有找到这个发货单", "There is no such consignment")
    readable = may_read_recipient(found["state"], found["shipped_at"], ctx.now)
    lines = _lines(ctx, [found["id"]])
    parcels = parcels_of(ctx, found["order_id"])[found["id"]]
    shown = {**_shown(ctx, found, lines, readable=readable), "parcels": parcels}
    if readable:
        audit.record(
            ctx,
            "personal_data.read",
            "consignment",
            number,
            after={"fields": ["recipient", "phone", "address", "note"]},
        )
    return shown


def parcels_of(ctx: Ctx, order_id: UUID) -> dict[UUID, list[Row]]:
    """The parcels of an order by consignment, in the order they left.

    The caller has looked who asks; a consignment without parcels has an empty list.
    """
    rows = ctx.session.execute(PARCELS_OF, {"wanted": order_id}).mappings()
    found: dict[UUID, Row] = {}
    by_consignment: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row["id"] not in found:
            found[row["id"]] = _parcel(ctx, row)
            by_consignment[row["consignment_id"]].append(found[row["id"]])
        line = {"line_id": row["order_line_id"], "quantity": row["quantity"]}
        found[row["id"]]["lines"].append(line)
    return by_consignment


def _listed(ctx: Ctx, statement: Any) -> list[Row]:
    found = ctx.session.execute(statement).mappings().all()
    lines = _lines(ctx, [row["id"] for row in found])
    return [_shown(ctx, row, lines, readable=False) for row in found]


def _heads(ctx: Ctx) -> Select[*tuple[Any, ...]]:
    """Consignments with their address, of the actor's cooperatives and no others."""
    mine: ColumnElement[bool] = CONSIGNMENTS.c.cooperative_id.in_(ctx.actor.cooperative_ids)
    return (
        select(
            CONSIGNMENTS,
            COOPERATIVES.c.code.label("cooperative_code"),
            COOPERATIVES.c.name.label("cooperative_name"),
            COOPERATIVES.c.name_en.label("cooperative_name_en"),
            ORDERS.c.number.label("order_number"),
            IS_DISPUTED.label("disputed"),
            *(ORDERS.c[name] for name in ADDRESS),
        )
        .join(ORDERS, ORDERS.c.id == CONSIGNMENTS.c.order_id)
        .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
        .where(mine)
    )


ADDRESS = (
    "recipient",
    "phone_encrypted",
    "division_code",
    "division_text",
    "address_detail",
    "note",
    "placed_at",
)
PLAIN = (
    "id",
    "number",
    "order_number",
    "state",
    "goods_fen",
    "discount_fen",
    "freight_fen",
    "total_fen",
    "placed_at",
    "paid_at",
    "shipped_at",
    "completed_at",
    "disputed",
)


def _shown(ctx: Ctx, row: Any, lines: dict[UUID, list[Row]], *, readable: bool) -> Row:
    """A consignment as it may be seen: the recipient in full or masked."""
    phone = crypto.decrypt(row["phone_encrypted"], ctx.settings.secret_key)
    recipient, detail = row["recipient"], row["address_detail"]
    return {
        **{name: row[name] for name in PLAIN},
        "cooperative": {
            "code": row["cooperative_code"],
            "name": row["cooperative_name"],
            "name_en": row["cooperative_name_en"],
        },
        "lines": lines[row["id"]],
        "masked": not readable,
        "address": {
            "recipient": recipient if readable else phones.mask_name(recipient),
            "phone": phone if readable else phones.mask(phone),
            "division_code": row["division_code"],
            "division": row["division_text"],
            "detail": detail if readable else phones.mask_address(detail),
        },
        "note": row["note"] if readable else "",
    }


def _lines(ctx: Ctx, consignment_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The lines by consignment; `name` is the product's in the reader's language."""
    by_consignment: dict[UUID, list[Row]] = defaultdict(list)
    if not consignment_ids:
        return by_consignment
    rows = ctx.session.execute(
        select(
            LINES.c.consignment_id,
            LINES.c.id,
            LINES.c.product_name,
            LINES.c.snapshot["product_name_en"].astext.label("product_name_en"),
            LINES.c.sku_name,
            LINES.c.snapshot["sku_code"].astext.label("sku"),
            LINES.c.quantity,
            LINES.c.shipped_quantity,
            LINES.c.withdrawn,
            LINES.c.goods_fen,
            LINES.c.discount_fen,
            LINES.c.freight_fen,
        )
        .where(LINES.c.consignment_id.in_(consignment_ids))
        .order_by(LINES.c.position)
    ).mappings()
    for row in rows:
        left = row["quantity"] - row["shipped_quantity"] - row["withdrawn"]
        name = (not ctx.language.startswith("zh") and row["product_name_en"]) or row["product_name"]
        by_consignment[row["consignment_id"]].append({**row, "left": left, "name": name})
    return by_consignment


def _parcel(ctx: Ctx, row: Any) -> Row:
    return {
        "id": row["id"],
        "carrier": row["carrier"],
        "carrier_name": carrier_name(row["carrier"], ctx.language),
        "tracking_no": row["tracking_no"],
        "shipped_at": row["shipped_at"],
        "lines": [],
    }
