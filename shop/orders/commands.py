"""Writes of the order itself. Paying, closing and shipping stand in their own contexts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from models.identity import BuyerKind
from models.orders import (
    Consignment,
    ConsignmentState,
    Order,
    OrderLine,
    OrderState,
    PaymentTerms,
)
from models.organization import Unit
from shop.aid.commands import record_sale
from shop.aid.queries import attribution_for
from shop.aid.values import Sale, SaleLine
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Conflict, TryAgain
from shop.identity.rules import validated_address
from shop.ids import order_number
from shop.inventory.commands import release, reserve
from shop.machine import WRITE_EVENTS, Moved, append, event_row, fire, move_locked
from shop.orders import rows, rules
from shop.orders.access import access_token
from shop.orders.inputs import Placed, PlaceOrder
from shop.orders.states import CONSIGNMENT, ORDER
from shop.pricing.quote import Basket, load_basket

ORDERS = Order.__table__
CONSIGNMENTS = Consignment.__table__
LINES = OrderLine.__table__
UNITS = Unit.__table__

WRITE_CONSIGNMENTS, WRITE_LINES = insert(CONSIGNMENTS), insert(LINES)
MOVE_CONSIGNMENTS = (
    update(CONSIGNMENTS)
    .where(
        CONSIGNMENTS.c.order_id == bindparam("its_order"),
        CONSIGNMENTS.c.state == bindparam("before"),
    )
    .returning(CONSIGNMENTS.c.id)
)
PAID_ON_CREDIT = (
    update(CONSIGNMENTS)
    .where(
        CONSIGNMENTS.c.order_id == bindparam("its_order"),
        CONSIGNMENTS.c.state != ConsignmentState.CANCELLED,
    )
    .values(paid_at=bindparam("at"))
)
ON_ITS_WAY = select(CONSIGNMENTS.c.id).where(
    CONSIGNMENTS.c.order_id == bindparam("its_order"),
    CONSIGNMENTS.c.state.in_(
        (
            ConsignmentState.PARTIALLY_SHIPPED,
            ConsignmentState.SHIPPED,
            ConsignmentState.COMPLETED,
        )
    ),
)
LINES_OF = (
    select(
        LINES.c.id,
        LINES.c.sku_id,
        LINES.c.snapshot,
        LINES.c.quantity,
        LINES.c.weight_g,
        LINES.c.goods_fen,
        LINES.c.discount_fen,
        LINES.c.freight_fen,
    )
    .where(LINES.c.order_id == bindparam("wanted"))
    .order_by(LINES.c.position)
)
WRITE_ORDER = (
    insert(ORDERS).on_conflict_do_nothing(index_elements=["number"]).returning(ORDERS.c.number)
)

NUMBER_TRIES = 8
"""With 10 million numbers a day, eight collisions in a row mean something else is wrong."""


def place_order(ctx: Ctx, wish: PlaceOrder) -> Placed:
    """Place an order: all of it or nothing. Stock is reserved last, for as short as can be.

    Raises:
        Invalid, NotFound, Conflict: see `rules`; `out_of_stock` names each SKU and what is left;
            `terms_not_allowed`, the unit pays first.
    """
    items = rules.merged(wish.lines)
    kind = rules.effective_kind(
        wish.buyer.buyer_kind if wish.buyer else None, ctx.actor.buyer_kind, ctx.actor.roles
    )
    rules.check_purpose(wish.purpose, kind)
    note = rules.clean_note(wish.note)
    if wish.buyer is not None and not ctx.actor.signed_in:
        wish = replace(wish, buyer=rules.said_by_guest(wish.buyer, ctx.language))
    address = validated_address(wish.address, language=ctx.language)
    basket = load_basket(ctx, items, address.division_code, wish.line_discounts)
    rules.refuse_problems(basket.quote)
    rules.check_confirmations(
        (
            rules.Goods(row.code, row.age_restricted, row.no_reason_return)
            for row in basket.skus.values()
        ),
        kind,
        adult=wish.adult_confirmed,
        no_return=wish.no_return_confirmed,
    )
    rules.check_total(wish.expected_total_fen, basket.quote.total_fen)
    attribution = attribution_for(
        ctx,
        unit=wish.unit,
        channel=wish.channel,
        campaign=wish.campaign,
        storefront=wish.storefront,
    )
    order = rows.order_row(ctx, wish, basket.quote, address, attribution, kind, note)
    if wish.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        _check_terms(ctx, kind, wish, order["unit_id"])
    number = _insert_order(ctx, order)
    _insert_parts(ctx, order["id"], number, basket, wish)
    if wish.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        _move_consignments(ctx, order["id"], "ship_on_credit", {})
    reserve(ctx, order["id"], quantities(basket))
    return Placed(
        id=order["id"], number=number, access_token=access_token(ctx.settings, order["id"])
    )


def _check_terms(ctx: Ctx, kind: BuyerKind, wish: PlaceOrder, unit_id: UUID | None) -> None:
    """Goods go before the money only to a unit that has been granted it, in its own name.

    Raises:
        Conflict: `terms_not_allowed`.
    """
    own = unit_id is not None and unit_id in {ctx.actor.unit_id, *ctx.actor.unit_ids}
    granted = (
        own
        and ctx.session.execute(
            select(UNITS.c.pay_after_delivery).where(UNITS.c.id == unit_id)
        ).scalar_one_or_none()
    )
    if not granted or not rules.institutional(kind, wish.purpose):
        raise rules.terms_refused()


def quantities(basket: Basket) -> dict[UUID, int]:
    """SKU id -> pieces of everything in the basket."""
    return {line.sku_id: line.quantity for part in basket.quote.consignments for line in part.lines}


def _insert_order(ctx: Ctx, order: dict[str, Any]) -> str:
    """Insert under a number that nobody has."""
    for _ in range(NUMBER_TRIES):
        number = order_number(business_day(ctx.now))
        written = ctx.session.execute(WRITE_ORDER, {**order, "number": number}).scalar_one_or_none()
        if written is not None:
            return number
    raise TryAgain


def _insert_parts(ctx: Ctx, order_id: UUID, number: str, basket: Basket, wish: PlaceOrder) -> None:
    parts, lines = rows.part_rows(order_id, number, basket, no_return=wish.no_return_confirmed)
    ctx.session.execute(WRITE_CONSIGNMENTS, parts)
    ctx.session.execute(WRITE_LINES, lines)
    append(ctx, "order", order_id, order_id, "place", None, OrderState.PENDING_PAYMENT)


def mark_paid(ctx: Ctx, order: Any, payment_id: UUID, paid_at: datetime) -> dict[str, int] | None:
    """The money for this order is there: consignments go to their cooperatives, aid is counted.

    Args:
        ctx: the transaction.
        order: its row, locked (`access.locked_order`).
        payment_id: the attempt that brought the money.
        paid_at: when it did.

    Returns:
        What each cooperative is owed for it, goods and freight in fen by its code; None when the
        order was paid before.

    Raises:
        Conflict: `order_cancelled`, the order was closed before: the money must go back.
    """
    moved = move_locked(
        ctx, ORDER, order.id, order.id, order.state, "pay", values={"paid_at": paid_at}
    )
    if not moved.changed:
        return None
    _move_consignments(ctx, order.id, "pay", {"paid_at": paid_at})
    if order.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        # They went on their way before; only the money is new.
        ctx.session.execute(PAID_ON_CREDIT, {"its_order": order.id, "at": paid_at})
    return _count_as_aid(ctx, order, payment_id, paid_at)


def close_order(ctx: Ctx, order_id: UUID, event: str, why: str) -> Moved:
    """Cancel (`cancel` by the buyer, `expire` by the timer) an unpaid order and free its goods.

    Raises:
        Conflict: `order_paid`, it is paid: a timer never cancels a paid order; `order_shipped`,
            its goods are on their way and will be paid after delivery.
    """
    moved = fire(
        ctx,
        ORDER,
        order_id,
        order_id,
        event,
        why=why,
        values={"cancelled_at": ctx.now, "cancel_reason": event},
    )
    if moved.changed:
        refuse_shipped(ctx, order_id)
        _move_consignments(ctx, order_id, "cancel", {})
        _move_consignments(ctx, order_id, "cancel", {}, ConsignmentState.PENDING_SHIPMENT)
        release(ctx, order_id, _reserved(ctx, order_id))
    return moved


def refuse_shipped(ctx: Ctx, order_id: UUID) -> None:
    """What has left on credit cannot be called off.

    Raises:
        Conflict: `order_shipped`.
    """
    if ctx.session.execute(ON_ITS_WAY, {"its_order": order_id}).first() is not None:
        raise Conflict(
            "订单已开始发货，不能取消",
            "Goods of this order have been shipped",
            code="order_shipped",
        )


def reopen_order(ctx: Ctx, order: Any) -> None:
    """Let an order that the timer closed wait for its money again, its goods promised anew.

    Raises:
        Conflict: `out_of_stock`, somebody else has them; nothing is to be kept of the try then.
    """
    move_locked(
        ctx,
        ORDER,
        order.id,
        order.id,
        order.state,
        "reopen",
        values={"cancelled_at": None, "cancel_reason": None},
    )
    _move_consignments(ctx, order.id, "reopen", {}, ConsignmentState.CANCELLED)
    reserve(ctx, order.id, _reserved(ctx, order.id))


def _reserved(ctx: Ctx, order_id: UUID) -> dict[UUID, int]:
    return {
        line.sku_id: line.quantity for line in ctx.session.execute(LINES_OF, {"wanted": order_id})
    }


def _move_consignments(
    ctx: Ctx,
    order_id: UUID,
    event: str,
    values: dict[str, Any],
    before: ConsignmentState = ConsignmentState.PENDING_PAYMENT,
) -> None:
    """Move an order's consignments that stand at `before` by one event, under the order's lock."""
    after = CONSIGNMENT.transitions[before, event]
    moved = ctx.session.execute(
        MOVE_CONSIGNMENTS,
        {"its_order": order_id, "before": before, "state": after, **values},
    ).scalars()
    written = [
        event_row(ctx, "consignment", consignment_id, order_id, event, before, after)
        for consignment_id in moved
    ]
    if written:
        ctx.session.execute(WRITE_EVENTS, written)


def _count_as_aid(ctx: Ctx, order: Any, payment_id: UUID, paid_at: datetime) -> dict[str, int]:
    sale = Sale(
        order_id=order.id,
        order_number=order.number,
        at=paid_at,
        cause_id=payment_id,
        platform_id=order.platform_id,
        storefront_id=order.storefront_id,
        channel_id=order.channel_id,
        campaign_id=order.campaign_id,
        unit_id=order.unit_id,
        buyer_kind=order.buyer_kind,
        buyer_key=order.buyer_key,
        purpose=order.purpose,
    )
    lines = [_sale_line(line) for line in ctx.session.execute(LINES_OF, {"wanted": order.id})]
    record_sale(ctx, sale, lines)
    return rules.shares(lines)


def _sale_line(line: Any) -> SaleLine:
    return SaleLine(
        order_line_id=line.id,
        snapshot=line.snapshot,
        quantity=line.quantity,
        weight_g=line.weight_g,
        goods_fen=line.goods_fen - line.discount_fen,
        freight_fen=line.freight_fen,
    )


def confirm_receipt(ctx: Ctx, order_id: UUID) -> int:
    """The buyer has everything that was shipped; returns how many consignments are now done."""
    found = (
        ctx.session.execute(
            select(CONSIGNMENTS.c.id)
            .where(
                CONSIGNMENTS.c.order_id == order_id,
                CONSIGNMENTS.c.state == ConsignmentState.SHIPPED,
            )
            .order_by(CONSIGNMENTS.c.id)
        )
        .scalars()
        .all()
    )
    for consignment_id in found:
        complete(ctx, consignment_id, order_id, "buyer")
    return len(found)


def complete(ctx: Ctx, consignment_id: UUID, order_id: UUID, why: str) -> Moved:
    """A shipped consignment has arrived (the buyer says so, or the days have passed)."""
    return fire(
        ctx,
        CONSIGNMENT,
        consignment_id,
        order_id,
        "complete",
        why=why,
        values={"completed_at": ctx.now},
    )
