"""Every route names a permission, and what a manager is shown is their own cooperative's."""

from __future__ import annotations

import re
from typing import Any

import pytest

import admin
import api as api_package
import storefront
from api.endpoint import ENDPOINTS
from shop.identity.policy import PERMISSIONS
from shop.seed.orders import place_scenarios
from tests.cast import order_body

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


@pytest.mark.parametrize("spec", ENDPOINTS, ids=lambda one: f"{one.method} {one.rule}")
def test_every_permission_is_in_the_map(spec):
    assert spec.permission in PERMISSIONS


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


@pytest.fixture
def lived(api, transactions) -> dict[str, Any]:
    """Worked orders in several cooperatives, and one of C02 that waits for its money."""
    place_scenarios(transactions)
    return api.post("/orders", order_body(("P06-1", 1))).json


def filled(rule: str, values: dict[str, str]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "x"), rule)


COOPERATIVE = [one for one in ENDPOINTS if one.rule.startswith("/cooperative/")]


@pytest.mark.parametrize("spec", COOPERATIVE, ids=lambda one: f"{one.method} {one.rule}")
def test_a_manager_gets_nothing_of_another_cooperative(api, lived, spec):
    number = lived["consignments"][0]["number"]
    path = filled(
        spec.rule,
        {"number": number, "code": "P06-1", "sku": "P06-1", "slug": "thin-shell-dried-walnuts"},
    )
    body = None if spec.body is None else {}
    answer = api.call(spec.method, path, as_="bob", json=body, headers={"If-Match": '"1"'})
    assert answer.status_code < 500
    assert "C02" not in answer.text
    assert "P06" not in answer.text
    assert number not in answer.text
    if "<" in spec.rule:
        assert answer.status_code in {404, 422}


def test_the_packages_are_the_three_surfaces():
    assert [one.__name__ for one in (api_package, admin, storefront)] == [
        "api",
        "admin",
        "storefront",
    ]
