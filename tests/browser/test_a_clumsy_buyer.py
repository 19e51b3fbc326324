"""A buyer who presses back, types what cannot be, and pays by a method that takes its time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_the_whole_road import TEA, add, fill_address

pytestmark = pytest.mark.browser


def at_the_cashier(phone) -> None:
    """With an order of tea, the form of which was sent with faults first."""
    add(phone, TEA, 1)
    phone.go("/checkout")
    place = phone.page.locator(".buybar").get_by_role("button", name="提交订单")
    place.click()
    expect(phone.page.locator("#recipient-error")).to_have_text("请填写这一项")
    fill_address(phone.page)
    phone.page.locator("input[name=buyer_kind][value=public]").check()
    phone.page.get_by_label("我知道食品拆封后").check()
    place.click()
    phone.page.wait_for_url(re.compile("/c/pay/"))


def test_the_cart_keeps_the_focus_and_says_what_it_cannot_hold(phone):
    add(phone, TEA, 1)
    phone.go("/cart")
    page = phone.page
    page.locator("#more-P01-1").press("Enter")
    expect(page.locator("#pieces-P01-1")).to_have_value("2")
    expect(page.locator("#more-P01-1")).to_be_focused()
    page.locator("#pieces-P01-1").fill("99999")
    page.locator("#pieces-P01-1").press("Tab")
    expect(page.get_by_role("alert").filter(has_text="须为 1 至 9999 的整数")).to_be_visible()
    expect(page.locator("#pieces-P01-1")).to_have_value("2")
    expect(page.get_by_role("link", name="去结算")).to_be_visible()
    phone.go("/cart")
    page.get_by_role("button", name=re.compile("^删除")).press("Enter")
    expect(page.get_by_text("购物车还是空的")).to_be_visible()
    expect(page.locator("#cart")).to_be_focused()


def test_back_from_the_cashier_is_the_order(phone):
    at_the_cashier(phone)
    phone.page.go_back()
    phone.page.wait_for_url(re.compile(r"/orders/\d+\?unpaid=1"))
    expect(phone.page.get_by_text("您离开了收银台，还没有付款。")).to_be_visible()
    expect(phone.page.get_by_role("button", name="去付款")).to_be_visible()


def test_a_slow_payment_is_waited_for_and_its_failure_comes_by_itself(phone):
    at_the_cashier(phone)
    page, cashier = phone.page, phone.page.url
    page.locator("button[value=pending]").click()
    expect(page.get_by_role("heading", name="付款处理中")).to_be_visible()
    page.get_by_role("link", name="看订单").click()
    expect(page.get_by_role("heading", name="付款处理中")).to_be_visible()
    expect(page.get_by_role("button", name="去付款")).to_have_count(0)
    phone.shot("processing")
    provider = page.context.new_page()
    provider.goto(cashier)
    provider.locator("button[value=declined]").click()
    provider.close()
    expect(page.get_by_role("heading", name="待付款")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("上次付款没有成功：")).to_be_visible()
    expect(page.get_by_role("button", name="去付款")).to_be_visible()
