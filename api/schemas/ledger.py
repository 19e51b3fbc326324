"""The ledger as it answers: fen, debit positive."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.common import PageQuery
from shop.ledger.rules import Account


class AccountsQuery(Schema):
    """Balances at the end of an Asia/Shanghai day; without one, now."""

    on = fields.Date(load_default=None)


class PartyAnswer(Schema):
    """The part of an account that is kept for one cooperative, by its code."""

    party = fields.String(required=True)
    balance_fen = fields.Integer(required=True)
    postings = fields.Integer(required=True)


class AccountAnswer(Schema):
    """One account of the chart; what we owe has a negative balance."""

    code = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    balance_fen = fields.Integer(required=True)
    postings = fields.Integer(required=True)
    parties = fields.List(fields.Nested(PartyAnswer), required=True)


class AccountList(Schema):
    """The whole chart."""

    items = fields.List(fields.Nested(AccountAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EntriesQuery(PageQuery):
    """A page of entries: of an account, a party, a subject, a day, an order, or of all."""

    account = fields.Enum(Account, by_value=True, load_default=None)
    party = fields.String(load_default=None, validate=validate.Length(1, 40))
    subject = fields.String(load_default=None, validate=validate.Length(1, 40))
    day = fields.Date(load_default=None)
    order = fields.String(load_default=None, validate=validate.Length(1, 40))


class PostingAnswer(Schema):
    """So many fen on one account: debit positive, credit negative."""

    account = fields.String(required=True)
    party = fields.String(required=True)
    amount_fen = fields.Integer(required=True)


class JournalEntryAnswer(Schema):
    """What moved money: a subject, what happened to it, when; its postings sum to zero."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    at = fields.DateTime(required=True)
    subject = fields.String(required=True)
    subject_id = fields.UUID(required=True)
    event = fields.String(required=True)
    note = fields.String(required=True)
    payment_id = fields.UUID(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    actor = fields.String(required=True, allow_none=True)
    recorded_at = fields.DateTime(required=True)
    postings = fields.List(fields.Nested(PostingAnswer), required=True)


class LedgerPage(Schema):
    """Entries, the newest day first."""

    items = fields.List(fields.Nested(JournalEntryAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CheckAnswer(Schema):
    """Two sums in fen over so many rows; `samples` are wrong rows with both sides."""

    name = fields.String(required=True)
    proved = fields.Boolean(required=True)
    ours = fields.Integer(required=True)
    expected = fields.Integer(required=True)
    difference = fields.Integer(required=True)
    rows = fields.Integer(required=True)
    wrong = fields.Integer(required=True)
    samples = fields.List(fields.String(), required=True)


class ProofAnswer(Schema):
    """Whether every sum is what it must be, and each of them."""

    proved = fields.Boolean(required=True)
    entries = fields.Integer(required=True)
    checks = fields.List(fields.Nested(CheckAnswer), required=True)
