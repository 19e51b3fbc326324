"""Whoever needs help finds whom to turn to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shop.app import create_app
from tests.conftest import NOW
from tests.storefront.conftest import Visitor
from tests.storefront.test_account import ADDRESS

PHONE = 'href="tel:0872-000-0000"'
EMAIL = 'href="mailto:help@mall.example"'
DEMO = "演示信息，并非真实的联系方式。"


@pytest.fixture
def live(worker_database, settings) -> Visitor:
    """A visitor of a mall whose operator told nobody's number."""
    selling = replace(settings, environment="production", stripe_secret_key="sk_test_x")
    return Visitor(create_app(selling, worker_database, lambda: NOW).test_client())


@pytest.mark.parametrize("path", ["/", "/c/tea", "/sign-in"])
def test_the_footer_names_it(reader, path):
    page = reader.get(path).text
    assert [page.count(text) for text in (PHONE, EMAIL, DEMO)] == [1, 1, 1]


@pytest.mark.parametrize(
    "path", ["/pages/contact", "/pages/after-sale", "/pages/privacy", "/nowhere"]
)
def test_these_pages_name_it_in_their_text_too(reader, path):
    page = reader.get(path).text
    assert [page.count(text) for text in (PHONE, EMAIL, DEMO)] == [2, 2, 2]


@pytest.mark.parametrize("path", ["/cart", "/pages/contact", "/nowhere"])
def test_what_is_not_set_is_left_out(live, path):
    page = live.get(path).text
    for text in ("tel:", "mailto:", "运营方", "演示信息", "需要帮助", "客服电话"):
        assert text not in page


def test_who_forgot_a_password_is_told_what_to_do(reader):
    assert '<a class="more" href="/pages/contact">忘记密码？</a>' in reader.get("/sign-in").text
    assert "请用注册时的邮箱联系我们" in reader.get("/pages/contact").text


def test_a_product_shows_itself_where_its_link_is_passed_on(reader):
    page = reader.get("/p/high-mountain-green-tea").text
    head = page.split("</head>")[0]
    assert '<meta property="og:title" content="' in head
    assert f'<meta property="og:image" content="{reader_site()}/static/products/' in head


def reader_site() -> str:
    return "http://127.0.0.1:8000"


def test_a_list_that_cannot_be_narrowed_is_not_offered(reader):
    page = reader.get("/").text
    certified = page.split("<h2>帮扶认证</h2>")[1].split("</div>\n  <div")[0]
    assert 'class="more"' not in certified
    assert page.count('<a class="more" href="/search?sort=sales">') == 1


def test_an_address_is_deleted_after_a_question(alice):
    alice.get("/account/addresses/new")
    alice.post("/account/addresses/new", ADDRESS)
    page = alice.get("/account/addresses").text
    question = page.split('<details class="sure">')[1].split("</details>")[0]
    assert "确定要删除这个地址吗？" in question
    assert '/remove" data-once>' in question


def test_a_choice_that_is_missing_says_so_to_a_screen_reader(visitor):
    visitor.get("/register")
    page = visitor.post("/register", {"name": "梅"}).text
    assert (
        '<fieldset class="field" role="radiogroup" aria-invalid="true"'
        ' aria-describedby="buyer_kind-error">' in page
    )
    assert 'id="buyer_kind-error"' in page
    assert "data-faults" in page
