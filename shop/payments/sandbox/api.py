"""The endpoints under /v1 that the official SDK talks to."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from shop.payments.sandbox import forms, parameters
from shop.payments.sandbox.balance import Balance
from shop.payments.sandbox.books import Answer, Books, Json, Page
from shop.payments.sandbox.chaos import Mishaps
from shop.payments.sandbox.faults import (
    BadParameter,
    Fault,
    missing,
    no_key,
    reused_key,
    unknown_address,
    wrong_key,
)
from shop.payments.sandbox.ledger import Ledger
from shop.payments.sandbox.machine import SESSION, Machine
from shop.payments.sandbox.refunds import Refunds

LARGEST_PAGE: Final = 100
WORDS: Final = ("type", "charge", "payment_intent", "source", "starting_after", "ending_before")
KINDS: Final = {
    "checkout/sessions": SESSION,
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "payouts": "payout",
    "events": "event",
    "balance_transactions": "balance_transaction",
}
OF_CHARGES: Final = frozenset({"refund", "dispute"})
"""Kept under their charge, and asked for by its intent too."""
DEEPEST: Final = 4
"""How far `expand` follows references, as at Stripe."""


class Api:
    """Translates between HTTP and the machine; carries idempotency keys and lists."""

    def __init__(
        self,
        ledger: Ledger,
        machine: Machine,
        refunds: Refunds,
        balance: Balance,
        mishaps: Mishaps,
    ) -> None:
        self._ledger, self._machine, self._refunds = ledger, machine, refunds
        self._balance, self._mishaps = balance, mishaps
        self._books: Books = ledger.books

    def blueprint(self) -> Blueprint:
        """The routes."""
        api = Blueprint("api", __name__, url_prefix="/v1")
        api.before_request(_authorize)
        api.register_error_handler(Fault, lambda fault: _answer(fault.body, fault.status))
        sessions = "/checkout/sessions"
        writes: dict[str, Callable[..., bytes]] = {
            sessions: self._open_session,
            f"{sessions}/<number>/expire": lambda _, number: self._machine.expire(number),
            "/payment_intents/<number>/cancel": self._cancel_intent,
            "/refunds": self._refund,
        }
        for rule, work in writes.items():
            view = self._mishaps.around(self._writing(work), changes=True)
            api.add_url_rule(rule, f"post {rule}", view, methods=["POST"])
        reads = {"/balance": lambda: _answer(self._balance.show())}
        for path, kind in KINDS.items():
            reads |= {f"/{path}/<number>": self._showing(kind), f"/{path}": self._listing(kind)}
        for rule, view in reads.items():
            api.add_url_rule(rule, f"get {rule}", self._mishaps.around(view, changes=False))
        everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        api.add_url_rule("/<path:_>", "unknown", _unknown, methods=everything)
        return api

    def _open_session(self, params: Json) -> bytes:
        known = self._ledger.shapes.params["checkout.session.create"]
        return self._machine.open(parameters.session(params, known, self._ledger.now()))

    def _refund(self, params: Json) -> bytes:
        known = self._ledger.shapes.params["refund.create"]
        return self._refunds.make(parameters.refund(params, known))

    def _cancel_intent(self, params: Json, number: str) -> bytes:
        parameters.only(params, ["cancellation_reason", "expand"])
        return self._machine.cancel_intent(number, params.get("cancellation_reason"))

    def _writing(self, work: Callable[..., bytes]) -> Callable[..., Response]:
        """An endpoint that changes something: once for each idempotency key."""

        def view(**parts: str) -> Response:
            form = request.get_data(as_text=True)
            params = _decoded(form)
            line, key = f"POST {request.path}", request.headers.get("Idempotency-Key")
            fingerprint = hashlib.sha256("&".join(sorted(form.split("&"))).encode()).hexdigest()
            with self._books.writing():
                if key and (before := self._books.answer(key)):
                    return _replay(key, before, line, fingerprint)
                body, status, kept = self._try(work, params, parts)
                number = _request_id()
                if key and kept:
                    answer = Answer(line, fingerprint, number, status, body)
                    self._books.keep_answer(key, answer, self._ledger.now())
            return _answer(body, status, number)

        return view

    def _try(
        self, work: Callable[..., bytes], params: Json, parts: dict[str, str]
    ) -> tuple[bytes, int, bool]:
        """The answer, its status, and whether an idempotency key remembers it."""
        try:
            body = work(params, **parts)
        except Fault as fault:
            return orjson.dumps(fault.body), fault.status, fault.kept
        if "expand" in params:
            body = orjson.dumps(self._expanded(orjson.loads(body), params))
        return body, 200, True

    def _showing(self, kind: str) -> Callable[..., Response]:
        def view(number: str) -> Response:
            if kind == SESSION:
                self._machine.look(number)
            body = self._books.raw(number, kind)
            if body is None:
                raise missing(kind, number)
            params = _decoded(request.query_string.decode())
            if "expand" in params:
                return _answer(self._expanded(orjson.loads(body), params))
            return _answer(body)

        return view

    def _listing(self, kind: str) -> Callable[..., Response]:
        def view() -> Response:
            params = _decoded(request.query_string.decode())
            bodies, more = self._books.page(kind, self._of_intent(kind, _page(params)))
            things: list[Any] = [orjson.Fragment(body) for body in bodies]
            if "expand" in params:
                paths = parameters.texts(params, "expand")
                inner = {"expand": [path.removeprefix("data.") for path in paths]}
                things = [self._expanded(orjson.loads(body), inner) for body in bodies]
            return _answer(
                {"object": "list", "url": request.path, "has_more": more, "data": things}
            )

        return view

    def _of_intent(self, kind: str, page: Page) -> Page:
        """The same page, where what is asked for by its intent is kept under something else."""
        if page.intent is None:
            return page
        if kind == SESSION:
            return replace(page, only=self._books.memo(page.intent).get("session", ""))
        if kind in OF_CHARGES:
            intent = self._books.get(page.intent, "payment_intent") or {}
            return replace(page, parent=intent.get("latest_charge") or "")
        return replace(page, parent=page.intent)

    def _expanded(self, thing: Json, params: Json) -> Json:
        """Put the objects themselves in place of references."""
        for path in parameters.texts(params, "expand"):
            node: Any = thing
            for name in path.split(".")[:DEEPEST]:
                value = node.get(name) if isinstance(node, dict) else None
                if isinstance(value, str):
                    value = node[name] = self._books.get(value)
                    if value is None:
                        raise BadParameter("expand", f"This property cannot be expanded ({path}).")
                node = value
        return thing


def _decoded(form: str) -> Json:
    try:
        return forms.decode(form)
    except ValueError as error:
        raise Fault("The request has too many fields.") from error


def _page(params: Json) -> Page:
    limit = parameters.whole(params, "limit", least=1) if "limit" in params else 10
    if limit > LARGEST_PAGE:
        raise BadParameter("limit", f"This value must be at most {LARGEST_PAGE}.")
    created = params.get("created") or {}
    if not isinstance(created, dict):
        created = {"gte": created, "lte": created}
    bounds = {name: parameters.whole(created, name, least=0) for name in created}
    words = {name: parameters.text(params, name) for name in WORDS}
    return Page(
        limit=limit,
        after=words["starting_after"],
        before=words["ending_before"],
        types=parameters.texts(params, "types") or [word for word in [words["type"]] if word],
        parent=words["charge"] or words["source"],
        intent=words["payment_intent"],
        since=max(bounds.get("gte", 0), bounds.get("gt", -1) + 1),
        until=min(bounds.get("lte", 2**62), bounds.get("lt", 2**62) - 1),
        delivered={"true": True, "false": False}.get(str(params.get("delivery_success"))),
    )


def _authorize() -> None:
    login = request.authorization
    key = login and (login.token if login.type == "bearer" else login.username)
    if not key:
        raise no_key()
    if not key.startswith(("sk_test_", "rk_test_")):
        raise wrong_key(key)


def _replay(key: str, before: Answer, line: str, fingerprint: str) -> Response:
    if before.request != line:
        raise reused_key(key, "for the same endpoint")
    if before.print != fingerprint:
        raise reused_key(key, "with the same parameters")
    answer = _answer(before.body, before.status)
    answer.headers["Idempotent-Replayed"] = "true"
    answer.headers["Original-Request"] = before.request_id
    return answer


def _request_id() -> str:
    return f"req_{secrets.token_hex(7)}"


def _answer(body: bytes | Json, status: int = 200, number: str | None = None) -> Response:
    answer = Response(
        body if isinstance(body, bytes) else orjson.dumps(body),
        status,
        mimetype="application/json",
    )
    answer.headers["Request-Id"] = number or _request_id()
    if key := request.headers.get("Idempotency-Key"):
        answer.headers["Idempotency-Key"] = key
    return answer


def _unknown(_: str) -> Response:
    raise unknown_address(request.method, request.path)
