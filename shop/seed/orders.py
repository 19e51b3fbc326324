"""The eight worked orders of the demonstration, lived through with the clock of their time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from models.catalog import Category, Cooperative, Product, Sku
from models.identity import BuyerKind, Role, RoleGrant
from models.orders import Consignment, OrderLine, PaymentTerms
from models.organization import Purpose, SalesPlatform, Unit
from models.payments import Payment, PaymentMethod
from shop.aid.commands import record_external
from shop.aid.queries import attribution_for
from shop.aid.values import ExternalSale, Goods
from shop.clock import frozen
from shop.context import SYSTEM, Actor, Ctx, Transactions
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.identity.rules import AddressInput
from shop.ids import new_id
from shop.orders import commands, payment_commands
from shop.orders.access import locked_order, order_id_for
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.payments import refund_rows
from shop.payments.receipts import record_receipt
from shop.payments.refund_effects import succeed
from shop.payments.refund_rules import LineWish, RefundWish
from shop.payments.refunds import request_refund
from shop.seed.data import demo, moment
from shop.seed.provider import Provider

Scenario = dict[str, Any]

CONSIGNMENTS, LINES = Consignment.__table__, OrderLine.__table__
PAYMENTS = Payment.__table__

SHIPPED_AFTER = timedelta(days=1)
"""Where the data names no parcel, the goods left a day after they were paid."""


def place_scenarios(transactions: Transactions, past: Provider | None = None) -> dict[str, str]:
    """Live through every worked order; returns scenario code -> order or external number.

    Without a `past` the payments are ours alone, and nothing of them can be refunded.
    """
    return {
        scenario["code"]: (
            _import(transactions, scenario)
            if scenario["platform"] != "self_mall"
            else _order(transactions, scenario, past)
        )
        for scenario in demo()["order_scenarios"]
    }


def _at(transactions: Transactions, text: str) -> Transactions:
    return replace(transactions, clock=frozen(moment(text)), actor=SYSTEM)


def _order(transactions: Transactions, scenario: Scenario, past: Provider | None) -> str:
    with _at(transactions, scenario["placed_at"]).begin() as ctx:
        ctx.actor = _buyer(ctx, scenario)
        number = commands.place_order(ctx, _wish(scenario)).number
    if scenario["paid_at"] is None:
        _expire(transactions, scenario, number)
        return number
    # Goods of an order on credit may travel before the money does; here the receipt comes first
    # and the parcels right after it, whatever the terms.
    _pay(transactions, scenario, number, past)
    if scenario["outcome"] == "completed":
        _ship(transactions, scenario, number)
        _complete(transactions, scenario, number)
    for refund in scenario["refunds"]:
        _refund(transactions, refund, number, past)
    return number


def _buyer(ctx: Ctx, scenario: Scenario) -> Actor:
    """A unit's account is a person of the demonstration; everybody else orders as a guest."""
    if scenario["buyer_kind"] != BuyerKind.UNIT_ACCOUNT:
        return SYSTEM
    user_id = ctx.session.execute(
        select(RoleGrant.user_id)
        .where(RoleGrant.role == Role.UNION_BUYER)
        .order_by(RoleGrant.granted_at)
        .limit(1)
    ).scalar_one()
    unit_id = ctx.session.execute(select(Unit.id).where(Unit.code == scenario["unit"])).scalar_one()
    return Actor(
        user_id=user_id,
        unit_id=unit_id,
        name="校工会采购员(演示)",
        buyer_kind=BuyerKind.UNIT_ACCOUNT,
        roles=frozenset({Role.UNION_BUYER}),
    )


def _wish(scenario: Scenario) -> PlaceOrder:
    person = scenario["buyer"]
    lines = scenario["lines"]
    return PlaceOrder(
        lines=tuple((line["sku"], line["quantity"]) for line in lines),
        address=AddressInput(
            recipient=f"演示收货人{person}",
            phone=f"154000000{int(person[1:]):02d}",
            division_code=scenario["division"],
            detail="示例路 1 号(演示)",
        ),
        buyer=BuyerInput(name=f"演示买家{person}", buyer_kind=BuyerKind(scenario["buyer_kind"]))
        if scenario["buyer_kind"] != BuyerKind.UNIT_ACCOUNT
        else None,
        unit=scenario["unit"],
        channel=scenario["channel"],
        campaign=scenario["campaign"],
        purpose=Purpose(scenario["purpose"]),
        adult_confirmed=True,
        no_return_confirmed=True,
        payment_terms=PaymentTerms(scenario["payment_terms"]),
        line_discounts={line["sku"]: line["discount_fen"] for line in lines},
        expected_total_fen=scenario["total_fen"],
    )


def _expire(transactions: Transactions, scenario: Scenario, number: str) -> None:
    late = moment(scenario["placed_at"]) + timedelta(minutes=31)
    with _at(transactions, late.isoformat()).begin() as ctx:
        payment_commands.close_order(ctx, order_id_for(ctx, number), "expire", "timer")


def _pay(
    transactions: Transactions, scenario: Scenario, number: str, past: Provider | None
) -> None:
    method = PaymentMethod(scenario["payment_method"])
    with _at(transactions, scenario["paid_at"]).begin() as ctx:
        payment_id = record_receipt(
            ctx,
            order_id_for(ctx, number),
            method=method,
            amount_fen=scenario["total_fen"],
            received_at=ctx.now,
            reference=f"demo-{scenario['code']}",
        )
    if past is not None and method is PaymentMethod.STRIPE:
        paid_at = moment(scenario["paid_at"])
        charged = past.charge(number, payment_id, scenario["total_fen"], paid_at)
        with transactions.begin() as ctx:
            ctx.session.execute(
                update(PAYMENTS)
                .where(PAYMENTS.c.id == payment_id)
                .values(
                    reference=charged.session,
                    intent_reference=charged.intent,
                    charge_reference=charged.charge,
                )
            )


def _ship(transactions: Transactions, scenario: Scenario, number: str) -> None:
    named = {parcel["cooperative"]: parcel for parcel in scenario.get("parcels", [])}
    when = moment(scenario["paid_at"]) + SHIPPED_AFTER
    with _at(transactions, when.isoformat()).begin() as ctx:
        order_id = order_id_for(ctx, number)
        for part, cooperative in _parts(ctx, order_id):
            parcel = named.get(cooperative.code, {})
            ctx.actor = Actor(
                roles=frozenset({Role.COOP_MANAGER}), cooperative_ids=frozenset({cooperative.id})
            )
            ship_parcel(
                ctx,
                part.number,
                ShipParcel(
                    carrier=parcel.get("carrier", "zhongtong"),
                    tracking_no=parcel.get(
                        "tracking_no", f"DEMO{scenario['code']}{part.number[-1]}"
                    ),
                    lines=None,
                ),
            )


def _parts(ctx: Ctx, order_id: UUID) -> list[Any]:
    return [
        (part, ctx.session.orm.get_one(Cooperative, part.cooperative_id))
        for part in ctx.session.execute(
            select(CONSIGNMENTS.c.number, CONSIGNMENTS.c.cooperative_id)
            .where(CONSIGNMENTS.c.order_id == order_id)
            .order_by(CONSIGNMENTS.c.number)
        )
    ]


def _complete(transactions: Transactions, scenario: Scenario, number: str) -> None:
    with _at(transactions, scenario["completed_at"]).begin() as ctx:
        commands.confirm_receipt(ctx, order_id_for(ctx, number))


def _refund(
    transactions: Transactions, refund: dict[str, Any], number: str, past: Provider | None
) -> None:
    """A refund asked for and, as the data has one moment for both, with the buyer at once."""
    with _at(transactions, refund["refunded_at"]).begin() as ctx:
        order_id = order_id_for(ctx, number)
        line = ctx.session.execute(
            select(LINES.c.id).where(
                LINES.c.order_id == order_id,
                LINES.c.snapshot["sku_code"].astext == refund["sku"],
            )
        ).scalar_one()
        wish = RefundWish(
            lines=(LineWish(line, refund["quantity"], refund["goods_fen"]),),
            freight=refund["freight_fen"] > 0,
        )
        refund_id = request_refund(ctx, order_id, wish, refund["reason"])
        row, payment = _locked(ctx, refund_id)
    at = moment(refund["refunded_at"])
    reference = f"demo-{row.number}"
    if past is not None and payment.intent_reference is not None:
        reference = past.refund(payment.intent_reference, refund_id, row.amount_fen, at)
    with _at(transactions, refund["refunded_at"]).begin() as ctx:
        locked_order(ctx, row.order_id)
        row, payment = _locked(ctx, refund_id)
        succeed(ctx, row, payment, reference=reference, settled_at=at)


def _locked(ctx: Ctx, refund_id: UUID) -> tuple[Any, Any]:
    row = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": row.payment_id}).one()
    return row, payment


def _import(transactions: Transactions, scenario: Scenario) -> str:
    """An order of an outside platform: no goods of ours move, but the aid total does."""
    number: str = scenario["external_no"]
    with _at(transactions, scenario["paid_at"]).begin() as ctx:
        found = attribution_for(ctx, unit=scenario["unit"], channel=scenario["channel"])
        platform_id = _platform(ctx, scenario["platform"])
        batch = new_id()
        for place, line in enumerate(scenario["lines"], start=1):
            goods, weight_g = _goods(ctx, line["sku"])
            record_external(
                ctx,
                ExternalSale(
                    external_order_no=number,
                    external_line_no=place,
                    at=ctx.now,
                    cause_id=batch,
                    platform_id=platform_id,
                    channel_id=found.channel_id,
                    unit_id=found.unit_id,
                    buyer_kind=BuyerKind(scenario["buyer_kind"]),
                    buyer_key=f"external:{scenario['buyer']}",
                    purpose=Purpose(scenario["purpose"]),
                    goods=goods,
                    quantity=line["quantity"],
                    weight_g=weight_g * line["quantity"],
                    goods_fen=line["unit_price_fen"] * line["quantity"] - line["discount_fen"],
                ),
            )
    return number


def _platform(ctx: Ctx, code: str) -> UUID:
    found: UUID = ctx.session.execute(
        select(SalesPlatform.id).where(SalesPlatform.code == code)
    ).scalar_one()
    return found


def _goods(ctx: Ctx, sku_code: str) -> tuple[Goods, int]:
    sku, product, category, cooperative = ctx.session.execute(
        select(Sku, Product, Category, Cooperative)
        .join(Product, Product.id == Sku.product_id)
        .join(Category, Category.id == Product.category_id)
        .join(Cooperative, Cooperative.id == Product.cooperative_id)
        .where(Sku.code == sku_code)
    ).one()
    goods = Goods(
        product_code=product.code,
        product_name=product.name,
        sku_code=sku.code,
        sku_name=sku.name,
        category_code=category.code,
        category_name=category.name,
        cooperative_code=cooperative.code,
        cooperative_name=cooperative.name,
        aid_certified=product.aid_certified,
        origin_division=product.origin_division,
    )
    return goods, sku.weight_g
