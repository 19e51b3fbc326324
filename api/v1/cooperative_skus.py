"""A cooperative's own goods: prices under `If-Match`, stock by movements."""

from __future__ import annotations

from typing import Any

from api.caching import expected_version, version_tag
from api.endpoint import Ctx, Reply, endpoint
from api.pagination import decode_id, encode_cursor
from api.schemas import stock as shapes
from api.schemas.common import PageQuery
from models.inventory import MovementCause
from shop.catalog.commands import change_price
from shop.catalog.queries import managed_products, managed_sku, managed_sku_with_stock
from shop.inventory import queries
from shop.inventory.commands import adjust

TAG = "Cooperative manager"


@endpoint(
    "GET",
    "/cooperative/products",
    permission="stock.read",
    tag=TAG,
    query=PageQuery,
    answer=shapes.OwnProductPage,
)
def products(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Own products in every state, with their sizes and stock."""
    items, last = managed_products(
        ctx.session, ctx.actor, limit=query["limit"], after=decode_id(query["cursor"])
    )
    return {"items": items, "next_cursor": encode_cursor(str(last)) if last else None}


@endpoint(
    "GET",
    "/cooperative/skus/<code>",
    permission="stock.read",
    tag=TAG,
    answer=shapes.OwnSkuAnswer,
)
def sku(ctx: Ctx, code: str) -> Reply:
    """One own SKU; its ETag is what a change of it must name."""
    return _current(ctx, code)


@endpoint(
    "PATCH",
    "/cooperative/skus/<code>",
    permission="skus.change",
    tag=TAG,
    headers=("If-Match",),
    body=shapes.PriceBody,
    answer=shapes.OwnSkuAnswer,
)
def price(ctx: Ctx, code: str, body: dict[str, Any]) -> Reply:
    """Set the price of an own SKU; `If-Match` names the state that was read."""
    change_price(ctx, code, body["price_fen"], body["reason"], expected_version())
    return _current(ctx, code)


@endpoint(
    "POST",
    "/cooperative/skus/<code>/stock-movements",
    permission="stock.change",
    tag=TAG,
    body=shapes.AdjustmentBody,
    answer=shapes.LevelAnswer,
    status=201,
    idempotent="if_asked",
)
def move(ctx: Ctx, code: str, body: dict[str, Any]) -> dict[str, Any]:
    """Add pieces to own stock or take some away, and say why."""
    found = managed_sku(ctx.session, ctx.actor, code)
    cause = MovementCause(body["cause"])
    level = adjust(ctx, found.id, body["delta"], cause, body["note"])
    return {
        "sku": code,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
    }


@endpoint(
    "GET",
    "/cooperative/skus/<code>/stock-movements",
    permission="stock.read",
    tag=TAG,
    query=PageQuery,
    answer=shapes.MovementPage,
)
def movements(ctx: Ctx, code: str, query: dict[str, Any]) -> dict[str, Any]:
    """Every change of an own SKU's stock, the latest first."""
    found = managed_sku(ctx.session, ctx.actor, code)
    rows, last = queries.movements(
        ctx.session, found.id, limit=query["limit"], before=decode_id(query["cursor"])
    )
    return {"items": rows, "next_cursor": encode_cursor(str(last)) if last else None}


def _current(ctx: Ctx, code: str) -> Reply:
    found = managed_sku_with_stock(ctx.session, ctx.actor, code)
    return Reply(found, headers=version_tag(found["version"]))
