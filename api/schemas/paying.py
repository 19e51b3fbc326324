"""Paying an order: what is asked, and how far it is."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import SHORT
from models.payments import PaymentMethod


class PaymentBody(Schema):
    """How to pay. `return_url` is where the provider sends the buyer afterwards."""

    method = fields.String(load_default="stripe", validate=validate.OneOf(list(PaymentMethod)))
    return_url = fields.String(load_default=None, allow_none=True)
    access_token = fields.String(load_default=None, allow_none=True, validate=SHORT)


class BankAccountAnswer(Schema):
    """Where a transfer goes."""

    name = fields.String(required=True)
    number = fields.String(required=True)
    bank = fields.String(required=True)


class PaymentRefund(Schema):
    """Money of a payment on its way back, or back."""

    number = fields.String(required=True)
    state = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    goods_fen = fields.Integer(required=True)
    freight_fen = fields.Integer(required=True)
    requested_at = fields.DateTime(required=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    settled_at = fields.DateTime(required=True, allow_none=True)


class PaymentAnswer(Schema):
    """One attempt to pay."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    method = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    captured_fen = fields.Integer()
    redirect_url = fields.String(allow_none=True)
    bank_reference = fields.String(allow_none=True)
    bank_account = fields.Nested(BankAccountAnswer, allow_none=True)
    failure_code = fields.String(allow_none=True)
    expires_at = fields.DateTime()
    created_at = fields.DateTime()
    settled_at = fields.DateTime(allow_none=True)


class PaymentFollowed(PaymentAnswer):
    """An attempt, and what of its money went back."""

    refunding_fen = fields.Integer(required=True)
    refunded_fen = fields.Integer(required=True)
    refunds = fields.List(fields.Nested(PaymentRefund), required=True)


class PaymentList(Schema):
    """Every attempt, each with its refunds."""

    items = fields.List(fields.Nested(PaymentFollowed), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class Received(Schema):
    """A webhook is stored."""

    received = fields.Boolean(required=True)
