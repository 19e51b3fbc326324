"""The shape of a basket."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import CodeName, QuoteAnswer
from shop.pricing.rules import MAX_LINE_QUANTITY


class QuantityBody(Schema):
    """How many of the SKU there shall be: the number itself, not a change of it."""

    quantity = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1, max=MAX_LINE_QUANTITY)
    )


class CartQuery(Schema):
    """Where it would go, if that is known: without it no freight is worked out."""

    division_code = fields.String(load_default=None, validate=validate.Length(max=12))


class CartLineItem(Schema):
    """One wish. Lines that cannot be bought just now stand here too; `problems` says why."""

    sku = fields.String(required=True)
    slug = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    spec = fields.String(required=True)
    image_url = fields.String(required=True, allow_none=True)
    cooperative = fields.Nested(CodeName, required=True)
    quantity = fields.Integer(required=True)
    available = fields.Integer(required=True)
    unit_price_fen = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)


class CartAnswer(QuoteAnswer):
    """A basket, priced as of now; `cart_token` is null for people who are signed in."""

    cart_token = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Nested(CartLineItem), required=True)
    pieces = fields.Integer(required=True)
