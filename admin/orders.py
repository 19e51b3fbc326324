"""Orders as staff follows them: from the number to lines, money, parcels and entries."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from admin import refund_words, words
from admin.forms.fields import cut, id_of
from admin.page import pages, show
from models.orders import OrderState
from shop.context import Ctx
from shop.fulfilment.queries import parcels_of
from shop.identity.policy import allowed
from shop.ids import is_order_number
from shop.orders.desk import order_on_desk, orders_on_desk
from shop.payments.bank_desk import terms_of
from shop.payments.dispute_queries import disputes_of
from shop.payments.queries import payments_of
from shop.payments.refund_queries import refunds_of
from shop.reports.definitions import DIMENSIONS, Choice
from shop.reports.trail import entries_of_order

PAGE = 24
LONGEST_NUMBER = 20


@pages.page("/orders", permission="orders.read_any")
def orders(ctx: Ctx) -> ResponseReturnValue:
    """All orders, newest first; a whole number leads straight to its order."""
    number = request.args.get("number", "").strip().partition("-")[0][:LONGEST_NUMBER]
    state = next((one for one in OrderState if one == request.args.get("state")), None)
    before = id_of(request.args.get("before"))
    found = orders_on_desk(ctx, number=number, state=state, before=before, limit=PAGE + 1)
    if is_order_number(number) and len(found) == 1:
        return redirect(url_for("admin.order", number=number))
    rows, more = cut(found, PAGE)
    return show(
        "orders.html",
        family="orders",
        rows=rows,
        more=more,
        number=number,
        state=state,
        states=words.ORDER_STATES,
        readings=words.ORDER_READINGS,
        tones=words.TONES,
        buyer_kinds=named("buyer_kind", ctx.language),
    )


@pages.page("/orders/<number>", permission="orders.read_any")
def order(ctx: Ctx, number: str) -> str:
    """One order with its parts, parcels, payments, entries and timeline."""
    found = order_on_desk(ctx, number)
    return show(
        "order.html",
        family="orders",
        order=found,
        parcels=parcels_of(ctx, found["id"]),
        payments=payments_of(ctx, found["id"]),
        entries=entries_of_order(ctx, number),
        refunds=refunds_of(ctx, found["id"]),
        disputes=disputes_of(ctx, found["id"]),
        terms=terms_of(ctx, found),
        may_extend=allowed(ctx.actor, "orders.extend"),
        may_refund=_refundable(found) and allowed(ctx.actor, "refunds.request"),
        named=refund_words,
        states=words.CONSIGNMENT_STATES,
        readings=words.ORDER_READINGS,
        tones=words.TONES,
        events=words.EVENTS,
        payment_states=words.PAYMENT_STATES,
        methods=words.PAYMENT_METHODS,
        buyer_kinds=named("buyer_kind", ctx.language),
        purposes=named("purpose", ctx.language),
        english=_english_names(found) if ctx.language == "en" else {},
    )


def _english_names(order: dict[str, Any]) -> dict[str, str]:
    """What the goods of an order are called in English, where they are, by their names."""
    lines = [line for part in order["consignments"] for line in part["lines"]]
    return {line["name"]: line["name_en"] for line in lines if line["name_en"]}


def _refundable(order: dict[str, Any]) -> bool:
    """Paid, and not all of it on its way back."""
    lines = [line for part in order["consignments"] for line in part["lines"]]
    back: int = sum(line["refunded_fen"] for line in lines)
    return bool(order["paid_at"]) and back < order["total_fen"]


def named(dimension: str, language: str) -> dict[str, str]:
    """What the values of a dimension are called, as the reports call them."""
    found = DIMENSIONS[dimension]
    assert isinstance(found, Choice)
    return {code: text.in_(language) for code, text in found.values.items()}
