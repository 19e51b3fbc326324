"""What one can find out by guessing order numbers and tokens: nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.refusals import refused
from tests.cast import PASSWORD, email, order_body

UNKNOWN = "26112300000000"

ROUTES = [
    ("GET", "/orders/{}", None),
    ("GET", "/orders/{}/payments", None),
    ("POST", "/orders/{}/payments", {"method": "stripe"}),
    ("POST", "/orders/{}/cancel", None),
    ("POST", "/orders/{}/confirm-receipt", None),
]


def asked(mall: Any, route: Any, number: str, token: str | None, who: str | None) -> Any:
    """Status, headers and bytes of an answer, without what every answer has of its own."""
    method, path, body = route
    query = "" if token is None else f"?access_token={token}"
    answer = mall.api.call(method, path.format(number) + query, json=body, as_=who)
    own = answer.headers["X-Request-Id"]
    headers = {name: value for name, value in answer.headers if name != "X-Request-Id"}
    return answer.status_code, headers, answer.data.replace(own.encode(), b"")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route[0] + route[1])
@pytest.mark.parametrize("who", [None, "stan", "bob"])
def test_a_wrong_token_and_a_wrong_number_get_the_same_answer(mall, route, who):
    before = mall.contents()
    number, token = mall.order["number"], mall.order["access_token"]
    answers = [
        asked(mall, route, UNKNOWN, token, who),
        asked(mall, route, "nonsense", token, who),
        asked(mall, route, number, None, who),
        asked(mall, route, number, "", who),
        asked(mall, route, number, "x" * 64, who),
        asked(mall, route, number, token[:-1] + ("0" if token[-1] != "0" else "1"), who),
        asked(mall, route, number, token.upper(), who),
        asked(mall, route, number, "令牌", who),
        asked(mall, route, number, mall.paid["access_token"], who),
        asked(mall, route, mall.paid["number"], token, who),
    ]
    assert answers == [answers[0]] * len(answers)
    assert answers[0][0] == 404
    assert mall.contents() == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route[0] + route[1])
def test_the_refusal_speaks_the_callers_language(mall, route):
    method, path, body = route
    refused(mall, method, path.format(mall.order["number"]), 404, "not_found", json=body)


def test_a_token_in_the_body_opens_its_order_only(mall):
    path = f"/orders/{mall.paid['number']}/payments"
    body = {"access_token": mall.order["access_token"]}
    refused(mall, "POST", path, 404, "not_found", json=body)


def test_a_list_holds_own_orders_only(mall):
    numbers = {one["number"] for one in mall.api.get("/orders", as_="stan").json["items"]}
    assert numbers == set()
    own = {one["number"] for one in mall.api.get("/orders", as_="alice").json["items"]}
    assert own == {mall.paid["number"]}


def narrow(mall: Any, *scopes: str, who: str = "alice") -> dict[str, str]:
    """The header of a token, Alice's by default, that may do no more than `scopes`."""
    body = {"login": email(who), "password": PASSWORD, "scopes": scopes}
    return {"Authorization": f"Bearer {mall.api.post('/auth/tokens', body).json['token']}"}


def test_a_narrow_token_does_what_it_is_for_and_nothing_else(mall):
    headers = narrow(mall, "orders.read_own", "catalog.*")
    assert mall.api.get(f"/orders/{mall.paid['number']}", headers=headers).status_code == 200
    order = {"json": order_body(("P01-1", 1)), "headers": headers}
    refused(mall, "POST", "/orders", 403, "forbidden", **order)
    path = f"/orders/{mall.paid['number']}"
    for wanted in ("/cancel", "/confirm-receipt", "/payments"):
        refused(mall, "POST", path + wanted, 403, "forbidden", headers=headers, json={})
    for wanted in ("/orders", "/me", "/cart", "/auth/tokens"):
        refused(mall, "GET", wanted, 403, "forbidden", headers=headers)


def test_who_signed_out_gets_no_answer_again(mall):
    # Not Alice: the tests of this module share the mall, and another one counts her orders.
    headers, body = narrow(mall, "*", who="charlie"), order_body(("P01-1", 1))
    assert mall.api.post("/orders", body, headers=headers, key="mine").status_code == 201
    assert mall.api.post("/orders", body, headers=headers, key="mine").status_code == 201
    mall.api.delete("/auth/tokens/current", headers=headers)
    refused(mall, "POST", "/orders", 401, "invalid_token", json=body, headers=headers, key="mine")


def test_a_narrow_token_does_not_widen_itself(mall):
    headers = narrow(mall, "session.*")
    new = {"json": {"current_password": PASSWORD, "new_password": "walnut-bridge-43"}}
    refused(mall, "PUT", "/me/password", 403, "forbidden", headers=headers, **new)


@pytest.mark.parametrize("number", ["1", "0" * 14, "9" * 14, "٢٦١١٢٣", "' OR 1=1 --", "%00x", "😀"])
def test_numbers_that_no_order_has(mall, number):
    status, code = (422, "invalid") if "%00" in number else (404, "not_found")
    refused(mall, "GET", f"/orders/{number}", status, code)
    refused(mall, "GET", f"/cooperative/consignments/{number}", status, code, as_="bob")
