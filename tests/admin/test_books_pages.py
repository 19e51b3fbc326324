"""The pages of the books: ledger, proof, reconciliations, differences, provider events."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from models.payments import EventOutcome, ProviderEvent
from models.reconciliation import Difference, DifferenceState
from shop.ids import new_id
from shop.payments.differences import open_difference
from shop.payments.providers import install
from shop.payments.webhooks import note
from tests.admin.conftest import Desk
from tests.fakes.gateway import FakeGateway
from tests.refund_factories import ask, bought, end, of

BODY = (
    '{"id": "evt_1", "data": {"object": {"customer_details":'
    ' {"name": "林晓", "email": "lin@example.org", "phone": "15400000001"}}}}'
)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def fiona(desk_of: Any, provider: FakeGateway) -> Desk:
    return desk_of("fiona")


@pytest.fixture
def order(transactions) -> str:
    """A paid order of which a refund has ended; its number."""
    with transactions.begin() as ctx:
        order_id = bought(ctx)
        end(ctx, ask(ctx, order_id, of(ctx, order_id, 1, 1)))
        return ctx.session.execute(text("SELECT number FROM customer_order")).scalar_one()


@pytest.fixture
def difference(transactions) -> str:
    with transactions.begin() as ctx:
        open_difference(
            ctx, "missing_at_ours", "ch_1", day_of=ctx.now, theirs_fen=12_345, detail="x"
        )
        return str(ctx.session.execute(select(Difference.id)).scalar_one())


@pytest.fixture
def event(transactions) -> str:
    with transactions.begin() as ctx:
        row = {
            "id": new_id(),
            "provider": "stripe",
            "event_id": "evt_1",
            "type": "payout.paid",
            "body": BODY,
            "received_at": ctx.now,
        }
        ctx.session.execute(insert(ProviderEvent.__table__).values(row))
        note(ctx, row["id"], EventOutcome.FAILED, "payment_provider_unavailable")
        return str(row["id"])


def state(transactions) -> tuple[str, str]:
    with transactions.begin() as ctx:
        row = ctx.session.execute(select(Difference.state, Difference.explanation)).one()
        return row.state, row.explanation


@pytest.mark.parametrize(
    ("path", "staff"),
    [
        ("/ledger", "olga"),
        ("/ledger/entries", "olga"),
        ("/ledger/proof", "olga"),
        ("/reconciliations", "olga"),
        ("/differences", "olga"),
        ("/provider-events", "ada"),
    ],
)
def test_cooperatives_see_nothing_of_the_books(desk_of, path, staff):
    assert desk_of("bob").get(path).status_code == 403
    assert desk_of(staff).get(path).status_code == 200


def test_an_organizer_sees_no_events_and_changes_nothing(desk_of, difference, event, transactions):
    olga = desk_of("olga")
    assert olga.get("/provider-events").status_code == 403
    olga.get(f"/differences/{difference}")
    assert "说明原因并关闭" not in olga.plain
    assert olga.post(f"/differences/{difference}/explain", explanation="x").status_code == 403
    assert olga.post("/reconciliations/run", side="bank", day="2026-11-22").status_code == 403
    assert state(transactions) == (DifferenceState.OPEN, "")


def test_balances_lead_to_entries_and_entries_to_one(fiona, order):
    fiona.get("/ledger")
    assert "应付合作社货款" in fiona.plain
    assert "C01" in fiona.plain
    fiona.get("/ledger/entries?account=cooperative_payable&party=C02")
    assert fiona.plain.count("款项到账") == 1
    assert "申请退款" not in fiona.plain
    fiona.get(f"/ledger/entries?order={order}&subject=refund")
    found = re.search(r"/admin/ledger/entries/([0-9a-f-]{36})", fiona.text)
    assert found
    fiona.get(f"/ledger/entries/{found[1]}")
    assert "退款完成 2026-11-23" in fiona.plain
    assert fiona.plain.count("¥48.00") == 4
    assert fiona.get("/ledger/entries/x").status_code == 404


@pytest.mark.parametrize("query", ["day=x", "after=2026-11-23_x", "after=x_y", "after=2026-11-23"])
def test_an_address_somebody_changed(fiona, query):
    assert fiona.get(f"/ledger/entries?{query}").status_code == 422


def test_the_proof_as_a_page(fiona, order, transactions):
    fiona.get("/ledger/proof")
    assert "全部相符：3 笔分录" in fiona.plain
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE order_line SET back_goods_fen = 7 WHERE position = 2"))
    fiona.get("/ledger/proof")
    assert "有 2 项不相符" in fiona.plain
    assert "C02" in fiona.plain


def test_a_day_is_compared_and_shown(fiona, transactions):
    fiona.get("/reconciliations")
    assert "还没有对过账" in fiona.plain
    assert fiona.post("/reconciliations/run", side="provider", day="2026-11-22").status_code == 303
    fiona.follow()
    assert ("对账完成。" in fiona.plain, "这一天没有差异" in fiona.plain) == (True, True)
    fiona.get("/reconciliations?side=provider")
    assert "2026-11-22" in fiona.plain
    fiona.get("/reconciliations?side=bank")
    assert "还没有对过账" in fiona.plain


@pytest.mark.parametrize("day", ["2026-11-23", "", "x", "0001-01-01"])
def test_a_day_that_cannot_be_compared(fiona, day):
    fiona.get("/reconciliations")
    assert fiona.post("/reconciliations/run", side="bank", day=day).status_code == 422
    assert "还没有对过账" in fiona.plain


def test_a_provider_that_is_away(fiona, provider):
    fiona.get("/reconciliations")
    provider.broken = 1
    answer = fiona.post("/reconciliations/run", side="provider", day="2026-11-22")
    assert (answer.status_code, fiona.notes) == (503, ["支付渠道暂时无法连接，请稍后再试"])


def test_a_difference_is_explained_once(fiona, difference, transactions):
    fiona.get("/differences")
    assert ("对方有，我方没有" in fiona.plain, "¥123.45" in fiona.plain) == (True, True)
    fiona.get(f"/differences/{difference}")
    form = {"once": fiona.once, "explanation": "渠道活动补贴"}
    assert fiona.post(f"/differences/{difference}/explain", **form).status_code == 303
    fiona.follow()
    assert fiona.notes == ["已记录说明，差异关闭。"]
    assert "说明原因并关闭" not in fiona.plain
    assert state(transactions) == (DifferenceState.EXPLAINED, "渠道活动补贴")
    fiona.post(f"/differences/{difference}/explain", **form)
    fiona.follow()
    assert fiona.notes == ["此表单已提交过，没有重复处理。"]
    fiona.get("/differences")
    assert "没有这样的差异" in fiona.plain
    fiona.get("/differences?state=explained")
    assert "对方有，我方没有" in fiona.plain


def test_an_empty_explanation_comes_back_with_the_form(fiona, difference, transactions):
    fiona.get(f"/differences/{difference}")
    answer = fiona.post(f"/differences/{difference}/explain", once=fiona.once, explanation=" ")
    assert (answer.status_code, fiona.notes) == (422, ["请填写说明，不超过 500 字"])
    assert state(transactions) == (DifferenceState.OPEN, "")


def test_an_event_is_shown_masked_and_replayed(fiona, event):
    fiona.get("/provider-events?outcome=failed")
    assert ("payout.paid" in fiona.plain, "有 1 条通知处理失败" in fiona.plain) == (True, True)
    fiona.get(f"/provider-events/{event}")
    assert [word in fiona.plain for word in ("林晓", "lin@example.org", "15400000001")] == [
        False
    ] * 3
    assert "林***" in fiona.plain
    fiona.post(f"/provider-events/{event}/replay")
    fiona.follow()
    assert fiona.notes == ["已重新处理：无关，已忽略"]
    fiona.get("/provider-events?outcome=failed")
    assert "没有这样的通知" in fiona.plain


def test_the_books_in_english(fiona, order, difference, event):
    chinese = re.compile(r"[\u3400-\u9fff]+")
    for path in (
        "/ledger",
        "/ledger/entries",
        "/ledger/proof",
        "/reconciliations",
        "/differences",
        f"/differences/{difference}",
        "/provider-events",
        f"/provider-events/{event}",
    ):
        fiona.get(path, headers={"Accept-Language": "en"})
        left = {run for run in chinese.findall(fiona.plain) if run not in "林中文"}
        assert (path, left) == (path, set())
