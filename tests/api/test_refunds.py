"""Refunds and disputes over HTTP: who may, what comes of it, and what changes nothing."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from shop.payments.providers import install
from shop.payments.refund_sending import carry
from shop.payments.refund_writing import SEND
from shop.payments.sync import sync_payment
from tests import refund_factories as fact
from tests.cast import PASSWORD, email, order_body
from tests.fakes.gateway import FakeGateway
from tests.jobs import waiting

TOTAL = 22_360


@pytest.fixture
def order(transactions):
    with transactions.begin() as ctx:
        return fact.bought(ctx)


@pytest.fixture
def number(order, transactions) -> str:
    with transactions.begin() as ctx:
        return fact.number_of(ctx, order)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


def line(transactions, order, place: int) -> str:
    with transactions.begin() as ctx:
        return str(fact.lines_of(ctx, order)[place - 1].id)


def stands(transactions, order):
    with transactions.begin() as ctx:
        return fact.money(ctx, order), fact.gone(ctx, order), fact.stock(ctx)


def ended(transactions, number: str, failure: str = "") -> None:
    """The provider's last word on a refund."""
    with transactions.begin() as ctx:
        fact.end(ctx, fact.refund_numbered(ctx, number).id, failure)


def ask(api, number, *, as_="fiona", key=None, headers=None, **wish):
    body = {"order": number, "reason": "破损", **wish}
    return api.post("/refunds", body, as_=as_, key=key, headers=headers)


def test_finance_refunds_a_whole_order(api, number, transactions, order):
    answer = ask(api, number)
    assert answer.status_code == 201, answer.text
    found = answer.json
    assert {name: found[name] for name in ("number", "state", "cause", "order_number")} == {
        "number": f"{number}R1",
        "state": "requested",
        "cause": "staff",
        "order_number": number,
    }
    assert (found["amount_fen"], found["goods_fen"], found["freight_fen"]) == (TOTAL, 20_960, 1_400)
    assert (found["requested_by"], found["reason"], found["can_retry"]) == ("Fiona", "破损", False)
    assert [(one["sku"], one["goods_fen"], one["withdrawn"]) for one in found["lines"]] == [
        ("P01-1", 14_400, 3),
        ("P06-1", 6_560, 2),
    ]
    assert stands(transactions, order)[0] == (TOTAL, TOTAL, 0)


def test_by_line_by_pieces_without_freight(api, number, transactions, order):
    lines = [{"line_id": line(transactions, order, 2), "quantity": 2}]
    found = ask(api, number, lines=lines, freight=False).json
    assert (found["amount_fen"], found["freight_fen"]) == (6_560, 0)
    assert stands(transactions, order)[1] == [(0, 0, 0, 0), (6_560, 0, 2, 0)]


def test_so_much_for_a_line(api, number, transactions, order):
    lines = [{"line_id": line(transactions, order, 1), "amount_fen": 500}]
    assert ask(api, number, lines=lines).json["amount_fen"] == 500
    assert stands(transactions, order)[1] == [(500, 0, 0, 0), (0, 0, 0, 0)]


def test_the_same_key_is_one_refund(api, number, transactions, order):
    first = ask(api, number, amount_fen=100, key="k1")
    second = ask(api, number, amount_fen=100, key="k1")
    assert (second.status_code, second.json) == (201, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert stands(transactions, order)[0] == (TOTAL, 100, 0)


def test_the_same_key_is_one_refund_after_signing_in_anew(api, number, transactions, order):
    first = ask(api, number, amount_fen=100, key="k1")
    credentials = {"login": email("fiona"), "password": PASSWORD}
    anew = {"Authorization": f"Bearer {api.post('/auth/tokens', credentials).json['token']}"}
    second = ask(api, number, as_=None, headers=anew, amount_fen=100, key="k1")
    assert (second.status_code, second.json) == (201, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert stands(transactions, order)[0] == (TOTAL, 100, 0)


def test_a_key_is_its_owners_alone(api, number, transactions, order):
    ask(api, number, amount_fen=100, key="k1")
    before = stands(transactions, order)
    refused = ask(api, number, amount_fen=100, key="k1", as_="alice")
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert stands(transactions, order) == before


def test_a_refund_needs_a_key(api, number, transactions, order):
    before = stands(transactions, order)
    body = {"order": number, "reason": "x"}
    answer = api.post("/refunds", body, as_="fiona", headers={"Idempotency-Key": ""})
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_required")
    assert stands(transactions, order) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "refund_unclear"),
        ({"payment": str(uuid4()), "order": "1"}, 422, "refund_unclear"),
        ({"payment": str(uuid4()), "amount_fen": 5}, 422, "refund_unclear"),
        ({"payment": str(uuid4())}, 404, "not_found"),
        ({"payment": "x"}, 422, "invalid"),
        ({"order": "26112300000000"}, 404, "not_found"),
        ({"order": "me", "reason": ""}, 422, "invalid"),
        ({"order": "me", "reason": "  "}, 422, "invalid"),
        ({"order": "me", "amount_fen": 0}, 422, "invalid"),
        ({"order": "me", "amount_fen": -1}, 422, "invalid"),
        ({"order": "me", "amount_fen": 1.5}, 422, "invalid"),
        ({"order": "me", "amount_fen": TOTAL + 1}, 409, "refund_exceeds_paid"),
        ({"order": "me", "amount_fen": 10**30}, 422, "invalid"),
        ({"order": "me", "lines": []}, 422, "invalid"),
        ({"order": "me", "lines": [{"line_id": str(uuid4())}]}, 422, "invalid"),
        ({"order": "me", "lines": [{"line_id": "first", "quantity": 0}]}, 422, "invalid"),
        (
            {"order": "me", "lines": [{"line_id": "first", "quantity": 4}]},
            409,
            "refund_exceeds_paid",
        ),
        ({"order": "me", "lines": [{"line_id": "first"}], "amount_fen": 5}, 422, "refund_unclear"),
        ({"order": "me", "lines": [{"line_id": "first"}] * 2}, 422, "invalid"),
        ({"order": "me", "currency": "USD"}, 422, "invalid"),
    ],
)
def test_what_makes_no_sense_changes_nothing(api, number, transactions, order, body, status, code):
    before = stands(transactions, order)
    sent = {"reason": "破损", **body}
    if sent.get("order") == "me":
        sent["order"] = number
    first = line(transactions, order, 1)
    for one in sent.get("lines", ()):
        one["line_id"] = one["line_id"].replace("first", first)
    answer = api.post("/refunds", sent, as_="fiona")
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert stands(transactions, order) == before
    assert api.get("/refunds", as_="fiona").json["items"] == []


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), ("alice", 403), ("bob", 403), ("olga", 403), ("ada", 403)]
)
def test_only_finance_sends_money_back(api, number, transactions, order, who, status):
    before = stands(transactions, order)
    assert ask(api, number, as_=who).status_code == status
    assert api.post(f"/refunds/{number}R1/retry", as_=who).status_code == status
    assert stands(transactions, order) == before


@pytest.mark.parametrize("path", ["/refunds", "/refunds/x", "/disputes", "/disputes/x"])
def test_only_staff_reads_of_it(api, path):
    found = [api.get(path, as_=who).status_code for who in (None, "alice", "bob", "uma")]
    assert found == [401, 403, 403, 403]
    for who in ("olga", "fiona", "ada"):
        assert api.get(path, as_=who).status_code == (404 if path.endswith("/x") else 200)


def test_the_list_by_state_cause_and_order(api, number):
    ask(api, number, amount_fen=100)
    ask(api, number, amount_fen=200)
    page = api.get("/refunds?limit=1", as_="olga").json
    assert [one["amount_fen"] for one in page["items"]] == [200]
    rest = api.get(f"/refunds?limit=1&cursor={page['next_cursor']}", as_="olga").json
    assert ([one["amount_fen"] for one in rest["items"]], rest["next_cursor"]) == ([100], None)
    for query, count in (
        ("state=requested", 2),
        ("state=failed", 0),
        ("cause=late", 0),
        (f"order={number}", 2),
        ("order=99", 0),
    ):
        assert len(api.get(f"/refunds?{query}", as_="olga").json["items"]) == count
    assert api.get("/refunds?state=gone", as_="olga").status_code == 422


def test_a_failed_one_is_tried_again(api, number, transactions, order):
    ask(api, number)
    ended(transactions, f"{number}R1", "card_expired")
    failed = api.get(f"/refunds/{number}R1", as_="olga").json
    assert (failed["state"], failed["failure_code"], failed["can_retry"]) == (
        "failed",
        "card_expired",
        True,
    )
    again = api.post(f"/refunds/{number}R1/retry", as_="fiona")
    assert (again.status_code, again.json["retry_of"]) == (201, f"{number}R1")
    twice = api.post(f"/refunds/{number}R1/retry", as_="fiona")
    assert (twice.status_code, twice.json["code"]) == (409, "refund_retried")
    assert stands(transactions, order)[0] == (TOTAL, TOTAL, 0)
    assert api.post("/refunds/x/retry", as_="fiona").status_code == 404


def test_from_the_request_to_the_buyers_account(api, provider, transactions):
    """Bought, paid, refunded and sent by the worker's job, as the provider sees it too."""
    order = api.post("/orders", order_body(("P01-1", 2))).json
    path = f"/orders/{order['number']}"
    token = f"?access_token={order['access_token']}"
    api.post(f"{path}/payments{token}", {})
    [reference] = provider.checkouts
    provider.pay(reference)
    sync_payment(transactions, reference)
    refund = ask(api, order["number"], amount_fen=1_000).json
    [job] = [args for name, args in waiting(transactions) if name == SEND]
    carry(transactions, UUID(job["refund"]))
    sent = api.get(f"/refunds/{refund['number']}", as_="olga").json
    [theirs] = provider.refunds.values()
    assert (sent["state"], sent["reference"]) == ("succeeded", theirs.reference)
    assert (theirs.amount_fen, api.get(path + token).json["refunded_fen"]) == (1_000, 1_000)
    carry(transactions, UUID(job["refund"]))
    assert len(provider.refunds) == 1


def test_money_that_no_order_may_keep(api, number, transactions, order):
    with transactions.begin() as ctx:
        payment = fact.unwanted(ctx, order)
    answer = api.post("/refunds", {"payment": str(payment), "reason": "金额不符"}, as_="fiona")
    assert (answer.status_code, answer.json["cause"]) == (201, "amount_mismatch")
    assert (answer.json["amount_fen"], answer.json["lines"]) == (5_000, [])
    assert answer.json["payment_id"] == str(payment)


def test_the_buyer_follows_refunds_beside_the_attempts(api, number, transactions, order):
    with transactions.begin() as ctx:
        token = fact.token_of(ctx, order)
    path = f"/orders/{number}/payments?access_token={token}"
    [before] = api.get(path).json["items"]
    assert (before["refunds"], before["refunding_fen"], before["refunded_fen"]) == ([], 0, 0)
    ask(api, number, amount_fen=100)
    ended(transactions, f"{number}R1")
    ask(api, number, amount_fen=200)
    [payment] = api.get(path).json["items"]
    assert (payment["refunding_fen"], payment["refunded_fen"]) == (200, 100)
    told = [(one["number"], one["state"], one["amount_fen"]) for one in payment["refunds"]]
    assert told == [(f"{number}R1", "succeeded", 100), (f"{number}R2", "requested", 200)]
    assert not payment["refunds"][0].keys() & {"reason", "requested_by", "cause"}
    assert api.get(f"/orders/{number}/payments").status_code == 404


def test_an_order_tells_what_went_back(api, number, transactions, order):
    with transactions.begin() as ctx:
        path = f"/orders/{number}?access_token={fact.token_of(ctx, order)}"
    ask(api, number, lines=[{"line_id": line(transactions, order, 1), "quantity": 2}])
    found = api.get(path).json
    assert (found["refunding_fen"], found["refunded_fen"]) == (9_600, 0)
    tea = found["consignments"][0]["lines"][0]
    assert (tea["withdrawn"], tea["returned"], tea["refunded_fen"]) == (2, 0, 9_600)
    ask(api, number)
    assert api.get(path).json["status"] == "refunding"
    for refund in ("R1", "R2"):
        ended(transactions, number + refund)
    found = api.get(path).json
    assert (found["status"], found["state"], found["refunded_fen"]) == ("refunded", "paid", TOTAL)


def test_a_cooperative_is_told_what_not_to_ship(api, number, transactions, order):
    ask(api, number, lines=[{"line_id": line(transactions, order, 1), "quantity": 2}])
    part = api.get(f"/cooperative/consignments/{number}-1", as_="bob")
    [tea] = part.json["lines"]
    assert (tea["quantity"], tea["withdrawn"], tea["left"]) == (3, 2, 1)
    assert "R1" not in part.text


def test_disputes_with_their_evidence(api, number, transactions, order):
    with transactions.begin() as ctx:
        dispute = fact.disputed(ctx, order)
    [listed] = api.get("/disputes?state=open", as_="olga").json["items"]
    assert (listed["id"], listed["reference"], listed["amount_fen"]) == (
        str(dispute),
        "dp_1",
        14_400,
    )
    assert api.get("/disputes?state=won", as_="olga").json["items"] == []
    parcel = {"carrier": "zhongtong", "tracking_no": "ZT7788"}
    api.post(f"/cooperative/consignments/{number}-1/parcels", parcel, as_="bob")
    masked = api.get(f"/disputes/{dispute}", as_="olga").json
    assert (masked["masked"], masked["buyer"]["recipient"]) == (True, "林*")
    found = api.get(f"/disputes/{dispute}", as_="fiona").json
    assert (found["masked"], found["buyer"]["recipient"]) == (False, "林晓")
    assert [one["tracking_no"] for one in found["parcels"]] == ["ZT7788"]
    assert [one["sku"] for one in found["sold"]] == ["P01-1", "P06-1"]
    assert [one["goods_fen"] for one in found["lines"]] == [14_400]


def test_a_disputed_payment_is_not_refunded(api, number, transactions, order):
    with transactions.begin() as ctx:
        fact.disputed(ctx, order)
    answer = ask(api, number)
    assert (answer.status_code, answer.json["code"]) == (409, "payment_disputed")
