"""Money that goes back: asking for it, following it, trying again."""

from __future__ import annotations

from typing import Any

from api.endpoint import Ctx, endpoint
from api.pagination import decode_id, page_of
from api.schemas.refunds import RefundAnswer, RefundBody, RefundPage, RefundQuery
from shop.errors import Invalid, Words
from shop.orders.access import order_id_of
from shop.payments.refund_queries import (
    RefundFilter,
    refund_by_id,
    refund_on_desk,
    refunds_on_desk,
)
from shop.payments.refund_rules import LineWish, RefundWish
from shop.payments.refunds import refund_payment, request_refund, retry_refund

TAG = "Finance"


@endpoint(
    "POST",
    "/refunds",
    permission="refunds.request",
    tag=TAG,
    body=RefundBody,
    answer=RefundAnswer,
    status=201,
    idempotent=True,
)
def request_one(ctx: Ctx, body: dict[str, Any]) -> dict[str, Any]:
    """Refund an order, whole or in part, or send back money that no order may keep."""
    _one_of_both(body)
    if body["payment"] is not None:
        refund_id = refund_payment(ctx, body["payment"], body["reason"])
    else:
        order_id = order_id_of(ctx, body["order"])
        refund_id = request_refund(ctx, order_id, _wish(body), body["reason"])
    return refund_by_id(ctx, refund_id)


@endpoint(
    "GET", "/refunds", permission="refunds.read", tag=TAG, query=RefundQuery, answer=RefundPage
)
def refunds(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Refunds of all orders, newest first."""
    limit = query["limit"]
    wanted = RefundFilter(query["state"], query["cause"], query["order"])
    found = refunds_on_desk(ctx, wanted, decode_id(query["cursor"]), limit + 1)
    return page_of(found, limit, "id")


@endpoint("GET", "/refunds/<number>", permission="refunds.read", tag=TAG, answer=RefundAnswer)
def refund(ctx: Ctx, number: str) -> dict[str, Any]:
    """One refund with what of each line goes back."""
    return refund_on_desk(ctx, number)


@endpoint(
    "POST",
    "/refunds/<number>/retry",
    permission="refunds.request",
    tag=TAG,
    answer=RefundAnswer,
    status=201,
    idempotent=True,
)
def retry(ctx: Ctx, number: str) -> dict[str, Any]:
    """Try a failed refund again, as a new one."""
    return refund_by_id(ctx, retry_refund(ctx, refund_on_desk(ctx, number)["id"]))


def _wish(body: dict[str, Any]) -> RefundWish:
    lines = body["lines"] or ()
    return RefundWish(
        lines=tuple(LineWish(one["line_id"], one["quantity"], one["amount_fen"]) for one in lines),
        amount_fen=body["amount_fen"],
        freight=body["freight"],
        goods_returned=body["goods_returned"],
    )


def _one_of_both(body: dict[str, Any]) -> None:
    """An order with what of it, or a payment, which goes back whole."""
    partial = body["lines"] is not None or body["amount_fen"] is not None
    if (body["order"] is None) == (body["payment"] is None) or (body["payment"] and partial):
        words = Words("请指定订单或付款之一；付款只能整笔退回", "Name an order, or a whole payment")
        raise Invalid(words, words.en, code="refund_unclear", fields={"order": [words]})
