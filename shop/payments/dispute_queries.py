"""Reading disputes, and gathering on one page what the payer's bank wants to see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from models.catalog import Cooperative
from models.identity import Role
from models.orders import Consignment, Order, OrderLine
from models.payments import Payment
from models.refunds import Dispute, DisputeLine, DisputeState
from shop import audit, crypto, phones
from shop.context import Ctx
from shop.errors import NotFound
from shop.orders.queries import timeline

DISPUTES, DISPUTE_LINES = Dispute.__table__, DisputeLine.__table__
PAYMENTS, ORDERS, LINES = Payment.__table__, Order.__table__, OrderLine.__table__
CONSIGNMENTS, COOPERATIVES = Consignment.__table__, Cooperative.__table__

Row = dict[str, Any]

READS_PERSONAL_DATA = frozenset({Role.FINANCE})
"""Who answers a bank needs the names; who follows the case does not."""

HEADS = (
    select(
        DISPUTES.c.id,
        DISPUTES.c.reference,
        DISPUTES.c.state,
        DISPUTES.c.reason,
        DISPUTES.c.amount_fen,
        DISPUTES.c.withheld_fen,
        DISPUTES.c.evidence_due_at,
        DISPUTES.c.opened_at,
        DISPUTES.c.closed_at,
        DISPUTES.c.order_id,
        ORDERS.c.number.label("order_number"),
        PAYMENTS.c.method,
        PAYMENTS.c.charge_reference,
        PAYMENTS.c.captured_fen,
        PAYMENTS.c.settled_at.label("paid_at"),
    )
    .join(ORDERS, ORDERS.c.id == DISPUTES.c.order_id)
    .join(PAYMENTS, PAYMENTS.c.id == DISPUTES.c.payment_id)
)
BY_ID = HEADS.where(DISPUTES.c.id == bindparam("wanted"))
OF_ORDER = HEADS.where(DISPUTES.c.order_id == bindparam("wanted")).order_by(DISPUTES.c.id)
LINES_OF = (
    select(
        DISPUTE_LINES.c.order_line_id.label("line_id"),
        DISPUTE_LINES.c.goods_fen,
        DISPUTE_LINES.c.freight_fen,
        LINES.c.product_name.label("name"),
        LINES.c.sku_name.label("spec"),
        LINES.c.quantity,
    )
    .join(LINES, LINES.c.id == DISPUTE_LINES.c.order_line_id)
    .where(DISPUTE_LINES.c.dispute_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)
SOLD = (
    select(
        LINES.c.id.label("line_id"),
        LINES.c.consignment_id,
        LINES.c.product_name.label("name"),
        LINES.c.sku_name.label("spec"),
        LINES.c.snapshot,
        LINES.c.unit_price_fen,
        LINES.c.quantity,
        LINES.c.shipped_quantity,
        LINES.c.withdrawn,
        LINES.c.returned,
        LINES.c.goods_fen,
        LINES.c.discount_fen,
        LINES.c.freight_fen,
        LINES.c.no_return_confirmed,
        COOPERATIVES.c.name_en.label("cooperative_name_en"),
    )
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == LINES.c.consignment_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(LINES.c.order_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)
BUYER_OF = select(
    ORDERS.c.number,
    ORDERS.c.placed_at,
    ORDERS.c.paid_at,
    ORDERS.c.total_fen,
    ORDERS.c.adult_confirmed,
    ORDERS.c.buyer_name,
    ORDERS.c.buyer_email,
    ORDERS.c.recipient,
    ORDERS.c.phone_encrypted,
    ORDERS.c.division_text,
    ORDERS.c.address_detail,
).where(ORDERS.c.id == bindparam("wanted"))


def disputes_on_desk(
    ctx: Ctx,
    *,
    state: DisputeState | None = None,
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """Disputes of all orders, newest first. The surface has asked for `disputes.read`.

    `before` is the `id` of the last row already read.
    """
    wanted = []
    if state is not None:
        wanted.append(DISPUTES.c.state == state)
    if before is not None:
        wanted.append(DISPUTES.c.id < before)
    found = ctx.session.execute(HEADS.where(*wanted).order_by(DISPUTES.c.id.desc()).limit(limit))
    return [dict(row) for row in found.mappings()]


def disputes_of(ctx: Ctx, order_id: UUID) -> list[Row]:
    """The disputes of an order, oldest first. The caller has looked who asks."""
    return [dict(row) for row in ctx.session.execute(OF_ORDER, {"wanted": order_id}).mappings()]


def dispute_with_evidence(ctx: Ctx, dispute_id: UUID) -> Row:
    """One dispute: its `lines`, the `buyer`, what was `sold` as its page said, the `events`.

    The parcels are the fulfilment's to read (`fulfilment.queries.parcels_of`, by `order_id`).
    Names and addresses are masked for everybody but finance, whose reading is written down.

    Raises:
        NotFound: there is none.
    """
    head = ctx.session.execute(BY_ID, {"wanted": dispute_id}).mappings().one_or_none()
    if head is None:
        raise NotFound("没有找到这笔争议", "There is no such dispute")
    order_id = head["order_id"]
    readable = ctx.actor.has(*READS_PERSONAL_DATA)
    buyer = ctx.session.execute(BUYER_OF, {"wanted": order_id}).mappings().one()
    if readable:
        audit.record(
            ctx,
            "personal_data.read",
            "dispute",
            head["reference"],
            after={"fields": ["recipient", "phone", "address", "email"]},
        )
    lines = ctx.session.execute(LINES_OF, {"wanted": dispute_id}).mappings()
    sold = ctx.session.execute(SOLD, {"wanted": order_id}).mappings()
    return {
        **head,
        "lines": [dict(line) for line in lines],
        "masked": not readable,
        "buyer": _buyer(ctx, buyer, readable=readable),
        "sold": [_as_sold(line) for line in sold],
        "events": timeline(ctx, order_id),
    }


def _buyer(ctx: Ctx, row: Any, *, readable: bool) -> Row:
    phone = crypto.decrypt(row["phone_encrypted"], ctx.settings.secret_key)
    plain = {
        name: row[name]
        for name in ("number", "placed_at", "paid_at", "total_fen", "adult_confirmed")
    }
    if readable:
        return {
            **plain,
            "name": row["buyer_name"],
            "email": row["buyer_email"],
            "recipient": row["recipient"],
            "phone": phone,
            "division": row["division_text"],
            "detail": row["address_detail"],
        }
    return {
        **plain,
        "name": phones.mask_name(row["buyer_name"]),
        "email": None,
        "recipient": phones.mask_name(row["recipient"]),
        "phone": phones.mask(phone),
        "division": row["division_text"],
        "detail": phones.mask_address(row["address_detail"]),
    }


PAGE_SAID = (
    "sku_code",
    "product_name_en",
    "net_content",
    "unit",
    "category_name",
    "cooperative_name",
    "origin_division",
    "age_restricted",
    "no_reason_return",
    "label",
)
"""What of a product's page is kept with the order (`SkuForPricing.snapshot`)."""


def _as_sold(line: Any) -> Row:
    said = {name: line["snapshot"].get(name) for name in PAGE_SAID}
    return {**{name: line[name] for name in line if name != "snapshot"}, **said}
