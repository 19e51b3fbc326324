"""Every page, in both languages, in a constant number of statements."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import pytest

from shop.app import create_app
from shop.catalog.cache import cache_of
from shop.catalog.commands import change_price
from tests.conftest import actor_of, counted
from tests.storefront.conftest import FORM, Visitor, orders, pay

# path -> statements of a visitor who has nothing yet
OPEN = {
    "/": 4,
    "/categories": 3,
    "/c/tea": 3,
    "/search?q=hetao": 2,
    "/search?q=tea&sort=price&in_stock=1&least=10&most=99.5&cooperative=C01": 2,
    "/p/high-mountain-green-tea": 5,
    "/p/bamboo-liquor": 5,
    "/coop/c01": 3,
    "/cart": 1,
    "/account": 0,
    "/sign-in": 0,
    "/register": 1,
    "/find-order": 0,
    "/pages/about": 0,
    "/pages/contact": 0,
    "/pages/after-sale": 0,
    "/pages/privacy": 0,
    "/pages/terms": 0,
    "/pages/alcohol": 0,
    "/pages/licences": 1,
}
KEPT = [
    path for path in OPEN if path.startswith(("/c/", "/categories", "/search", "/p/", "/coop/"))
]
KEPT += ["/"]
MARK = re.compile(r"@[0-9a-f]{24}@")
FORM_TOKEN = re.compile(r'name="csrf_token" value="[^"]+"')
CHINESE = re.compile(r"[\u4e00-\u9fff]")
DATA = re.compile(
    r'<option[^>]*>.*?</option>|class="(?:choice-face|line-spec)".*?</|<td>.*?</td>|lang="zh-CN"[^>]*>.*?</(?:a|span)>',
    re.DOTALL,
)
"""What the catalogue has in Chinese alone: sizes, labels as printed, divisions."""


@pytest.mark.parametrize("path", OPEN)
def test_a_page_in_chinese(reader, path):
    page = reader.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert '<html lang="zh-CN">' in page.text


@pytest.mark.parametrize("path", OPEN)
def test_a_page_in_english(reader, path):
    page = reader.get(path, headers={"Accept-Language": "en"})
    assert '<html lang="en">' in page.text
    rest = DATA.sub("", page.text)
    assert [line for line in rest.splitlines() if CHINESE.search(line)] == []


@pytest.mark.parametrize("path", [path for path in OPEN if path not in KEPT])
def test_the_number_of_statements_is_constant(reader, worker_database, path):
    with counted(worker_database) as issued:
        reader.get(path)
    assert len(issued) == OPEN[path], issued


@pytest.mark.parametrize("path", KEPT)
def test_a_kept_page_costs_a_constant_number_of_statements_once(reader, worker_database, path):
    fresh = f"{path}{'&' if '?' in path else '?'}fresh={uuid4().hex}"
    cache_of(worker_database.engine).expire()
    with counted(worker_database) as issued:
        first = reader.get(fresh).text
    with counted(worker_database) as again:
        second = reader.get(fresh).text
    assert len(issued) == OPEN[path] + 1, issued  # and the one that asks for changes
    assert len(again) <= 1
    assert FORM_TOKEN.sub("", first) == FORM_TOKEN.sub("", second)


@pytest.mark.parametrize("path", ["/", "/categories", "/cart", "/p/walnut-kernels"])
def test_nothing_inline_and_nothing_foreign(reader, path):
    page = reader.get(path)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert re.findall(r"\son\w+=|\sstyle=|<style|<script>", page.text) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []


def test_a_full_basket_costs_as_many_statements_as_a_small_one(visitor, database):
    visitor.put_in("P01-1")
    with counted(database) as small:
        visitor.get("/cart")
    for sku in ("P02-1", "P06-1", "P12-1", "P18-1", "P22-1"):
        visitor.put_in(sku)
    with counted(database) as full:
        visitor.get("/cart")
    assert len(small) == len(full) == 3


MANY = ("P01-1", "P02-1", "P06-1", "P12-1", "P21-1", "P22-1")
"""Six products of four cooperatives."""


def cost(database, visitor, path) -> int:
    with counted(database) as issued:
        assert visitor.get(path).status_code == 200
    return len(issued)


def filled(visitor, skus) -> Visitor:
    for sku in skus:
        visitor.put_in(sku)
    return visitor


def test_the_checkout_of_one_thing_and_of_many(visitor, database):
    costs = [cost(database, filled(visitor, skus), "/checkout") for skus in (MANY[:1], MANY[1:])]
    assert costs == [4, 4]


def test_the_checkout_with_a_region_of_one_thing_and_of_many(alice, database):
    """The freight of every seller is asked for too, and the addresses of who is known."""
    costs = []
    for skus in (MANY[:1], MANY[1:]):
        filled(alice, skus).get("/checkout")
        with counted(database) as issued:
            alice.post("/checkout", {**alice.hidden(), **FORM, "step": "region"})
        assert alice.shown.status_code == 200
        costs.append(len(issued))
    assert costs == [costs[0]] * 2


def test_an_order_of_one_thing_and_of_many(alice, provider, database, transactions):
    costs = []
    for skus in (MANY[:1], MANY):
        filled(alice, skus).check_out()
        pay(provider)
        costs.append(cost(database, alice, f"/orders/{orders(transactions)[-1].number}"))
    assert costs == [costs[0]] * 2


def test_a_list_of_one_order_and_of_many(alice, provider, database):
    costs = []
    for skus in (MANY[:1], MANY):
        for sku in skus:
            filled(alice, [sku]).check_out()
        costs.append(cost(database, alice, "/orders"))
    assert costs == [4, 4]


def test_the_language_chosen_is_kept(reader):
    reader.get("/?lang=en")
    assert '<html lang="en">' in reader.get("/cart").text


def test_the_language_link_keeps_the_rest_of_the_address(reader):
    page = reader.get("/search?q=hetao&sort=price")
    assert "/search?q=hetao&amp;sort=price&amp;lang=en" in page.text


def test_english_names_of_goods_and_sellers(reader):
    page = reader.get("/p/high-mountain-green-tea?lang=en")
    assert "High-mountain green tea" in page.text
    assert "Yunwuling Tea Cooperative" in page.text


@pytest.mark.parametrize("q", ["茶叶", "chaye", "cy"])
def test_search_by_words_and_by_pinyin(reader, q):
    assert "/p/high-mountain-green-tea" in reader.get("/search", query_string={"q": q}).text


def test_no_field_of_the_filter_says_that_it_is_optional(reader):
    page = reader.get("/search?lang=en").text
    assert 'for="category">Category</label>' in page
    assert "optional" not in page


def test_search_narrows_by_price_and_sorts(reader):
    page = reader.get("/search?category=tea&sort=-price&most=100")
    found = re.findall(r'class="pcard-name" href="/p/([^"]+)"', page.text)
    assert found == ["tea-tasting-gift-box", "high-mountain-black-tea", "high-mountain-green-tea"]


def test_the_list_goes_on_without_script(reader):
    first = reader.get("/categories")
    following = re.search(r'href="(/categories\?after=[^"]+)"', first.text)[1]
    second = reader.get(following)
    assert second.text.count('class="prow"') == 1
    assert first.text.count('class="prow"') == 24


@pytest.mark.parametrize("after", ["x", "1_x", "9" * 40 + "_" + "0" * 32, "%00", "_"])
def test_a_torn_page_link_shows_the_first_page(reader, after):
    page = reader.get(f"/categories?after={after}")
    assert page.status_code == (422 if after == "%00" else 200)


def test_what_is_out_of_season_cannot_be_bought(reader):
    page = reader.get("/p/fresh-blueberries")
    assert "今年这一季已经卖完" in page.text
    assert "立即购买" not in page.text


def test_a_presale_says_when_it_is_sent(visitor, time):
    time.set("2026-03-10T10:00:00+08:00")
    page = visitor.get("/p/first-flush-spring-tea")
    assert "预售商品，2026年4月15日前发出。" in page.text
    assert "当季供应，2026年3月25日截止。" in page.text


def test_static_files_are_kept_for_a_year_under_their_hash(reader):
    address = re.search(r'href="(/static/shop\.css\?v=[^"]+)"', reader.get("/").text)[1]
    assert reader.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert reader.get("/static/shop.css").headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_way_home_is_called_as_it_reads(visitor, language):
    """Who speaks to a browser says what is to be seen."""
    page = visitor.get(f"/?lang={language}").text
    called = re.search(r'class="brand" href="/" aria-label="([^"]+)"', page)[1]
    assert called.startswith(re.search(r'class="brand-name">([^<]+)<', page)[1] + " ")


def test_htmx_is_served_by_ourselves(reader):
    address = re.search(r'src="(/assets/htmx\.min\.js\?v=[^"]+)"', reader.get("/cart").text)[1]
    assert reader.get(address).mimetype == "text/javascript"


def test_the_pictures_seen_first_do_not_wait_for_the_style_sheet(reader):
    """What is lazy is asked for only once the page has been laid out."""
    rows = reader.get("/c/tea").text.split('<article class="prow">')[1:]
    assert ['loading="lazy"' in row for row in rows] == [False] * 4 + [True]


def test_every_picture_of_the_catalogue_is_there(reader):
    for path in ("/", "/categories", "/search", "/coop/c05"):
        for address in set(re.findall(r'src="(/static/[^"]+)"', reader.get(path).text)):
            assert reader.client.get(address).status_code == 200, address


def test_a_kept_page_shows_each_visitor_their_own(visitor, app):
    visitor.put_in("P01-1", 7)
    visitor.get("/p/walnut-kernels")
    other = Visitor(app.test_client())
    other.get("/p/walnut-kernels")
    assert "<span data-cart-count>7</span>" in visitor.shown.text
    assert "<span data-cart-count>0</span>" in other.shown.text
    assert visitor.hidden()["csrf_token"] != other.hidden()["csrf_token"]
    assert MARK.search(other.shown.text) is None


def test_a_message_is_shown_once_on_a_kept_page(visitor):
    visitor.get("/p/walnut-kernels")
    visitor.post("/cart/lines", {**visitor.hidden(), "sku": "P07-1", "quantity": "1"})
    assert "已放进购物车" in visitor.follow().text
    assert "已放进购物车" not in visitor.get("/p/walnut-kernels?sku=P07-1").text


def test_a_kept_page_follows_the_stock_and_the_price(visitor, transactions):
    assert "¥29.90" in visitor.get("/p/walnut-kernels").text
    with transactions.acting(actor_of(transactions, "charlie")).begin() as ctx:
        change_price(ctx, "P07-1", 3090, "test", 1)
    assert "¥30.90" in visitor.get("/p/walnut-kernels").text


def test_files_for_everybody_carry_nobodys_cookie(visitor):
    visitor.put_in("P01-1")
    address = re.search(r'href="(/static/shop\.css\?v=[^"]+)"', visitor.get("/cart").text)[1]
    assert "Set-Cookie" not in visitor.get(address).headers
    assert "Set-Cookie" not in visitor.get("/c/tea").headers
    for path in (address, "/favicon.ico?", "/robots.txt?", "/assets/htmx.min.js?v=1"):
        answer = visitor.get(f"{path}&lang=en&ch=new_media")
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)


@pytest.mark.parametrize(
    ("url", "name", "secure", "kept"),
    [
        ("http://127.0.0.1:8000", "mall", False, None),
        ("https://mall.example", "__Host-mall", True, "max-age=31536000"),
    ],
)
def test_under_https_only_this_very_host_sets_the_cookie(
    worker_database, settings, url, name, secure, kept
):
    app = create_app(replace(settings, public_url=url), worker_database)
    answer = app.test_client().get("/sign-in", base_url=url)
    value, *rest = answer.headers["Set-Cookie"].split("; ")
    assert value.partition("=")[0] == name
    assert ("Secure" in rest, "HttpOnly" in rest, "Path=/" in rest) == (secure, True, True)
    assert "SameSite=Lax" in rest
    assert not any(part.startswith("Domain") for part in rest)
    assert answer.headers.get("Strict-Transport-Security") == kept
