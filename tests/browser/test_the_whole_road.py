"""A person buys on a phone, two cooperatives ship, the organizer reads the total to the fen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from shop.clock import business_day, system_clock
from tests.browser.conftest import DESK, PASSWORD, PHONE, Mall, Window, window

pytestmark = pytest.mark.browser

TEA = "/p/high-mountain-green-tea"
WALNUTS = "/p/thin-shell-dried-walnuts"
TOTAL = "127.60"
"""48.00 tea, free of freight; 2 bags of walnuts at 32.80, 2,160 g = 8.00 + 2 × 3.00 freight."""


def add(phone: Window, path: str, pieces: int) -> None:
    phone.go(path)
    for _ in range(pieces - 1):
        phone.page.get_by_role("button", name=re.compile("增加|加一|＋|\\+")).first.click()
    phone.page.get_by_role("button", name="加入购物车").click()


def fill_address(page: Any) -> None:
    page.get_by_label("收货人").fill("林晓")
    page.get_by_label("手机号").fill("15400000009")
    for level, code in (("province", "330000"), ("city", "330100"), ("county", "330106")):
        page.locator(f"select#{level} option[value='{code}']").wait_for(state="attached")
        page.locator(f"select#{level}").select_option(code)
    page.get_by_label("详细地址").fill("文三路 20 号")


def order_on_the_phone(phone: Window) -> str:
    phone.go("/?ch=alumni_platform")
    phone.shot("01-home")
    add(phone, TEA, 1)
    phone.shot("02-after-tea")
    add(phone, WALNUTS, 2)
    phone.go("/cart")
    phone.shot("03-cart")
    phone.page.get_by_role("link", name="去结算").click()
    fill_address(phone.page)
    phone.page.locator("input[name=buyer_kind][value=alumni]").check()
    phone.page.get_by_label("所在单位或校友会").select_option("U13")
    phone.page.get_by_label("我知道食品拆封后").check()
    expect(phone.page.locator("#grand-total")).to_contain_text(TOTAL.split(".", maxsplit=1)[0])
    phone.shot("04-checkout")
    phone.page.locator(".buybar").get_by_role("button", name="提交订单").click()
    phone.page.wait_for_url(re.compile("/c/pay/"))
    phone.shot("05-cashier")
    phone.page.locator("button[value=paid]").click()
    phone.page.wait_for_url(re.compile(r"/orders/\d+/result"))
    expect(phone.page.get_by_text(re.compile("付款成功|支付成功")).first).to_be_visible()
    phone.shot("06-result")
    return re.search(r"/orders/(\d+)/", phone.page.url)[1]


def sign_in(desk: Window, email: str) -> None:
    desk.go("/admin/sign-in")
    desk.page.get_by_label("邮箱").fill(email)
    desk.page.get_by_label("密码").fill(PASSWORD)
    desk.page.get_by_role("button", name="登录").click()
    desk.page.wait_for_url(re.compile("/admin(?!/sign-in)"))


def ship(browser: Any, mall: Mall, email: str, number: str, parcels: list[tuple[str, str]]) -> None:
    """Ship a consignment in one parcel a tracking number, so many pieces in each."""
    desk, context = window(browser, mall, "1280", **DESK)
    sign_in(desk, email)
    desk.shot(f"07-board-{email.split('@', maxsplit=1)[0]}")
    for pieces, tracking in parcels:
        desk.go(f"/admin/consignments/{number}")
        desk.page.locator("input.pieces").first.fill(pieces)
        form = desk.page.get_by_role("form", name="发货", exact=True)
        form.get_by_label("快递公司").select_option("zhongtong")
        form.get_by_label("快递单号").fill(tracking)
        desk.page.get_by_role("button", name="确认发货").click()
        expect(desk.page.get_by_text(tracking).first).to_be_visible()
    desk.shot(f"08-shipped-{email.split('@', maxsplit=1)[0]}")
    assert desk.complaints == []
    context.close()


def test_the_whole_road(phone, browser, mall):
    number = order_on_the_phone(phone)
    ship(browser, mall, "coop@demo.example", f"{number}-1", [("1", "ROADTEA1")])
    ship(browser, mall, "coop2@demo.example", f"{number}-2", [("1", "ROADNUT1"), ("1", "ROADNUT2")])
    phone.page.get_by_role("link", name="看订单").first.click()
    for tracking in ("ROADTEA1", "ROADNUT1", "ROADNUT2"):
        expect(phone.page.get_by_text(tracking).first).to_be_visible()
    expect(phone.page.get_by_text("待收货").first).to_be_visible()
    phone.shot("09-order")
    assert phone.complaints == []
    desk, context = window(browser, mall, "1280", **DESK)
    sign_in(desk, "organizer@demo.example")
    the_total_shows_it(desk, number)
    context.close()


def the_total_shows_it(desk: Window, number: str) -> None:
    """This month's total holds the goods (113.60, no freight); the figure opens to the order."""
    desk.go("/admin/reports")
    desk.page.get_by_role("link", name="本月").click()
    desk.shot("10-report")
    for table, name in (("按单位", "上海校友会"), ("按渠道", "线上校友平台")):
        amount, orders = row_of(desk, table, name).get_by_role("cell").get_by_role("link").all()
        expect(amount).to_have_text("¥113.60")
        expect(orders).to_have_text("1")
    month = f"{business_day(system_clock()):%Y-%m}"
    expect(row_of(desk, "按月", month)).to_be_visible()
    row_of(desk, "按单位", "上海校友会").get_by_role("link").last.click()
    for line in ("¥48.00", "¥65.60"):
        expect(desk.page.locator("tr", has_text=line).first).to_contain_text(number)
    desk.shot("11-entries-behind-the-figure")
    desk.page.get_by_role("link", name=number).first.click()
    expect(desk.page.get_by_text("¥127.60").first).to_be_visible()
    desk.shot("12-order-behind-the-entries")
    assert desk.complaints == []


def row_of(desk: Window, table: str, name: str) -> Any:
    """The row of `name` in one table of the report; others, as that of targets, name units too."""
    heading = desk.page.get_by_role("rowheader", name=name, exact=True)
    card = desk.page.get_by_role("region", name=table, exact=True)
    return card.get_by_role("row").filter(has=heading)


PAGES = [
    "/",
    "/categories",
    "/c/tea",
    "/search?q=hetao",
    "/search?q=zzzz",
    TEA,
    "/p/bamboo-liquor",
    "/coop/c01",
    "/cart",
    "/orders",
    "/find-order",
    "/sign-in",
    "/register",
    "/pages/privacy",
    "/nothing-here",
]


@pytest.mark.parametrize("profile", [PHONE, DESK], ids=["390", "1280"])
def test_every_public_page_is_drawn_without_a_complaint(browser, mall, profile):
    name = str(profile["viewport"]["width"])
    shown, context = window(browser, mall, name, **profile)
    for language in ("zh", "en"):
        for path in PAGES:
            shown.go(path + ("&" if "?" in path else "?") + f"lang={language}")
            wide = shown.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, f"{path} is {wide} px too wide at {name}"
            label = re.sub(r"\W+", "-", path).strip("-") or "home"
            shown.shot(f"page-{label}-{language}")
    assert [text for text in shown.complaints if "404" not in text] == []
    context.close()


def test_the_purchase_works_without_javascript(browser, mall):
    shown, context = window(browser, mall, "390-nojs", **{**PHONE, "java_script_enabled": False})
    page = shown.page
    shown.go(TEA)
    page.get_by_role("button", name="立即购买").click()
    page.get_by_label("收货人").fill("林晓")
    page.get_by_label("手机号").fill("15400000009")
    page.locator("select#province").select_option("530000")
    page.get_by_role("button", name="载入下一级地区").click()
    page.locator("select#city").select_option("532900")
    page.get_by_role("button", name="载入下一级地区").click()
    page.locator("select#county").select_option("532928")
    page.get_by_label("详细地址").fill("博南路 1 号")
    page.locator("input[name=buyer_kind][value=public]").check()
    page.get_by_label("我知道食品拆封后").check()
    shown.shot("checkout")
    page.locator(".buybar").get_by_role("button", name="提交订单").click()
    page.wait_for_url(re.compile("/c/pay/"))
    page.locator("button[value=paid]").click()
    page.wait_for_url(re.compile(r"/orders/\d+/result"))
    expect(page.get_by_text(re.compile("付款成功|支付成功")).first).to_be_visible()
    context.close()


def test_a_lost_connection_is_told_and_the_button_leads_on(phone):
    add(phone, TEA, 1)
    phone.go("/checkout")
    page = phone.page
    onwards = page.get_by_role("button", name="载入下一级地区")
    expect(onwards).to_be_hidden()
    page.route("**/checkout/region*", lambda route: route.abort())
    page.locator("select#province").select_option("330000")
    expect(page.get_by_role("alert").filter(has_text="网络不稳，请再试一次")).to_be_visible()
    phone.shot("lost")
    onwards.click()
    expect(page.locator("select#city option[value='330100']")).to_be_attached()
    expect(onwards).to_be_hidden()
