"""Ordering over HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from models.orders import Order
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.payments.providers import install
from shop.payments.sync import sync_payment
from tests.cast import order_body
from tests.conftest import actor_of
from tests.fakes.gateway import SIGNATURE, FakeGateway


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


def orders(transactions) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(Order)).scalar_one()


def test_a_guest_orders_and_pays(api, provider, transactions):
    answer = api.post("/orders", order_body(("P01-1", 2), ("P06-1", 1)))
    assert answer.status_code == 201, answer.text
    order = answer.json
    assert (order["state"], order["total_fen"]) == ("pending_payment", 13980)
    path = f"/orders/{order['number']}"
    token = f"?access_token={order['access_token']}"
    paid = api.post(f"{path}/payments{token}", {"method": "stripe"})
    assert (paid.status_code, paid.json["amount_fen"]) == (201, 13980)
    assert paid.json["redirect_url"].startswith("https://pay.example/")


def test_the_same_key_gives_the_same_answer(api, transactions):
    body = order_body(("P01-1", 1))
    first = api.post("/orders", body, key="k1")
    second = api.post("/orders", body, key="k1")
    assert (second.status_code, second.json) == (201, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert orders(transactions) == 1


def test_another_body_under_the_same_key_is_refused(api, transactions):
    api.post("/orders", order_body(("P01-1", 1)), key="k1")
    answer = api.post("/orders", order_body(("P01-1", 2)), key="k1")
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert orders(transactions) == 1


def test_a_refused_order_gives_its_key_back(api, transactions):
    refused = api.post("/orders", order_body(("P01-1", 601)), key="k1")
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert refused.json["short"] == [{"sku": "P01-1", "available": 600}]
    assert api.post("/orders", order_body(("P01-1", 1)), key="k1").status_code == 201


def test_an_order_needs_a_key(api, transactions):
    answer = api.post("/orders", order_body(("P01-1", 1)), headers={"Idempotency-Key": ""})
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_required")
    assert orders(transactions) == 0


@pytest.mark.parametrize(
    ("data", "type_", "status", "code"),
    [
        (b"{", "application/json", 400, "unreadable"),
        (b"[1]", "application/json", 422, "invalid"),
        (b"\xff", "application/json", 400, "unreadable"),
        (b'{"note": "\\u0000"}', "application/json", 422, "invalid"),
        (b"lines=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"x" * 1_000_001, "application/json", 413, "too_large"),
    ],
)
def test_unreadable_bodies(api, transactions, data, type_, status, code):
    answer = api.call("POST", "/orders", data=data, content_type=type_)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert orders(transactions) == 0


def test_errors_speak_the_callers_language(api):
    answers = [api.get("/orders/1", headers={"Accept-Language": one}) for one in ("zh-CN", "en")]
    assert [a.json["detail"] for a in answers] == ["没有找到这个订单", "There is no such order"]


def test_an_event_is_stored_once_and_handled_once(api, provider, transactions, time):
    from shop.payments.webhooks import handle
    from tests.jobs import waiting

    order = api.post("/orders", order_body(("P01-1", 1))).json
    api.post(f"/orders/{order['number']}/payments?access_token={order['access_token']}", {})
    reference = next(iter(provider.checkouts))
    provider.pay(reference)
    body = provider.event(reference)
    for _ in range(3):
        answer = api.call(
            "POST", "/webhooks/stripe", data=body, headers={"Stripe-Signature": SIGNATURE}
        )
        assert (answer.status_code, answer.json) == (200, {"received": True})
    jobs = waiting(transactions)
    assert [name for name, _ in jobs] == ["payments.handle_event"]
    handle(transactions, **jobs[0][1])
    path = f"/orders/{order['number']}?access_token={order['access_token']}"
    assert api.get(path).json["state"] == "paid"


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", "nonsense"])
def test_a_forged_event_changes_nothing(api, provider, transactions, signature):
    answer = api.call(
        "POST", "/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": signature}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")


def test_an_unknown_type_is_stored_and_left_alone(api, provider, transactions):
    from tests.jobs import outcomes, waiting

    body = provider.event("cs_x", "customer.created")
    answer = api.call(
        "POST", "/webhooks/stripe", data=body, headers={"Stripe-Signature": SIGNATURE}
    )
    assert answer.status_code == 200
    assert (waiting(transactions), outcomes(transactions)) == ([], ["ignored"])


def test_nothing_is_received_before_it_was_shipped(api, provider, transactions):
    number = api.post("/orders", order_body(("P01-1", 1)), as_="alice").json["number"]
    path = f"/orders/{number}/confirm-receipt"
    early = api.post(path, as_="alice")
    assert (early.status_code, early.json["code"]) == (409, "nothing_shipped")
    api.post(f"/orders/{number}/payments", {"method": "stripe"}, as_="alice")
    provider.pay(next(iter(provider.checkouts)))
    sync_payment(transactions, next(iter(provider.checkouts)))
    assert api.post(path, as_="alice").json["code"] == "nothing_shipped"
    with transactions.acting(actor_of(transactions, "bob")).begin() as ctx:
        ship_parcel(ctx, f"{number}-1", ShipParcel("ems", "EMS1234"))
    for _ in range(2):
        answer = api.post(path, as_="alice")
        assert answer.status_code == 200
        assert [one["state"] for one in answer.json["consignments"]] == ["completed"]


def test_an_order_tells_that_its_payment_is_processed(api, provider, transactions):
    number = api.post("/orders", order_body(("P01-1", 1)), as_="alice").json["number"]
    api.post(f"/orders/{number}/payments", {"method": "stripe"}, as_="alice")
    reference = next(iter(provider.checkouts))
    told = []
    for happens in (lambda _: None, provider.pend, provider.pay):
        happens(reference)
        sync_payment(transactions, reference)
        opened = api.get(f"/orders/{number}", as_="alice").json
        [listed] = api.get("/orders", as_="alice").json["items"]
        assert listed["payment_processing"] == opened["payment_processing"]
        told.append((opened["status"], opened["payment_processing"]))
    assert told == [
        ("pending_payment", False),
        ("pending_payment", True),
        ("pending_shipment", False),
    ]
