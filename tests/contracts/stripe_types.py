"""Judges requests by the parameter types that Stripe generates into its own SDK.

Which type belongs to which address is learnt from the SDK too: its services are called with a
client that only notes what they would send.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import stripe
from stripe import params as sdk
from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from shop.payments.sandbox.forms import decode

CALLS: dict[type, Callable[[Any], object]] = {
    sdk.checkout.SessionCreateParams: lambda v1: v1.checkout.sessions.create({}),
    sdk.checkout.SessionExpireParams: lambda v1: v1.checkout.sessions.expire("ID"),
    sdk.checkout.SessionRetrieveParams: lambda v1: v1.checkout.sessions.retrieve("ID"),
    sdk.checkout.SessionListParams: lambda v1: v1.checkout.sessions.list(),
    sdk.PaymentIntentRetrieveParams: lambda v1: v1.payment_intents.retrieve("ID"),
    sdk.PaymentIntentCancelParams: lambda v1: v1.payment_intents.cancel("ID"),
    sdk.ChargeRetrieveParams: lambda v1: v1.charges.retrieve("ID"),
    sdk.RefundCreateParams: lambda v1: v1.refunds.create({}),
    sdk.RefundRetrieveParams: lambda v1: v1.refunds.retrieve("ID"),
    sdk.RefundListParams: lambda v1: v1.refunds.list(),
    sdk.DisputeListParams: lambda v1: v1.disputes.list(),
    sdk.EventListParams: lambda v1: v1.events.list(),
    sdk.BalanceTransactionListParams: lambda v1: v1.balance_transactions.list(),
}
WHOLE = re.compile(r"-?\d+")


class Noting(stripe.HTTPClient):
    """Sends nothing; notes what would be sent."""

    name = "noting"

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method, url, headers, post_data=None):
        parts = urlsplit(url)
        self.noted.append((method, parts.path, decode(post_data or parts.query)))
        return b'{"object": "list", "data": []}', 200, {}


def addresses() -> list[tuple[str, re.Pattern[str], type]]:
    """(method, address, type) of every operation in `CALLS`."""
    client = Noting()
    v1 = stripe.StripeClient("sk_test_x", http_client=client).v1
    found = []
    for kind, call in CALLS.items():
        call(v1)
        method, path, _ = client.noted[-1]
        found.append((method, re.compile(path.replace("ID", r"[\w%.-]+")), kind))
    return found


class Judge:
    """`complaints` about a request, one line each; none means Stripe's types allow it."""

    def __init__(self) -> None:
        self._addresses = addresses()

    def complaints(self, method: str, path: str, params: Mapping[str, Any]) -> list[str]:
        for wanted, pattern, kind in self._addresses:
            if wanted == method and pattern.fullmatch(path):
                return list(_record(params, kind, ""))
        return [f"{method} {path}: no such operation"]


def _walk(value: Any, hint: Any, where: str) -> Iterator[str]:
    """What is wrong with a value that should be of the type `hint`."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin in {NotRequired, Required}:
        yield from _walk(value, choices[0], where)
    elif origin in {Union, UnionType}:
        yield from _any_of(value, choices, where)
    elif origin is list and isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(item, choices[0], f"{where}[{place}]")
    elif is_typeddict(hint):
        yield from _record(value, hint, where)
    elif not _fits(value, hint):
        yield f"{where}: {value!r} does not fit"


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value off the wire can be meant as a plain type."""
    if _is_choice(hint):
        return value in get_args(hint)
    if get_origin(hint) in {dict, list} or "Untyped" in str(hint):
        return isinstance(value, dict) and get_origin(hint) is not list
    if hint is int:
        return WHOLE.fullmatch(str(value)) is not None
    return value in {"true", "false"} if hint is bool else isinstance(value, str)


def _is_choice(hint: Any) -> bool:
    return str(get_origin(hint)).endswith("Literal")


def _any_of(value: Any, choices: tuple[Any, ...], where: str) -> Iterator[str]:
    """The SDK leaves its enumerations open (`Literal[...] | str`); here they are closed."""
    closed = [c for c in choices if _is_choice(c) and get_args(c) != ("",)]
    tried = [c for c in choices if c is not type(None) and not (closed and c is str)]
    findings = [list(_walk(value, choice, where)) for choice in tried]
    if all(findings):
        yield min(findings, key=len)[0]


def _record(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: {value!r} does not fit"
        return
    options = {"Mapping": Mapping, "StripeContext": str}  # used by the options every request has
    names = {**vars(sys.modules[kind.__module__]), **options}
    hints = get_type_hints(kind, globalns=names, include_extras=True)
    for name in set(RequestOptions.__annotations__) & set(hints):
        del hints[name]
    for name, inner in value.items():
        if name in hints:
            yield from _walk(inner, hints[name], f"{where}.{name}")
        else:
            yield f"{where}.{name}: unknown"
    for name in kind.__required_keys__ - set(value):
        yield f"{where}.{name}: missing"
