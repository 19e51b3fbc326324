import json

import pytest

from api.pagination import encode_cursor
from tests.conftest import SHARED

TEAS = [
    "high-mountain-green-tea",
    "high-mountain-black-tea",
    "sun-dried-tea-cake",
    "tea-tasting-gift-box",
    "first-flush-spring-tea",
]


def slugs(answer):
    assert answer.status_code == 200, answer.json
    return [item["slug"] for item in answer.json["items"]]


def test_the_shelf_shows_every_listed_product_in_its_order(reader):
    answer = reader.get("/products?limit=100")
    assert len(slugs(answer)) == 25
    assert slugs(answer)[:5] == TEAS
    assert answer.json["next_cursor"] is None


def test_an_item_has_the_fields_of_the_contract(reader):
    item = reader.get("/products?cooperative=C02&limit=1").json["items"][0]
    assert item == {
        "slug": "thin-shell-dried-walnuts",
        "name": "纸皮泡核桃 干果",
        "name_en": "Thin-shell dried walnuts",
        "category": "walnut",
        "cooperative": {
            "code": "C02",
            "name": "青岭核桃专业合作社(演示)",
            "name_en": "Qingling Walnut Cooperative (demo)",
        },
        "image_url": "/static/products/p06.svg",
        "price_fen": 3280,
        "price_max_fen": 7500,
        "availability": "in_stock",
        "on_sale": True,
        "sale_from": None,
        "sale_until": None,
        "ship_by": None,
        "aid_certified": True,
        "age_restricted": False,
    }


@pytest.mark.parametrize("words", ["茶叶", "chaye", "cy", "tea", "TEA"])
def test_teas_come_first_by_word_pinyin_initials_and_english(reader, words):
    assert set(slugs(reader.get("/products", query_string={"q": words}))[:5]) == set(TEAS)


@pytest.mark.parametrize("words", ["核桃油", "hetaoyou", "hty", "walnut oil", "冷榨"])
def test_one_product_comes_first_for_its_own_name(reader, words):
    assert slugs(reader.get("/products", query_string={"q": words}))[0] == "cold-pressed-walnut-oil"


@pytest.mark.parametrize("words", ["hetao", "核桃", "walnuts"])
def test_walnuts_by_pinyin_chinese_and_english(reader, words):
    found = slugs(reader.get("/products", query_string={"q": words, "limit": 100}))
    assert {"thin-shell-dried-walnuts", "walnut-kernels", "fresh-green-hull-walnuts"} <= set(found)
    assert "high-mountain-green-tea" not in found


def test_a_word_in_the_name_comes_before_one_among_the_ingredients(reader):
    found = slugs(reader.get("/products", query_string={"q": "苹果"}))
    assert found[:2] == ["apple-jiaosu-concentrate", "fruit-vegetable-jiaosu-drink"]


def test_a_description_is_searched_too(reader):
    found = slugs(reader.get("/products", query_string={"q": "米线"}))
    assert found == ["handmade-pickled-radish"]


@pytest.mark.parametrize("words", ["zzzzqq", "!!!", "'", "&|!", "没有这种东西"])
def test_nothing_is_found_for_what_is_not_there(reader, words):
    answer = reader.get("/products", query_string={"q": words})
    assert answer.json["items"] == []
    assert answer.json["facets"] == {"category": [], "cooperative": []}


@pytest.mark.skipif(not (SHARED / "data/security/blns").exists(), reason="needs ../shared")
def test_naughty_strings_are_only_words(reader):
    strings = json.loads((SHARED / "data/security/blns/blns.json").read_text())
    for text in strings:
        answer = reader.get("/products", query_string={"q": text})
        assert answer.status_code == 200 or answer.json["code"] == "invalid", text
        assert reader.get(f"/products/{text.replace('/', '')}x").status_code in {404, 422}, text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"category": "tea"}, 5),
        ({"category": "pickles"}, 5),
        ({"category": "pickle"}, 5),
        ({"category": "shoes"}, 0),
        ({"cooperative": "C04"}, 3),
        ({"cooperative": "C04", "category": "tea"}, 0),
        ({"min_price_fen": 18800}, 1),
        ({"max_price_fen": 1580}, 2),
        ({"min_price_fen": 4800, "max_price_fen": 4900}, 2),
        ({"in_stock": "true"}, 22),
        ({"storefront": "alumni"}, 25),
        ({"storefront": "nowhere"}, 0),
        ({"campaign": "K1"}, 25),
        ({"campaign": "K9"}, 0),
    ],
)
def test_filters(reader, query, count):
    assert len(slugs(reader.get("/products", query_string={**query, "limit": 100}))) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("sort=best", "sort"),
        ("min_price_fen=-1", "min_price_fen"),
        ("max_price_fen=99999999999999999999", "max_price_fen"),
        ("cursor=%00", None),
        ("cursor=abc", "cursor"),
        ("cursor=WzEsMiwzXQ", "cursor"),
        ("in_stock=perhaps", "in_stock"),
    ],
)
def test_a_query_that_means_nothing_is_refused(reader, query, field):
    answer = reader.get(f"/products?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert field is None or list(answer.json["errors"]) == [field]


@pytest.mark.parametrize("number", [2**63, -(2**63), "9" * 40])
def test_a_cursor_with_a_number_that_no_row_has_is_refused(reader, number):
    cursor = encode_cursor("relevance", number, "019ab13f-0000-7000-8000-000000000000")
    assert reader.get(f"/products?cursor={cursor}").status_code == 422


def test_a_cursor_of_another_order_is_refused(reader):
    cursor = reader.get("/products?limit=2&sort=price").json["next_cursor"]
    assert reader.get(f"/products?limit=2&sort=price&cursor={cursor}").status_code == 200
    assert reader.get(f"/products?limit=2&sort=sales&cursor={cursor}").status_code == 422


def test_facets_count_the_other_filters_and_leave_their_own_aside(reader):
    facets = reader.get("/products?category=fresh").json["facets"]
    assert {one["code"]: one["count"] for one in facets["cooperative"]} == {"C02": 1, "C05": 1}
    assert [one["code"] for one in facets["category"]] == [
        "tea",
        "walnut",
        "pickle",
        "cured",
        "alcohol",
        "jiaosu",
        "honey_spice",
        "fresh",
    ]
    assert sum(one["count"] for one in facets["category"]) == 25


@pytest.mark.parametrize("sort", ["relevance", "newest", "price", "-price", "sales"])
def test_walking_by_cursor_meets_every_product_once(reader, sort):
    met, cursor = [], ""
    for _ in range(7):
        page = reader.get(f"/products?sort={sort}&limit=4&cursor={cursor}")
        met += slugs(page)
        cursor = page.json["next_cursor"]
    assert cursor is None
    assert len(met) == len(set(met)) == 25
    assert met == slugs(reader.get(f"/products?sort={sort}&limit=100"))


def test_prices_rise_and_fall(reader):
    up = [one["price_fen"] for one in reader.get("/products?sort=price&limit=100").json["items"]]
    down = [one["price_fen"] for one in reader.get("/products?sort=-price&limit=100").json["items"]]
    assert (up, down) == (sorted(up), sorted(up, reverse=True))


def test_out_of_season_a_product_counts_as_sold_out(reader, shared_time):
    shared_time.set("2026-03-01T00:00:00+08:00")
    first = reader.get("/products/fresh-blueberries").json
    shared_time.set("2026-05-31T23:59:59+08:00")
    last = reader.get("/products/fresh-blueberries").json
    shared_time.set("2026-06-01T00:00:00+08:00")
    over = reader.get("/products/fresh-blueberries").json
    assert [(one["availability"], one["sale_state"]) for one in (first, last, over)] == [
        ("in_stock", "open"),
        ("in_stock", "open"),
        ("sold_out", "ended"),
    ]
    assert (over["on_sale"], over["sale_until"]) == (False, "2026-06-01T00:00:00+08:00")


def test_before_its_sale_a_presale_says_when_it_begins(reader, shared_time):
    shared_time.set("2026-02-28T23:59:59+08:00")
    tea = reader.get("/products/first-flush-spring-tea").json
    assert (tea["sale_state"], tea["availability"]) == ("not_yet", "sold_out")
    assert (tea["sale_from"], tea["ship_by"]) == ("2026-03-01T00:00:00+08:00", "2026-04-15")
    assert tea["sale_until"] == "2026-03-26T00:00:00+08:00"


def test_a_product_says_all_that_its_page_needs(reader):
    tea = reader.get("/products/high-mountain-green-tea").json
    assert tea["skus"][1] == {
        "code": "P01-2",
        "name": "袋装250g",
        "net_content": "250g",
        "unit": "袋",
        "price_fen": 9800,
        "weight_g": 290,
        "available": 400,
        "availability": "in_stock",
        "barcode": "2000000000022",
    }
    assert tea["origin"] == {
        "division_code": "532928201",
        "name": "云南省大理白族自治州永平县龙门乡",
    }
    assert tea["label"]["ingredients"] == ["茶叶"]
    assert tea["label_en"] == {
        "ingredients": ["tea"],
        "producer": "Yunwuling Tea Cooperative (demo)",
    }
    assert (tea["storage"], tea["storage_en"]) == (
        "阴凉干燥、避光密封",
        "Cool, dry and dark, well closed",
    )
    assert tea["households"] == {"members": 186, "lifted": 74}
    assert [one["kind"] for one in tea["certificates"]] == [
        "business_licence",
        "food_production_licence",
        "benefit_mechanism_statement",
    ]
    assert tea["freight"]["zh"].startswith("包邮；新疆、西藏、青海")
    assert (tea["price_fen"], tea["price_max_fen"]) == (4800, 9800)


def test_a_certificate_that_has_expired_is_not_shown(reader, shared_time):
    shared_time.set("2027-01-01T00:00:00+08:00")
    tea = reader.get("/products/high-mountain-green-tea").json
    assert [one["kind"] for one in tea["certificates"]] == [
        "business_licence",
        "food_production_licence",
    ]


def test_an_unknown_product_is_not_found(reader):
    answer = reader.get("/products/no-such-thing")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["/products", "/products/walnut-kernels", "/categories", "/cooperatives/C03", "/divisions"],
)
def test_who_has_it_already_is_told_so(reader, path):
    first = reader.get(path)
    again = reader.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    weak = {"If-None-Match": f"W/{first.headers['ETag']}"}
    assert reader.get(path, headers=weak).status_code == 304
    assert reader.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_answer_is_the_same_in_every_language(reader):
    chinese = reader.get("/products", headers={"Accept-Language": "zh-CN"})
    english = reader.get("/products", headers={"Accept-Language": "en"})
    assert chinese.data == english.data


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        (
            "/categories",
            ["tea", "walnut", "pickle", "cured", "alcohol", "jiaosu", "honey_spice", "fresh"],
        ),
        ("/cooperatives", ["C01", "C02", "C03", "C04", "C05"]),
        ("/storefronts", ["main", "alumni"]),
        ("/units", [f"U{number:02}" for number in range(1, 16)]),
        ("/channels", ["direct", "official_site", "new_media", "alumni_platform", "livestream"]),
        ("/campaigns", ["K1", "K2", "K3"]),
    ],
)
def test_reference_lists(reader, path, codes):
    answer = reader.get(path).json
    assert [item["code"] for item in answer["items"]] == codes
    assert answer["next_cursor"] is None


def test_a_campaign_has_a_name_in_both_languages(reader):
    first = reader.get("/campaigns").json["items"][0]
    assert (first["name"], first["name_en"]) == (
        "2026消费帮扶新春行动",
        "Spring Festival aid campaign 2026",
    )


def test_a_cooperative_shows_its_words_and_documents(reader):
    coop = reader.get("/cooperatives/C02").json
    assert coop["township"] == "云南省大理白族自治州永平县博南镇"
    assert (coop["member_households"], coop["lifted_households"]) == (342, 139)
    assert (coop["products"], len(coop["documents"])) == (6, 3)
    assert reader.get("/cooperatives/C99").status_code == 404


def test_a_campaign_runs_from_its_start_until_before_its_end(reader, shared_time):
    shared_time.set("2026-06-10T23:59:59+08:00")
    running = [one["code"] for one in reader.get("/campaigns").json["items"] if one["running"]]
    shared_time.set("2026-06-11T00:00:00+08:00")
    after = [one["code"] for one in reader.get("/campaigns").json["items"] if one["running"]]
    assert (running, after) == (["K2"], [])


def test_divisions_lead_down_to_a_leaf(reader):
    assert len(reader.get("/divisions").json["items"]) == 34
    counties = reader.get("/divisions?parent=532900").json["items"]
    assert {"code": "532928", "name": "永平县", "level": "county", "leaf": True} in counties
    assert reader.get("/divisions?parent=532928").json["items"] == []


def test_a_product_has_no_lots_yet(reader):
    assert reader.get("/products/high-mountain-green-tea").json["lots"] == []
