"""Writes of the order itself. Paying, closing and shipping stand in their own contexts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
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
from shop.aid.queries import Attribution, attribution_for
from shop.bulk import inserting
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Conflict, TryAgain
from shop.identity.rules import validated_address
from shop.ids import order_number
from shop.inventory.commands import reserve
from shop.machine import EVENTS, Moved, event_row, fire
from shop.orders import rows, rules
from shop.orders.access import access_token
from shop.orders.faults import Faults
from shop.orders.inputs import Placed, PlaceOrder
from shop.orders.payment_commands import move_consignments
from shop.orders.states import CONSIGNMENT
from shop.pricing.quote import Basket, load_basket

ORDERS = Order.__table__
CONSIGNMENTS = Consignment.__table__
LINES = OrderLine.__table__
UNITS = Unit.__table__

WRITE_PARTS = inserting(EVENTS).add_cte(
    inserting(CONSIGNMENTS, "paid_at", "shipped_at", "completed_at").cte("parts"),
    inserting(LINES, "withdrawn", "returned", "back_goods_fen", "back_freight_fen").cte("lines"),
)
"""All that belongs to an order besides itself, whatever the number of its lines."""
WRITE_ORDER = (
    insert(ORDERS).on_conflict_do_nothing(index_elements=["number"]).returning(ORDERS.c.number)
)

HOLD_ORDER = (
    select(ORDERS.c.id).where(ORDERS.c.id == bindparam("wanted")).with_for_update(key_share=True)
)

NUMBER_TRIES = 8
"""With 10 million numbers a day, eight collisions in a row mean something else is wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A wish as it is kept (address, note and guest in their one form), and what it refers to."""

    wish: PlaceOrder
    kind: BuyerKind
    basket: Basket
    attribution: Attribution


def place_order(ctx: Ctx, wish: PlaceOrder) -> Placed:
    """Place an order: all of it or nothing. Stock is reserved last, for as short as can be.

    Raises:
        Invalid: see `rules`; every field at fault at once, before anything below is told.
        NotFound, Conflict: see `rules`; `out_of_stock` names each SKU and what is left;
            `terms_not_allowed`, the unit pays first.
    """
    form = _checked(ctx, wish)
    wish, basket = form.wish, form.basket
    rules.check_total(wish.expected_total_fen, basket.quote.total_fen)
    order = rows.order_row(
        ctx, wish, basket.quote, wish.address, form.attribution, form.kind, wish.note
    )
    if wish.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        _check_terms(ctx, form.kind, wish, order["unit_id"])
    number = _insert_order(ctx, order)
    _insert_parts(ctx, order["id"], number, basket, wish)
    if wish.payment_terms is PaymentTerms.PAY_AFTER_DELIVERY:
        move_consignments(ctx, order["id"], "ship_on_credit", {})
    reserve(ctx, order["id"], quantities(basket))
    return Placed(
        id=order["id"], number=number, access_token=access_token(ctx.settings, order["id"])
    )


def _checked(ctx: Ctx, wish: PlaceOrder) -> Checked:
    """The wish, if nothing about it is wrong.

    Raises:
        Invalid, NotFound, Conflict: as `place_order`.
    """
    items = rules.merged(wish.lines)
    faults, declared = Faults(), wish.buyer.buyer_kind if wish.buyer else None
    kind = faults.noting(
        lambda: rules.effective_kind(declared, ctx.actor.buyer_kind, ctx.actor.roles)
    )
    if kind is not None:
        faults.noting(partial(rules.check_purpose, wish.purpose, kind))
    note = faults.noting(lambda: rules.clean_note(wish.note))
    buyer = wish.buyer
    if buyer is not None and not ctx.actor.signed_in:
        buyer = faults.noting(partial(rules.said_by_guest, buyer, ctx.language))
    address = faults.noting(lambda: validated_address(wish.address, language=ctx.language))
    destination = address.division_code if address else None
    basket = load_basket(ctx, items, destination, wish.line_discounts)
    faults.noting(lambda: rules.refuse_problems(basket.quote))
    faults.noting(partial(_check_confirmations, wish, basket, kind or BuyerKind.PUBLIC))
    attribution = faults.noting(lambda: _attribution(ctx, wish))
    faults.tell()
    assert kind is not None
    assert note is not None
    assert address is not None
    assert attribution is not None
    kept = replace(wish, buyer=buyer, note=note, address=address)
    return Checked(kept, kind, basket, attribution)


def _check_confirmations(wish: PlaceOrder, basket: Basket, kind: BuyerKind) -> None:
    rules.check_confirmations(
        rules.goods_of(basket.skus.values()),
        kind,
        adult=wish.adult_confirmed,
        no_return=wish.no_return_confirmed,
    )


def _attribution(ctx: Ctx, wish: PlaceOrder) -> Attribution:
    return attribution_for(
        ctx,
        unit=wish.unit,
        channel=wish.channel,
        campaign=wish.campaign,
        storefront=wish.storefront,
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
    placed = event_row(ctx, "order", order_id, order_id, "place", None, OrderState.PENDING_PAYMENT)
    rows_of = {CONSIGNMENTS.name: parts, LINES.name: lines, EVENTS.name: [placed]}
    ctx.session.execute(WRITE_PARTS, rows_of)


def confirm_receipt(ctx: Ctx, order_id: UUID) -> int:
    """The buyer has everything that was shipped; returns how many consignments are now done.

    The order's row goes first, as in shipping and refunding: neither can wait for the other.

    Raises:
        Conflict: `nothing_shipped`, nothing can have arrived; to confirm it again is quiet.
    """
    ctx.session.execute(HOLD_ORDER, {"wanted": order_id})
    found = ctx.session.execute(
        select(CONSIGNMENTS.c.id, CONSIGNMENTS.c.state)
        .where(
            CONSIGNMENTS.c.order_id == order_id,
            CONSIGNMENTS.c.state.in_((ConsignmentState.SHIPPED, ConsignmentState.COMPLETED)),
        )
        .order_by(CONSIGNMENTS.c.id)
    ).all()
    if not found:
        raise Conflict(
            "商品还没有发出，暂时不能确认收货",
            "Nothing has been shipped whole yet, so nothing can be confirmed",
            code="nothing_shipped",
        )
    arrived = [one.id for one in found if one.state is ConsignmentState.SHIPPED]
    for consignment_id in arrived:
        complete(ctx, consignment_id, order_id, "buyer")
    return len(arrived)


def complete(ctx: Ctx, consignment_id: UUID, order_id: UUID, why: str) -> Moved:
    """A shipped consignment has arrived (the buyer says so, or the days have passed).

    The caller has locked its order: the event that is told of it asks for the order's row too.
    """
    return fire(
        ctx,
        CONSIGNMENT,
        consignment_id,
        order_id,
        "complete",
        why=why,
        values={"completed_at": ctx.now},
    )
