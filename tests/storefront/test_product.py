"""What a product's page says: the freight to one's own region, the label, what can go back."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import update

from models.catalog import Product
from shop.catalog.cache import cache_of
from shop.catalog.rules import Hint
from shop.pricing.freight import FreeCondition, FreightTemplate, Rule, Step
from shop.pricing.hints import hint_to, product_hint_to
from storefront import labels
from tests.conftest import counted
from tests.storefront.conftest import Visitor

WALNUTS = "/p/thin-shell-dried-walnuts"
BERRIES = "/p/fresh-blueberries"

TEMPLATE = FreightTemplate(
    code="T",
    name="",
    charge_by="weight_g",
    default=Step(1000, 800, 1000, 300),
    rules=(Rule(frozenset({"65"}), Step(1000, 2200, 500, 1500)),),
    free_conditions=(FreeCondition(9900, None),),
    not_deliverable=frozenset({"71"}),
)


def test_a_province_without_a_rule_goes_by_the_default():
    assert hint_to(TEMPLATE, "31") == Hint(
        "首重1 kg ¥8.00，续重每1 kg ¥3.00；满¥99.00包邮",
        "¥8.00 for the first 1 kg, ¥3.00 for each further 1 kg; free from ¥99.00",
    )


def test_a_province_with_a_rule_goes_by_it_and_is_not_free():
    assert hint_to(TEMPLATE, "65") == Hint(
        "首重1 kg ¥22.00，续重每500 g ¥15.00",
        "¥22.00 for the first 1 kg, ¥15.00 for each further 500 g",
    )


def test_a_province_that_is_not_delivered_to_has_no_price():
    assert hint_to(TEMPLATE, "71") is None


def test_the_hint_of_a_product_is_its_template_s(ctx):
    found = product_hint_to(ctx, "thin-shell-dried-walnuts", "65")
    assert found == Hint(
        "首重1 kg ¥22.00，续重每1 kg ¥15.00",
        "¥22.00 for the first 1 kg, ¥15.00 for each further 1 kg",
    )


def test_the_page_says_what_it_costs_where_the_visitor_is(visitor):
    assert "送到" not in visitor.get(WALNUTS).text
    visitor.get("/cart?province=650000")
    assert "送到新疆维吾尔自治区：首重1 kg ¥22.00，续重每1 kg ¥15.00" in visitor.get(WALNUTS).text
    english = visitor.get(f"{WALNUTS}?lang=en").text
    assert "¥22.00 for the first 1 kg, ¥15.00 for each further 1 kg" in english


def test_the_page_says_where_it_is_not_sent_to(visitor):
    visitor.get("/cart?province=650000")
    assert "不发往新疆维吾尔自治区，收货地区可以在购物车里更改。" in visitor.get(BERRIES).text
    visitor.get("/cart?province=310000")
    page = visitor.get(BERRIES).text
    assert ("不发往" in page, "送到上海市：首重2 kg ¥25.00" in page) == (False, True)


def test_it_is_one_visitor_s_region_and_not_the_next_one_s(visitor, app):
    visitor.get("/cart?province=650000")
    other = Visitor(app.test_client())
    other.get("/cart?province=310000")
    assert "送到新疆维吾尔自治区" in visitor.get(WALNUTS).text
    assert "送到上海市：首重1 kg ¥8.00，续重每1 kg ¥3.00；满¥99.00包邮" in other.get(WALNUTS).text
    assert "送到" not in Visitor(app.test_client()).get(WALNUTS).text


def test_the_piece_for_a_region_is_kept_too(visitor, database):
    visitor.get("/cart?province=650000")
    visitor.get(WALNUTS)
    cache_of(database.engine).expire()
    visitor.get(WALNUTS)
    with counted(database) as issued:
        page = visitor.get(WALNUTS).text
    assert ("送到新疆维吾尔自治区" in page, len(issued) <= 1) == (True, True)


def test_a_refused_form_says_it_as_well(visitor):
    visitor.get("/cart?province=650000")
    visitor.get(WALNUTS)
    form = {"slug": "thin-shell-dried-walnuts", "sku": "P06-1", "quantity": "0"}
    answer = visitor.post("/cart/lines", form)
    assert (answer.status_code, "送到新疆维吾尔自治区" in answer.text) == (422, True)


def test_the_form_is_sent_once_however_often_it_is_tapped(reader):
    assert '<form class="buy stack" id="buy" method="post" action="/cart/lines" data-once>' in (
        reader.get(WALNUTS).text
    )


@pytest.mark.parametrize("path", ["/p/high-mountain-green-tea", BERRIES])
def test_after_sale_is_promised_as_the_rules_have_it(reader, path):
    page = reader.get(path).text
    assert ("签收后 48 小时内" in page, "随时" in page) == (True, False)
    assert "within 48 hours of delivery" in reader.get(f"{path}?lang=en").text


def label(page: str) -> dict[str, str]:
    return dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page))


def test_allergens_and_warnings_are_understood_in_english(reader):
    walnuts = label(reader.get("/p/candied-walnut-kernels?lang=en").text)
    assert walnuts["Allergens"] == "Nuts, Sesame (voluntary statement)"
    liquor = label(reader.get("/p/bamboo-liquor?lang=en").text)
    assert liquor["Warning"] == ("Excessive drinking is harmful to health; Not for sale to minors")


def test_in_chinese_they_stand_as_on_the_pack(reader):
    walnuts = label(reader.get("/p/candied-walnut-kernels?lang=zh").text)
    assert walnuts["致敏物质"] == "坚果、芝麻（自愿标示）"
    assert label(reader.get("/p/bamboo-liquor?lang=zh").text)["警示语"] == (
        "过量饮酒有害健康；不向未成年人销售"
    )


def test_what_is_in_it_is_said_in_the_reader_s_language(reader):
    english = label(reader.get("/p/candied-walnut-kernels?lang=en").text)
    assert (english["Ingredients"], english["Producer"], english["Storage"]) == (
        "walnut kernels, white sugar, maltose, sesame",
        "Qingling Walnut Cooperative (demo)",
        "At room temperature, away from direct sunlight",
    )
    chinese = label(reader.get("/p/candied-walnut-kernels?lang=zh").text)
    assert (chinese["配料"], chinese["生产者"], chinese["储存条件"]) == (
        "核桃仁、白砂糖、麦芽糖、芝麻",
        "青岭核桃专业合作社(演示)",
        "常温，避免阳光直射",
    )


def test_what_has_no_english_is_shown_as_on_the_pack(visitor, transactions):
    with transactions.begin() as ctx:
        ctx.session.execute(
            update(Product.__table__)
            .where(Product.code == "P08")
            .values(label_en={"producer": "Qingling"}, storage_en=None)
        )
    english = label(visitor.get("/p/candied-walnut-kernels?lang=en").text)
    assert (english["Ingredients"], english["Producer"], english["Storage"]) == (
        "核桃仁, 白砂糖, 麦芽糖, 芝麻",
        "Qingling",
        "常温，避免阳光直射",
    )


def test_what_no_dictionary_knows_stays_as_it_is(app):
    with app.test_request_context("/?lang=en", headers={"Accept-Language": "en"}):
        assert labels.allergens(["坚果(交叉接触, 自愿标示)", "芥末"]) == (
            "Nuts (possible cross-contact, voluntary statement), 芥末"
        )
        assert labels.warning("不宜空腹; 酒后请勿驾车") == "不宜空腹; Do not drink and drive"
        assert (labels.allergens([]), labels.warning("")) == ("", "")


def test_an_english_description_has_no_chinese_commas(reader):
    page = unescape(reader.get(f"{WALNUTS}?lang=en").text)
    described = re.search(r'<meta name="description" content="([^"]*)"', page)[1]
    assert re.search(r"[，、]", described) is None
    assert described.count(", ") >= 2
