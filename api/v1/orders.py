"""Quoting and ordering."""

from __future__ import annotations

from typing import Any

from api.endpoint import Ctx, Transactions, endpoint
from api.pagination import decode_id, page_of
from api.schemas.buying import OrderAnswer, OrderBody, OrderPage, QuoteAnswer, QuoteBody, TokenQuery
from api.schemas.common import PageQuery
from shop.errors import Invalid, Words
from shop.fulfilment.queries import parcels_of
from shop.identity.rules import AddressInput
from shop.orders import commands, queries
from shop.orders.access import order_id_for
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.orders.rules import merged
from shop.payments.closing import cancel_unpaid
from shop.pricing.quote import price_basket
from shop.pricing.values import Quote

TAG = "Buying"


@endpoint(
    "POST",
    "/quotes",
    permission="orders.quote",
    tag=TAG,
    body=QuoteBody,
    answer=QuoteAnswer,
    opens="reading",
)
def quote(ctx: Ctx, body: dict[str, Any]) -> dict[str, Any]:
    """What a basket costs, delivered to a county; nothing is reserved."""
    _no_coupon(body["coupon"])
    return quoted(price_basket(ctx, _lines(body), body["division_code"]), ctx.language)


@endpoint(
    "POST",
    "/orders",
    permission="orders.place",
    tag=TAG,
    body=OrderBody,
    answer=OrderAnswer,
    status=201,
    idempotent=True,
    limit="1200/minute",
)
def place(ctx: Ctx, body: dict[str, Any]) -> dict[str, Any]:
    """Place an order: all or nothing; the goods are held until `pay_before`."""
    _no_coupon(body["coupon"])
    return queries.order_by_id(ctx, commands.place_order(ctx, _wish(body)).id)


@endpoint(
    "GET",
    "/orders",
    permission="orders.list_own",
    tag=TAG,
    query=PageQuery,
    answer=OrderPage,
    opens="reading",
)
def mine(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Own orders, newest first."""
    limit = query["limit"]
    found = queries.orders_of_actor(ctx, decode_id(query["cursor"]), limit + 1)
    return page_of(found, limit, "id")


@endpoint(
    "GET",
    "/orders/<number>",
    permission="orders.read_own",
    tag=TAG,
    query=TokenQuery,
    answer=OrderAnswer,
    limit="600/minute",
    opens="reading",
)
def read(ctx: Ctx, number: str, query: dict[str, Any]) -> dict[str, Any]:
    """An own order; a guest passes the order's `access_token`."""
    return _opened(ctx, number, query["access_token"])


@endpoint(
    "POST",
    "/orders/<number>/cancel",
    permission="orders.change_own",
    tag=TAG,
    query=TokenQuery,
    answer=OrderAnswer,
    phases=True,
)
def cancel(transactions: Transactions, number: str, query: dict[str, Any]) -> dict[str, Any]:
    """Cancel before payment; the goods go back at once."""
    cancel_unpaid(transactions, number, query["access_token"])
    with transactions.begin() as ctx:
        return _opened(ctx, number, query["access_token"])


@endpoint(
    "POST",
    "/orders/<number>/confirm-receipt",
    permission="orders.change_own",
    tag=TAG,
    query=TokenQuery,
    answer=OrderAnswer,
)
def confirm_receipt(ctx: Ctx, number: str, query: dict[str, Any]) -> dict[str, Any]:
    """The goods have arrived."""
    commands.confirm_receipt(ctx, order_id_for(ctx, number, query["access_token"]))
    return _opened(ctx, number, query["access_token"])


def _opened(ctx: Ctx, number: str, token: str | None) -> dict[str, Any]:
    order = queries.order_for(ctx, number, token)
    lines = (line for part in order["consignments"] for line in part["lines"])
    shipped = any(line["shipped_quantity"] for line in lines)
    parcels = parcels_of(ctx, order["id"]) if shipped else {}
    for part in order["consignments"]:
        part["parcels"] = parcels.get(part["id"], [])
    return order


def _lines(body: dict[str, Any]) -> list[tuple[str, int]]:
    return merged((line["sku"], line["quantity"]) for line in body["lines"])


def _wish(body: dict[str, Any]) -> PlaceOrder:
    buyer = body["buyer"]
    return PlaceOrder(
        lines=tuple((line["sku"], line["quantity"]) for line in body["lines"]),
        address=AddressInput(**body["address"]),
        buyer=BuyerInput(**buyer) if buyer else None,
        unit=body["unit"],
        channel=body["channel"],
        campaign=body["campaign"],
        storefront=body["storefront"],
        purpose=body["purpose"],
        payment_terms=body["payment_terms"],
        note=body["note"],
        adult_confirmed=body["confirmations"].get("adult", False),
        no_return_confirmed=body["confirmations"].get("no_return", False),
        expected_total_fen=body["expected_total_fen"],
    )


def _no_coupon(coupon: str | None) -> None:
    """There are no coupons yet: a code that would do nothing is refused, not passed over."""
    if coupon:
        raise Invalid(
            "优惠码无效",
            "There is no such coupon",
            code="coupon_unknown",
            fields={"coupon": [Words("优惠码无效", "There is no such coupon")]},
        )


def quoted(priced: Quote, language: str) -> dict[str, Any]:
    """A quote in the shape of `QuoteAnswer`."""
    return {
        "consignments": [
            {
                "cooperative": {"code": part.cooperative_code, "name": part.cooperative_name},
                "lines": [
                    {
                        "sku": line.sku_code,
                        "name": line.name,
                        "spec": line.spec,
                        "quantity": line.quantity,
                        "unit_price_fen": line.unit_price_fen,
                        "goods_fen": line.goods_fen,
                        "discount_fen": line.discount_fen,
                    }
                    for line in part.lines
                ],
                "goods_fen": part.goods_fen,
                "discount_fen": part.discount_fen,
                "freight_fen": part.freight_fen,
                "total_fen": part.total_fen,
                "to_free_fen": part.to_free_fen,
            }
            for part in priced.consignments
        ],
        "goods_fen": priced.goods_fen,
        "discount_fen": priced.discount_fen,
        "freight_fen": priced.freight_fen,
        "total_fen": priced.total_fen,
        "freight_known": priced.freight_known,
        "problems": [
            {
                "code": one.code,
                "sku": one.sku,
                "detail": one.message(language),
                "available": one.available,
            }
            for one in priced.problems
        ],
    }
