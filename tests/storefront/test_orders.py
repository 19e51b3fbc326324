"""After the order: looking, paying again, cancelling, confirming, buying once more."""

from __future__ import annotations

import pytest

from models.orders import OrderState
from shop.cart import rules
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.orders.access import access_token
from shop.payments.queries import payments_of
from shop.payments.sync import sync_payment
from tests import cast
from tests.conftest import actor_of, counted
from tests.storefront.conftest import orders, page_of, pay


@pytest.fixture
def ordered(visitor, provider, transactions):
    """A guest's order that waits to be paid."""
    visitor.put_in("P01-1", 2)
    visitor.check_out()
    return orders(transactions)[0]


def token(transactions, order) -> str:
    return access_token(transactions.settings, order.id)


def path(transactions, order, more: str = "") -> str:
    return f"/orders/{order.number}{more}?access_token={token(transactions, order)}"


def test_a_strangers_order_is_not_there(visitor, ordered):
    assert visitor.get(f"/orders/{ordered.number}").status_code == 404
    assert visitor.get(f"/orders/{ordered.number}?access_token=x").status_code == 404
    assert visitor.get(f"/orders/{ordered.number}/result").status_code == 404
    assert visitor.get("/orders/26112300000000").status_code == 404
    assert "<h1>没有找到这个订单</h1>" in visitor.shown.text
    assert "请登录下单的账号，或用订单号和手机号查询。" in visitor.shown.text
    assert "没有找到这个页面" not in visitor.shown.text


@pytest.mark.parametrize("action", ["pay", "cancel", "confirm-receipt", "again"])
def test_a_stranger_cannot_act_on_an_order(visitor, ordered, transactions, action):
    visitor.get("/sign-in")
    assert visitor.post(f"/orders/{ordered.number}/{action}").status_code == 404
    assert orders(transactions)[0].state is OrderState.PENDING_PAYMENT


@pytest.mark.parametrize("page", ["", "/result"])
def test_an_address_is_rid_of_its_secret(visitor, ordered, transactions, app, page):
    """The cashier brings it; it goes into the session, and no other browser has it."""
    address = f"/orders/{ordered.number}{page}"
    secret = token(transactions, ordered)
    answer = visitor.client.get(f"{address}?access_token={secret}&unpaid=1")
    assert (answer.status_code, answer.location) == (303, f"{address}?unpaid=1")
    assert visitor.client.get(f"{address}?access_token={secret}").location == address
    assert visitor.get(address).status_code == 200
    assert secret not in visitor.shown.text
    assert app.test_client().get(address).status_code == 404


def test_a_wrong_secret_is_not_kept(visitor, ordered):
    assert visitor.client.get(f"/orders/{ordered.number}?access_token=x").status_code == 404
    with visitor.client.session_transaction() as session:
        assert "opened" not in session


def test_an_owner_needs_no_secret(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out()
    [order] = orders(transactions)
    assert alice.get(f"/orders/{order.number}").status_code == 200
    assert alice.get(page_of(provider)[1]).status_code == 200
    assert token(transactions, order) not in alice.shown.text
    with alice.client.session_transaction() as session:
        assert "opened" not in session


def test_a_session_remembers_the_latest_twenty(visitor, ordered, transactions):
    with visitor.client.session_transaction() as session:
        session["opened"] = [[f"261123{number:08}", "s" * 64] for number in range(20)]
    visitor.get(path(transactions, ordered))
    with visitor.client.session_transaction() as session:
        kept = [number for number, _secret in session["opened"]]
    assert len(kept) == 20
    assert (kept[0], kept[-1]) == ("26112300000001", ordered.number)


def test_what_a_guest_opened_stays_open_when_they_sign_in_and_not_when_they_leave(
    visitor, ordered, transactions
):
    visitor.get(path(transactions, ordered))
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    assert visitor.get(f"/orders/{ordered.number}").status_code == 200
    visitor.post("/sign-out")
    assert visitor.get(f"/orders/{ordered.number}").status_code == 404


def test_who_may_not_open_an_order_is_told_the_ways_to_it(reader):
    page = reader.get("/orders/26112300000000/result").text
    assert 'href="/sign-in?next=/orders/26112300000000"' in page
    assert '<a class="btn btn-ghost" href="/find-order">' in page


def test_an_order_says_whom_to_turn_to(visitor, ordered, transactions):
    page = visitor.get(path(transactions, ordered)).text
    assert f"请联系客服并提供订单号 {ordered.number}。" in page
    assert 'href="tel:0872-000-0000"' in page


@pytest.mark.parametrize("agent", ["Mozilla/5.0 MicroMessenger/8.0.50", "Mozilla/5.0"])
def test_wechats_browser_is_told_how_to_pay_with_alipay(visitor, ordered, transactions, agent):
    visitor.get(path(transactions, ordered))
    page = visitor.get(f"/orders/{ordered.number}", headers={"User-Agent": agent}).text
    assert ("如需使用支付宝" in page) is ("MicroMessenger" in agent)


def test_what_cannot_be_taken_back_is_asked_first(visitor, ordered, transactions):
    page = visitor.get(path(transactions, ordered)).text
    form = f'<form class="sure-box" method="post" action="/orders/{ordered.number}/cancel"'
    question = page.split('<details class="sure">')[1].split("</details>")[0]
    assert form in question
    assert "确定要取消这个订单吗" in question
    assert page.count(f"/orders/{ordered.number}/cancel") == 1


def test_an_order_says_what_it_costs_and_until_when(visitor, ordered, transactions):
    page = visitor.get(path(transactions, ordered)).text
    assert "待付款" in page
    assert "2026年11月23日 10:30" in page
    assert "154****0001" in page
    assert "15400000001" not in page


def test_an_order_page_costs_a_constant_number_of_statements(
    visitor, ordered, transactions, database
):
    visitor.get(path(transactions, ordered))
    with counted(database) as issued:
        visitor.get(f"/orders/{ordered.number}")
    assert len(issued) == 7


def test_paying_again_leads_to_the_same_cashier(visitor, ordered, transactions, provider):
    visitor.get(path(transactions, ordered))
    answer = visitor.post(f"/orders/{ordered.number}/pay", visitor.hidden())
    assert answer.location == f"https://pay.example/{next(iter(provider.checkouts))}"
    with transactions.begin() as ctx:
        assert len(payments_of(ctx, ordered.id)) == 1


def test_cancelling_frees_the_goods(visitor, ordered, transactions):
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/cancel", visitor.hidden())
    assert "已取消" in visitor.follow().text
    assert orders(transactions)[0].state is OrderState.CANCELLED


def test_a_paid_order_is_not_cancelled(visitor, ordered, transactions, provider):
    visitor.get(path(transactions, ordered))
    form = visitor.hidden()
    pay(provider)
    visitor.post(f"/orders/{ordered.number}/cancel", form)
    assert "订单已支付" in visitor.follow().text
    assert orders(transactions)[0].state is OrderState.PAID


def test_the_result_asks_the_provider_and_tells(visitor, ordered, provider, transactions):
    result = page_of(provider)[0]
    waiting = visitor.get(result).text
    assert "正在等付款结果" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert 'hx-trigger="every 4s"' in waiting
    assert f'href="/orders/{ordered.number}/result">刷新看结果' in waiting
    assert '林晓 <span class="num">154****0001</span>' in waiting
    assert "邯郸路 220 号" in waiting
    pay(provider)
    assert "付款成功" in visitor.get(result).text
    assert orders(transactions)[0].state is OrderState.PAID


def test_the_result_survives_a_silent_provider(visitor, ordered, provider):
    provider.broken = 1
    page = visitor.get(page_of(provider)[0])
    assert (page.status_code, "正在等付款结果" in page.text) == (200, True)


def test_the_result_stops_asking_by_itself(visitor, ordered, provider):
    page = visitor.get(page_of(provider)[0] + "&asked=20").text
    assert ("http-equiv" in page, "hx-trigger" in page) == (False, False)


def test_a_failed_payment_offers_another(visitor, ordered, provider):
    provider.expire(next(iter(provider.checkouts)))
    page = visitor.get(page_of(provider)[0]).text
    assert "付款未成功" in page
    assert f'action="/orders/{ordered.number}/pay"' in page


def test_parcels_are_followed_and_receipt_confirmed(visitor, ordered, transactions, provider):
    pay(provider)
    visitor.get(page_of(provider)[0])
    with transactions.acting(actor_of(transactions, "bob")).begin() as ctx:
        ship_parcel(ctx, f"{ordered.number}-1", ShipParcel("zhongtong", "ZT1234567890", None))
    page = visitor.get(path(transactions, ordered)).text
    assert "中通快递" in page
    assert "ZT1234567890" in page
    assert 'href="https://www.kuaidi100.com/chaxun?com=zhongtong&amp;nu=ZT1234567890"' in page
    assert 'class="is-now" aria-current="step">收货' in page
    assert "请确认全部包裹已收到" in page
    visitor.post(f"/orders/{ordered.number}/confirm-receipt", visitor.hidden())
    assert "已确认收货" in visitor.follow().text
    assert "已完成" in visitor.shown.text


def test_buying_again_fills_the_basket(visitor, ordered, transactions, provider):
    pay(provider)
    visitor.get(page_of(provider)[0])
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/again", visitor.hidden())
    assert 'name="quantity" value="2"' in visitor.follow().text


def test_buying_again_leaves_a_larger_wish_alone(visitor, ordered, transactions, provider):
    pay(provider)
    visitor.put_in("P01-1", 5)
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/again", visitor.hidden())
    assert 'name="quantity" value="5"' in visitor.follow().text


def test_a_basket_that_is_full_is_not_called_an_end_of_sale(
    visitor, ordered, transactions, provider, monkeypatch
):
    monkeypatch.setattr(rules, "MAX_SKUS", 1)
    pay(provider)
    visitor.put_in("P12-1")
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/again")
    assert "购物车已满，没有放入：" in visitor.follow().text
    assert "已不再出售" not in visitor.shown.text


def test_an_order_whose_time_is_over_is_not_offered_for_payment(
    visitor, ordered, transactions, time
):
    time.forward(minutes=31)
    page = visitor.get(path(transactions, ordered)).text
    assert "已过付款时间" in page
    assert "去付款" not in page


def test_alice_finds_her_orders_by_state(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out()
    [order] = orders(transactions)
    assert order.number in alice.get("/orders").text
    assert order.number in alice.get("/orders?state=pending_payment").text
    assert order.number not in alice.get("/orders?state=completed").text
    assert order.number in alice.get("/orders?state=nonsense").text


def test_the_list_of_orders_costs_a_constant_number_of_statements(alice, provider, database):
    for sku in ("P01-1", "P12-1", "P23-1"):
        alice.put_in(sku)
        alice.check_out()
    with counted(database) as issued:
        alice.get("/orders")
    assert len(issued) == 4


def test_the_list_of_orders_is_for_people_we_know(visitor):
    assert visitor.get("/orders").location.startswith("/sign-in?next=/orders")


def test_a_guest_finds_an_order_by_number_and_phone(visitor, ordered, transactions):
    visitor.get("/find-order")
    form = {"number": f" {ordered.number[:6]} {ordered.number[6:]}", "phone": "154 0000 0001"}
    answer = visitor.post("/find-order", form)
    assert answer.location == f"/orders/{ordered.number}"
    assert "待付款" in visitor.follow().text


@pytest.mark.parametrize(
    ("number", "phone"),
    [(None, "13800000000"), ("26112300000000", "15400000001"), (None, "abc"), ("x", "y")],
)
def test_a_wrong_guess_learns_nothing(visitor, ordered, number, phone):
    visitor.get("/find-order")
    answer = visitor.post("/find-order", {"number": number or ordered.number, "phone": phone})
    assert answer.status_code == 404
    assert "没有找到这个订单，请核对订单号和手机号" in answer.text


def test_nothing_found_of_nothing_asked(visitor):
    visitor.get("/find-order")
    answer = visitor.post("/find-order", {"number": "", "phone": ""})
    assert (answer.status_code, answer.text.count("请填写这一项")) == (422, 2)


def test_money_that_came_too_late_is_told(visitor, ordered, provider, transactions):
    result = page_of(provider)[0]
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/cancel", visitor.hidden())
    assert "这一单没有付款，已经取消" in visitor.get(result).text
    reference = next(iter(provider.checkouts))
    provider.arrive(reference, ordered.total_fen)
    sync_payment(transactions, reference)
    assert "付款会原路退回" in visitor.get(result).text
    page = visitor.get(f"/orders/{ordered.number}").text
    assert "您的付款到账时订单已经关闭" in page
    assert "这一单没有付款" not in page


def test_who_has_no_orders_is_told_of_none_or_of_none_such(visitor):
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    assert "还没有订单" in visitor.get("/orders").text
    assert "还没有这样的订单" in visitor.get("/orders?state=shipped").text
