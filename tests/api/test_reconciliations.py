"""Reconciling, explaining and replaying over the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from models.payments import EventOutcome, ProviderEvent
from models.reconciliation import Difference
from models.system import AuditEntry
from shop.ids import new_id
from shop.payments.differences import open_difference
from shop.payments.providers import install
from shop.payments.webhooks import note
from tests.fakes.gateway import FakeGateway

DAY = {"side": "provider", "day": "2026-11-22"}


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def difference(transactions) -> str:
    """An open one; its key."""
    with transactions.begin() as ctx:
        open_difference(ctx, "unknown_line", "txn_1", day_of=ctx.now, theirs_fen=70)
        return str(ctx.session.execute(select(Difference.id)).scalar_one())


def stored(transactions, type_: str = "charge.refunded", body: str = "{}") -> str:
    """An event in the inbox; its key."""
    with transactions.begin() as ctx:
        row: dict[str, Any] = {
            "id": new_id(),
            "provider": "stripe",
            "event_id": f"evt_{uuid4().hex}",
            "type": type_,
            "body": body,
            "received_at": ctx.now,
        }
        ctx.session.execute(insert(ProviderEvent.__table__).values(row))
        return str(row["id"])


def audited(transactions) -> list[tuple[str, str, str]]:
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(AuditEntry.action, AuditEntry.subject_id, AuditEntry.reason).where(
                AuditEntry.action != "role.grant"
            )
        )
        return [tuple(row) for row in found]


@pytest.mark.parametrize(
    ("method", "path", "may", "may_not"),
    [
        ("GET", "/reconciliations", ("olga", "fiona", "ada"), ("alice", "bob")),
        ("GET", "/differences", ("olga", "fiona", "ada"), ("alice", "bob")),
        ("POST", "/reconciliations", ("fiona", "ada"), ("alice", "bob", "olga")),
        ("POST", "/differences/x/explain", ("fiona",), ("alice", "bob", "olga", "ada")),
        ("GET", "/provider-events", ("fiona", "ada"), ("alice", "bob", "olga")),
        ("POST", "/provider-events/x/replay", ("fiona", "ada"), ("alice", "bob", "olga")),
    ],
)
def test_who_may(api, provider, method, path, may, may_not):
    body = {"explanation": "x"} if path.endswith("explain") else DAY
    sent = {"json": body} if method == "POST" else {}
    assert api.call(method, path, **sent).status_code == 401
    assert {api.call(method, path, as_=who, **sent).status_code for who in may_not} == {403}
    assert {api.call(method, path, as_=who, **sent).status_code for who in may} <= {200, 201, 404}


def test_a_run_answers_with_what_it_found(api, provider):
    answer = api.post("/reconciliations", DAY, as_="fiona")
    assert answer.status_code == 201
    run = answer.json
    assert (run["side"], run["day"], run["lines"], run["differences"]) == (
        "provider",
        "2026-11-22",
        0,
        [],
    )
    assert (run["ran_by"], run["sums"]["balance"]["unexplained_fen"]) == ("Fiona", 0)
    assert api.get(f"/reconciliations/{run['id']}", as_="olga").json == run
    [listed] = api.get("/reconciliations?side=provider&day=2026-11-22", as_="olga").json["items"]
    assert listed == {name: value for name, value in run.items() if name != "differences"}
    assert api.get("/reconciliations?side=bank", as_="olga").json["items"] == []


def test_runs_page_by_page(api, provider):
    for day in ("2026-11-20", "2026-11-22", "2026-11-21"):
        api.post("/reconciliations", {"side": "bank", "day": day}, as_="fiona")
    days, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/reconciliations?limit=1&cursor={cursor}", as_="olga").json
        days += [one["day"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert days == ["2026-11-22", "2026-11-21", "2026-11-20"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"side": "provider", "day": "2026-11-23"}, "day_not_over"),
        ({"side": "bank", "day": "0001-01-01"}, "day_too_early"),
        ({"side": "moon", "day": "2026-11-22"}, "invalid"),
        ({"side": "bank"}, "invalid"),
    ],
)
def test_a_day_that_cannot_be_compared(api, provider, body, code):
    answer = api.post("/reconciliations", body, as_="fiona")
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert (provider.calls, api.get("/reconciliations", as_="olga").json["items"]) == ([], [])


def test_a_provider_that_is_away(api, provider):
    provider.broken = 1
    answer = api.post("/reconciliations", DAY, as_="fiona")
    assert answer.json["code"] == "payment_provider_unavailable"
    assert api.get("/reconciliations", as_="olga").json["items"] == []


def test_a_difference_is_explained_once(api, transactions, difference):
    told = {"explanation": " 渠道活动补贴 "}
    answer = api.post(f"/differences/{difference}/explain", told, as_="fiona")
    assert (answer.status_code, answer.json["state"], answer.json["explanation"]) == (
        200,
        "explained",
        "渠道活动补贴",
    )
    assert answer.json["closed_by"] == "Fiona"
    assert audited(transactions) == [("difference.explain", "txn_1", "渠道活动补贴")]
    again = api.post(f"/differences/{difference}/explain", told, as_="fiona")
    assert (again.status_code, again.json["code"]) == (409, "difference_explained")
    assert len(audited(transactions)) == 1


@pytest.mark.parametrize("text", ["", "   ", "长" * 501])
def test_an_explanation_says_something(api, transactions, difference, text):
    answer = api.post(f"/differences/{difference}/explain", {"explanation": text}, as_="fiona")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["explanation"])
    [found] = api.get("/differences", as_="olga").json["items"]
    assert (found["state"], audited(transactions)) == ("open", [])


def test_differences_by_state_side_and_day(api, difference):
    def found(query: str) -> int:
        return len(api.get(f"/differences?{query}", as_="olga").json["items"])

    assert [found(one) for one in ("state=open", "side=provider", "day=2026-11-23")] == [1, 1, 1]
    assert [found(one) for one in ("state=vanished", "side=bank", "day=2026-11-22")] == [0, 0, 0]


def test_events_by_type_and_outcome(api, transactions):
    first, second = stored(transactions), stored(transactions, "payout.paid")
    with transactions.begin() as ctx:
        note(ctx, first, EventOutcome.FAILED, "payment_provider_unavailable")
        note(ctx, first, EventOutcome.APPLIED)
        note(ctx, second, EventOutcome.IGNORED, "type")

    def found(query: str) -> list[str]:
        return [one["id"] for one in api.get(f"/provider-events?{query}", as_="ada").json["items"]]

    assert found("") == [second, first]
    assert found("type=charge.") == found("outcome=applied") == [first]
    assert found("type=payout.paid") == found("outcome=ignored") == [second]
    assert found("outcome=failed") == found("type=payout") == []
    page = api.get("/provider-events?limit=1", as_="ada").json
    assert found(f"limit=1&cursor={page['next_cursor']}") == [first]


def test_one_event_with_its_body_masked(api, transactions):
    body = (
        '{"data": {"object": {"id": "cs_1", "receipt_email": "lin@example.org", "amount": 5,'
        ' "customer_details": {"name": "林晓", "phone": "+8615400000001", "email": null,'
        ' "address": {"line1": "邯郸路 220 号", "country": "CN"}}}}}'
    )
    event_id = stored(transactions, body=body)
    with transactions.begin() as ctx:
        note(ctx, event_id, EventOutcome.APPLIED)
    answer = api.get(f"/provider-events/{event_id}", as_="fiona").json
    for personal in ("lin@example.org", "林晓", "15400000001", "邯郸路"):
        assert personal not in answer["body"]
    assert all(kept in answer["body"] for kept in ('"cs_1"', '"l***"', '"林***"', "CN", "null"))
    assert [one["outcome"] for one in answer["outcomes"]] == ["applied"]


def test_a_body_that_is_no_json_is_not_shown(api, transactions):
    event_id = stored(transactions, body="lin@example.org")
    assert api.get(f"/provider-events/{event_id}", as_="fiona").json["body"] == ""


def test_a_replay_is_noted(api, provider, transactions):
    event_id = stored(transactions, "payout.paid")
    answer = api.post(f"/provider-events/{event_id}/replay", as_="fiona")
    assert (answer.status_code, answer.json) == (200, {"outcome": "ignored"})
    [(action, _, _)] = audited(transactions)
    assert action == "event.replay"
    assert api.post(f"/provider-events/{uuid4()}/replay", as_="fiona").status_code == 404
    assert len(audited(transactions)) == 1
