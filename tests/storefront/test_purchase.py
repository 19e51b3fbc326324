"""Buying by plain forms, from the shelf to the paid order."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from models.aid import AidEntry
from models.catalog import Sku
from models.identity import Address
from models.orders import OrderState
from shop import idempotency
from shop.inventory.queries import level
from storefront.checkout import SAME, SCOPE
from tests import cast
from tests.storefront.conftest import FORM, orders, page_of, pay


def test_a_guest_buys_from_two_cooperatives_and_pays(visitor, provider, transactions):
    visitor.put_in("P01-1", 2)
    visitor.put_in("P06-1", 1)
    answer = visitor.check_out()
    assert answer.location.startswith("https://pay.example/cs_fake_")
    pay(provider)
    result, page = page_of(provider)
    assert "付款成功" in visitor.get(result).text
    assert "待发货" in visitor.get(page).text
    [order] = orders(transactions)
    assert (order.state, order.total_fen, order.buyer_kind) == (OrderState.PAID, 13980, "alumni")


def test_what_was_ordered_leaves_the_basket(visitor, provider):
    visitor.put_in("P01-1", 2)
    visitor.check_out()
    assert "购物车还是空的" in visitor.get("/cart").text


def test_buy_now_leaves_the_basket_alone(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.get("/p/handmade-pickled-radish")
    form = {"sku": "P12-1", "quantity": 3, "then": "checkout"}
    assert visitor.post("/cart/lines", form).location == "/checkout?buy=P12-1:3"
    visitor.follow()
    bought = visitor.hidden()["buy"]
    visitor.post("/checkout", {**visitor.hidden(), **FORM_OF_SHANGHAI, "step": "region"})
    answer = visitor.post("/checkout", {**visitor.hidden(), **FORM_OF_SHANGHAI})
    assert (answer.status_code, bought) == (303, "P12-1:3")
    assert [order.goods_fen for order in orders(transactions)] == [4740]
    assert "高山绿茶" in visitor.get("/cart").text


FORM_OF_SHANGHAI = {
    "recipient": "林晓",
    "phone": "15400000001",
    "province": "310000",
    "city": "310110",
    "detail": "邯郸路 220 号",
    "buyer_kind": "staff",
    "no_return": "1",
    "step": "place",
}


def test_the_channel_of_the_visit_is_credited(visitor, provider, transactions):
    visitor.get("/?ch=new_media&cp=K3&sf=alumni")
    visitor.get("/c/tea?ch=no_such_channel")
    visitor.put_in("P01-1")
    visitor.check_out()
    pay(provider)
    visitor.get(page_of(provider)[0])
    with transactions.begin() as ctx:
        entry = ctx.session.execute(select(AidEntry.__table__)).one()
    assert (entry.channel_code, entry.campaign_code, entry.storefront_code) == (
        "new_media",
        "K3",
        "alumni",
    )


def test_the_last_touch_counts_and_a_month_later_none(visitor, provider, transactions, time):
    visitor.get("/?ch=new_media")
    visitor.get("/?ch=livestream")
    visitor.put_in("P01-1")
    time.forward(days=31)
    visitor.get("/account")
    visitor.check_out()
    pay(provider)
    visitor.get(page_of(provider)[0])
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(AidEntry.channel_code)).scalar_one() == "direct"


def test_the_unit_is_credited(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.check_out(unit="U13")
    pay(provider)
    visitor.get(page_of(provider)[0])
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(AidEntry.unit_code)).scalar_one() == "U13"


@pytest.mark.parametrize(
    ("name", "form", "credited"),
    [
        ("alice", {}, "U13"),
        ("alice", {"unit": ""}, None),
        ("alice", {"unit": "U03"}, "U03"),
        ("uma", {"unit": "", "purpose": "union_gift"}, "U01"),
    ],
)
def test_who_leaves_the_unit_empty_buys_for_none(
    visitor, provider, transactions, name, form, credited
):
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email(name), "password": cast.PASSWORD})
    visitor.put_in("P01-1")
    visitor.check_out(**form)
    pay(provider)
    visitor.get(page_of(provider)[0])
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(AidEntry.unit_code)).scalar_one() == credited


def test_a_replayed_form_makes_one_order(visitor, provider, transactions):
    visitor.put_in("P01-1")
    first = visitor.check_out()
    [order] = orders(transactions)
    form = {**FORM, "idempotency_key": _key(transactions)}
    visitor.get("/sign-in")
    second = visitor.post("/checkout", form)
    assert (second.status_code, second.location) == (303, first.location)
    assert [one.number for one in orders(transactions)] == [order.number]


def _key(transactions) -> str:
    with transactions.begin() as ctx:
        keys = idempotency.KEYS
        return ctx.session.execute(select(keys.c.key).where(keys.c.scope == SCOPE)).scalar_one()


def test_the_second_of_two_clicks_waits_for_the_first(visitor, provider, transactions, database):
    visitor.put_in("P01-1")
    claim = idempotency.claim(database, SCOPE, "k1", SAME, transactions.clock())
    answer = visitor.check_out(idempotency_key="k1")
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/checkout/sent/k1")
    assert "正在提交订单" in visitor.follow().text
    idempotency.release(database, claim)
    assert visitor.get("/checkout/sent/k1").location == "/checkout"
    assert orders(transactions) == []


def test_after_the_first_click_the_second_goes_on_to_the_cashier(visitor, provider):
    visitor.put_in("P01-1")
    first = visitor.check_out(idempotency_key="k1")
    assert visitor.get("/checkout/sent/k1").location == first.location


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_form_without_a_usable_key_is_shown_again(visitor, provider, transactions, key):
    visitor.put_in("P01-1")
    assert visitor.check_out(idempotency_key=key).status_code == 422
    assert orders(transactions) == []


def test_a_price_that_changed_is_shown_again(visitor, provider, transactions):
    visitor.put_in("P06-1")
    answer = visitor.check_out(expected_total="3280")
    assert answer.status_code == 409
    assert "价格或运费有变化" in answer.text
    assert visitor.hidden()["expected_total"] == "4380"
    assert orders(transactions) == []


def test_without_a_provider_the_order_waits_to_be_paid(visitor, provider, transactions):
    provider.broken = 1
    visitor.put_in("P01-1")
    page = visitor.check_out()
    assert page.location.startswith("/orders/")
    assert "支付渠道暂时无法连接" in visitor.follow().text
    [order] = orders(transactions)
    again = visitor.post(f"/orders/{order.number}/pay", visitor.hidden())
    assert again.location.startswith("https://pay.example/")


@pytest.mark.parametrize(
    ("language", "told"), [("zh", "消费帮扶订单 {}"), ("en", "Yongping order {}")]
)
def test_the_cashier_names_the_order_in_its_language(
    visitor, provider, transactions, language, told
):
    visitor.get(f"/?lang={language}")
    visitor.put_in("P01-1")
    visitor.check_out()
    [order] = orders(transactions)
    [asked] = provider.requests.values()
    assert (asked.summary, asked.language) == (told.format(order.number), language)


def test_alcohol_asks_for_age_and_is_not_for_students(visitor, provider, transactions):
    visitor.put_in("P18-1")
    assert "我已年满 18 周岁" in visitor.get("/checkout").text
    refused = visitor.check_out(adult="")
    assert "请确认已年满 18 周岁" in refused.text
    assert "学生身份不能购买酒类商品" in visitor.check_out(buyer_kind="student").text
    assert orders(transactions) == []


def test_tea_asks_for_no_age(visitor):
    visitor.put_in("P01-1")
    page = visitor.get("/checkout").text
    assert ('name="adult"' in page, 'name="no_return"' in page) == (False, True)


def test_without_the_confirmation_no_order(visitor, provider, transactions):
    visitor.put_in("P01-1")
    answer = visitor.check_out(no_return="")
    assert answer.status_code == 422
    assert "请确认：食品拆封后不支持七日无理由退货" in answer.text
    assert orders(transactions) == []


AGE = "请确认已年满 18 周岁"
NO_RETURN = "请确认：食品拆封后不支持七日无理由退货"


@pytest.mark.parametrize(
    ("more", "told"),
    [({}, ""), ({"phone": "1"}, "请填写正确的手机号码"), ({"buyer_kind": ""}, "请选择一项")],
)
@pytest.mark.parametrize("skus", [("P18-1", "P01-1"), ("P01-1", "P18-1")])
def test_both_confirmations_are_asked_for_with_whatever_else_is_missing(
    visitor, provider, transactions, skus, more, told
):
    for sku in skus:
        visitor.put_in(sku)
    answer = visitor.check_out(adult="", no_return="", **more)
    assert answer.status_code == 422
    assert [text in answer.text for text in (AGE, NO_RETURN, told)] == [True, True, True]
    assert orders(transactions) == []


def test_what_was_sold_meanwhile_is_told_and_nothing_is_ordered(visitor, provider, transactions):
    visitor.put_in("P01-1", 601)
    answer = visitor.check_out()
    assert answer.status_code == 409
    assert "库存不足，仅剩 600 件" in answer.text
    assert orders(transactions) == []
    with transactions.begin() as ctx:
        assert level(ctx.session, order_sku(ctx)).reserved == 0


def order_sku(ctx):
    return ctx.session.execute(select(Sku.id).where(Sku.code == "P01-1")).scalar_one()


def test_the_selects_of_the_region_follow_one_another_without_script(visitor):
    visitor.put_in("P06-1")
    visitor.get("/checkout")
    page = visitor.post("/checkout", {"step": "region", "province": "530000"}).text
    assert '<option value="532900">大理白族自治州</option>' in page
    page = visitor.post(
        "/checkout", {"step": "region", "province": "530000", "city": "532900"}
    ).text
    assert '<option value="532928">永平县</option>' in page
    assert visitor.hidden()["expected_total"] == "3930"


def test_a_level_of_another_province_is_dropped(visitor):
    visitor.put_in("P01-1")
    visitor.get("/checkout")
    page = visitor.post(
        "/checkout", {"step": "region", "province": "310000", "city": "532900"}
    ).text
    assert 'value="532900"' not in page
    assert "selected" in page


def test_with_script_the_next_level_and_the_price_come_by_themselves(visitor):
    visitor.put_in("P06-1")
    part = visitor.get("/checkout/region?province=650000", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith("<fieldset")
    assert 'id="quote"' in part.text
    assert visitor.hidden()["expected_total"] == "6980"


def test_alice_uses_an_address_she_kept(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out(save="1")
    with transactions.begin() as ctx:
        kept = ctx.session.execute(select(Address.id)).scalar_one()
    alice.put_in("P07-1")
    page = alice.get("/checkout").text
    assert re.search(rf'value="{kept}" checked', page)
    form = {"address_id": str(kept), "no_return": "1", "step": "place"}
    assert alice.post("/checkout", {**alice.hidden(), **form}).status_code == 303
    assert [one.recipient for one in orders(transactions)] == ["林晓", "林晓"]


def test_alice_is_not_asked_what_she_is(alice, provider, transactions):
    alice.put_in("P01-1")
    page = alice.get("/checkout").text
    assert 'name="buyer_kind"' not in page
    assert re.search(r'value="U13" selected', page)
    alice.check_out(buyer_kind="")
    [order] = orders(transactions)
    assert (order.buyer_kind, order.buyer_id is not None) == ("alumni", True)


def test_somebody_elses_address_cannot_be_used(alice, provider, transactions):
    alice.put_in("P01-1")
    answer = alice.check_out(address_id="01890000-0000-7000-8000-000000000000")
    assert answer.status_code == 422
    assert orders(transactions) == []


def test_an_empty_basket_has_nothing_to_check_out(visitor):
    assert visitor.get("/checkout").location == "/cart"
