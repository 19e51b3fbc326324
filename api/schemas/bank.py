"""The shapes of the bank's lines and of matching them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import CODE, SHORT
from api.schemas.common import PageQuery
from shop.payments.bank_desk import Pile
from shop.payments.bank_review import MAX_NOTE
from shop.payments.bank_rules import MAX_FEN, MAX_REMARK
from shop.reasons import MAX_REASON

AMOUNT = validate.Range(min=-MAX_FEN, max=MAX_FEN)


class ReceiptsQuery(PageQuery):
    """Which lines; all of them without a state."""

    state = fields.Enum(Pile, by_value=True, load_default=None)


class ReceiptBody(Schema):
    """A line entered by hand: money in positive, money out negative."""

    booked_on = fields.Date(required=True)
    amount_fen = fields.Integer(required=True, strict=True, validate=AMOUNT)
    payer_name = fields.String(load_default="", validate=SHORT)
    payer_account = fields.String(load_default="", validate=SHORT)
    remark = fields.String(load_default="", validate=validate.Length(max=MAX_REMARK))
    bank_reference = fields.String(load_default=None, allow_none=True, validate=SHORT)


class MatchBody(Schema):
    """The order that a line is for; without an amount as much as fits."""

    order = fields.String(required=True, validate=CODE)
    amount_fen = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(min=1, max=MAX_FEN)
    )
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class NoteBody(Schema):
    """Why a match is wrong."""

    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class AsideBody(Schema):
    """What a line is, if it pays no order."""

    reason = fields.String(required=True, validate=validate.Length(min=1, max=MAX_REASON))


class BankMatchAnswer(Schema):
    """So much of a line is for this order. It counts when it is approved."""

    id = fields.UUID(required=True)
    order = fields.String(required=True)
    order_state = fields.String(required=True)
    order_missing_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    why = fields.String(required=True)
    note = fields.String(required=True)
    entered_by = fields.String(allow_none=True)
    entered_at = fields.DateTime(required=True)
    approved_by = fields.String(allow_none=True)
    decided_at = fields.DateTime(allow_none=True)


class ReceiptAnswer(Schema):
    """A line of the bank's. `open_reason` says why the rules left it, or its rest, to a person.

    The payer is masked for everybody but finance, whose reading of one line is written down.
    """

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    booked_on = fields.Date(required=True)
    amount_fen = fields.Integer(required=True)
    matched_fen = fields.Integer(required=True)
    open_reason = fields.String(required=True)
    set_aside_reason = fields.String(allow_none=True)
    payer_name = fields.String(required=True)
    payer_account = fields.String(required=True)
    masked = fields.Boolean(required=True)
    remark = fields.String(required=True)
    bank_reference = fields.String(allow_none=True)
    filename = fields.String(allow_none=True)
    row_number = fields.Integer(allow_none=True)
    entered_at = fields.DateTime(required=True)
    matches = fields.List(fields.Nested(BankMatchAnswer), required=True)


class ReceiptPage(Schema):
    """A page of the bank's lines."""

    items = fields.List(fields.Nested(ReceiptAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ImportAnswer(Schema):
    """What came of a file. `already`: these very bytes were imported before."""

    id = fields.UUID(required=True)
    filename = fields.String(required=True)
    rows_read = fields.Integer(required=True)
    rows_new = fields.Integer(required=True)
    already = fields.Boolean(required=True)


class ExtensionAnswer(Schema):
    """Until when the unit has time to pay now."""

    number = fields.String(required=True)
    pay_before = fields.DateTime(required=True)


class SentAnswer(Schema):
    """A refund that was paid out by hand."""

    number = fields.String(required=True)
    state = fields.String(required=True)
