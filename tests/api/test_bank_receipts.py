"""The bank over HTTP: who may, what comes of it, and what changes nothing."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.bank import BankMatch, BankReceipt
from models.organization import Unit
from models.system import AuditEntry
from shop.payments.bank_jobs import match_receipts
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund
from tests.bank_factories import TOTAL, bank_says, csv, unit_order
from tests.cast import order_body
from tests.conftest import NOW

LINE = {"booked_on": "2026-11-23", "amount_fen": 500, "remark": "货款", "bank_reference": "X1"}


def upload(api, data: bytes, as_="fiona", **form):
    return api.call(
        "POST",
        "/payments/bank-receipts/import",
        as_=as_,
        data={"file": (io.BytesIO(data), "十一月.csv"), **form},
        content_type="multipart/form-data",
    )


def count(transactions, model=BankReceipt) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()


def lines(api, as_="fiona", query=""):
    return api.get(f"/payments/bank-receipts{query}", as_=as_).json["items"]


def refused(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_a_statement_comes_in_and_pays(api, transactions):
    placed = unit_order(transactions)
    answer = upload(api, csv((TOTAL, placed.number), (500, "利息")))
    assert (answer.status_code, answer.json["rows_new"]) == (201, 2)
    match_receipts(transactions)
    found = lines(api)
    assert [(one["state"], one["open_reason"]) for one in found] == [
        ("open", "no_order"),
        ("matched", ""),
    ]
    [match] = found[1]["matches"]
    assert (match["order"], match["state"], match["amount_fen"]) == (
        placed.number,
        "approved",
        TOTAL,
    )
    assert api.get(f"/orders/{placed.number}", as_="uma").json["state"] == "paid"


def test_the_same_file_again(api, transactions):
    upload(api, csv((500, "甲")))
    answer = upload(api, csv((500, "甲")))
    assert (answer.json["already"], answer.json["rows_new"]) == (True, 0)
    assert count(transactions) == 1


def test_columns_that_a_person_names(api):
    data = "日,钱,话\n2026-11-23,5.00,货款\n".encode()
    mapping = json.dumps({"booked_on": "日", "amount": "钱", "remark": "话"})
    assert upload(api, data, mapping=mapping).status_code == 201
    assert [(one["amount_fen"], one["remark"]) for one in lines(api)] == [(500, "货款")]


@pytest.mark.parametrize(
    ("data", "form", "code"),
    [
        (b"", {}, "statement_empty"),
        (b"\xff\xff\xff", {}, "statement_unreadable"),
        (b"a,b\n1,2\n", {}, "columns_unknown"),
        (csv((500, "甲")), {"mapping": "[]"}, "invalid"),
        (csv((500, "甲")), {"mapping": "{"}, "invalid"),
        (csv((500, "甲")), {"mapping": '{"credit": 5}'}, "invalid"),
        (csv((500, "甲")), {"mapping": '{"credit": "无"}'}, "column_missing"),
        (csv((500, "甲")).replace(b"5.00", b"five"), {}, "statement_rows_invalid"),
    ],
)
def test_what_is_no_statement(api, transactions, data, form, code):
    refused(upload(api, data, **form), 422, code)
    assert count(transactions) == 0


def test_without_a_file(api, transactions):
    sent = {"data": {"x": "1"}, "content_type": "multipart/form-data"}
    answer = api.call("POST", "/payments/bank-receipts/import", as_="fiona", **sent)
    refused(answer, 422, "invalid")
    assert count(transactions) == 0


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), ("alice", 403), ("bob", 403), ("ada", 403)]
)
def test_only_finance_imports(api, transactions, who, status):
    assert upload(api, csv((500, "甲")), as_=who).status_code == status
    assert count(transactions) == 0


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("alice", 403), ("olga", 403)])
def test_who_may_not_look(api, who, status):
    assert api.get("/payments/bank-receipts", as_=who).status_code == status


def test_a_line_by_hand(api, transactions):
    answer = api.post("/payments/bank-receipts", LINE, as_="fiona")
    assert (answer.status_code, answer.json["state"]) == (201, "open")
    refused(api.post("/payments/bank-receipts", LINE, as_="fiona"), 409, "receipt_known")
    assert count(transactions) == 1
    one = api.get(f"/payments/bank-receipts/{answer.json['id']}", as_="ada").json
    assert (one["remark"], one["matches"]) == ("货款", [])


@pytest.fixture
def entered(api, transactions):
    """A line of nobody's that Fiona says is for an order: (order number, line, match)."""
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    [line] = lines(api)
    body = {"order": placed.number, "note": "电话确认"}
    answer = api.post(f"/payments/bank-receipts/{line['id']}/match", body, as_="fiona")
    assert answer.status_code == 201, answer.text
    return placed.number, line["id"], answer.json["id"]


def test_two_people_match(api, entered):
    number, line, match = entered
    refused(
        api.post(f"/payments/bank-matches/{match}/approve", as_="fiona"),
        409,
        "second_person_needed",
    )
    answer = api.post(f"/payments/bank-matches/{match}/approve", as_="ada")
    assert (answer.json["state"], answer.json["entered_by"], answer.json["approved_by"]) == (
        "approved",
        "Fiona",
        "Ada",
    )
    assert api.get(f"/orders/{number}", as_="uma").json["state"] == "paid"
    assert lines(api, query="?state=matched")[0]["id"] == line


def test_a_second_person_says_no(api, transactions, entered):
    number, _line, match = entered
    answer = api.post(f"/payments/bank-matches/{match}/reject", {"note": "不是"}, as_="ada")
    assert (answer.json["state"], answer.json["note"]) == ("rejected", "不是")
    refused(
        api.post(f"/payments/bank-matches/{match}/approve", as_="ada"), 409, "bank_match_rejected"
    )
    assert api.get(f"/orders/{number}", as_="uma").json["state"] == "pending_payment"


def test_more_than_there_is(api, transactions, entered):
    _number, line, _ = entered
    other = unit_order(transactions)
    body = {"order": other.number, "amount_fen": TOTAL + 1}
    refused(
        api.post(f"/payments/bank-receipts/{line}/match", body, as_="fiona"), 409, "match_exceeds"
    )
    assert count(transactions, BankMatch) == 1


def test_a_line_is_set_aside_and_taken_back(api, transactions):
    bank_says(transactions, (500, "利息"))
    [line] = lines(api)
    path = f"/payments/bank-receipts/{line['id']}"
    answer = api.post(f"{path}/set-aside", {"reason": "活期利息"}, as_="fiona")
    assert (answer.json["state"], answer.json["set_aside_reason"]) == ("set_aside", "活期利息")
    assert lines(api, query="?state=open") == []
    assert api.post(f"{path}/reopen", as_="fiona").json["state"] == "open"


@pytest.mark.parametrize("path", ["payments/bank-receipts/{}/match", "payments/bank-receipts/{}/set-aside", "payments/bank-matches/{}/reject"])  # fmt: skip
@pytest.mark.parametrize("key", ["x", "0" * 32, "00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there(api, path, key):
    body = {"order": "26112300000000"} if "match" in path.split("/")[-1] else {"note": ""}
    body = {"reason": "无"} if "aside" in path else body
    assert api.post(f"/{path.format(key)}", body, as_="fiona").status_code == 404


def test_pages(api, transactions):
    bank_says(transactions, *[(100 + number, "货款") for number in range(5)])
    seen, cursor = [], ""
    for _ in range(3):
        page = api.get(f"/payments/bank-receipts?limit=2{cursor}", as_="fiona").json
        seen += [one["amount_fen"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (seen, page["next_cursor"]) == ([104, 103, 102, 101, 100], None)


def test_where_to_transfer_to(api, transactions):
    placed = unit_order(transactions)
    answer = api.post(f"/orders/{placed.number}/payments", {"method": "bank_transfer"}, as_="uma")
    assert answer.status_code == 201, answer.text
    found = answer.json
    assert (found["method"], found["state"], found["amount_fen"]) == (
        "bank_transfer",
        "pending",
        TOTAL,
    )
    assert found["bank_reference"] == placed.number
    assert found["bank_account"].keys() == {"name", "number", "bank"}
    assert found["redirect_url"] is None


def test_a_person_cannot_transfer(api):
    order = api.post("/orders", order_body(("P01-1", 1)), as_="alice").json
    answer = api.post(
        f"/orders/{order['number']}/payments", {"method": "bank_transfer"}, as_="alice"
    )
    refused(answer, 409, "bank_transfer_not_allowed")
    assert api.get(f"/orders/{order['number']}/payments", as_="alice").json["items"] == []


def test_a_unit_pays_after_delivery_where_it_may(api, transactions):
    body = order_body(("P01-1", 1), purpose="union_gift", payment_terms="pay_after_delivery")
    order = api.post("/orders", body, as_="uma").json
    assert (order["payment_terms"], order["consignments"][0]["state"]) == (
        "pay_after_delivery",
        "pending_shipment",
    )
    refused(
        api.post("/orders", {**body, "purpose": "canteen"}, as_="carl"), 409, "terms_not_allowed"
    )
    refused(
        api.post("/orders", {**body, "purpose": "personal"}, as_="alice"), 409, "terms_not_allowed"
    )
    with transactions.begin() as ctx:
        granted = select(Unit.code).where(Unit.pay_after_delivery)
        assert ctx.session.execute(granted).scalars().all() == ["U01"]


def test_an_extension_once(api, transactions):
    placed = unit_order(transactions)
    path = f"/orders/{placed.number}/extension"
    assert api.post(path, as_="uma").status_code == 403
    assert api.post(path, as_="olga").json == {
        "number": placed.number,
        "pay_before": (NOW + timedelta(days=45)).isoformat(),
    }
    refused(api.post(path, as_="fiona"), 409, "already_extended")
    refused(api.post("/orders/26112300000000/extension", as_="fiona"), 404, "not_found")


def test_a_refund_by_transfer_is_marked_as_sent(api, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, placed.number))
    with transactions.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=500), "破损")
    path = f"/refunds/{placed.number}R1"
    assert api.post(f"{path}/sent", as_="fiona").json["state"] == "sent"
    assert api.get(path, as_="fiona").json["state"] == "sent"
    refused(api.post("/refunds/1R1/sent", as_="fiona"), 404, "not_found")


def test_a_statement_is_larger_than_other_bodies(api, transactions):
    long = "货" * 500
    answer = upload(api, csv(*((500 + number, long) for number in range(800))))
    assert (answer.status_code, answer.json["rows_new"]) == (201, 800)
    assert count(transactions) == 800


@pytest.mark.parametrize(
    ("size", "code"), [(5_000_001, "statement_too_large"), (6_000_001, "too_large")]
)
def test_a_statement_may_be_too_large(api, transactions, size, code):
    refused(upload(api, b"x" * size), 413, code)
    assert count(transactions) == 0


@pytest.mark.parametrize("sent", [{"json": {"file": "x"}}, {"data": b"a,b\n1,2"}, {}])
def test_a_statement_comes_as_a_form(api, transactions, sent):
    path = "/payments/bank-receipts/import"
    refused(api.call("POST", path, as_="fiona", **sent), 415, "unsupported_media_type")
    assert count(transactions) == 0


def test_other_bodies_stay_small(api, transactions):
    data = b" " * 1_000_001
    answer = api.call(
        "POST", "/payments/bank-receipts", as_="fiona", data=data, content_type="application/json"
    )
    refused(answer, 413, "too_large")


PAYER = {"payer_name": "欧阳娜娜", "payer_account": "6222020200112233445"}


def readings(transactions) -> list[str]:
    with transactions.begin() as ctx:
        found = select(AuditEntry.subject_id).where(AuditEntry.action == "personal_data.read")
        return list(ctx.session.execute(found).scalars())


def test_payers_are_masked_for_all_but_finance(api, transactions):
    line_id = api.post("/payments/bank-receipts", {**LINE, **PAYER}, as_="fiona").json["id"]
    before = readings(transactions)
    masked = ("欧**", "****3445", True)
    [listed] = lines(api, as_="ada")
    opened = api.get(f"/payments/bank-receipts/{line_id}", as_="ada").json
    for found in (listed, opened):
        assert (found["payer_name"], found["payer_account"], found["masked"]) == masked
    assert readings(transactions) == before


def test_who_opens_a_payer_is_written_down(api, transactions):
    line_id = api.post("/payments/bank-receipts", {**LINE, **PAYER}, as_="fiona").json["id"]
    [listed] = lines(api)
    before = readings(transactions)
    opened = api.get(f"/payments/bank-receipts/{line_id}", as_="fiona").json
    for found in (listed, opened):
        assert {name: found[name] for name in PAYER} == PAYER
        assert found["masked"] is False
    assert readings(transactions) == [*before, line_id]


def test_a_line_without_a_payer_has_nothing_to_mask(api):
    api.post("/payments/bank-receipts", LINE, as_="fiona")
    [found] = lines(api, as_="ada")
    assert (found["payer_name"], found["payer_account"], found["masked"]) == ("", "", True)
