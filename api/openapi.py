"""The OpenAPI 3.1 document, made from the declared endpoints and their marshmallow schemas."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, render_template_string, send_from_directory
from flask_swagger_ui import __file__ as swagger_package
from marshmallow import Schema

from api.endpoint import ENDPOINTS, PREFIX, Endpoint
from shop.identity.policy import PERMISSIONS, anyone

VERSION = "1.0.0"
NO_CONTENT = 204
VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; `detail` is for people."},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "required": True,
        "description": "Made up by the caller, once for each thing that is to happen once. "
        "It belongs to the person: after signing in anew it is still the same.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "If-Match": {
        "required": True,
        "description": "The `ETag` of the state that was read; 412 when it has changed since.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "An `ETag` that the caller holds; 304 when it is still that.",
        "schema": {"type": "string"},
    },
    "Stripe-Signature": {
        "required": True,
        "description": "Over the bytes of the body, not older than five minutes.",
        "schema": {"type": "string"},
    },
    "X-Cart-Token": {
        "description": "A visitor's basket; the first answer gives the token out.",
        "schema": {"type": "string"},
    },
}
"""Every header of a request that an endpoint reads, besides `Authorization`."""

CATALOGUE = "Catalogue"
"""The tag of what is kept by ETag."""

PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>API</title>
<link rel="stylesheet" href="{{ here }}/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="{{ here }}/swagger-ui-bundle.js"></script><script src="{{ here }}/start.js"></script>
</body></html>
"""

START = f"""SwaggerUIBundle({{
  url: "{PREFIX}/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
}});
"""


@cache
def document() -> dict[str, Any]:
    """The whole document; endpoints are complete once the package is imported."""
    spec = APISpec(
        title="Consumption-aid mall",
        version=VERSION,
        openapi_version="3.1.0",
        info={
            "description": "消费帮扶商城 API. Money is integer fen, CNY; days are Asia/Shanghai."
        },
        servers=[{"url": PREFIX}],
        plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)],
    )
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", PROBLEM)
    for endpoint in ENDPOINTS:
        spec.path(
            path=VARIABLE.sub(r"{\2}", endpoint.rule),
            operations={endpoint.method.lower(): _operation(endpoint)},
        )
    return spec.to_dict()


def _schema_name(schema: type[Schema] | Schema | str) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema") if not isinstance(schema, str) else schema


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "operationId": f"{endpoint.view.__module__.split('.')[-1]}_{endpoint.view.__name__}",
        "x-permission": endpoint.permission,
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint),
    }
    signed_in: list[dict[str, Any]] = [{"bearer": []}]
    public = PERMISSIONS[endpoint.permission] is anyone
    operation["security"] = [{}, *signed_in] if public else signed_in
    if endpoint.body is not None:
        operation["requestBody"] = _body(endpoint.body)
    elif endpoint.raw_body:
        operation["requestBody"] = _body({"type": "object"})
    elif endpoint.upload:
        operation["requestBody"] = _body(UPLOAD, "multipart/form-data")
    return operation


def _body(schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "mapping": {"type": "string", "description": "JSON: our name -> the file's column"},
    },
}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for _, name in VARIABLE.findall(endpoint.rule)
    ]
    if endpoint.query is not None:
        found.append({"in": "query", "schema": endpoint.query})
    headers = [{"in": "header", "name": name, **HEADERS[name]} for name in _headers(endpoint)]
    if endpoint.idempotent == "if_asked":
        headers[-1]["required"] = False
    return found + headers


def _headers(endpoint: Endpoint) -> list[str]:
    read = list(endpoint.headers)
    if endpoint.idempotent:
        read.append("Idempotency-Key")
    if endpoint.tag == CATALOGUE:
        read.append("If-None-Match")
    return read


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": endpoint.summary or "OK"}
    if endpoint.answer is not None:
        answer["content"] = {endpoint.media_type: {"schema": endpoint.answer}}
    elif endpoint.status != NO_CONTENT:
        answer["content"] = {endpoint.media_type: {"schema": {"type": "string"}}}
    found = {
        str(endpoint.status): answer,
        "4XX": _problem("`code` says what is wrong"),
        "503": _problem("Busy or cut off for a moment; repeat after `Retry-After`"),
    }
    if endpoint.tag == CATALOGUE:
        found["304"] = {"description": "The caller has it already"}
    return found


def _problem(description: str) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": description, "content": {"application/problem+json": problem}}


def register(blueprint: Blueprint) -> None:
    """Serve the document and its reader, offline."""
    assets = str(swagger_package).removesuffix("__init__.py").removesuffix("flask_swagger_ui.py")

    @blueprint.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(orjson.dumps(document()), content_type="application/json")

    @blueprint.get("/docs")
    def docs() -> Response:
        page = Response(render_template_string(PAGE, here=f"{PREFIX}/docs"))
        page.headers["Content-Security-Policy"] = (
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
        )
        return page

    @blueprint.get("/docs/start.js")
    def docs_start() -> Response:
        return Response(START, content_type="text/javascript")

    @blueprint.get("/docs/<path:name>")
    def docs_asset(name: str) -> Response:
        return send_from_directory(f"{assets}/dist", name)
