"""The shapes of quoting and ordering."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from models.identity import BuyerKind
from models.orders import PaymentTerms
from models.organization import Purpose
from shop.pricing.rules import MAX_LINE_QUANTITY

CODE = validate.Length(min=1, max=64)
SHORT = validate.Length(max=200)


class LineBody(Schema):
    """One wish: so many of a SKU."""

    sku = fields.String(required=True, validate=CODE)
    quantity = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1, max=MAX_LINE_QUANTITY)
    )


class AddressBody(Schema):
    """Where the parcels go; `division_code` is a county's six digits."""

    recipient = fields.String(required=True, validate=SHORT)
    phone = fields.String(required=True, validate=validate.Length(max=32))
    division_code = fields.String(required=True, validate=validate.Length(max=12))
    detail = fields.String(required=True, validate=SHORT)


class BuyerBody(Schema):
    """Who a guest is; ignored for people who are signed in."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    email = fields.Email(load_default=None, allow_none=True)
    buyer_kind = fields.Enum(BuyerKind, by_value=True, load_default=BuyerKind.PUBLIC)


class ConfirmationsBody(Schema):
    """What the law wants the buyer to say."""

    adult = fields.Boolean(load_default=False)
    no_return = fields.Boolean(load_default=False)


class QuoteBody(Schema):
    """What would it cost?"""

    lines = fields.List(
        fields.Nested(LineBody), required=True, validate=validate.Length(min=1, max=100)
    )
    division_code = fields.String(load_default=None, allow_none=True, validate=SHORT)
    coupon = fields.String(load_default=None, allow_none=True, validate=SHORT)


class OrderBody(Schema):
    """One checkout."""

    lines = fields.List(
        fields.Nested(LineBody), required=True, validate=validate.Length(min=1, max=200)
    )
    address = fields.Nested(AddressBody, required=True)
    buyer = fields.Nested(BuyerBody, load_default=None, allow_none=True)
    unit = fields.String(load_default=None, allow_none=True, validate=CODE)
    channel = fields.String(load_default=None, allow_none=True, validate=CODE)
    campaign = fields.String(load_default=None, allow_none=True, validate=CODE)
    storefront = fields.String(load_default=None, allow_none=True, validate=CODE)
    purpose = fields.Enum(Purpose, by_value=True, load_default=Purpose.PERSONAL)
    payment_terms = fields.Enum(PaymentTerms, by_value=True, load_default=PaymentTerms.PREPAY)
    note = fields.String(load_default="", validate=SHORT)
    coupon = fields.String(load_default=None, allow_none=True, validate=SHORT)
    confirmations = fields.Nested(ConfirmationsBody, load_default=dict)
    expected_total_fen = fields.Integer(load_default=None, allow_none=True, strict=True)


class CodeName(Schema):
    """Something with a code and a name."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class QuoteLine(Schema):
    """A priced line."""

    sku = fields.String(required=True)
    name = fields.String()
    spec = fields.String()
    quantity = fields.Integer(required=True)
    unit_price_fen = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)


class QuoteConsignment(Schema):
    """One cooperative's part of a quote."""

    cooperative = fields.Nested(CodeName, required=True)
    lines = fields.List(fields.Nested(QuoteLine), required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)
    to_free_fen = fields.Integer(allow_none=True)


class ProblemItem(Schema):
    """Why a line cannot be ordered as it stands."""

    code = fields.String(required=True)
    sku = fields.String(required=True)
    detail = fields.String(required=True)
    available = fields.Integer(allow_none=True)


class QuoteAnswer(Schema):
    """What it costs, cooperative by cooperative."""

    consignments = fields.List(fields.Nested(QuoteConsignment), required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)
    freight_known = fields.Boolean(required=True)
    problems = fields.List(fields.Nested(ProblemItem), required=True)


class OrderLineAnswer(Schema):
    """A line as it was sold."""

    line_id = fields.UUID(required=True)
    sku = fields.String(required=True)
    slug = fields.String()
    name = fields.String(required=True)
    name_en = fields.String()
    spec = fields.String()
    image_url = fields.String(allow_none=True)
    quantity = fields.Integer(required=True)
    shipped_quantity = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    refunded_fen = fields.Integer(required=True)
    unit_price_fen = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    no_return_confirmed = fields.Boolean()


class ParcelLineAnswer(Schema):
    """What of a line is in a parcel."""

    line_id = fields.UUID(required=True)
    quantity = fields.Integer(required=True)


class ParcelAnswer(Schema):
    """A parcel on its way."""

    carrier = fields.String(required=True)
    carrier_name = fields.String()
    tracking_no = fields.String(required=True)
    shipped_at = fields.DateTime(required=True)
    lines = fields.List(fields.Nested(ParcelLineAnswer), required=True)


class ConsignmentAnswer(Schema):
    """One cooperative's part of an order."""

    number = fields.String(required=True)
    cooperative = fields.Nested(CodeName, required=True)
    state = fields.String(required=True)
    lines = fields.List(fields.Nested(OrderLineAnswer), required=True)
    parcels = fields.List(fields.Nested(ParcelAnswer))
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)


class OrderSummary(Schema):
    """An order in a list. `status` is what the buyer reads (待发货, 部分发货, …).

    `payment_processing`: it is paid for as far as the buyer can, and the provider has yet to decide
    (付款处理中); nobody should be asked to pay again.
    """

    number = fields.String(required=True)
    state = fields.String(required=True)
    status = fields.String(required=True)
    consignments = fields.List(fields.Nested(ConsignmentAnswer), required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)
    refunding_fen = fields.Integer(required=True)
    refunded_fen = fields.Integer(required=True)
    placed_at = fields.DateTime(required=True)
    pay_before = fields.DateTime(required=True)
    paid_at = fields.DateTime(allow_none=True)
    payment_processing = fields.Boolean(required=True)


class OrderAddress(Schema):
    """Where it goes; the phone is masked."""

    recipient = fields.String(required=True)
    phone = fields.String(required=True)
    division_code = fields.String(required=True)
    division = fields.String(required=True)
    detail = fields.String(required=True)


class EventAnswer(Schema):
    """One line of the timeline."""

    subject = fields.String(required=True)
    event = fields.String(required=True)
    to_state = fields.String(required=True)
    why = fields.String()
    at = fields.DateTime(required=True)


class OrderAnswer(OrderSummary):
    """An order, opened."""

    access_token = fields.String(required=True)
    address = fields.Nested(OrderAddress, required=True)
    buyer_name = fields.String(required=True)
    buyer_kind = fields.String(required=True)
    unit = fields.String(allow_none=True)
    channel = fields.String(required=True)
    campaign = fields.String(allow_none=True)
    storefront = fields.String(required=True)
    purpose = fields.String(required=True)
    payment_terms = fields.String(required=True)
    note = fields.String(required=True)
    events = fields.List(fields.Nested(EventAnswer), required=True)


class OrderPage(Schema):
    """A page of own orders."""

    items = fields.List(fields.Nested(OrderSummary), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TokenQuery(Schema):
    """A guest opens an order with the token of its creation."""

    access_token = fields.String(load_default=None, validate=SHORT)
