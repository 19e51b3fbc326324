"""What staff see of a provider's event opens no order and names nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shop.payments.event_queries import masked_body

PAGE = "https://mall.example/orders/26030112345674"
SECRET = "oPeNs-tHe-oRdEr_1"


@pytest.fixture
def completed(desk) -> dict[str, Any]:
    """A `checkout.session.completed` as the provider sends it, with our return addresses."""
    desk.paid(
        success_url=f"{PAGE}/result?access_token={SECRET}",
        cancel_url=f"{PAGE}?access_token={SECRET}&unpaid=1",
        customer_email="lin@example.org",
    )
    return next(
        event
        for event in desk.get("/events", limit=100).json["data"]
        if event["type"] == "checkout.session.completed"
    )


def shown(body: Any) -> Any:
    return json.loads(masked_body(json.dumps(body)))


def test_return_addresses_do_not_open_the_order(completed):
    assert json.dumps(completed).count(SECRET) == 2
    session = shown(completed)["data"]["object"]
    assert (session["success_url"], session["cancel_url"]) == (f"{PAGE}/result", PAGE)
    assert SECRET not in masked_body(json.dumps(completed))


def test_all_else_stays_as_it_came(completed):
    masked = shown(completed)
    session = completed["data"]["object"]
    session |= {"success_url": f"{PAGE}/result", "cancel_url": PAGE, "customer_email": "l***"}
    session["customer_details"]["email"] = "l***"
    assert masked == completed


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("note", f"see ?access_token={SECRET}&unpaid=1", "see ?access_token=***&unpaid=1"),
        ("note", f"next=%3Faccess_token%3D{SECRET} now", "next=%3Faccess_token%3D*** now"),
        ("hosted_url", f"{PAGE}#access_token={SECRET}", PAGE),
        ("client_secret", "pi_1_secret_2", "***"),
        ("buyer_id", "2088101117955611", "2***"),
        ("receipt_url", None, None),
        ("id", "cs_1", "cs_1"),
    ],
)
def test_wherever_it_stands(field, value, told):
    assert shown({"data": {"object": {field: value}}}) == {"data": {"object": {field: told}}}
