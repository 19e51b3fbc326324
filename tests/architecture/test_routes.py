"""Every route names a permission, and what a manager is shown is their own cooperative's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import admin
import api as api_package
import storefront
from api.endpoint import ENDPOINTS
from shop.embedded_postgres import EmbeddedPostgres
from shop.identity.policy import PERMISSIONS
from tests.api.mall import Mall, opened
from tests.cast import ADDRESS, PASSWORD, email, order_body

OPEN = {
    "static",
    "health.healthz",
    "health.readyz",
    "health.metrics",
    "api.openapi_json",
    "api.docs",
    "api.docs_start",
    "api.docs_asset",
}
"""Files, the API's own description and the probes: nothing of a person's or a cooperative's."""

ASSETS = re.compile(r"(static|asset|favicon|robots)")


def declared() -> set[str]:
    pages = {
        f"{pages.blueprint.name}.{page.view.__name__}"
        for pages in (storefront.page.pages, admin.page.pages)
        for page in pages.declared
    }
    return pages | {"api." + name for name in api_names()}


def api_names() -> set[str]:
    return {
        f"{one.method}_{one.view.__module__}_{one.view.__name__}".replace(".", "_")
        for one in ENDPOINTS
    }


def test_every_route_was_declared_with_a_permission(app):
    loose = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in declared() | OPEN and not ASSETS.search(rule.endpoint)
    }
    assert loose == set()


def test_every_permission_is_in_the_map():
    """A name that stands on no map would refuse everybody, or be a slip for another."""
    named = {one.permission for one in ENDPOINTS}
    for pages in (storefront.page.pages, admin.page.pages):
        assert pages.declared != []
        named |= {page.permission for page in pages.declared}
    assert named <= set(PERMISSIONS)


@pytest.mark.parametrize(
    "spec", [one for one in ENDPOINTS if one.method == "POST"], ids=lambda one: one.rule
)
def test_what_creates_something_of_value_takes_a_key(spec):
    valuable = re.search(r"(/orders|/payments|/parcels|/refunds|/after-sales|/commit)$", spec.rule)
    assert spec.idempotent is True or not valuable


def test_stock_is_not_counted_twice_for_who_sends_a_key():
    """The contract lists what demands a key, and this is not in it."""
    heeding = [one.rule for one in ENDPOINTS if one.idempotent == "if_asked"]
    assert heeding == ["/cooperative/skus/<code>/stock-movements"]


STAFF_ONLY = [one for one in ENDPOINTS if one.permission.startswith(("reports.", "entries."))]


@pytest.mark.parametrize("spec", STAFF_ONLY, ids=lambda one: one.rule)
def test_reports_are_not_for_managers_or_buyers(api, spec):
    for who, status in ((None, 401), ("alice", 403), ("bob", 403)):
        assert api.get(spec.rule, as_=who).status_code == status


@pytest.fixture(scope="module")
def mall(postgres: EmbeddedPostgres) -> Iterator[Mall]:
    """A lived-in installation; `mall.paid` is Alice's, with goods of C02 still to ship."""
    with opened(postgres) as mall:
        yield mall


def filled(rule: str, values: dict[str, str]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], rule)


def label(spec: Any) -> str:
    return f"{spec.method} {spec.rule}"


GOOD_BODIES: dict[str, dict[str, Any]] = {
    "POST /cooperative/consignments/<number>/parcels": {
        "carrier": "zhongtong",
        "tracking_no": "ZT0001",
    },
    "PATCH /cooperative/skus/<code>": {"price_fen": 4_900, "reason": "新茶上市"},
    "POST /cooperative/skus/<code>/stock-movements": {
        "delta": 5,
        "cause": "harvest",
        "note": "新采",
    },
    "PUT /me/addresses/<address_id>": {**ADDRESS, "detail": "邯郸路 221 号"},
    "POST /orders/<number>/payments": {"method": "stripe"},
}
"""What the owner of the object may send: the answer then is about the object, not the body."""


def ask(mall: Mall, spec: Any, path: str, who: str) -> Any:
    body = None if spec.body is None else GOOD_BODIES[label(spec)]
    return mall.api.call(spec.method, path, as_=who, json=body, headers={"If-Match": '"1"'})


COOPERATIVE = [one for one in ENDPOINTS if one.rule.startswith("/cooperative/")]
OF_A_COOPERATIVE = [one for one in COOPERATIVE if "<" in one.rule]


@pytest.mark.parametrize("spec", OF_A_COOPERATIVE, ids=label)
def test_a_manager_gets_nothing_of_another_cooperative(mall, spec):
    """Nor does a manager change it; what is asked is what its own manager may ask."""
    [number] = [
        one["number"] for one in mall.paid["consignments"] if one["cooperative"]["code"] == "C02"
    ]
    path = filled(spec.rule, {"number": number, "code": "P06-1"})
    before = mall.contents()
    answer = ask(mall, spec, path, "bob")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    for word in ("C02", "P06", number):
        assert word not in answer.text
    assert mall.contents() == before
    assert ask(mall, spec, path, "charlie").status_code in {200, 201}


@pytest.mark.parametrize("spec", [one for one in COOPERATIVE if "<" not in one.rule], ids=label)
def test_a_managers_lists_are_of_the_own_cooperative(mall, spec):
    answer = ask(mall, spec, spec.rule, "bob")
    assert (answer.status_code, answer.json["items"] != []) == (200, True)
    assert "C02" not in answer.text
    assert "P06" not in answer.text


BUYERS_OWN = {"orders.read_own", "orders.change_own", "payments.start", "account.change"}
OF_A_PERSON = [one for one in ENDPOINTS if "<" in one.rule and one.permission in BUYERS_OWN]


@pytest.fixture
def own(mall) -> dict[str, str]:
    """Variables of paths, for something of Alice's each."""
    secret = {"login": email("alice"), "password": PASSWORD}
    bearer = {"Authorization": f"Bearer {mall.api.post('/auth/tokens', secret).json['token']}"}
    [token] = [
        one["id"]
        for one in mall.api.get("/auth/tokens", headers=bearer).json["items"]
        if one["current"]
    ]
    return {
        "number": mall.api.post("/orders", order_body(("P01-1", 1)), as_="alice").json["number"],
        "address_id": mall.api.post("/me/addresses", ADDRESS, as_="alice").json["id"],
        "token_id": token,
    }


@pytest.mark.parametrize("spec", OF_A_PERSON, ids=label)
def test_a_buyer_gets_nothing_of_another(mall, own, spec):
    path = filled(spec.rule, own)
    before = mall.contents()
    answer = ask(mall, spec, path, "stan")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert mall.contents() == before
    known = ask(mall, spec, path, "alice").status_code
    assert known in ({409} if spec.rule.endswith("/confirm-receipt") else {200, 201, 204})


def test_the_packages_are_the_three_surfaces():
    assert [one.__name__ for one in (api_package, admin, storefront)] == [
        "api",
        "admin",
        "storefront",
    ]
