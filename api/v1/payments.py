"""Paying, and hearing from the provider."""

from __future__ import annotations

from typing import Any

from flask import request

from api.endpoint import Ctx, Rest, Transactions, endpoint
from api.schemas.buying import TokenQuery
from api.schemas.paying import PaymentAnswer, PaymentBody, PaymentList, Received
from models.payments import PaymentMethod
from shop.orders.access import order_id_for
from shop.payments import queries
from shop.payments.bank_transfer import start_transfer
from shop.payments.commands import open_payment
from shop.payments.providers import gateway
from shop.payments.refund_queries import refunds_for_buyer
from shop.payments.webhooks import receive

TAG = "Buying"


@endpoint(
    "POST",
    "/orders/<number>/payments",
    permission="payments.start",
    tag=TAG,
    body=PaymentBody,
    query=TokenQuery,
    answer=PaymentAnswer,
    status=201,
    idempotent=True,
    phases=True,
)
def start(
    transactions: Transactions, number: str, body: dict[str, Any], query: dict[str, Any]
) -> object:
    """Open a checkout, or learn where to transfer to; a live attempt is returned again."""
    token = query["access_token"] or body["access_token"]
    if body["method"] == PaymentMethod.BANK_TRANSFER:
        return start_transfer(transactions, number, token=token)
    return Rest(open_payment(transactions, number, token=token, return_url=body["return_url"]))


@endpoint(
    "GET",
    "/orders/<number>/payments",
    permission="orders.read_own",
    tag=TAG,
    query=TokenQuery,
    answer=PaymentList,
)
def attempts(ctx: Ctx, number: str, query: dict[str, Any]) -> dict[str, Any]:
    """Every attempt to pay an order and every refund of it, each with its state."""
    order_id = order_id_for(ctx, number, query["access_token"])
    refunds = refunds_for_buyer(ctx, order_id)
    return {
        "items": [
            {**one, "refunds": [back for back in refunds if back["payment_id"] == one["id"]]}
            for one in queries.payments_of(ctx, order_id)
        ],
        "next_cursor": None,
    }


@endpoint(
    "POST",
    "/webhooks/stripe",
    permission="provider.notify",
    tag="Provider",
    answer=Received,
    headers=("Stripe-Signature",),
    raw_body=True,
    opens="alone",
)
def stripe_webhook(ctx: Ctx) -> dict[str, bool]:
    """Store a signed event; it is handled by the worker, once, whatever comes how often."""
    body = request.get_data()
    event = gateway(ctx.settings).parse_event(body, request.headers.get("Stripe-Signature", ""))
    receive(ctx, "stripe", event, body)
    return {"received": True}
