"""What the forms send: shapes here, meaning in shop; every fault told beside its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from models.identity import BuyerKind
from models.money import parse_yuan
from models.organization import Purpose
from shop.catalog.filters import Sort
from shop.errors import Invalid, ShopError
from shop.identity.rules import SELF_DECLARED
from shop.orders.rules import MAX_NOTE
from shop.pricing.rules import MAX_LINE_QUANTITY
from shop.web import language
from storefront.texts import _

MAX_WORDS = 60
MAX_YUAN = 8
"""Characters of an amount: a million with fen."""

CODE = validate.Length(max=64, error="invalid")
LONG = validate.Length(max=1_000, error="long")
"""Far above what the rules allow: they say it in the visitor's language."""

FIELDS = {"division_code": "county", "current_password": "password"}
"""What a rule calls a field -> what the form calls it."""

TYPED = ("recipient", "detail")
"""Left empty, these are asked for; how long they may be is no help then."""

WHOLE = frozenset({"lines", "expected_total", "address_id", "channel", "campaign", "storefront"})
"""Faults that no visible field could carry: they stand above the form."""

TEXTS: dict[str, Callable[[], str]] = {
    "required": lambda: _("请填写这一项"),
    "choose": lambda: _("请选择一项"),
    "long": lambda: _("写得太长了"),
    "note": lambda: _("不超过 %(n)s 字", n=MAX_NOTE),
    "quantity": lambda: _("购买数量须为 1 至 %(n)s 的整数", n=MAX_LINE_QUANTITY),
    "stale": lambda: _("页面已过期，请再提交一次"),
    "invalid": lambda: _("这一项填写有误"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What a form shows: the values entered, and the faults by field; "" is the whole form's."""

    data: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def again(cls, error: ShopError, data: Mapping[str, Any] | None = None) -> Form:
        """The form as it was sent, with what is wrong about it."""
        values = request.form.to_dict() if data is None else data
        blank = [name for name in TYPED if not (values.get(name) or "").strip()]
        faults = faults_of(error)
        return cls(
            {name: value for name, value in values.items() if "password" not in name},
            {**faults, **{name: [told(["required"])] for name in blank if name in faults}},
        )


def faults_of(error: ShopError) -> dict[str, list[str]]:
    """Field -> messages in the visitor's language; a fault of no field stands under ""."""
    told = error.message(language())
    if not error.fields:
        return {"": [told]}
    named: dict[str, list[str]] = {}
    for path, texts in error.field_messages(language()).items():
        name = path.rpartition(".")[2]
        name = "" if name in WHOLE else FIELDS.get(name, name)
        shown = [text if _understood(text) else told for text in texts]
        named.setdefault(name, []).extend(shown)
    return named


def _understood(text: str) -> bool:
    """A rule that knows no language speaks Chinese; its error's own sentence is in both."""
    return language() != "en" or not any("\u4e00" <= character <= "\u9fff" for character in text)


def read_form(schema: type[Schema]) -> dict[str, Any]:
    """The form that was sent; fields left empty count as not sent.

    Raises:
        Invalid: with every field at fault.
    """
    values, faults = read_leniently(schema)
    if faults:
        raise Invalid(fields=faults)
    return values


def read_leniently(schema: type[Schema]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """(what is readable of the form, the messages of what is not)."""
    return _load(schema, request.form)


def read_query(schema: type[Schema]) -> dict[str, Any]:
    """The address's arguments; what is unreadable is passed over: a link never fails for it."""
    return _load(schema, request.args)[0]


def _load(
    schema: type[Schema], source: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    sent = {name: text if "password" in name else text.strip() for name, text in source.items()}
    given = {name: text for name, text in sent.items() if text}
    try:
        return schema(unknown=EXCLUDE).load(given), {}
    except ValidationError as error:
        readable = error.valid_data if isinstance(error.valid_data, dict) else {}
        messages: Any = error.messages
        return readable, {name: [told(keys)] for name, keys in messages.items()}


def told(keys: Any) -> str:
    """The sentence for what a schema objects to."""
    key = keys[0] if isinstance(keys, list) and keys else "invalid"
    return TEXTS.get(str(key), TEXTS["invalid"])()


def _needed(text: str = "required") -> dict[str, Any]:
    return {"required": text, "invalid": text, "unknown": text}


class Yuan(fields.Field[int]):
    """An amount in yuan as people write it; fen come out."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_more: Any) -> int:
        del attr, data
        try:
            fen = parse_yuan(str(value)[:MAX_YUAN])
        except ValueError as error:
            raise ValidationError("invalid") from error
        if fen < 0:
            raise ValidationError("invalid")
        return fen


class SearchForm(Schema):
    """What is looked for, and how the finds are sorted."""

    q = fields.String(validate=validate.Length(max=MAX_WORDS, error="long"))
    category = fields.String(validate=CODE)
    cooperative = fields.String(validate=CODE)
    sort = fields.Enum(Sort, by_value=True)
    in_stock = fields.Boolean()
    least = Yuan()
    most = Yuan()


QUANTITY = fields.Integer(
    required=True,
    error_messages=_needed("quantity"),
    validate=validate.Range(min=1, max=MAX_LINE_QUANTITY, error="quantity"),
)


class BuyForm(Schema):
    """A size and how many, from a product's page."""

    sku = fields.String(required=True, validate=CODE, error_messages=_needed("choose"))
    quantity = QUANTITY
    then = fields.String(load_default="cart")


class QuantityForm(Schema):
    """How many of a basket's line; `step` is one more or one less."""

    quantity = QUANTITY
    step = fields.Integer(load_default=0, validate=validate.OneOf([-1, 0, 1], error="quantity"))


class SignInForm(Schema):
    """Who says who they are."""

    email = fields.String(required=True, validate=LONG, error_messages=_needed())
    password = fields.String(required=True, validate=LONG, error_messages=_needed())


class RegisterForm(SignInForm):
    """A new account."""

    name = fields.String(required=True, validate=LONG, error_messages=_needed())
    buyer_kind = fields.Enum(
        BuyerKind,
        by_value=True,
        required=True,
        error_messages=_needed("choose"),
        validate=validate.OneOf(SELF_DECLARED, error="choose"),
    )
    unit = fields.String(load_default=None, validate=CODE)


class PasswordForm(Schema):
    """The present password and the next one."""

    password = fields.String(required=True, validate=LONG, error_messages=_needed())
    new_password = fields.String(required=True, validate=LONG, error_messages=_needed())


class FindOrderForm(Schema):
    """What somebody knows of an order without an account."""

    number = fields.String(required=True, validate=CODE, error_messages=_needed())
    phone = fields.String(required=True, validate=CODE, error_messages=_needed())


class AddressForm(Schema):
    """Where parcels go; the levels of the region are selects that follow one another."""

    recipient = fields.String(load_default="", validate=LONG)
    phone = fields.String(load_default="", validate=CODE)
    province = fields.String(load_default="", validate=CODE)
    city = fields.String(load_default="", validate=CODE)
    county = fields.String(load_default="", validate=CODE)
    detail = fields.String(load_default="", validate=LONG)
    default = fields.Boolean(load_default=False)


class CheckoutForm(AddressForm):
    """One checkout."""

    idempotency_key = fields.String(required=True, validate=CODE, error_messages=_needed("stale"))
    expected_total = fields.Integer(load_default=None)
    address_id = fields.UUID(load_default=None)
    buyer_kind = fields.Enum(
        BuyerKind, by_value=True, load_default=None, error_messages=_needed("choose")
    )
    unit = fields.String(load_default=None, validate=CODE)
    email = fields.String(load_default=None, validate=LONG)
    purpose = fields.Enum(
        Purpose, by_value=True, load_default=None, error_messages=_needed("choose")
    )
    pay_by = fields.String(
        load_default="online",
        validate=validate.OneOf(("online", "transfer", "later"), error="choose"),
    )
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE, error="note"))
    adult = fields.Boolean(load_default=False)
    no_return = fields.Boolean(load_default=False)
    save = fields.Boolean(load_default=False)
