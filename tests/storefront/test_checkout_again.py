"""A checkout that is sent twice, changed in between, or cannot be ordered as it stands."""

from __future__ import annotations

from html import unescape

import pytest

from shop import idempotency
from shop.payments.queries import payments_of
from shop.payments.sync import sync_payment
from storefront.checkout import SAME, SCOPE
from tests import cast
from tests.storefront.conftest import FORM, Visitor, orders

CHANGED = "这张订单已提交，刚才的改动没有生效；要修改地址等信息，请先取消订单再重新下单。"


@pytest.fixture
def uma(visitor, provider):
    """The union's buyer, signed in."""
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("uma"), "password": cast.PASSWORD})
    return visitor


def attempts(transactions) -> list[tuple[str, str]]:
    [order] = orders(transactions)
    with transactions.begin() as ctx:
        return [(str(one["method"]), str(one["state"])) for one in payments_of(ctx, order.id)]


def order_number(transactions) -> str:
    [order] = orders(transactions)
    return str(order.number)


def clicked_twice(visitor, database, transactions, **form) -> str:
    """Two clicks on one form; where the second waits while the first still works."""
    claim = idempotency.claim(database, SCOPE, "k1", SAME, transactions.clock())
    waits = visitor.check_out(idempotency_key="k1", **form).location
    idempotency.release(database, claim)
    visitor.check_out(idempotency_key="k1", **form)
    return waits


def test_the_second_click_on_a_transfer_leaves_the_transfer_alone(
    uma, provider, transactions, database
):
    uma.put_in("P01-1")
    waits = clicked_twice(uma, database, transactions, purpose="canteen", pay_by="transfer")
    answer = uma.get(waits)
    assert answer.location.partition("?")[0] == f"/orders/{orders(transactions)[0].number}"
    assert attempts(transactions) == [("bank_transfer", "pending")]
    assert provider.calls == []


def test_the_second_click_on_paying_online_goes_to_the_same_cashier(
    visitor, provider, transactions, database
):
    visitor.put_in("P01-1")
    waits = clicked_twice(visitor, database, transactions)
    cashier = visitor.shown.location
    assert visitor.get(waits).location == cashier
    assert attempts(transactions) == [("stripe", "pending")]


def test_the_address_at_which_one_waits_opens_nothing_in_another_browser(
    visitor, app, provider, transactions, database
):
    visitor.put_in("P01-1")
    waits = clicked_twice(visitor, database, transactions)
    before, calls, number = attempts(transactions), list(provider.calls), order_number(transactions)
    other = Visitor(app.test_client())
    assert other.get(waits).status_code == 404
    assert number not in other.shown.text
    assert other.get(f"/orders/{number}").status_code == 404
    assert (attempts(transactions), provider.calls) == (before, calls)


def test_it_opens_nothing_once_its_buyer_has_signed_out(visitor, provider, transactions, database):
    visitor.put_in("P01-1")
    waits = clicked_twice(visitor, database, transactions)
    visitor.get("/sign-in")
    assert visitor.post("/sign-out").status_code == 303
    assert visitor.get(waits).status_code == 404
    assert visitor.get(f"/orders/{order_number(transactions)}").status_code == 404


def test_who_made_the_order_waits_whichever_answer_came_last(
    visitor, provider, transactions, database
):
    visitor.put_in("P01-1")
    waits = clicked_twice(visitor, database, transactions)
    with visitor.client.session_transaction() as session:
        assert session.pop("sent") == "k1"
    assert visitor.get(waits).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        {"detail": "国定路 400 号"},
        {"recipient": "林晨"},
        {"phone": "15400000002"},
        {"city": "310115"},
        {"unit": "U13"},
        {"buyer_kind": "staff"},
        {"note": "请放门卫"},
    ],
)
def test_what_is_changed_afterwards_is_told_not_to_count(visitor, provider, transactions, change):
    visitor.put_in("P01-1")
    visitor.check_out(idempotency_key="k1")
    [before] = orders(transactions)
    calls = list(provider.calls)
    visitor.get("/sign-in")
    answer = visitor.post("/checkout", {**FORM, "idempotency_key": "k1", **change})
    assert answer.location == f"/orders/{before.number}"
    while visitor.shown.status_code != 200:
        visitor.follow()
    assert CHANGED in visitor.shown.text
    assert (orders(transactions), provider.calls) == ([before], calls)


def test_a_change_while_the_first_is_being_made_is_told_too(
    visitor, provider, transactions, database
):
    visitor.put_in("P01-1")
    claim = idempotency.claim(database, SCOPE, "k1", SAME, transactions.clock())
    waits = visitor.check_out(idempotency_key="k1", detail="国定路 400 号").location
    idempotency.release(database, claim)
    visitor.check_out(idempotency_key="k1")
    answer = visitor.get(waits)
    assert answer.location == f"/orders/{orders(transactions)[0].number}"
    assert [order.address_detail for order in orders(transactions)] == ["邯郸路 220 号"]


@pytest.mark.parametrize(
    "same", [{"save": "1"}, {"detail": " 邯郸路 220 号 "}, {"expected_total": "1"}, {"adult": ""}]
)
def test_what_changes_nothing_about_the_order_goes_on_to_the_cashier(visitor, provider, same):
    visitor.put_in("P01-1")
    first = visitor.check_out(idempotency_key="k1")
    visitor.get("/sign-in")
    again = visitor.post("/checkout", {**FORM, "idempotency_key": "k1", **same})
    assert again.location == first.location


def test_after_a_first_click_in_vain_it_is_still_the_same_thing_to_buy(
    visitor, transactions, database
):
    visitor.put_in("P01-1")
    claim = idempotency.claim(database, SCOPE, "k1", SAME, transactions.clock())
    visitor.get("/checkout?buy=P07-1:2")
    waits = visitor.post("/checkout", {**visitor.hidden(), **FORM, "idempotency_key": "k1"})
    idempotency.release(database, claim)
    assert visitor.get(waits.location).location == "/checkout?buy=P07-1:2"
    assert orders(transactions) == []


def test_more_boxes_of_what_is_bought_at_once_are_another_order(visitor, provider, transactions):
    visitor.get("/checkout?buy=P01-1:1")
    visitor.post("/checkout", {**visitor.hidden(), **FORM, "idempotency_key": "k1"})
    visitor.get("/checkout?buy=P01-1:2")
    visitor.post("/checkout", {**visitor.hidden(), **FORM, "idempotency_key": "k1"})
    [order] = orders(transactions)
    assert visitor.shown.location.partition("?")[0] == f"/orders/{order.number}"


@pytest.mark.parametrize("step", ["region", "rest", "place"])
def test_a_form_whose_basket_was_emptied_goes_to_the_cart(visitor, provider, transactions, step):
    visitor.put_in("P01-1")
    visitor.get("/checkout")
    form = visitor.hidden()
    visitor.post("/cart/lines/P01-1/remove")
    visitor.get("/sign-in")
    answer = visitor.post("/checkout", {**form, **FORM, **visitor.hidden(), "step": step})
    assert (answer.status_code, answer.location, orders(transactions)) == (303, "/cart", [])


def test_a_unit_says_what_it_buys_for(uma, transactions):
    uma.put_in("P01-1")
    page = uma.get("/checkout").text
    purposes = page.partition('name="purpose"')[2].partition("</fieldset>")[0]
    assert ("checked" in purposes, 'value="personal" required' in purposes) == (False, True)
    answer = uma.check_out()
    assert (answer.status_code, orders(transactions)) == (422, [])
    assert '<p class="field-error" id="purpose-error">' in answer.text
    assert "请选择一项" in answer.text.partition('id="purpose-error"')[2].partition("</p>")[0]
    assert uma.check_out(purpose="personal").status_code == 303


def test_an_address_not_to_be_kept_stays_so_after_a_fault(alice, transactions):
    alice.put_in("P01-1")
    assert 'name="save" value="1" checked' in alice.get("/checkout").text
    answer = alice.check_out(phone="")
    assert (answer.status_code, 'name="save" value="1">' in answer.text) == (422, True)
    assert 'name="save" value="1" checked' in alice.check_out(phone="", save="1").text


def test_the_rest_is_ordered_and_what_is_short_stays_in_the_cart(visitor, provider, transactions):
    visitor.put_in("P01-1", 601)
    visitor.put_in("P07-1", 2)
    visitor.get("/checkout")
    form = {**FORM, "recipient": "林晨"}
    refused = visitor.post("/checkout", {**visitor.hidden(), **form})
    assert refused.status_code == 409
    assert 'name="step" value="rest"' in refused.text
    assert '<a href="/cart">返回购物车修改</a>' in refused.text
    page = visitor.post("/checkout", {**visitor.hidden(), **form, "step": "rest"}).text
    assert ("高山绿茶" in page, 'value="林晨"' in page) == (False, True)
    assert visitor.hidden()["buy"] == "P07-1:2"
    assert "/checkout?buy=P07-1:2&lang=en" in unescape(page)
    assert visitor.post("/checkout", {**visitor.hidden(), **form}).status_code == 303
    [order] = orders(transactions)
    assert (order.recipient, order.goods_fen) == ("林晨", 5980)
    cart = visitor.get("/cart").text
    assert ('name="quantity" value="601"' in cart, "P07-1" in cart) == (True, False)


def test_what_is_bought_at_once_does_not_empty_a_larger_basket(visitor, provider, transactions):
    visitor.put_in("P01-1", 300)
    visitor.get("/checkout?buy=P01-1:2")
    assert visitor.post("/checkout", {**visitor.hidden(), **FORM}).status_code == 303
    assert [order.goods_fen for order in orders(transactions)] == [9_600]
    assert 'name="quantity" value="298"' in visitor.get("/cart").text


def test_nothing_is_left_out_where_nothing_would_be_left(visitor):
    visitor.put_in("P01-1", 601)
    page = visitor.get("/checkout").text
    assert ("返回购物车修改" in page, 'value="rest"' in page) == (True, False)
    visitor.post("/checkout", {**visitor.hidden(), **FORM, "step": "rest"})
    assert "高山绿茶" in visitor.shown.text


def test_from_the_cart_the_rest_can_be_ordered_too(visitor):
    visitor.put_in("P01-1", 601)
    assert "/checkout?" not in visitor.get("/cart").text
    visitor.put_in("P07-1", 2)
    page = visitor.get("/cart").text
    assert '<a class="btn btn-hot" href="/checkout?buy=P07-1:2">先结算其余商品</a>' in page
    due = page.partition('class="buybar-total"')[2].partition("</div>")[0]
    assert ("可结算 2 件，未含运费" in due, '<span class="price-yuan">59</span>' in due) == (
        True,
        True,
    )
    assert "高山绿茶" not in visitor.get("/checkout?buy=P07-1:2").text


def test_a_guest_may_sign_in_and_comes_back_to_what_is_bought(visitor):
    visitor.put_in("P01-1")
    page = unescape(visitor.get("/checkout?buy=P07-1:2").text)
    assert '<a href="/sign-in?next=/checkout%3Fbuy%3DP07-1%3A2">登录后自动填地址</a>' in page
    visitor.get("/sign-in?next=/checkout%3Fbuy%3DP07-1%3A2")
    form = {**visitor.hidden(), "email": cast.email("alice"), "password": cast.PASSWORD}
    assert visitor.post("/sign-in", form).location == "/checkout?buy=P07-1:2"
    assert "登录后自动填地址" not in visitor.follow().text


def test_the_other_language_keeps_what_is_bought_at_once(visitor):
    visitor.get("/checkout?buy=P07-1:2")
    page = visitor.post("/checkout", {**visitor.hidden(), **FORM, "step": "region"}).text
    assert 'href="/checkout?buy=P07-1:2&lang=en"' in unescape(page)
    visitor.put_in("P01-1")
    assert 'href="/checkout?lang=en"' in visitor.get("/checkout").text


def test_back_from_the_cashier_is_the_order(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.check_out()
    [order] = orders(transactions)
    answer = visitor.get("/checkout")
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.number}?unpaid=1")
    page = visitor.follow().text
    assert ("您离开了收银台，还没有付款。" in page, "去付款" in page) == (True, True)


def test_with_more_to_buy_the_checkout_tells_of_it(visitor, provider, transactions):
    """So does one that "buy now" opened: another form would be another order."""
    visitor.put_in("P01-1")
    visitor.check_out()
    [order] = orders(transactions)
    page = visitor.get("/checkout?buy=P12-1:1").text
    assert f'请不要重复下单。 <a href="/orders/{order.number}">去看那一单</a>' in page


def test_once_it_is_paid_nothing_leads_back_to_it(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.check_out()
    reference = next(iter(provider.checkouts))
    provider.pay(reference)
    sync_payment(transactions, reference)
    assert visitor.get("/checkout").location == "/cart"
    assert "重复下单" not in visitor.get("/checkout?buy=P12-1:1").text


def test_after_signing_out_nobody_is_led_to_it(uma, transactions):
    uma.put_in("P01-1")
    uma.check_out(purpose="personal")
    uma.get("/account")
    uma.post("/sign-out")
    assert len(orders(transactions)) == 1
    assert uma.get("/checkout").location == "/cart"
