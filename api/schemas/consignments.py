"""What a cooperative sees of its consignments and says about its parcels."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import ParcelLineAnswer
from api.schemas.common import PageQuery
from models.orders import ConsignmentState


class ConsignmentQuery(PageQuery):
    """A page of one state, or of all."""

    state = fields.Enum(ConsignmentState, by_value=True, load_default=None)


class ParcelLineBody(Schema):
    """So many pieces of an order line; a `lot` has to be a known one, and so far there is none."""

    line_id = fields.UUID(required=True)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))
    lot = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=64))


class ParcelBody(Schema):
    """A parcel handed to a carrier; without `lines` it holds everything that is left."""

    carrier = fields.String(required=True, validate=validate.Length(1, 40))
    tracking_no = fields.String(required=True, validate=validate.Length(4, 40))
    lines = fields.List(
        fields.Nested(ParcelLineBody),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 100),
    )


class OwnParcelAnswer(Schema):
    """A parcel as it left, and where its consignment stands now."""

    id = fields.UUID(required=True)
    consignment_number = fields.String(required=True)
    consignment_state = fields.String(required=True)
    carrier = fields.String(required=True)
    carrier_name = fields.String(required=True)
    tracking_no = fields.String(required=True)
    shipped_at = fields.DateTime(required=True)
    lines = fields.List(fields.Nested(ParcelLineAnswer), required=True)


class OwnLineAnswer(Schema):
    """A line to ship: pieces ordered, shipped, `withdrawn` (not to be shipped any more), left."""

    id = fields.UUID(required=True)
    product_name = fields.String(required=True)
    sku = fields.String(required=True)
    sku_name = fields.String(required=True)
    quantity = fields.Integer(required=True)
    shipped_quantity = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    left = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)


class OwnParcel(Schema):
    """A parcel of a consignment."""

    id = fields.UUID(required=True)
    carrier = fields.String(required=True)
    carrier_name = fields.String(required=True)
    tracking_no = fields.String(required=True)
    shipped_at = fields.DateTime(required=True)
    lines = fields.List(fields.Nested(ParcelLineAnswer), required=True)


class RecipientAnswer(Schema):
    """Where a parcel goes; masked once the cooperative no longer needs to know."""

    recipient = fields.String(required=True)
    phone = fields.String(required=True)
    division_code = fields.String(required=True)
    division = fields.String(required=True)
    detail = fields.String(required=True)


class SellerAnswer(Schema):
    """The cooperative that ships."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class OwnConsignmentRow(Schema):
    """A consignment in a list; its recipient is masked.

    `disputed`: the payer's bank may take the money back. Ask finance before anything is shipped.
    """

    number = fields.String(required=True)
    order_number = fields.String(required=True)
    state = fields.String(required=True)
    disputed = fields.Boolean(required=True)
    cooperative = fields.Nested(SellerAnswer, required=True)
    lines = fields.List(fields.Nested(OwnLineAnswer), required=True)
    address = fields.Nested(RecipientAnswer, required=True)
    masked = fields.Boolean(required=True)
    goods_fen = fields.Integer(required=True)
    discount_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    total_fen = fields.Integer(required=True)
    placed_at = fields.DateTime(required=True)
    paid_at = fields.DateTime(allow_none=True)
    shipped_at = fields.DateTime(allow_none=True)
    completed_at = fields.DateTime(allow_none=True)


class OwnConsignmentAnswer(OwnConsignmentRow):
    """A consignment, opened. Reading an unmasked recipient is written down."""

    note = fields.String(required=True)
    parcels = fields.List(fields.Nested(OwnParcel), required=True)


class OwnConsignmentPage(Schema):
    """A page of the cooperative's consignments, newest first."""

    items = fields.List(fields.Nested(OwnConsignmentRow), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
