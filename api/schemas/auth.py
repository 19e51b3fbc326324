"""The shapes of signing in, of a person and of an address book."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.schemas.buying import AddressBody, CodeName
from models.identity import BuyerKind

PASSWORD = validate.Length(max=1_000)
"""Far above the rule's 128: the rule says it in the caller's language."""

TEXT = validate.Length(max=300)


class RegisterBody(Schema):
    """A buyer opens an account. `unit` is a code of `GET /units`."""

    email = fields.String(required=True, validate=TEXT)
    password = fields.String(required=True, validate=PASSWORD)
    name = fields.String(required=True, validate=TEXT)
    buyer_kind = fields.Enum(BuyerKind, by_value=True, required=True)
    unit = fields.String(load_default=None, allow_none=True, validate=TEXT)


class TokenBody(Schema):
    """Credentials; `scopes` narrows what the token may do (`["catalog.*", "orders.read_own"]`)."""

    login = fields.String(required=True, validate=TEXT)
    password = fields.String(required=True, validate=PASSWORD)
    scopes = fields.List(
        fields.String(validate=TEXT),
        load_default=lambda: ["*"],
        validate=validate.Length(min=1, max=50),
    )


class SignedInUser(Schema):
    """Who signed in."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class TokenAnswer(Schema):
    """The token is told this once."""

    token = fields.String(required=True, attribute="secret")
    expires_at = fields.DateTime(required=True)
    user = fields.Nested(SignedInUser, required=True)


class TokenItem(Schema):
    """A live sign-in: an API token or a browser's session."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    current = fields.Boolean(required=True)


class TokenList(Schema):
    """A page of live sign-ins, newest first."""

    items = fields.List(fields.Nested(TokenItem), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class UserAnswer(Schema):
    """A person, told to that person."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    buyer_kind = fields.String(required=True)
    language = fields.String(required=True)
    unit = fields.Nested(CodeName, required=True, allow_none=True)
    roles = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)


class MembershipItem(Schema):
    """A role, and the cooperative or unit it is bounded to."""

    role = fields.String(required=True)
    cooperative = fields.Nested(CodeName, required=True, allow_none=True)
    unit = fields.Nested(CodeName, required=True, allow_none=True)


class AddressItem(Schema):
    """An address of the own address book."""

    id = fields.UUID(required=True)
    recipient = fields.String(required=True)
    phone = fields.String(required=True)
    division_code = fields.String(required=True)
    division = fields.String(required=True, attribute="division_name")
    detail = fields.String(required=True)
    is_default = fields.Boolean(required=True)


class MeAnswer(Schema):
    """The caller with roles and address book."""

    user = fields.Nested(UserAnswer, required=True)
    memberships = fields.List(fields.Nested(MembershipItem), required=True)
    addresses = fields.List(fields.Nested(AddressItem), required=True)


class PasswordBody(Schema):
    """The password of today and the one of tomorrow."""

    current_password = fields.String(required=True, validate=PASSWORD)
    new_password = fields.String(required=True, validate=PASSWORD)


class BookAddressBody(AddressBody):
    """An address for the book."""

    is_default = fields.Boolean(load_default=False)
