"""The ledger over the API: who may read it, its pages, its proof."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.refund_factories import ask, bought, end, of

READING = ("/ledger/accounts", "/ledger/entries", "/ledger/proof")


@pytest.fixture
def lived(transactions):
    """A paid order of which a refund has ended; its number."""
    with transactions.begin() as ctx:
        order_id = bought(ctx)
        end(ctx, ask(ctx, order_id, of(ctx, order_id, 1, 1)))
        return ctx.session.execute(text("SELECT number FROM customer_order")).scalar_one()


@pytest.mark.parametrize("path", [*READING, "/ledger/entries/x"])
def test_only_staff_read_the_ledger(api, path):
    for who, status in ((None, 401), ("alice", 403), ("bob", 403)):
        assert api.get(path, as_=who).status_code == status
    for who in ("olga", "fiona", "ada"):
        assert api.get(path, as_=who).status_code == (404 if path.endswith("x") else 200)


def test_the_chart_with_its_balances(api, lived):
    items = {one["code"]: one for one in api.get("/ledger/accounts", as_="fiona").json["items"]}
    assert sum(one["balance_fen"] for one in items.values()) == 0
    owed = items["cooperative_payable"]
    assert (owed["kind"], owed["name"], owed["name_en"]) == (
        "liability",
        "应付合作社货款",
        "Payable to cooperatives",
    )
    assert {one["party"] for one in owed["parties"]} == {"C01", "C02"}
    before = api.get("/ledger/accounts?on=2026-11-22", as_="fiona").json["items"]
    assert {one["balance_fen"] for one in before} == {0}


def test_entries_page_by_page(api, lived):
    whole = api.get("/ledger/entries", as_="olga").json["items"]
    assert {(one["subject"], one["event"]) for one in whole} == {
        ("payment", "captured"),
        ("refund", "requested"),
        ("refund", "succeeded"),
    }
    assert {sum(leg["amount_fen"] for leg in one["postings"]) for one in whole} == {0}
    read, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/ledger/entries?limit=1&cursor={cursor}", as_="olga").json
        read += page["items"]
        cursor = page["next_cursor"]
    assert read == whole


def test_entries_by_what_they_touch(api, lived):
    def events(query: str) -> list[str]:
        found = api.get(f"/ledger/entries?{query}", as_="olga").json["items"]
        return sorted(one["event"] for one in found)

    assert events("account=provider_clearing") == ["captured", "succeeded"]
    assert events("account=cooperative_payable&party=C02") == ["captured"]
    assert events(f"order={lived}&subject=refund") == ["requested", "succeeded"]
    assert events("day=2026-11-22") == []
    assert events("order=1") == []


@pytest.mark.parametrize(
    "query", ["account=cash", "day=2026-13-01", "cursor=x", "cursor=WyJ4IiwieSJd", "limit=0"]
)
def test_a_bad_question_is_refused(api, query):
    assert api.get(f"/ledger/entries?{query}", as_="olga").status_code == 422


def test_the_proof_says_what_is_wrong(api, transactions, lived):
    proof = api.get("/ledger/proof", as_="fiona").json
    assert (proof["proved"], proof["entries"]) == (True, 3)
    assert {check["difference"] for check in proof["checks"]} == {0}
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE refund SET state = 'sent'"))
    proof = api.get("/ledger/proof", as_="fiona").json
    wrong = {one["name"]: one["difference"] for one in proof["checks"] if not one["proved"]}
    assert (proof["proved"], wrong["refunds_in_flight"]) == (False, -4800)
    assert wrong.keys() == {"refunds_of_payments", "refunds_in_flight", "aid_entries"}
