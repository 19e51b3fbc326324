"""A cooperative's consignments over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from models.fulfilment import Parcel
from tests.fulfilment_factories import lines_of, paid, place

PARCEL = {"carrier": "zhongtong", "tracking_no": "ZT0001"}


@pytest.fixture
def order(transactions: Any) -> str:
    with transactions.begin() as ctx:
        return paid(ctx)


def parcels(transactions: Any) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(Parcel)).scalar_one()


def test_a_manager_ships_what_the_list_shows(api: Any, order: str) -> None:
    [row] = api.get("/cooperative/consignments?state=pending_shipment", as_="bob").json["items"]
    assert (row["number"], row["address"]["recipient"]) == (f"{order}-1", "林*")
    path = f"/cooperative/consignments/{row['number']}"
    opened = api.get(path, as_="bob").json
    assert (opened["address"]["phone"], opened["parcels"]) == ("+8615400000001", [])
    answer = api.post(f"{path}/parcels", PARCEL, as_="bob")
    assert (answer.status_code, answer.json["consignment_state"]) == (201, "shipped")
    [parcel] = api.get(path, as_="bob").json["parcels"]
    assert (parcel["carrier_name"], parcel["lines"][0]["quantity"]) == ("中通快递", 3)


def test_part_of_a_line_in_english(api: Any, transactions: Any, order: str) -> None:
    with transactions.begin() as ctx:
        [line] = lines_of(ctx, f"{order}-1")
    body = {**PARCEL, "lines": [{"line_id": str(line.id), "quantity": 2}]}
    answer = api.post(f"/cooperative/consignments/{order}-1/parcels?lang=en", body, as_="bob")
    assert answer.json["consignment_state"] == "partially_shipped"
    assert answer.json["carrier_name"] == "ZTO Express"
    assert answer.json["lines"] == [{"line_id": str(line.id), "quantity": 2}]


def test_a_second_click_ships_nothing_more(api: Any, transactions: Any, order: str) -> None:
    path = f"/cooperative/consignments/{order}-1/parcels"
    first = api.post(path, PARCEL, as_="bob", key="p1")
    again = api.post(path, PARCEL, as_="bob", key="p1")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert parcels(transactions) == 1


@pytest.mark.parametrize(
    ("name", "status"), [("charlie", 404), ("alice", 403), ("olga", 403), (None, 401)]
)
def test_nobody_else_reads_or_ships(
    api: Any, transactions: Any, order: str, name: str | None, status: int
) -> None:
    path = f"/cooperative/consignments/{order}-1"
    assert api.get(path, as_=name).status_code == status
    assert api.post(f"{path}/parcels", PARCEL, as_=name).status_code == status
    assert parcels(transactions) == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**PARCEL, "carrier": "pigeon"}, 422, "invalid_parcel"),
        ({**PARCEL, "tracking_no": "单号 0001"}, 422, "invalid_parcel"),
        ({**PARCEL, "tracking_no": "ZT1"}, 422, "invalid"),
        ({**PARCEL, "lines": []}, 422, "invalid"),
        ({**PARCEL, "lines": [{"line_id": "x", "quantity": 1}]}, 422, "invalid"),
        ({**PARCEL, "note": "快"}, 422, "invalid"),
        ({}, 422, "invalid"),
    ],
)
def test_a_bad_parcel_is_refused(
    api: Any, transactions: Any, order: str, body: Any, status: int, code: str
) -> None:
    answer = api.post(f"/cooperative/consignments/{order}-1/parcels", body, as_="bob")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert parcels(transactions) == 0


def test_a_lot_that_nobody_knows_is_not_lost_silently(
    api: Any, transactions: Any, order: str
) -> None:
    with transactions.begin() as ctx:
        [line] = lines_of(ctx, f"{order}-1")
    path = f"/cooperative/consignments/{order}-1/parcels"
    piece = {"line_id": str(line.id), "quantity": 1}
    for lot, code in (("L1", "lot_unknown"), ("L" * 65, "invalid"), (7, "invalid")):
        answer = api.post(path, {**PARCEL, "lines": [{**piece, "lot": lot}]}, as_="bob")
        assert (answer.status_code, answer.json["code"]) == (422, code)
    assert parcels(transactions) == 0
    for number, lot in enumerate((None, "", " ")):
        body = {"carrier": "ems", "tracking_no": f"EM000{number}", "lines": [{**piece, "lot": lot}]}
        assert api.post(path, body, as_="bob").status_code == 201
    assert parcels(transactions) == 3


def test_over_shipping_says_what_is_left(api: Any, transactions: Any, order: str) -> None:
    with transactions.begin() as ctx:
        [line] = lines_of(ctx, f"{order}-1")
    body = {**PARCEL, "lines": [{"line_id": str(line.id), "quantity": 4}]}
    answer = api.post(f"/cooperative/consignments/{order}-1/parcels", body, as_="bob")
    assert (answer.status_code, answer.json["code"]) == (409, "over_shipped")
    assert answer.json["lines"] == [{"line_id": str(line.id), "left": 3}]


def test_unpaid_goods_stay(api: Any, transactions: Any) -> None:
    with transactions.begin() as ctx:
        number = place(ctx)
    answer = api.post(f"/cooperative/consignments/{number}-1/parcels", PARCEL, as_="bob")
    assert (answer.status_code, answer.json["code"]) == (409, "consignment_pending_payment")


def test_the_list_goes_page_by_page(api: Any, transactions: Any, order: str) -> None:
    with transactions.begin() as ctx:
        newer = paid(ctx)
    first = api.get("/cooperative/consignments?limit=1", as_="bob").json
    assert [row["number"] for row in first["items"]] == [f"{newer}-1"]
    path = f"/cooperative/consignments?limit=1&cursor={first['next_cursor']}"
    second = api.get(path, as_="bob").json
    assert [row["number"] for row in second["items"]] == [f"{order}-1"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("query", ["state=gone", "limit=0", "limit=x", "cursor=%00", "cursor=zz"])
def test_a_bad_question_is_refused(api: Any, query: str) -> None:
    assert api.get(f"/cooperative/consignments?{query}", as_="bob").status_code == 422
