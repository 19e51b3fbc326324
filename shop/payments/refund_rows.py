"""Reading and claiming what refunds take: order lines under the order's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, func, select, update

from models.catalog import Cooperative
from models.orders import Consignment, OrderLine
from models.payments import Payment
from models.reconciliation import Difference, DifferenceState
from models.refunds import Refund, RefundLine
from shop.context import Ctx
from shop.payments.refund_rules import Line, Part

LINES, CONSIGNMENTS = OrderLine.__table__, Consignment.__table__
COOPERATIVES, PAYMENTS = Cooperative.__table__, Payment.__table__
REFUNDS, REFUND_LINES = Refund.__table__, RefundLine.__table__
DIFFERENCES = Difference.__table__

AFTER_FAILING = "refund_succeeded_after_failing"
"""A difference that may vanish: what was read before a refund failed may be written after it."""

LINES_OF = (
    select(
        LINES.c.id,
        LINES.c.sku_id,
        LINES.c.consignment_id,
        COOPERATIVES.c.code,
        LINES.c.quantity,
        LINES.c.shipped_quantity,
        LINES.c.withdrawn,
        LINES.c.returned,
        (LINES.c.goods_fen - LINES.c.discount_fen).label("paid_goods_fen"),
        LINES.c.freight_fen,
        LINES.c.back_goods_fen,
        LINES.c.back_freight_fen,
    )
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == LINES.c.consignment_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(LINES.c.order_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)
CLAIM = (
    update(LINES)
    .where(LINES.c.id == bindparam("line_id"))
    .values(
        back_goods_fen=LINES.c.back_goods_fen + bindparam("goods"),
        back_freight_fen=LINES.c.back_freight_fen + bindparam("freight"),
        withdrawn=LINES.c.withdrawn + bindparam("pieces_withdrawn"),
        returned=LINES.c.returned + bindparam("pieces_returned"),
    )
)
PARTS_OF = (
    select(
        REFUND_LINES.c.order_line_id,
        REFUND_LINES.c.goods_fen,
        REFUND_LINES.c.freight_fen,
        REFUND_LINES.c.withdrawn,
        REFUND_LINES.c.returned,
        COOPERATIVES.c.code.label("cooperative"),
    )
    .join(LINES, LINES.c.id == REFUND_LINES.c.order_line_id)
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == LINES.c.consignment_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(REFUND_LINES.c.refund_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)
PAYMENT_LOCKED = select(PAYMENTS).where(PAYMENTS.c.id == bindparam("wanted")).with_for_update()
REFUND_LOCKED = select(REFUNDS).where(REFUNDS.c.id == bindparam("wanted")).with_for_update()
NUMBER_OF = select(REFUNDS.c.number).where(REFUNDS.c.id == bindparam("wanted"))
_RETRIED = (
    select(REFUNDS.c.id, REFUNDS.c.retry_of)
    .where(REFUNDS.c.id == bindparam("wanted"))
    .cte("retried", recursive=True)
)
RETRIED = _RETRIED.union_all(
    select(REFUNDS.c.id, REFUNDS.c.retry_of).join(_RETRIED, REFUNDS.c.id == _RETRIED.c.retry_of)
)
PIECES_OF = (
    select(
        REFUND_LINES.c.order_line_id,
        func.sum(REFUND_LINES.c.withdrawn + REFUND_LINES.c.returned).label("pieces"),
    )
    .join(RETRIED, RETRIED.c.id == REFUND_LINES.c.refund_id)
    .group_by(REFUND_LINES.c.order_line_id)
)
ARRIVED = exists(
    select(DIFFERENCES.c.id)
    .where(
        DIFFERENCES.c.kind == AFTER_FAILING,
        DIFFERENCES.c.reference == REFUNDS.c.reference,
        DIFFERENCES.c.state != DifferenceState.VANISHED,
    )
    .correlate(REFUNDS)
)
"""The provider says that a failed refund has succeeded after all; the rest a person decides."""
HAS_ARRIVED = select(REFUNDS.c.id).where(REFUNDS.c.id == bindparam("wanted"), ARRIVED)
SO_MANY = select(func.count()).select_from(REFUNDS).where(REFUNDS.c.order_id == bindparam("wanted"))


def lines_of(ctx: Ctx, order_id: UUID) -> list[Line]:
    """The lines of an order in their order; its lock makes them hold still."""
    rows: Iterable[Any] = ctx.session.execute(LINES_OF, {"wanted": order_id})
    return [Line(*row) for row in rows]


def claim(ctx: Ctx, parts: Sequence[Part]) -> None:
    """Take money and pieces of the lines; the table's checks refuse more than there is."""
    ctx.session.execute(
        CLAIM,
        [
            {
                "line_id": part.line.id,
                "goods": part.goods_fen,
                "freight": part.freight_fen,
                "pieces_withdrawn": part.withdrawn,
                "pieces_returned": part.returned,
            }
            for part in parts
        ],
    )


def unclaim_money(ctx: Ctx, rows: Sequence[Any]) -> None:
    """Give the money of a failed refund back to its lines; pieces given up stay given up."""
    if rows:
        ctx.session.execute(
            CLAIM,
            [
                {
                    "line_id": row.order_line_id,
                    "goods": -row.goods_fen,
                    "freight": -row.freight_fen,
                    "pieces_withdrawn": 0,
                    "pieces_returned": 0,
                }
                for row in rows
            ],
        )


def parts_of(ctx: Ctx, refund_id: UUID) -> list[Any]:
    """The lines of a refund, each with its cooperative's code."""
    return list(ctx.session.execute(PARTS_OF, {"wanted": refund_id}).all())


def pieces_of(ctx: Ctx, refund_id: UUID) -> dict[UUID, int]:
    """Order line -> pieces that a refund gave up, with those of the failed ones it repeats."""
    found = ctx.session.execute(PIECES_OF, {"wanted": refund_id})
    return {row[0]: int(row[1]) for row in found}


def number_of(ctx: Ctx, refund_id: UUID) -> str:
    """What people call a refund."""
    found: str = ctx.session.execute(NUMBER_OF, {"wanted": refund_id}).scalar_one()
    return found


def next_number(ctx: Ctx, order: Any) -> str:
    """The order's number, R, and how many refunds it has had; the order is locked."""
    count = ctx.session.execute(SO_MANY, {"wanted": order.id}).scalar_one()
    return f"{order.number}R{count + 1}"
