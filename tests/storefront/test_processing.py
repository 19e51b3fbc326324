"""A payment that its provider has yet to decide: nobody is asked to pay again meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from models.orders import OrderState
from shop.payments import jobs
from shop.payments.queries import payments_of
from shop.payments.sync import sync_payment
from tests.conftest import counted
from tests.storefront.conftest import FORM, orders, page_of, pay

HTMX = {"HX-Request": "true"}
CALM = "您不用再做什么，请不要重复付款。"


@pytest.fixture
def number(alice, provider, transactions) -> str:
    """Alice's order; she has paid by a slow method, and the provider said so."""
    alice.put_in("P01-1", 2)
    alice.check_out()
    reference = next(iter(provider.checkouts))
    provider.pend(reference)
    sync_payment(transactions, reference)
    return orders(transactions)[0].number


def attempts(transactions) -> list[tuple[Any, str]]:
    [order] = orders(transactions)
    with transactions.begin() as ctx:
        found = payments_of(ctx, order.id)
        return [(one["reference"], str(one["state"])) for one in found]


def fail(provider, transactions) -> None:
    reference = next(iter(provider.checkouts))
    provider.decline(reference)
    sync_payment(transactions, reference)


def test_the_order_says_that_there_is_nothing_to_do(alice, number):
    page = alice.get(f"/orders/{number}").text
    assert "<h1>付款处理中</h1>" in page
    assert CALM in page
    assert f'<a class="btn" href="/orders/{number}/result">刷新看结果</a>' in page
    assert f'hx-get="/orders/{number}?asked=1" hx-trigger="load delay:8s"' in page
    assert ("待付款" in page, "去付款" in page, f"/orders/{number}/cancel" in page) == (False,) * 3
    assert "pill-wait" not in page


@pytest.mark.parametrize("path", ["/orders", "/orders?state=pending_payment"])
def test_so_does_the_list_of_orders(alice, number, path):
    page = alice.get(path).text
    assert '<span class="pill pill-wait">付款处理中</span>' in page
    assert f'<a class="btn btn-s" href="/orders/{number}/result">看付款结果</a>' in page
    assert "去付款" not in page


def test_no_number_asks_for_a_payment(alice, number, provider, transactions):
    dot = '待付款<span class="count-dot">1<'
    assert dot not in alice.get("/account").text
    fail(provider, transactions)
    assert dot in alice.get("/account").text


def test_and_the_result(alice, number, provider):
    page = alice.get(page_of(provider)[0]).text
    assert ("<h1>付款处理中</h1>" in page, CALM in page) == (True, True)
    assert 'hx-trigger="every 8s"' in page
    assert 'http-equiv="refresh" content="8;' in page
    assert f'id="look-again" href="/orders/{number}/result">刷新看结果' in page
    assert "再付一次" not in page


def test_a_guests_secret_stands_in_no_address_on_the_way_there(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.check_out(idempotency_key="k1")
    reference = next(iter(provider.checkouts))
    provider.pend(reference)
    sync_payment(transactions, reference)
    [order] = orders(transactions)
    visitor.get("/sign-in")
    answer = visitor.post("/checkout", {**FORM, "idempotency_key": "k1"})
    assert answer.location == f"/orders/{order.number}/result"
    assert CALM in visitor.follow().text


def test_an_owners_session_keeps_no_secret(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out(idempotency_key="k1")
    [order] = orders(transactions)
    alice.get("/account/password")
    answer = alice.post("/checkout", {**FORM, "idempotency_key": "k1", "note": "请放门卫"})
    assert answer.location == f"/orders/{order.number}"
    with alice.client.session_transaction() as session:
        assert "opened" not in session


def test_the_cashiers_return_is_the_first_to_know(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out()
    provider.pend(next(iter(provider.checkouts)))
    assert "付款处理中" in alice.get(page_of(provider)[0]).text
    assert "付款处理中" in alice.get(f"/orders/{orders(transactions)[0].number}").text


def test_in_english_too(alice, number):
    page = alice.get(f"/orders/{number}?lang=en").text
    assert "<h1>Payment being processed</h1>" in page
    assert "There is nothing more to do; please do not pay again." in page


def test_an_old_page_that_still_offers_to_pay_leads_to_the_result(
    alice, number, provider, transactions
):
    before = attempts(transactions)
    alice.get("/account")
    answer = alice.post(f"/orders/{number}/pay")
    assert (answer.status_code, answer.location) == (303, f"/orders/{number}/result")
    assert (attempts(transactions), len(provider.checkouts)) == (before, 1)


def test_a_page_asks_by_itself_until_it_is_decided(alice, number, provider, transactions):
    with counted(transactions.database) as issued:
        waiting = alice.get(f"/orders/{number}?asked=1", headers=HTMX)
    assert f'hx-get="/orders/{number}?asked=2"' in waiting.text
    assert ("HX-Refresh" in waiting.headers, "<h1>" in waiting.text) == (False, False)
    assert len(issued) == 3  # who asks, which order, and whether it is decided
    pay(provider)
    sync_payment(transactions, next(iter(provider.checkouts)))
    decided = alice.get(f"/orders/{number}?asked=2", headers=HTMX)
    assert (decided.headers["HX-Refresh"], "hx-get" in decided.text) == ("true", False)


def test_a_page_stops_asking_after_some_minutes(alice, number):
    waiting = alice.get(f"/orders/{number}?asked=60", headers=HTMX)
    assert (waiting.text, "HX-Refresh" in waiting.headers) == ('<div id="look"></div>', False)


def test_a_stranger_is_told_nothing(app, number):
    assert app.test_client().get(f"/orders/{number}?asked=1", headers=HTMX).status_code == 404


def test_once_it_failed_the_buyer_pays_again_and_knows_why(alice, number, provider, transactions):
    fail(provider, transactions)
    page = alice.get(f"/orders/{number}").text
    assert ("<h1>待付款</h1>" in page, "付款处理中" in page) == (True, False)
    assert "上次付款没有成功：银行或支付平台没有批准，没有扣款。" in page
    assert '<button class="btn btn-hot">去付款</button>' in page
    assert "去付款" in alice.get("/orders").text
    alice.get(f"/orders/{number}")
    assert alice.post(f"/orders/{number}/pay").location.startswith("https://pay.example/")
    assert [state for _reference, state in attempts(transactions)] == ["failed", "pending"]


def test_the_end_of_the_time_to_pay_passes_it_by(alice, number, transactions, time):
    time.forward(minutes=40)
    jobs.expire_unpaid(transactions)
    page = alice.get(f"/orders/{number}").text
    assert ("<h1>付款处理中</h1>" in page, "自动取消" in page) == (True, False)
    assert orders(transactions)[0].state is OrderState.PENDING_PAYMENT


def test_it_costs_no_statement_more(alice, number, database):
    with counted(database) as issued:
        alice.get(f"/orders/{number}")
    one = len(issued)
    with counted(database) as issued:
        alice.get("/orders")
    assert (one, len(issued)) == (8, 4)
