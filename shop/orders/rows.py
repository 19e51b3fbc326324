"""An order spelled as rows: what is written, frozen as it was at that moment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.catalog import ReturnRule
from models.identity import BuyerKind
from models.orders import ConsignmentState, OrderState
from shop import crypto
from shop.aid.queries import Attribution
from shop.catalog.for_orders import SkuForPricing
from shop.context import Actor, Ctx
from shop.divisions import full_name
from shop.identity.rules import AddressInput
from shop.ids import new_id
from shop.orders.inputs import NO_UNIT, BuyerInput, PlaceOrder
from shop.orders.rules import pay_before
from shop.pricing.quote import Basket
from shop.pricing.values import ConsignmentQuote, PricedLine, Quote


def order_row(
    ctx: Ctx,
    wish: PlaceOrder,
    quote: Quote,
    address: AddressInput,
    attribution: Attribution,
    kind: BuyerKind,
    note: str,
) -> dict[str, Any]:
    """The order without its number."""
    secret = ctx.settings.secret_key
    phone_hash = crypto.keyed_hash(address.phone, secret)
    actor = ctx.actor
    return {
        "id": new_id(),
        "state": OrderState.PENDING_PAYMENT,
        "buyer_id": actor.user_id,
        "buyer_name": actor.name if actor.signed_in else _guest(wish).name,
        "buyer_email": (actor.email or None) if actor.signed_in else _guest(wish).email,
        "buyer_kind": kind,
        # One person over several orders: the account, or for guests the phone (reports, 7.1).
        "buyer_key": f"user:{actor.user_id}" if actor.user_id else f"phone:{phone_hash}",
        "purpose": wish.purpose,
        "payment_terms": wish.payment_terms,
        "unit_id": attribution.unit_id or _own_unit(wish, kind, actor),
        "channel_id": attribution.channel_id,
        "campaign_id": attribution.campaign_id,
        "platform_id": attribution.platform_id,
        "storefront_id": attribution.storefront_id,
        "recipient": address.recipient,
        "phone_encrypted": crypto.encrypt(address.phone, secret),
        "phone_hash": phone_hash,
        "division_code": address.division_code,
        "division_text": full_name(address.division_code) or address.division_code,
        "address_detail": address.detail,
        "note": note,
        "adult_confirmed": wish.adult_confirmed,
        "language": ctx.language,
        "goods_fen": quote.goods_fen,
        "discount_fen": quote.discount_fen,
        "freight_fen": quote.freight_fen,
        "total_fen": quote.total_fen,
        "placed_at": ctx.now,
        "pay_before": pay_before(ctx.now, kind, ctx.settings.reservation_minutes),
    }


def _own_unit(wish: PlaceOrder, kind: BuyerKind, actor: Actor) -> UUID | None:
    """Whose purchase it is where nothing was chosen; what a unit's account buys is its unit's."""
    declined = wish.unit == NO_UNIT and kind is not BuyerKind.UNIT_ACCOUNT
    return None if declined else actor.unit_id


def _guest(wish: PlaceOrder) -> BuyerInput:
    """Who a guest says they are; without a word, whoever receives the parcel."""
    return wish.buyer or BuyerInput(name=wish.address.recipient)


def part_rows(
    order_id: UUID, number: str, basket: Basket, *, no_return: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The consignments (numbered `<order>-1`, `-2`, …) and the lines of an order."""
    parts: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for place, part in enumerate(basket.quote.consignments, start=1):
        parts.append(_consignment_row(order_id, f"{number}-{place}", part))
        for line, freight_fen in zip(part.lines, part.line_freight_fen, strict=True):
            lines.append(
                {
                    **_line_row(line, basket.skus[line.sku_code], no_return=no_return),
                    "order_id": order_id,
                    "consignment_id": parts[-1]["id"],
                    "position": len(lines) + 1,
                    "freight_fen": freight_fen,
                }
            )
    return parts, lines


def _consignment_row(order_id: UUID, number: str, part: ConsignmentQuote) -> dict[str, Any]:
    return {
        "id": new_id(),
        "number": number,
        "order_id": order_id,
        "cooperative_id": part.cooperative_id,
        "state": ConsignmentState.PENDING_PAYMENT,
        "goods_fen": part.goods_fen,
        "discount_fen": part.discount_fen,
        "freight_fen": part.freight_fen,
        "total_fen": part.total_fen,
    }


def _line_row(line: PricedLine, sku: SkuForPricing, *, no_return: bool) -> dict[str, Any]:
    return {
        "id": new_id(),
        "sku_id": line.sku_id,
        "product_name": line.name,
        "sku_name": line.spec,
        "snapshot": sku.snapshot(),
        "unit_price_fen": line.unit_price_fen,
        "quantity": line.quantity,
        "shipped_quantity": 0,
        "goods_fen": line.goods_fen,
        "discount_fen": line.discount_fen,
        "weight_g": line.total_weight_g,
        "no_return_confirmed": no_return and sku.no_reason_return is ReturnRule.NEEDS_CONFIRM,
    }
