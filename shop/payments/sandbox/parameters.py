"""Reading and judging what a request asks for, as strictly as Stripe does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from shop.payments.sandbox.faults import BadParameter

Params = dict[str, Any]

METHODS: Final = ("card", "alipay", "wechat_pay")
CURRENCY: Final = "cny"
LEAST_FEN: Final = 50
"""Stripe publishes no least charge in CNY; this is its 50 cents, taken as fen."""
MOST_FEN: Final = 99_999_999
"""Eight digits, Stripe's limit for every currency."""
SHORTEST: Final = 30 * 60
LONGEST: Final = 24 * 3600
LENIENCE: Final = 5
"""Seconds that a request may have been on its way."""
MAX_METADATA: Final = 50
MAX_NAME: Final = 40
MAX_VALUE: Final = 500
MAX_REFERENCE: Final = 200
MAX_ADDRESS: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """A checkout session that may be opened."""

    amount: int
    name: str
    summary: str | None
    methods: list[str]
    expires_at: int
    success_url: str
    cancel_url: str | None
    locale: str | None
    reference: str | None
    email: str | None
    metadata: dict[str, str]
    intent: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund that may be tried: whole when `amount` is None."""

    charge: str | None
    intent: str | None
    amount: int | None
    reason: str | None
    metadata: dict[str, str]


def session(params: Params, known: list[str], now: int) -> SessionRequest:
    """Judge the parameters of a new checkout session.

    Raises:
        BadParameter: the first that Stripe would not take.
    """
    only(params, known)
    if need(params, "mode") != "payment":
        raise BadParameter("mode", "Only the mode payment is offered here.")
    amount, product = _items(params)
    if not LEAST_FEN <= amount <= MOST_FEN:
        code = "amount_too_small" if amount < LEAST_FEN else "amount_too_large"
        raise BadParameter("line_items", f"The total of {amount} is out of bounds.", code)
    intent = record(params, "payment_intent_data")
    return SessionRequest(
        amount=amount,
        name=product["name"],
        summary=text(product, "description", MAX_VALUE),
        methods=_methods(params),
        expires_at=_expiry(params, now),
        success_url=_address(params, "success_url", needed=True) or "",
        cancel_url=_address(params, "cancel_url"),
        locale=text(params, "locale", MAX_NAME),
        reference=text(params, "client_reference_id"),
        email=_email(params),
        metadata=metadata(params),
        intent={
            "description": text(intent, "description", MAX_VALUE),
            "metadata": metadata(intent),
        },
    )


def refund(params: Params, known: list[str]) -> RefundRequest:
    """Judge the parameters of a refund.

    Raises:
        BadParameter: the first that Stripe would not take.
    """
    only(params, known)
    charge = text(params, "charge")
    intent = text(params, "payment_intent")
    if not charge and not intent:
        raise BadParameter("charge", "One of charge and payment_intent must be given.")
    reason = text(params, "reason", MAX_NAME)
    if reason not in {None, "duplicate", "fraudulent", "requested_by_customer"}:
        raise BadParameter("reason", f"Invalid reason: {reason}")
    amount = whole(params, "amount", least=1) if "amount" in params else None
    return RefundRequest(
        charge=charge,
        intent=intent,
        amount=amount,
        reason=reason,
        metadata=metadata(params),
    )


def only(params: Params, known: list[str]) -> None:
    """Refuse parameters that the request does not have."""
    for name in params:
        if name not in known:
            raise BadParameter(name, f"Received unknown parameter: {name}", "parameter_unknown")


def record(params: Params, name: str) -> Params:
    """A parameter that must be a record, if it is there at all."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise BadParameter(name, "Invalid object")
    return value


def need(params: Any, name: str, path: str | None = None) -> Any:
    """A parameter that must be there."""
    path = path or name
    if not isinstance(params, dict):
        raise BadParameter(path, "Invalid object")
    value = params.get(name)
    if value in (None, "", [], {}):
        raise BadParameter(path, f"Missing required param: {path}.", "parameter_missing")
    return value


def whole(params: Params, name: str, *, least: int, path: str | None = None) -> int:
    """A parameter that must be a whole number."""
    text = str(need(params, name, path))
    path = path or name
    if not text.removeprefix("-").isdecimal() or not text.isascii():
        raise BadParameter(path, f"Invalid integer: {text}", "parameter_invalid_integer")
    if int(text) < least:
        raise BadParameter(path, f"This value must be at least {least}.")
    return int(text)


def text(params: Params, name: str, longest: int = MAX_REFERENCE) -> str | None:
    """A parameter that must be a string, if it is there at all."""
    value = params.get(name)
    if value is None or (isinstance(value, str) and len(value) <= longest):
        return value
    raise BadParameter(name, f"Must be a string of at most {longest} characters")


def texts(params: Params, name: str) -> list[str]:
    """A parameter that must be a list of strings, if it is there at all."""
    value = params.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadParameter(name, "Invalid array")
    return value


def metadata(params: Params) -> dict[str, str]:
    """At most 50 pairs, names of 40 and values of 500 characters."""
    pairs = record(params, "metadata")
    if len(pairs) > MAX_METADATA:
        raise BadParameter("metadata", "Too many pairs.")
    for name, value in pairs.items():
        if len(name) > MAX_NAME or not isinstance(value, str) or len(value) > MAX_VALUE:
            raise BadParameter(f"metadata[{name}]", "A metadata name or value is too long.")
    return pairs


def _items(params: Params) -> tuple[int, Params]:
    """The total in fen and the first line's product."""
    items = need(params, "line_items")
    if not isinstance(items, list):
        raise BadParameter("line_items", "Invalid array")
    total = 0
    product: Params = {}
    for place, item in enumerate(items):
        path = f"line_items[{place}]"
        quantity = whole(item, "quantity", least=1, path=f"{path}[quantity]")
        price = need(item, "price_data", f"{path}[price_data]")
        if str(need(price, "currency", f"{path}[price_data][currency]")).lower() != CURRENCY:
            raise BadParameter(f"{path}[price_data][currency]", "Only cny is offered here.")
        unit = whole(price, "unit_amount", least=0, path=f"{path}[price_data][unit_amount]")
        goods = need(price, "product_data", f"{path}[price_data][product_data]")
        named = f"{path}[price_data][product_data][name]"
        if not isinstance(need(goods, "name", named), str):
            raise BadParameter(named, "Invalid string")
        product = product or goods
        total += quantity * unit
    return total, product


def _methods(params: Params) -> list[str]:
    methods = params.get("allowed_payment_method_types") or ["card"]
    if not isinstance(methods, list) or any(method not in METHODS for method in methods):
        raise BadParameter("allowed_payment_method_types", f"Invalid methods: {methods}")
    return methods


def _expiry(params: Params, now: int) -> int:
    if "expires_at" not in params:
        return now + LONGEST
    moment = whole(params, "expires_at", least=0)
    if not now + SHORTEST - LENIENCE <= moment <= now + LONGEST + LENIENCE:
        raise BadParameter(
            "expires_at",
            "The expires_at timestamp must be between 30 minutes and 24 hours from now.",
        )
    return moment


def _address(params: Params, name: str, *, needed: bool = False) -> str | None:
    if needed:
        need(params, name)
    value = text(params, name, MAX_ADDRESS)
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadParameter(name, "Not a valid URL", "url_invalid")
    return value


def _email(params: Params) -> str | None:
    email = text(params, "customer_email", MAX_VALUE)
    if email is not None and "@" not in email.strip("@"):
        raise BadParameter("customer_email", f"Invalid email address: {email}", "email_invalid")
    return email
