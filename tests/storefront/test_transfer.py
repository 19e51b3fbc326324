"""A unit pays by transfer, or after delivery, with a browser that runs no script."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from models.orders import OrderState, PaymentTerms
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.payments.bank_review import approve_match, enter_match
from shop.payments.bank_transfer import DEMO
from shop.payments.queries import payments_of
from tests import cast
from tests.bank_factories import FOR_UNIT, TOTAL, bank_says, receipt_id, unit_order
from tests.conftest import actor_of
from tests.storefront.conftest import orders

ON_CREDIT = replace(FOR_UNIT, payment_terms=PaymentTerms.PAY_AFTER_DELIVERY)


@pytest.fixture
def uma(visitor, provider):
    """The union's buyer, signed in."""
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("uma"), "password": cast.PASSWORD})
    return visitor


def attempts(transactions):
    with transactions.begin() as ctx:
        found = payments_of(ctx, orders_id(transactions, ctx))
    return [(str(one["method"]), str(one["state"])) for one in found]


def orders_id(transactions, ctx):
    from shop.orders.own_queries import ORDERS

    return ctx.session.execute(ORDERS.select()).one().id


def test_the_checkout_asks_a_unit_how_it_pays(uma):
    uma.put_in("P01-1", 2)
    page = uma.get("/checkout").text
    for value in ("online", "transfer", "later"):
        assert f'name="pay_by" value="{value}"' in page


def test_a_person_is_not_asked(alice):
    alice.put_in("P01-1", 2)
    assert 'name="pay_by"' not in alice.get("/checkout").text


def test_a_unit_chooses_transfer_at_the_checkout(uma, transactions):
    uma.put_in("P01-1", 2)
    uma.check_out(purpose="union_gift", pay_by="transfer", unit="U01")
    page = unescape(uma.follow().text)
    [order] = orders(transactions)
    assert attempts(transactions) == [("bank_transfer", "pending")]
    for text in (DEMO.name, DEMO.number, DEMO.bank, order.number, "2026年12月23日 10:00"):
        assert text in page
    assert "改用在线支付" in page
    assert "去付款" not in page


def test_a_unit_pays_after_delivery(uma, transactions):
    uma.put_in("P01-1", 2)
    uma.check_out(purpose="union_gift", pay_by="later", unit="U01")
    page = uma.follow().text
    assert orders(transactions)[0].payment_terms is PaymentTerms.PAY_AFTER_DELIVERY
    assert "货到后付款，请在 2026年12月23日 10:00 前付清" in page
    assert "货到后付款，合作社开始备货" in page


def test_in_its_own_name_only(uma, transactions):
    uma.put_in("P01-1", 2)
    answer = uma.check_out(purpose="union_gift", pay_by="later", unit="U02")
    assert answer.status_code == 409
    assert "该单位没有开通先货后款" in answer.text
    assert orders(transactions) == []


def test_a_way_to_pay_that_there_is_not(uma, transactions):
    uma.put_in("P01-1", 2)
    assert uma.check_out(purpose="union_gift", pay_by="gold").status_code == 422
    assert orders(transactions) == []


def test_from_the_cashier_to_a_transfer_and_back(uma, transactions):
    placed = unit_order(transactions)
    path = f"/orders/{placed.number}"
    uma.get(path)
    assert "用对公转账付款" in uma.shown.text
    assert DEMO.number not in uma.shown.text
    uma.post(f"{path}/pay")
    uma.get(path)
    uma.post(f"{path}/transfer")
    assert attempts(transactions) == [("stripe", "expired"), ("bank_transfer", "pending")]
    assert DEMO.number in uma.follow().text
    assert uma.post(f"{path}/pay").status_code in {302, 303}
    assert attempts(transactions)[1:] == [("bank_transfer", "expired"), ("stripe", "pending")]


def test_a_person_is_not_offered_a_transfer(alice, transactions, provider):
    alice.put_in("P01-1", 2)
    alice.check_out()
    [order] = orders(transactions)
    assert "对公转账" not in alice.get(f"/orders/{order.number}").text
    alice.post(f"/orders/{order.number}/transfer")
    assert "对公转账仅限单位订单" in alice.follow().text
    assert attempts(transactions) == [("stripe", "pending")]


def test_a_stranger_cannot(visitor, transactions):
    placed = unit_order(transactions)
    visitor.get("/sign-in")
    assert visitor.post(f"/orders/{placed.number}/transfer").status_code == 404
    assert attempts(transactions) == []


def test_what_has_come_and_what_is_missing(uma, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (10000, placed.number))
    with transactions.acting(actor_of(transactions, "fiona")).begin() as ctx:
        match = enter_match(ctx, receipt_id(ctx, 10000), placed.number, None, "")
    with transactions.acting(actor_of(transactions, "ada")).begin() as ctx:
        approve_match(ctx, match)
    page = uma.get(f"/orders/{placed.number}").text
    assert "已收到" in page
    assert '<span class="price-yuan">39</span><span class="price-fen">.80</span>' in page
    assert "改用在线支付" not in page
    assert "收到对公转账" in page


def test_once_paid_nothing_is_asked_any_more(uma, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, placed.number))
    page = uma.get(f"/orders/{placed.number}").text
    assert DEMO.number not in page
    assert "付款成功" in page
    assert orders(transactions)[0].state is OrderState.PAID


def test_an_order_on_credit_that_is_called_off_was_not_refunded(uma, transactions):
    placed = unit_order(transactions, ON_CREDIT)
    uma.get(f"/orders/{placed.number}")
    uma.post(f"/orders/{placed.number}/cancel")
    page = uma.follow().text
    assert ("订单已取消" in page, "已退款" in page) == (True, False)


def test_what_has_left_on_credit_cannot_be_called_off(uma, transactions, time):
    placed = unit_order(transactions, ON_CREDIT)
    path = f"/orders/{placed.number}"
    assert "取消订单" in uma.get(path).text
    with transactions.acting(actor_of(transactions, "bob")).begin() as ctx:
        ship_parcel(ctx, f"{placed.number}-1", ShipParcel("zhongtong", "ZT1234567890"))
    assert "取消订单" not in uma.get(path).text
    uma.post(f"{path}/cancel")
    assert "订单已开始发货，不能取消" in uma.follow().text
    time.forward(days=40)  # the sign-in is over by then; the order's own secret is not
    uma.get("/sign-in")
    uma.post(f"{path}/transfer", {"access_token": placed.access_token})
    assert "已过约定的付款时间，请尽快付款。" in uma.follow().text
