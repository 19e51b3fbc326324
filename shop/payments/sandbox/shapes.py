"""What Stripe's objects look like, read off the SDK's own classes: no copied fixtures.

Reading them takes most of a second and 30 MB (the SDK has a thousand classes), so the result is
kept in a file named after the SDK's version, and a warm start does not import the SDK at all.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import UnionType
from typing import Any, ForwardRef, Union, get_args, get_origin, get_type_hints

import orjson

Json = dict[str, Any]

EDITION = 2
"""Of what is read off the SDK: one more for each kind of object that comes to it."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """`blanks`: an empty object of each kind. `params`: the parameter names of each request."""

    api_version: str
    blanks: dict[str, Json]
    params: dict[str, list[str]]

    def blank(self, kind: str, **values: Any) -> Json:
        """An object of that kind with all its fields; nested ones are shared, never change them."""
        return {**self.blanks[kind], **values}


def load(folder: Path) -> Shapes:
    """The shapes of the installed SDK, from `folder` or read afresh and kept there."""
    path = folder / f"stripe-shapes-{version('stripe')}-{EDITION}.json"
    if path.exists():
        return Shapes(**orjson.loads(path.read_bytes()))
    shapes = read_sdk()
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(orjson.dumps(shapes))
    draft.replace(path)
    return shapes


def read_sdk() -> Shapes:
    """Read the shapes off the installed SDK."""
    import stripe  # half a second and 30 MB: only when the kept file is missing
    from stripe import checkout, params
    from stripe._request_options import RequestOptions

    kinds = (
        stripe.Charge,
        stripe.Refund,
        stripe.PaymentIntent,
        stripe.BalanceTransaction,
        stripe.Dispute,
        stripe.Payout,
        checkout.Session,
    )
    requests = {
        "checkout.session.create": params.checkout.SessionCreateParams,
        "refund.create": params.RefundCreateParams,
    }
    options = set(RequestOptions.__annotations__)
    return Shapes(
        api_version=stripe.api_version,
        blanks={kind.OBJECT_NAME: _blank(kind) for kind in kinds},
        params={name: sorted(set(t.__annotations__) - options) for name, t in requests.items()},
    )


def _blank(kind: type) -> Json:
    """Every field of a resource class; null where the class allows it."""
    blank = {name: _empty(hint) for name, hint in _hints(kind).items()}
    blank.pop("deleted", None)
    return blank | {"object": kind.__dict__["OBJECT_NAME"]}


def _empty(hint: Any) -> Any:
    """The plainest value that a field of that type may hold."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return None if type(None) in choices else _empty(choices[0])
    if str(origin).endswith("Literal"):
        return choices[0]
    plain = {str: "", int: 0, bool: False, float: 0, list: []}
    if (origin or hint) in plain:
        return plain[origin or hint]
    if isinstance(hint, type) and hint.__module__.startswith("stripe."):
        return {name: _empty(inner) for name, inner in _hints(hint).items()}
    return {} if origin is dict or "Untyped" in str(hint) else None


class _Names(dict[str, Any]):
    """The names an annotation may use; those imported for type checkers only mean anything."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self._known = {**vars(builtins), **vars(sys.modules[module])}

    def __missing__(self, name: str) -> Any:
        return self._known.get(name, Any)


def _hints(kind: type) -> dict[str, Any]:
    """The types of the fields that `kind` itself declares."""
    fields = {
        name: ForwardRef(hint) if isinstance(hint, str) else hint
        for name, hint in inspect.get_annotations(kind).items()
        if not name.startswith("_") and name != "OBJECT_NAME"
    }
    holder = type("Fields", (), {"__annotations__": fields, "__module__": kind.__module__})
    return get_type_hints(holder, localns=_Names(kind.__module__))
