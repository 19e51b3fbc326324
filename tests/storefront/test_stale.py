"""A form of a page that was overtaken, by a sign-in in another tab or by time."""

from __future__ import annotations

import pytest

from tests import cast
from tests.storefront.conftest import FORM, orders

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def overtaken(visitor, provider) -> dict[str, str]:
    """The checkout's form as one tab has it, filled in; meanwhile another signs Alice in."""
    visitor.put_in("P01-1")
    visitor.get("/checkout")
    form = {**visitor.hidden(), **FORM, "detail": "国定路 400 号"}
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    return form


def test_what_was_entered_is_kept_and_can_be_sent(visitor, overtaken, transactions):
    page = visitor.post("/checkout", overtaken, headers=OURS)
    assert (page.status_code, orders(transactions)) == (422, [])
    assert "页面已过期，请再提交一次" in page.text
    assert "国定路 400 号" in page.text
    visitor.post("/checkout", {**overtaken, **visitor.hidden()}, headers=OURS)
    assert visitor.shown.location.startswith("https://pay.example/")
    assert orders(transactions)[0].address_detail == "国定路 400 号"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_another_sites_form_fills_in_nothing(visitor, overtaken, transactions, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    page = visitor.post("/checkout", overtaken, headers=headers)
    assert (page.status_code, "国定路 400 号" in page.text) == (400, False)
    assert "请再提交一次" in page.text
    assert orders(transactions) == []


def test_a_basket_changed_with_script_comes_anew(visitor):
    visitor.put_in("P01-1", 2)
    form = {"csrf_token": "stale", "quantity": "3"}
    page = visitor.client.post(
        "/cart/lines/P01-1", data=form, headers={**OURS, "HX-Request": "true"}
    )
    assert (page.status_code, "<html" in page.text) == (422, False)
    assert "页面已过期，请再提交一次" in page.text
    assert 'name="quantity" value="2"' in page.text


def test_a_button_without_a_form_to_show_says_so(visitor, overtaken):
    page = visitor.client.post("/sign-out", data={"csrf_token": "stale"}, headers=OURS)
    assert (page.status_code, "<h1>请再提交一次</h1>" in page.text) == (400, True)
    assert "退出登录" in visitor.get("/account").text


def test_a_checkout_whose_basket_was_emptied_elsewhere_says_so(visitor, provider, transactions):
    visitor.put_in("P01-1")
    visitor.get("/checkout")
    form = {**visitor.hidden(), **FORM}
    visitor.post("/cart/lines/P01-1/remove", form)
    visitor.post("/checkout", form)
    assert visitor.shown.location == "/cart"
    assert "购物车里已经没有商品，没有生成订单。" in visitor.follow().text
    assert orders(transactions) == []
