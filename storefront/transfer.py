"""Paying by transfer (对公转账), as a unit sees it on its order's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash
from werkzeug.wrappers import Response

from models.payments import PaymentMethod
from shop.context import Ctx, Transactions
from shop.errors import Conflict
from shop.payments.bank_desk import terms_of
from shop.payments.bank_transfer import account, start_transfer
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.payments.states import LIVE
from shop.web import language
from storefront.guest import to_order
from storefront.receipts import written

Row = Mapping[str, Any]
Shown = dict[str, Any]


def shown(ctx: Ctx, order: dict[str, Any], attempts: Sequence[Row]) -> Shown | None:
    """Where to transfer to, how much, and what has come; None for an order that no unit pays.

    `chosen`: the buyer said that the money comes by transfer.
    """
    terms = terms_of(ctx, order)
    if not terms["waits"]:
        return None
    if order["pay_before"] <= ctx.now and not terms["on_credit"]:
        return None
    try:
        into = account(ctx.settings)
    except Conflict:
        return None
    live = [one for one in attempts if one["state"] in LIVE]
    by_transfer = any(one["method"] is PaymentMethod.BANK_TRANSFER for one in live)
    return {
        "chosen": by_transfer or terms["received_fen"] > 0,
        "account": into,
        "reference": order["number"],
        "received_fen": terms["received_fen"],
        "missing_fen": order["total_fen"] - terms["received_fen"],
        "until": written(order["pay_before"]),
        "overdue": terms["overdue"],
    }


def to_transfer(opened: Transactions, number: str, token: str | None) -> Response:
    """Let a unit pay by transfer; its order's page says where to."""
    try:
        start_transfer(opened, number, token=token)
    except (GatewayUnavailable, GatewayRejected) as error:
        flash(error.message(language()), "error")
    except Conflict as error:
        flash(error.message(language()), "warning")
    return to_order(opened.actor, number, token)
