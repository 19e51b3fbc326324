"""The endpoint as a stack of declarations: parse, authorise, run, dump, document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

from flask import Response, request
from marshmallow import Schema

from api.errors import problem
from api.reading import json_body, loaded
from api.serializer import dumps
from shop import idempotency
from shop.context import Actor, Ctx, Transactions
from shop.errors import Invalid, ShopError
from shop.identity.policy import authorize
from shop.web import bearer_actor, refuse_nul, transactions

View = Callable[..., Any]
Opens = Literal["begin", "reading", "snapshot", "alone"]
Idempotent = bool | Literal["if_asked"]
PREFIX = "/api/v1"
KEY = "Idempotency-Key"
GUESTS = idempotency.fingerprint(b"anonymous")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One declared endpoint; the OpenAPI document and the route walk read these."""

    rule: str
    method: str
    permission: str
    view: View
    body: type[Schema] | None
    query: type[Schema] | None
    answer: type[Schema] | None
    status: int
    idempotent: Idempotent
    phases: bool
    limit: str | None
    tag: str
    summary: str
    headers: tuple[str, ...]
    media_type: str
    raw_body: bool
    upload: bool
    opens: Opens


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is more than its value: ready bytes, headers, another status."""

    value: Any = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Rest:
    """What a view in phases leaves to its last transaction, in which the answer is kept too."""

    write: Callable[[Ctx], Any]


ENDPOINTS: list[Endpoint] = []


def endpoint(
    method: str,
    rule: str,
    *,
    permission: str,
    tag: str,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
    idempotent: Idempotent = False,
    phases: bool = False,
    limit: str | None = None,
    headers: tuple[str, ...] = (),
    media_type: str = "application/json",
    raw_body: bool = False,
    upload: bool = False,
    opens: Opens = "begin",
) -> Callable[[View], View]:
    """Declare an endpoint under `/api/v1`.

    The function below it gets `ctx` (one transaction around the call and the dump), or with
    `phases` the `Transactions` to open its own short ones; then `body=` and `query=` as loaded by
    their schemas, and the rule's variables. It returns a value for `answer` or a `Reply`, with
    `phases` also the `Rest`. Who `opens` something else: `reading` writes nothing, not even that
    somebody looked, nor does `snapshot`, which reads all of one moment; `alone` writes by exactly
    one statement. What is `idempotent` needs an `Idempotency-Key`; `if_asked` it heeds one that is
    sent.

    For the document: `headers` of the request that the function reads (`openapi.HEADERS`), the
    `media_type` of a ready answer, and whether the function takes the `raw_body` itself, or reads
    an `upload` out of the request's form.
    """

    def declare(view: View) -> View:
        summary = (view.__doc__ or "").strip().splitlines()[0] if view.__doc__ else ""
        ENDPOINTS.append(
            Endpoint(
                rule,
                method,
                permission,
                view,
                body,
                query,
                answer,
                status,
                idempotent,
                phases,
                limit,
                tag,
                summary,
                headers,
                media_type,
                raw_body,
                upload,
                opens,
            )
        )
        return view

    return declare


def handler(spec: Endpoint) -> Callable[..., Response]:
    """The Flask view function of a declared endpoint."""

    def respond(**path: Any) -> Response:
        try:
            if spec.idempotent is True or (spec.idempotent and KEY in request.headers):
                return _run_once(spec, path)
            return _run(spec, path, transactions())
        except ShopError as error:
            return problem(error)

    respond.__name__ = spec.view.__name__
    return respond


def _run(
    spec: Endpoint,
    path: dict[str, Any],
    opened: Transactions,
    claim: idempotency.Claim | None = None,
) -> Response:
    known = claim is not None  # who claims has been asked who it is
    if not known and (spec.phases or spec.opens == "alone"):
        opened, known = _known(opened), True
    if spec.phases:
        return _run_in_phases(spec, path, opened, claim)
    opening: Callable[[], AbstractContextManager[Ctx]] = getattr(opened, spec.opens)
    with opening() as ctx:
        if not known:
            ctx.actor = bearer_actor(ctx)
        authorize(ctx.actor, spec.permission)
        response = _answer(spec, spec.view(ctx, **_arguments(spec), **path))
        if claim is not None:
            idempotency.finish(ctx, claim, _stored(response))
    return response


def _run_in_phases(
    spec: Endpoint, path: dict[str, Any], opened: Transactions, claim: idempotency.Claim | None
) -> Response:
    authorize(opened.actor, spec.permission)
    result = spec.view(opened, **_arguments(spec), **path)
    with opened.begin() as ctx:
        response = _answer(spec, result.write(ctx) if isinstance(result, Rest) else result)
        if claim is not None:
            idempotency.finish(ctx, claim, _stored(response))
    return response


def _known(opened: Transactions) -> Transactions:
    """The same, for the person behind the request."""
    if "Authorization" not in request.headers:
        return opened
    with opened.reading() as ctx:
        return opened.acting(bearer_actor(ctx))


def _run_once(spec: Endpoint, path: dict[str, Any]) -> Response:
    key = request.headers.get(KEY, "")
    if not 0 < len(key) <= idempotency.MAX_KEY:
        raise Invalid(
            "请求须带 1 至 255 个字符的 Idempotency-Key 请求头",
            "This request needs an Idempotency-Key header of 1 to 255 characters",
            code="idempotency_key_required",
        )
    refuse_nul([key])
    opened = _known(transactions())
    print_ = idempotency.fingerprint(
        request.method.encode(), request.full_path.encode(), request.get_data()
    )
    claim = idempotency.claim(opened.database, _scope(opened.actor), key, print_, opened.clock())
    if isinstance(claim, idempotency.Answer):
        authorize(opened.actor, spec.permission)
        return _replayed(claim)
    with idempotency.working(opened.database, claim):
        return _run(spec, path, opened, claim)


def _scope(actor: Actor) -> str:
    """Whose key it is: the person's, who may have signed in anew since."""
    return f"user:{actor.user_id}" if actor.signed_in else GUESTS


def _arguments(spec: Endpoint) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    refuse_nul(request.view_args.values() if request.view_args else ())
    if spec.query is not None:
        refuse_nul(request.args.values())
        arguments["query"] = loaded(spec.query, request.args.to_dict(), unknown="exclude")
    if spec.body is not None:
        arguments["body"] = loaded(spec.body, json_body(), unknown="raise")
    return arguments


def _answer(spec: Endpoint, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    reply = result if isinstance(result, Reply) else Reply(result)
    status = reply.status or spec.status
    body = reply.body
    if body is None:
        empty = status in {204, 304}
        body = b"" if empty else dumps(spec.answer, reply.value)
    response = Response(body, status=status, content_type=reply.content_type)
    for name, value in (reply.headers or {}).items():
        response.headers[name] = value
    return response


def _stored(response: Response) -> idempotency.Answer:
    return idempotency.Answer(response.status_code, response.get_data(), {})


def _replayed(answer: idempotency.Answer) -> Response:
    response = Response(answer.body, status=answer.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


__all__ = ["ENDPOINTS", "Ctx", "Endpoint", "Reply", "Rest", "Transactions", "endpoint", "handler"]
