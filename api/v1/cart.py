"""The basket, of a person or of a visitor who holds its token."""

from __future__ import annotations

from typing import Any

from flask import request

from api.endpoint import Ctx, Reply, endpoint
from api.schemas.cart import CartAnswer, CartQuery, QuantityBody
from api.v1.orders import quoted
from shop.cart import commands, queries
from shop.cart.owner import CartOwner, owner_of
from shop.cart.queries import CartItem

TAG = "Buying"
CART_TOKEN = "X-Cart-Token"  # noqa: S105 - the header's name


@endpoint(
    "GET",
    "/cart",
    permission="cart.use",
    tag=TAG,
    query=CartQuery,
    answer=CartAnswer,
    headers=(CART_TOKEN,),
)
def read(ctx: Ctx, query: dict[str, Any]) -> Reply:
    """The basket, priced as of now; a visitor finds its token in `X-Cart-Token`."""
    return _answer(ctx, _owner(ctx), query["division_code"])


@endpoint(
    "PUT",
    "/cart/lines/<sku>",
    permission="cart.use",
    tag=TAG,
    query=CartQuery,
    body=QuantityBody,
    answer=CartAnswer,
    headers=(CART_TOKEN,),
)
def set_line(ctx: Ctx, sku: str, query: dict[str, Any], body: dict[str, Any]) -> Reply:
    """Have exactly so many of a SKU in the basket."""
    owner = _owner(ctx)
    commands.set_line(ctx, owner, sku, body["quantity"])
    return _answer(ctx, owner, query["division_code"])


@endpoint(
    "DELETE",
    "/cart/lines/<sku>",
    permission="cart.use",
    tag=TAG,
    query=CartQuery,
    answer=CartAnswer,
    headers=(CART_TOKEN,),
)
def remove_line(ctx: Ctx, sku: str, query: dict[str, Any]) -> Reply:
    """Take a SKU out of the basket; quiet when it is not in it."""
    owner = _owner(ctx)
    commands.remove_line(ctx, owner, sku)
    return _answer(ctx, owner, query["division_code"])


def _owner(ctx: Ctx) -> CartOwner:
    return owner_of(ctx.actor, request.headers.get(CART_TOKEN), ctx.settings.secret_key)


def _answer(ctx: Ctx, owner: CartOwner, division_code: str | None) -> Reply:
    view = queries.read(ctx, owner, division_code)
    value = {
        **quoted(view.quote, ctx.language),
        "cart_token": owner.token,
        "lines": [_line(line) for line in view.lines],
        "pieces": view.pieces,
    }
    return Reply(value, headers={CART_TOKEN: owner.token} if owner.token else None)


def _line(line: CartItem) -> dict[str, Any]:
    item = line.item
    return {
        "sku": item.code,
        "slug": item.slug,
        "name": item.product_name,
        "name_en": item.product_name_en,
        "spec": item.name,
        "image_url": item.image,
        "cooperative": {"code": item.cooperative_code, "name": item.cooperative_name},
        "quantity": line.quantity,
        "available": max(0, item.available),
        "unit_price_fen": item.price_fen,
        "goods_fen": line.goods_fen,
    }
