"""The shapes of refunds and disputes."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import CODE, EventAnswer, ParcelAnswer
from api.schemas.common import PageQuery
from models.refunds import DisputeState, RefundCause, RefundState
from shop.reasons import MAX_REASON

MOST_FEN = 1_000_000_000_000


class RefundLineBody(Schema):
    """A line to refund: all of it, or so many pieces, or so much money, or so much for so many."""

    line_id = fields.UUID(required=True)
    quantity = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 1_000_000)
    )
    amount_fen = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(0, MOST_FEN)
    )


class RefundBody(Schema):
    """An `order`, whole, by `lines` or by an amount; or a `payment` that no order may keep.

    `freight` says whether freight goes back with its goods, `goods_returned` that pieces which had
    been shipped are here again.
    """

    order = fields.String(load_default=None, allow_none=True, validate=CODE)
    payment = fields.UUID(load_default=None, allow_none=True)
    lines = fields.List(
        fields.Nested(RefundLineBody),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 200),
    )
    amount_fen = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MOST_FEN)
    )
    freight = fields.Boolean(load_default=True)
    goods_returned = fields.Boolean(load_default=False)
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))


class RefundQuery(PageQuery):
    """Refunds of a state, a cause, an order (its number or the beginning of it)."""

    state = fields.Enum(RefundState, by_value=True, load_default=None)
    cause = fields.Enum(RefundCause, by_value=True, load_default=None)
    order = fields.String(load_default="", validate=validate.Length(max=64))


class RefundRow(Schema):
    """A refund in a list. `goods_fen` and `freight_fen` are 0 for money that no order had.

    `retry_fen` is what of a failed one has not gone back another way, and what a retry would send.
    """

    number = fields.String(required=True)
    order_number = fields.String(required=True)
    payment_id = fields.UUID(required=True)
    state = fields.String(required=True)
    cause = fields.String(required=True)
    method = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    reason = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    failure_code = fields.String(required=True, allow_none=True)
    requested_by = fields.String(required=True, allow_none=True)
    requested_at = fields.DateTime(required=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    settled_at = fields.DateTime(required=True, allow_none=True)
    retry_of = fields.String(required=True, allow_none=True)
    retried_as = fields.String(required=True, allow_none=True)
    can_retry = fields.Boolean(required=True)
    retry_fen = fields.Integer(required=True)


class RefundLineAnswer(Schema):
    """What of one order line goes back; `withdrawn` is not shipped, `returned` has come back."""

    line_id = fields.UUID(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    spec = fields.String(required=True)
    cooperative_code = fields.String(required=True)
    goods_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    returned = fields.Integer(required=True)


class RefundAnswer(RefundRow):
    """A refund, opened."""

    lines = fields.List(fields.Nested(RefundLineAnswer), required=True)


class RefundPage(Schema):
    """A page of refunds, newest first."""

    items = fields.List(fields.Nested(RefundRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DisputeQuery(PageQuery):
    """Disputes of one state, or all."""

    state = fields.Enum(DisputeState, by_value=True, load_default=None)


class DisputeRow(Schema):
    """A dispute in a list. `withheld_fen` is what the provider has taken meanwhile."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    order_number = fields.String(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    withheld_fen = fields.Integer(required=True)
    evidence_due_at = fields.DateTime(required=True, allow_none=True)
    opened_at = fields.DateTime(required=True)
    closed_at = fields.DateTime(required=True, allow_none=True)


class DisputePage(Schema):
    """A page of disputes, newest first."""

    items = fields.List(fields.Nested(DisputeRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DisputeLineAnswer(Schema):
    """What of an order line the dispute hangs on."""

    line_id = fields.UUID(required=True)
    name = fields.String(required=True)
    spec = fields.String(required=True)
    quantity = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)


class DisputeBuyer(Schema):
    """Who bought and where it went; masked for everybody but finance."""

    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    recipient = fields.String(required=True)
    phone = fields.String(required=True)
    division = fields.String(required=True)
    detail = fields.String(required=True)
    placed_at = fields.DateTime(required=True)
    paid_at = fields.DateTime(required=True, allow_none=True)
    adult_confirmed = fields.Boolean(required=True)


class SoldLine(Schema):
    """A line as its page said it at the moment of the order, and what became of it."""

    line_id = fields.UUID(required=True)
    sku = fields.String(required=True, attribute="sku_code")
    name = fields.String(required=True)
    spec = fields.String(required=True)
    net_content = fields.String(allow_none=True)
    category = fields.String(allow_none=True, attribute="category_name")
    cooperative = fields.String(allow_none=True, attribute="cooperative_name")
    origin_division = fields.String(allow_none=True)
    no_reason_return = fields.String(allow_none=True)
    no_return_confirmed = fields.Boolean(required=True)
    unit_price_fen = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    shipped_quantity = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)


class DisputeAnswer(DisputeRow):
    """A dispute with the evidence there is. Reading it unmasked is written down."""

    masked = fields.Boolean(required=True)
    lines = fields.List(fields.Nested(DisputeLineAnswer), required=True)
    buyer = fields.Nested(DisputeBuyer, required=True)
    sold = fields.List(fields.Nested(SoldLine), required=True)
    parcels = fields.List(fields.Nested(ParcelAnswer), required=True)
    events = fields.List(fields.Nested(EventAnswer), required=True)
