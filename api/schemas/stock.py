"""A cooperative's own goods and their stock."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from shop.inventory.commands import BY_HAND

PIECES = validate.Range(-1_000_000, 1_000_000)


class PriceBody(Schema):
    """A new price in fen, and why; the reason goes into the audit log."""

    price_fen = fields.Integer(required=True, strict=True)
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class AdjustmentBody(Schema):
    """Pieces added or taken away by hand."""

    delta = fields.Integer(required=True, strict=True, validate=PIECES)
    cause = fields.String(
        required=True, validate=validate.OneOf(sorted(cause.value for cause in BY_HAND))
    )
    note = fields.String(required=True, validate=validate.Length(1, 500))


class LevelAnswer(Schema):
    """Pieces of a SKU: there, promised to orders, free to sell."""

    sku = fields.String(required=True)
    on_hand = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    available = fields.Integer(required=True)


class OwnSkuAnswer(Schema):
    """A SKU as its cooperative sees it; `version` is what `If-Match` asks for."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    net_content = fields.String(required=True)
    unit = fields.String(required=True)
    price_fen = fields.Integer(required=True)
    weight_g = fields.Integer(required=True)
    barcode = fields.String(required=True, allow_none=True, attribute="gtin")
    active = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    on_hand = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    available = fields.Integer(required=True)


class OwnProductAnswer(Schema):
    """A product of one's own in whatever state it is."""

    slug = fields.String(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    category = fields.String(required=True)
    cooperative = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    sale_from = fields.DateTime(required=True, allow_none=True)
    sale_until = fields.DateTime(required=True, allow_none=True)
    skus = fields.List(fields.Nested(OwnSkuAnswer), required=True)


class OwnProductPage(Schema):
    """A page of one's own products."""

    items = fields.List(fields.Nested(OwnProductAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class MovementAnswer(Schema):
    """One change of stock and why."""

    at = fields.DateTime(required=True)
    on_hand_delta = fields.Integer(required=True)
    reserved_delta = fields.Integer(required=True)
    cause = fields.String(required=True)
    note = fields.String(required=True)
    order_number = fields.String(required=True, allow_none=True)
    actor = fields.String(required=True, allow_none=True)


class MovementPage(Schema):
    """A page of movements, the latest first."""

    items = fields.List(fields.Nested(MovementAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
