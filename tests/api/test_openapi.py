"""The document says what the API is, and the API answers as the document says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import orjson
import pytest
import schemathesis

from api import caching, endpoint, serializer
from api.endpoint import ENDPOINTS, PREFIX
from api.openapi import document
from api.v1 import catalog
from tests.api.walk import Walk

PROMISED = """
POST /auth/register
POST /auth/tokens
DELETE /auth/tokens/current
GET /me
GET /categories
GET /cooperatives
GET /cooperatives/{code}
GET /storefronts
GET /units
GET /channels
GET /campaigns
GET /divisions
GET /products
GET /products/{slug}
GET /cart
PUT /cart/lines/{sku}
DELETE /cart/lines/{sku}
POST /quotes
POST /orders
GET /orders
GET /orders/{number}
POST /orders/{number}/cancel
POST /orders/{number}/payments
GET /orders/{number}/payments
POST /orders/{number}/confirm-receipt
POST /webhooks/stripe
GET /cooperative/consignments
GET /cooperative/consignments/{number}
POST /cooperative/consignments/{number}/parcels
PATCH /cooperative/skus/{code}
GET /cooperative/skus/{code}/stock-movements
POST /cooperative/skus/{code}/stock-movements
GET /reports/sales
GET /ledger/accounts
GET /ledger/entries
GET /ledger/proof
GET /reconciliations
POST /reconciliations
GET /differences
POST /differences/{difference_id}/explain
GET /provider-events
POST /provider-events/{event_id}/replay
"""
"""What callers were told will stay; the rest of the document may still change."""

OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in document()["paths"].items()
    for method, operation in item.items()
}


def braced(rule: str) -> str:
    return rule.replace("<", "{").replace(">", "}")


def test_the_document_is_a_valid_one():
    assert document()["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document()).validate()


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_each_shape_is_a_schema(name):
    jsonschema_rs.Draft202012Validator(whole({"$ref": f"#/components/schemas/{name}"}))


@pytest.mark.parametrize("label", PROMISED.split("\n")[1:-1])
def test_what_was_promised_is_there(label):
    assert label in OPERATIONS


def test_the_document_and_the_routes_are_the_same(reading_app):
    routes = {
        f"{method} {braced(rule.rule.removeprefix(PREFIX))}"
        for rule in reading_app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and "docs" not in rule.rule and "openapi" not in rule.rule
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == OPERATIONS.keys()


def test_every_operation_has_a_name_of_its_own_and_says_what_it_is():
    names = [one["operationId"] for one in OPERATIONS.values()]
    assert sorted(set(names)) == sorted(names)
    assert all(one["summary"].endswith(".") for one in OPERATIONS.values())


@pytest.mark.parametrize("spec", ENDPOINTS, ids=lambda one: f"{one.method} {one.rule}")
def test_who_may_call_is_in_the_document(spec):
    operation = OPERATIONS[f"{spec.method} {braced(spec.rule)}"]
    open_to_all = spec.permission in ANYONES
    assert operation["security"] == [{}, {"bearer": []}][1 - open_to_all :]


ANYONES = {
    "catalog.read",
    "reference.read",
    "session.create",
    "account.create",
    "cart.use",
    "orders.quote",
    "orders.place",
    "orders.read_own",
    "orders.change_own",
    "payments.start",
    "provider.notify",
}


class Walked(Walk):
    """Also keeps what was handed to the serializer."""

    def __init__(self, mall: Any, patch: pytest.MonkeyPatch) -> None:
        self.dumped: list[tuple[Any, Any]] = []
        for module in (endpoint, caching, catalog):
            patch.setattr(module, "dumps", self.dumps)
        super().__init__(mall)

    def dumps(self, schema: Any, value: Any) -> bytes:
        self.dumped.append((schema, value))
        return serializer.dumps(schema, value)


@pytest.fixture(scope="module")
def walk(mall) -> Walked:
    with pytest.MonkeyPatch.context() as patch:
        return Walked(mall, patch)


def whole(schema: Any) -> Any:
    return {**schema, "components": document()["components"]}


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_real_answer_has_the_shape_that_the_document_gives(walk, label):
    answer = walk.answers[label]
    [status] = [int(code) for code in OPERATIONS[label]["responses"] if code.startswith("2")]
    assert answer.status_code == status, answer.text
    content = OPERATIONS[label]["responses"][str(status)].get("content", {})
    assert list(content) == ([answer.mimetype] if answer.data else [])
    if "application/json" in content:
        schema = whole(content["application/json"]["schema"])
        jsonschema_rs.validate(schema, orjson.loads(answer.data), validate_formats=True)


def test_no_answer_says_more_than_the_document(walk):
    for schema, value in walk.dumped:
        assert orjson.loads(serializer.dumps(schema, value)).keys() <= schema().fields.keys()


@pytest.mark.parametrize("label", [x for x in OPERATIONS if not x.startswith("DELETE /auth")])
def test_the_fast_serializer_gives_what_marshmallow_gives(walk, label):
    spec = next(one for one in ENDPOINTS if f"{one.method} {braced(one.rule)}" == label)
    mine = [value for schema, value in walk.dumped if schema is spec.answer is not None]
    for value in mine:
        fast = orjson.loads(serializer.dumps(spec.answer, value))
        slow = orjson.loads(orjson.dumps(spec.answer().dump(value)))
        assert same_moments(fast) == same_moments(slow)
    assert mine or spec.answer is None


def same_moments(value: Any) -> Any:
    """Moments as moments: ours are told in Shanghai's time."""
    if isinstance(value, dict):
        return {key: same_moments(one) for key, one in value.items()}
    if isinstance(value, list):
        return [same_moments(one) for one in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def test_times_are_told_in_shanghai(walk):
    placed = walk.answers["GET /orders/{number}"].json["placed_at"]
    assert placed.endswith("+08:00")


def test_the_reader_needs_nothing_from_elsewhere(reader):
    page = reader.get("/docs").text
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    script = reader.get("/docs/start.js").text
    addresses += re.findall(r'url: "([^"]*)"', script)
    assert len(addresses) == 4
    for address in addresses:
        assert reader.client.get(address).status_code == 200
    assert "validatorUrl: null" in script
    assert "//" not in page + script
