"""Freight as a buyer reads it: never free where nothing is sent, never owed before it is known."""

from __future__ import annotations

import re

from tests.storefront.conftest import FORM

SPRING = "2026-04-01T10:00:00+08:00"
"""Blueberries are in season, and not sent to Xinjiang."""


def sums(page: str) -> str:
    """The words of the sums."""
    return re.sub(r"<[^>]+>", "", page.partition('<dl class="sums">')[2].partition("</dl>")[0])


def test_what_is_not_sent_there_is_not_free(visitor, time):
    time.set(SPRING)
    visitor.put_in("P25-1")
    page = visitor.get("/cart?province=650000").text
    assert page.count("不配送") == 2
    assert ("包邮" in page, "商品合计（未含运费）" in sums(page)) == (False, True)


def test_the_checkout_says_the_same(visitor, time):
    time.set(SPRING)
    visitor.put_in("P25-1")
    visitor.get("/checkout")
    there = {"province": "650000", "city": "650100", "county": "650102", "step": "region"}
    page = visitor.post("/checkout", {**FORM, **there}).text
    assert page.count("<span>不配送</span>") == 1
    assert ("包邮" in page, "应付" in page) == (False, False)


def test_in_english_too(visitor, time):
    time.set(SPRING)
    visitor.put_in("P25-1")
    page = visitor.get("/cart?province=650000&lang=en").text
    assert ("Not delivered" in page, "Goods, before freight" in page) == (True, True)


def test_the_part_that_is_sent_is_not_called_free_either(visitor, time):
    time.set(SPRING)
    visitor.put_in("P25-1")
    visitor.put_in("P23-1")
    page = visitor.get("/cart?province=650000").text
    assert page.count("部分商品不配送") == 2


def test_before_a_region_is_chosen_the_goods_alone_are_summed_up(visitor):
    visitor.put_in("P06-1")
    page = visitor.get("/checkout").text
    assert ("商品合计（未含运费）" in sums(page), "应付" in page) == (True, False)
    assert visitor.get("/cart").text.count("选择省份后计算") == 2
    assert "共 1 件，未含运费" in visitor.shown.text


def test_with_a_region_there_is_a_sum_to_pay(visitor):
    visitor.put_in("P06-1")
    visitor.get("/checkout")
    page = visitor.post("/checkout", {**FORM, "step": "region"}).text
    assert ("未含运费" in page, "应付" in page) == (False, True)
    part = visitor.get("/checkout/region?province=310000", headers={"HX-Request": "true"}).text
    due = part.partition('id="grand-total"')[2]
    assert ("应付" in due, '<span class="price-yuan">43</span>' in due) == (True, True)


def test_free_freight_is_still_called_free(visitor):
    visitor.put_in("P01-1")
    assert "包邮" in sums(visitor.get("/cart?province=310000").text)
