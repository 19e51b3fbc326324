"""The basket."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from models.catalog import Sku
from models.inventory import Stock
from tests.conftest import counted


def test_two_cooperatives_two_groups_each_with_its_freight(visitor):
    visitor.put_in("P01-1")
    visitor.put_in("P06-1")
    page = visitor.get("/cart").text
    assert page.count('class="group-head"') == 2
    assert page.count("选择省份后计算") == 3


def test_a_region_is_remembered_for_the_freight(visitor):
    visitor.put_in("P06-1")
    visitor.get("/cart?province=650000")
    page = visitor.get("/cart").text
    assert "新疆维吾尔自治区" in page
    assert '<span class="price-yuan">37</span>' in page


@pytest.mark.parametrize("province", ["", "999999", "x", "\N{GRINNING FACE}"])
def test_a_region_that_does_not_exist_is_passed_over(visitor, province):
    visitor.put_in("P06-1")
    page = visitor.get("/cart", query_string={"province": province})
    assert (page.status_code, "选择省份后计算" in page.text) == (200, True)


def test_how_much_is_missing_to_free_freight(visitor):
    visitor.put_in("P06-1")
    assert "再买 ¥66.20 就包邮" in visitor.get("/cart?province=310000").text


def test_adding_adds_up(visitor):
    visitor.put_in("P01-1", 2)
    visitor.put_in("P01-1", 3)
    assert 'name="quantity" value="5"' in visitor.get("/cart").text


def test_one_more_one_less_and_out(visitor):
    visitor.put_in("P01-1", 2)
    visitor.get("/cart")
    visitor.post("/cart/lines/P01-1", {"quantity": "2", "step": "1"})
    assert 'name="quantity" value="3"' in visitor.follow().text
    visitor.post("/cart/lines/P01-1", {"quantity": "3", "step": "-1"})
    assert 'name="quantity" value="2"' in visitor.follow().text
    visitor.post("/cart/lines/P01-1", {"quantity": "1", "step": "-1"})
    assert "购物车还是空的" in visitor.follow().text


def test_removing(visitor):
    visitor.put_in("P01-1")
    visitor.get("/cart")
    visitor.post("/cart/lines/P01-1/remove")
    assert "购物车还是空的" in visitor.follow().text


def test_with_script_only_the_basket_comes(visitor):
    visitor.put_in("P01-1", 2)
    visitor.get("/cart")
    part = visitor.post(
        "/cart/lines/P01-1", {"quantity": "2", "step": "1"}, headers={"HX-Request": "true"}
    )
    assert part.text.strip().startswith('<div id="cart" data-count="3"')
    assert "<html" not in part.text


def test_the_number_beside_the_basket(visitor):
    visitor.put_in("P01-1", 120)
    assert "<span data-cart-count>99+</span>" in visitor.get("/").text


TEA_PAGE = {"slug": "high-mountain-green-tea", "sku": "P01-1"}
SHORT = "已放进购物车，但现在只有 600 件，车里是 601 件，下单前请改一下数量。"


def add(visitor, quantity):
    visitor.get("/p/high-mountain-green-tea?sku=P01-1")
    visitor.post("/cart/lines", {**TEA_PAGE, "quantity": str(quantity)})
    return visitor.follow().text


def test_who_adds_more_than_there_is_is_told_at_once_and_the_wish_stays(visitor):
    page = add(visitor, 601)
    assert ('<div class="flash flash-warning" role="status">' in page, SHORT in page) == (
        True,
        True,
    )
    assert 'name="quantity" value="601"' in visitor.get("/cart").text


def test_what_is_short_is_the_sum_of_what_was_added(visitor):
    assert "已放进购物车</span>" in add(visitor, 600)
    assert SHORT in add(visitor, 1)


def test_what_was_sold_out_meanwhile_is_told_when_it_is_added(visitor, transactions):
    with transactions.begin() as ctx:
        code = select(Sku.id).where(Sku.code == "P01-1").scalar_subquery()
        ctx.session.execute(update(Stock).where(Stock.sku_id == code).values(on_hand=0))
    assert "已放进购物车，但这个规格刚刚售罄，补货后才能下单。" in add(visitor, 1)
    assert 'name="quantity" value="1"' in visitor.get("/cart").text


def test_the_shortage_is_told_in_english(visitor):
    visitor.get("/?lang=en")
    told = "Added: your cart has 601, but only 600 left in stock."
    assert told in add(visitor, 601)


def test_what_is_short_is_told_at_the_line(visitor):
    visitor.put_in("P01-1", 700)
    page = visitor.get("/cart").text
    assert "只剩 600 件，请改一下数量" in page
    assert 'href="/checkout"' not in page


def test_what_is_out_of_season_is_told_at_the_line(visitor):
    visitor.put_in("P25-1")
    assert "不在销售期，请先移出" in visitor.get("/cart?lang=zh").text
    assert "Out of season, please remove it" in visitor.get("/cart?lang=en").text


def test_what_is_not_sent_there_is_told_at_the_line(visitor, time):
    time.set("2026-04-01T10:00:00+08:00")
    visitor.put_in("P25-1")
    assert "不发往这个地区" in visitor.get("/cart?province=650000").text


def test_two_visitors_two_baskets(app, visitor):
    from tests.storefront.conftest import Visitor

    visitor.put_in("P01-1")
    assert "购物车还是空的" in Visitor(app.test_client()).get("/cart").text


def test_signing_in_brings_the_basket_along(visitor):
    from tests import cast

    visitor.put_in("P01-1", 3)
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    assert 'name="quantity" value="3"' in visitor.get("/cart").text


def test_an_english_basket_costs_one_statement_more(visitor, database):
    visitor.put_in("P01-1")
    with counted(database) as issued:
        visitor.get("/cart?lang=en")
    assert len(issued) == 4


@pytest.mark.parametrize("quantity", ["0", "-3", "99999", "", "x"])
def test_what_cannot_be_bought_is_said_and_stands_in_nobodys_way(visitor, quantity):
    visitor.put_in("P01-1", 2)
    visitor.get("/cart")
    answer = visitor.post("/cart/lines/P01-1", {**visitor.hidden(), "quantity": quantity})
    assert answer.status_code == 422
    assert '<p class="line-problem" role="alert">购买数量须为 1 至 9999 的整数</p>' in answer.text
    assert 'name="quantity" value="2"' in answer.text
    assert '<a class="btn btn-hot" href="/checkout">去结算</a>' in answer.text


def test_with_script_too_the_mall_says_what_cannot_be_bought(visitor):
    """htmx sends nothing that the browser finds wrong, and says nothing: so it is not asked."""
    visitor.put_in("P01-1")
    assert (
        '<form method="post" action="/cart/lines/P01-1" novalidate hx-post'
        in visitor.get("/cart").text
    )


def test_htmx_finds_again_what_had_the_focus(visitor):
    visitor.put_in("P01-1")
    page = visitor.get("/cart").text
    assert [page.count(f'id="{name}-P01-1"') for name in ("less", "pieces", "more")] == [1, 1, 1]
