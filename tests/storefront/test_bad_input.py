"""Whatever is sent: a page that says what is wrong, in the visitor's language, nothing changed."""

from __future__ import annotations

import pytest

from tests.storefront.conftest import FORM, orders

EMOJI = "林晓 🌰"
ARABIC = "ليلى حسن"


@pytest.mark.parametrize("name", [EMOJI, ARABIC, "O'Brien <b>", "\N{HEBREW LETTER SHIN}לום"])
def test_names_of_every_kind_are_kept_and_shown(visitor, provider, transactions, name):
    visitor.put_in("P01-1")
    assert visitor.check_out(recipient=name).status_code == 303
    assert orders(transactions)[0].recipient == name


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("phone", "1380ABC1234", "请填写正确的手机号码"),
        ("phone", "", "请填写正确的手机号码"),
        ("phone", "1" * 80, "这一项填写有误"),
        ("recipient", " \u200b ", "收货人须为 1 至 40 个字符"),
        ("recipient", "x" * 41, "收货人须为 1 至 40 个字符"),
        ("recipient", "\u202eevil", "收货人须为 1 至 40 个字符"),
        ("detail", "x", "详细地址须为 2 至 120 个字符"),
        ("city", "999999", "请选择完整的省、市、区县"),
        ("province", "110110", "请选择完整的省、市、区县"),
        ("buyer_kind", "unit_account", "单位账户须登录"),
        ("buyer_kind", "emperor", "请选择一项"),
        ("buyer_kind", "", "请选择一项"),
        ("email", "not an address", "请填写有效的电子邮箱"),
        ("note", "好" * 201, "不超过 200 字"),
        ("unit", "U99", "没有代码"),
        ("purpose", "canteen", "须使用单位账户"),
        ("address_id", "x", "这一项填写有误"),
        ("expected_total", "many", "这一项填写有误"),
        ("expected_total", "9" * 5000, "这一项填写有误"),
    ],
)
def test_a_checkout_is_shown_again(visitor, provider, transactions, field, value, told):
    visitor.put_in("P01-1")
    answer = visitor.check_out(**{field: value})
    assert answer.status_code in {422, 404}, answer.status_code
    assert told in answer.text
    assert orders(transactions) == []
    assert provider.calls == []


def test_every_fault_at_once_and_what_was_entered_kept(visitor, transactions):
    visitor.put_in("P01-1")
    visitor.get("/checkout?lang=en")
    form = {"recipient": "", "phone": "x", "detail": "12 Long Street", "step": "place"}
    page = visitor.post("/checkout", {**visitor.hidden(), **form}).text
    for told in (
        "Please fill this in",
        "a phone number we can call",
        "choose province, city and county",
        "Please choose one",
    ):
        assert told in page
    assert "12 Long Street" in page


@pytest.mark.parametrize("quantity", ["0", "-1", "1000000", "1e3", "x", "", "1.5", "9" * 5000])
def test_a_quantity_that_is_none(visitor, quantity):
    visitor.get("/p/high-mountain-green-tea")
    form = {"slug": "high-mountain-green-tea", "sku": "P01-1", "quantity": quantity}
    answer = visitor.post("/cart/lines", form)
    assert answer.status_code == 422
    assert "购买数量须为 1 至 9999 的整数" in answer.text
    assert "购物车还是空的" in visitor.get("/cart").text


def test_more_and_more_until_it_is_too_much(visitor):
    visitor.put_in("P01-1", 9999)
    visitor.get("/p/high-mountain-green-tea?lang=en")
    answer = visitor.post("/cart/lines", {**visitor.hidden(), "sku": "P01-1", "quantity": "1"})
    assert answer.status_code == 422
    assert "whole number from 1 to 9999" in answer.text


@pytest.mark.parametrize("step", ["5", "x", "-7"])
def test_a_step_that_is_none(visitor, step):
    visitor.put_in("P01-1", 2)
    visitor.get("/cart")
    answer = visitor.post("/cart/lines/P01-1", {"quantity": "2", "step": step})
    assert answer.status_code == 422
    assert 'name="quantity" value="2"' in visitor.get("/cart").text


@pytest.mark.parametrize("sku", ["P99-1", "", "x" * 500, "'; DROP TABLE sku; --"])
def test_an_unknown_size(visitor, sku):
    visitor.get("/p/high-mountain-green-tea")
    answer = visitor.post("/cart/lines", {"sku": sku, "quantity": "1"})
    assert answer.status_code == 404
    assert "购物车还是空的" in visitor.get("/cart").text


def test_an_unknown_size_to_buy_now(visitor, provider, transactions):
    page = visitor.get("/checkout?buy=P99-1:2")
    assert "没有找到商品 P99-1" in page.text
    answer = visitor.post("/checkout", {**visitor.hidden(), **FORM})
    assert (answer.status_code, orders(transactions)) == (404, [])


@pytest.mark.parametrize("buy", ["P01-1:0", "P01-1:1000000"])
def test_buying_none_or_a_million_now(visitor, provider, transactions, buy):
    visitor.get(f"/checkout?buy={buy}")
    answer = visitor.post("/checkout", {**visitor.hidden(), **FORM})
    assert (answer.status_code, orders(transactions)) == (422, [])
    assert "购买数量须为 1 至 9999 的整数" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/p/nothing",
        "/c/nothing",
        "/coop/c99",
        "/pages/nothing",
        "/nowhere",
        "/orders/1",
        "/p/\N{GRINNING FACE}",
        "/account/nothing",
    ],
)
def test_what_is_not_there(reader, path):
    page = reader.get(path)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "联系客服时请提供此编号" in page.text


def test_what_is_not_there_in_english(reader):
    assert "There is no such page" in reader.get("/nowhere?lang=en").text


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/nowhere"])
def test_the_api_still_answers_with_problem_documents(reader, path):
    answer = reader.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_big_body(visitor):
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": "x" * 1_100_000})
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert "提交的内容太大了" in answer.text


def test_a_form_without_its_token(visitor):
    answer = visitor.client.post("/cart/lines", data={"sku": "P01-1", "quantity": "1"})
    assert answer.status_code == 400
    assert "请再提交一次" in answer.text
    assert "购物车还是空的" in visitor.get("/cart").text


def test_a_form_asked_for_as_a_page(reader):
    assert reader.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "lang=xx",
        "sort=nonsense",
        "least=x&most=-1",
        "least=1e9",
        "q=" + "x" * 3000,
        "in_stock=maybe",
        "category=" + "x" * 200,
        "_external=1&_scheme=x&endpoint=y",
        "q=%FF%FE",
    ],
)
def test_a_torn_search(reader, query):
    assert reader.get(f"/search?{query}").status_code in {200, 422}


def test_words_are_shown_as_words(reader):
    page = reader.get("/search", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page


NUL = "含有无法识别的字符"


@pytest.mark.parametrize(
    "path", ["/checkout?buy=P01-1:1&buy=%00:1", "/checkout/region?buy=P01-1:1&buy=x%00:1"]
)
def test_a_nul_behind_another_value_of_its_name(reader, path):
    answer = reader.get(path)
    assert answer.status_code == 422
    assert NUL in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/cart/lines?sku=P01-1", {"sku": "P01-1\0", "quantity": "1"}),
        ("/checkout", {"step": "region", "buy": "\0:1"}),
        (
            "/checkout?buy=P01-1:1",
            {"step": "place", "idempotency_key": "k", "buy": ["x:1", "\0:1"]},
        ),
        ("/find-order?number=1", {"number": "\0", "phone": "15400000001"}),
    ],
)
@pytest.mark.parametrize("token", [None, "stale"])
def test_a_nul_in_a_form_whatever_its_address_says(visitor, transactions, path, form, token):
    visitor.get("/sign-in")
    sent = form if token is None else {**form, "csrf_token": token}
    answer = visitor.post(path, sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 422
    assert NUL in answer.text
    assert orders(transactions) == []
