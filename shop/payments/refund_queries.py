"""Reading refunds: staff see all of them, a buyer those of an order that is theirs to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from models.catalog import Cooperative
from models.identity import User
from models.orders import Consignment, Order, OrderLine
from models.payments import Payment, PaymentMethod
from models.refunds import Refund, RefundCause, RefundLine, RefundState
from shop.context import Ctx
from shop.errors import NotFound
from shop.payments.refund_rows import ARRIVED
from shop.payments.refund_rules import BY_BANK

REFUNDS, REFUND_LINES = Refund.__table__, RefundLine.__table__
PAYMENTS, ORDERS, USERS = Payment.__table__, Order.__table__, User.__table__
LINES, CONSIGNMENTS = OrderLine.__table__, Consignment.__table__
COOPERATIVES = Cooperative.__table__

Row = dict[str, Any]

WAITING = (RefundState.REQUESTED, RefundState.SENT)
SLOW_AFTER = timedelta(days=1)
"""After a day without an answer a person should look: a provider answers within seconds."""

AGAIN = REFUNDS.alias("again")
FIRST = REFUNDS.alias("first")

REPEAT = REFUNDS.alias("repeat")

REPEATED = exists(select(REPEAT.c.id).where(REPEAT.c.retry_of == REFUNDS.c.id).correlate(REFUNDS))
LEFT_FEN = (
    PAYMENTS.c.captured_fen
    - PAYMENTS.c.refunded_fen
    - PAYMENTS.c.refunding_fen
    - PAYMENTS.c.disputed_fen
)
"""`refund_rules.left_of`, below zero where more was taken than was there."""

LEFT_OF_PARTS = (
    select(
        cast(
            func.sum(
                func.least(
                    REFUND_LINES.c.goods_fen,
                    LINES.c.goods_fen - LINES.c.discount_fen - LINES.c.back_goods_fen,
                )
                + func.least(
                    REFUND_LINES.c.freight_fen, LINES.c.freight_fen - LINES.c.back_freight_fen
                )
            ),
            BigInteger,  # a sum is numeric
        )
    )
    .join(LINES, LINES.c.id == REFUND_LINES.c.order_line_id)
    .where(REFUND_LINES.c.refund_id == REFUNDS.c.id)
    .correlate(REFUNDS)
    .scalar_subquery()
)
FOR_PIECES = and_(
    REFUNDS.c.goods_fen + REFUNDS.c.freight_fen > 0,
    or_(
        REFUNDS.c.retry_of.is_not(None),
        exists(
            select(REFUND_LINES.c.refund_id)
            .where(
                REFUND_LINES.c.refund_id == REFUNDS.c.id,
                REFUND_LINES.c.withdrawn + REFUND_LINES.c.returned > 0,
            )
            .correlate(REFUNDS)
        ),
    ),
)
"""Its money is for its lines alone; a second try does not say what the first gave up."""

RETRY_FEN = case(
    (FOR_PIECES, LEFT_OF_PARTS),
    else_=func.least(REFUNDS.c.amount_fen, LEFT_FEN),
)
"""What trying a failed refund again would send: the rest has gone back another way meanwhile."""

STUCK = and_(
    REFUNDS.c.state == RefundState.FAILED,
    ~REPEATED,
    ~ARRIVED,
    RETRY_FEN.between(1, LEFT_FEN),
)
"""Failed, nobody has tried again, and something of it has not gone back another way meanwhile."""

WENT_BY = case(
    (
        REFUNDS.c.reference.startswith(BY_BANK),
        literal(PaymentMethod.BANK_TRANSFER, PAYMENTS.c.method.type),
    ),
    else_=PAYMENTS.c.method,
)
"""The way its payment came, unless the bank paid it out in the provider's place."""

COLUMNS = (
    REFUNDS.c.id,
    REFUNDS.c.number,
    REFUNDS.c.state,
    REFUNDS.c.cause,
    REFUNDS.c.amount_fen,
    REFUNDS.c.goods_fen,
    REFUNDS.c.freight_fen,
    REFUNDS.c.reason,
    REFUNDS.c.reference,
    REFUNDS.c.failure_code,
    REFUNDS.c.requested_at,
    REFUNDS.c.sent_at,
    REFUNDS.c.settled_at,
    REFUNDS.c.payment_id,
    WENT_BY.label("method"),
    ORDERS.c.number.label("order_number"),
    USERS.c.name.label("requested_by"),
    FIRST.c.number.label("retry_of"),
    AGAIN.c.number.label("retried_as"),
    STUCK.label("can_retry"),
    case((REFUNDS.c.state == RefundState.FAILED, RETRY_FEN), else_=0).label("retry_fen"),
)
HEADS = (
    select(*COLUMNS)
    .select_from(REFUNDS)
    .join(PAYMENTS, PAYMENTS.c.id == REFUNDS.c.payment_id)
    .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
    .outerjoin(USERS, USERS.c.id == REFUNDS.c.requested_by)
    .outerjoin(FIRST, FIRST.c.id == REFUNDS.c.retry_of)
    .outerjoin(AGAIN, AGAIN.c.retry_of == REFUNDS.c.id)
)
BY_NUMBER = HEADS.where(REFUNDS.c.number == bindparam("wanted"))
BY_ID = HEADS.where(REFUNDS.c.id == bindparam("wanted"))
OF_ORDER = HEADS.where(REFUNDS.c.order_id == bindparam("wanted")).order_by(REFUNDS.c.id)
LINES_OF = (
    select(
        REFUND_LINES.c.order_line_id.label("line_id"),
        LINES.c.product_name.label("name"),
        LINES.c.snapshot["product_name_en"].astext.label("name_en"),
        LINES.c.sku_name.label("spec"),
        LINES.c.snapshot["sku_code"].astext.label("sku"),
        COOPERATIVES.c.code.label("cooperative_code"),
        COOPERATIVES.c.name.label("cooperative_name"),
        COOPERATIVES.c.name_en.label("cooperative_name_en"),
        REFUND_LINES.c.goods_fen,
        REFUND_LINES.c.freight_fen,
        REFUND_LINES.c.withdrawn,
        REFUND_LINES.c.returned,
    )
    .join(LINES, LINES.c.id == REFUND_LINES.c.order_line_id)
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == LINES.c.consignment_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(REFUND_LINES.c.refund_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)


@dataclass(frozen=True, slots=True)
class RefundFilter:
    """Which refunds; `order` is the beginning of an order's number, `stuck` those to try again."""

    state: RefundState | None = None
    cause: RefundCause | None = None
    order: str = ""
    stuck: bool = False
    slow: bool = False

    def conditions(self, ctx: Ctx) -> list[ColumnElement[bool]]:
        """What a row has to fulfil."""
        wanted: list[ColumnElement[bool]] = []
        if self.state is not None:
            wanted.append(REFUNDS.c.state == self.state)
        if self.cause is not None:
            wanted.append(REFUNDS.c.cause == self.cause)
        if self.order:
            wanted.append(ORDERS.c.number.startswith(self.order, autoescape=True))
        if self.stuck:
            wanted.append(STUCK)
        if self.slow:
            wanted.append(_slow(ctx))
        return wanted


def refunds_on_desk(
    ctx: Ctx,
    wanted: RefundFilter = RefundFilter(),
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """Refunds of all orders, newest first. The surface has asked for `refunds.read`.

    `before` is the `id` of the last row already read.
    """
    conditions = wanted.conditions(ctx)
    if before is not None:
        conditions.append(REFUNDS.c.id < before)
    found = ctx.session.execute(HEADS.where(*conditions).order_by(REFUNDS.c.id.desc()).limit(limit))
    return [dict(row) for row in found.mappings()]


def refund_on_desk(ctx: Ctx, number: str) -> Row:
    """One refund with its `lines`.

    Raises:
        NotFound: there is none of that number.
    """
    found = ctx.session.execute(BY_NUMBER, {"wanted": number}).mappings().one_or_none()
    if found is None:
        raise NotFound("没有找到这笔退款", "There is no such refund")
    return _opened(ctx, found)


def refund_by_id(ctx: Ctx, refund_id: UUID) -> Row:
    """`refund_on_desk` by key: what a command has just written."""
    return _opened(ctx, ctx.session.execute(BY_ID, {"wanted": refund_id}).mappings().one())


def refunds_of(ctx: Ctx, order_id: UUID) -> list[Row]:
    """The refunds of an order, oldest first. The caller has looked who asks."""
    return [dict(row) for row in ctx.session.execute(OF_ORDER, {"wanted": order_id}).mappings()]


def refunds_for_buyer(ctx: Ctx, order_id: UUID) -> list[Row]:
    """The refunds of an order as its buyer follows them: a failed one that was tried again is one.

    Who asked for it and why is the organization's own; the buyer sees what comes back and how far
    it is.
    """
    return [
        {name: row[name] for name in BUYERS}
        for row in refunds_of(ctx, order_id)
        if row["retried_as"] is None
    ]


BUYERS = (
    "payment_id",
    "number",
    "state",
    "method",
    "amount_fen",
    "goods_fen",
    "freight_fen",
    "requested_at",
    "sent_at",
    "settled_at",
)


def refund_counts(ctx: Ctx) -> dict[str, tuple[int, int]]:
    """How many refunds are `stuck` and how many `slow`, each with their fen: one statement.

    Of the stuck ones it is what has not gone back another way.
    """
    slow = _slow(ctx)
    row = ctx.session.execute(
        select(
            func.count().filter(STUCK),
            func.coalesce(func.sum(RETRY_FEN).filter(STUCK), 0),
            func.count().filter(slow),
            func.coalesce(func.sum(REFUNDS.c.amount_fen).filter(slow), 0),
        )
        .select_from(REFUNDS)
        .join(PAYMENTS, PAYMENTS.c.id == REFUNDS.c.payment_id)
        .where(or_(REFUNDS.c.state == RefundState.FAILED, slow))
    ).one()
    return {"stuck": (int(row[0]), int(row[1])), "slow": (int(row[2]), int(row[3]))}


def _slow(ctx: Ctx) -> ColumnElement[bool]:
    since = func.coalesce(REFUNDS.c.sent_at, REFUNDS.c.requested_at)
    return and_(REFUNDS.c.state.in_(WAITING), since <= ctx.now - SLOW_AFTER)


def _opened(ctx: Ctx, head: Any) -> Row:
    lines = ctx.session.execute(LINES_OF, {"wanted": head["id"]}).mappings()
    return {**head, "lines": [dict(line) for line in lines]}
