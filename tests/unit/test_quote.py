from uuid import UUID

import pytest
from freight_cases import BASKETS, HAINAN, SHANGHAI, TEMPLATES, XINJIANG
from hypothesis import given
from hypothesis import strategies as st

from shop.ids import CooperativeId, SkuId
from shop.pricing.freight import parse_template
from shop.pricing.rules import MAX_LINE_QUANTITY, allocate_discount, is_quantity, quote
from shop.pricing.values import PricedLine

PARSED = {code: parse_template(data) for code, data in TEMPLATES.items()}


def line(number=1, **fields):
    """A tin of green tea of cooperative C01, 48 yuan, 180 g, freight by piece."""
    cooperative = fields.get("cooperative_code", "C01")
    return PricedLine(
        **{
            "sku_id": SkuId(UUID(int=number)),
            "sku_code": f"P{number:02}-1",
            "product_id": UUID(int=1000 + number),
            "name": "高山绿茶",
            "name_en": "Green tea",
            "spec": "罐装100g",
            "cooperative_id": CooperativeId(UUID(int=int(cooperative[1:]))),
            "cooperative_code": cooperative,
            "cooperative_name": f"合作社{cooperative}",
            "quantity": 1,
            "unit_price_fen": 4800,
            "weight_g": 180,
            "template": PARSED["FT_FREE"],
            "available": 600,
        }
        | fields
    )


def codes(result):
    return [(problem.code, problem.sku) for problem in result.problems]


@pytest.mark.parametrize(("province", "rows", "freight", "missing"), BASKETS)
def test_golden_baskets(province, rows, freight, missing):
    lines = [
        line(n, cooperative_code=coop, template=PARSED[code], quantity=pieces, unit_price_fen=price,
             weight_g=grams)
        for n, (coop, code, pieces, price, grams) in enumerate(rows)
    ]  # fmt: skip
    result = quote(lines, province)
    assert {part.cooperative_code: part.freight_fen for part in result.consignments} == freight
    assert {part.cooperative_code: part.to_free_fen for part in result.consignments} == missing
    assert result.problems == ()


def test_the_sum_to_xinjiang():
    milk = line(10, cooperative_code="C02", unit_price_fen=5900, weight_g=3600,
                template=PARSED["FT_WEIGHT"])  # fmt: skip
    result = quote([milk], XINJIANG)
    assert (result.goods_fen, result.freight_fen, result.total_fen) == (5900, 6700, 12600)
    assert result.freight_known is True


def test_gross_and_discount_stay_apart():
    result = quote([line(quantity=2, discount_fen=600)], HAINAN)
    (part,) = result.consignments
    assert (part.goods_fen, part.discount_fen, part.freight_fen) == (9600, 600, 1300)
    assert part.total_fen == result.total_fen == 10300


def test_the_free_threshold_looks_at_what_is_paid():
    walnuts = {"template": PARSED["FT_WEIGHT"], "unit_price_fen": 9900, "weight_g": 900}
    assert quote([line(**walnuts)], SHANGHAI).freight_fen == 0
    reduced = quote([line(**walnuts, discount_fen=1)], SHANGHAI)
    assert (reduced.freight_fen, reduced.consignments[0].to_free_fen) == (800, 1)


def test_consignments_stand_in_the_order_of_their_codes():
    lines = [line(1, cooperative_code="C03"), line(2), line(3, cooperative_code="C03"), line(4)]
    result = quote(lines, SHANGHAI)
    assert [part.cooperative_code for part in result.consignments] == ["C01", "C03"]
    assert [[one.sku_code for one in part.lines] for part in result.consignments] == [
        ["P02-1", "P04-1"],
        ["P01-1", "P03-1"],
    ]


def test_freight_is_shared_out_among_the_lines_that_cause_it():
    heavy = line(1, template=PARSED["FT_WEIGHT"], weight_g=2000, quantity=1)
    light = line(2, template=PARSED["FT_WEIGHT"], weight_g=500, quantity=2)
    tea = line(3, quantity=1)
    (part,) = quote([heavy, tea, light], XINJIANG).consignments
    assert part.line_freight_fen == (3467, 1500, 1733)
    assert part.freight_fen == 6700


def test_a_cart_without_an_address_has_no_freight_yet():
    result = quote([line(template=PARSED["FT_WEIGHT"])], None)
    assert (result.freight_fen, result.freight_known, result.total_fen) == (0, False, 4800)
    assert result.problems == ()


def test_an_empty_cart_costs_nothing():
    result = quote([], SHANGHAI)
    assert (result.consignments, result.total_fen, result.freight_fen) == ((), 0, 0)


def test_one_place_that_cannot_be_reached():
    fruit = line(2, template=PARSED["FT_COLD"], weight_g=1300, name="鲜蓝莓", name_en="Blueberries")
    result = quote([line(), fruit], XINJIANG)
    assert codes(result) == [("not_deliverable", "P02-1")]
    assert result.problems[0].zh == "“鲜蓝莓 罐装100g”暂不支持配送到该地区"
    assert result.problems[0].message("en") == "Blueberries cannot be delivered to this region"
    assert (result.freight_fen, result.freight_known) == (1500, False)


def test_hong_kong_is_refused_line_by_line():
    assert codes(quote([line(1), line(2)], "81")) == [
        ("not_deliverable", "P01-1"),
        ("not_deliverable", "P02-1"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"template": None},
        {"template": PARSED["FT_WEIGHT"], "weight_g": None},
        {"template": PARSED["FT_WEIGHT"], "weight_g": 0},
    ],
)
def test_a_missing_tariff_or_weight_is_a_problem_not_a_gift(fields):
    result = quote([line(**fields)], SHANGHAI)
    assert codes(result) == [("freight_unknown", "P01-1")]
    assert result.freight_known is False


def test_a_missing_weight_does_not_matter_where_pieces_count():
    assert quote([line(weight_g=None)], XINJIANG).freight_fen == 1500


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"listed": False}, "not_listed"),
        ({"in_season": False}, "out_of_season"),
        ({"quantity": 0}, "quantity_invalid"),
        ({"quantity": -1}, "quantity_invalid"),
        ({"quantity": True}, "quantity_invalid"),
        ({"quantity": 10_000}, "quantity_invalid"),
        ({"quantity": 1_000_000}, "quantity_invalid"),
        ({"listed": False, "in_season": False, "quantity": 0, "available": 0}, "not_listed"),
    ],
)
def test_what_cannot_be_bought_is_in_no_sum(fields, code):
    result = quote([line(1, **fields), line(2)], SHANGHAI)
    assert codes(result) == [(code, "P01-1")]
    assert result.total_fen == 4800


def test_the_largest_quantity_is_still_fine():
    result = quote([line(quantity=MAX_LINE_QUANTITY, available=MAX_LINE_QUANTITY)], SHANGHAI)
    assert (result.problems, result.total_fen) == ((), 47_995_200)
    assert is_quantity(1.0) is False


def test_out_of_stock_says_what_is_left():
    result = quote([line(quantity=8, available=3)], SHANGHAI)
    (problem,) = result.problems
    assert (problem.code, problem.available) == ("out_of_stock", 3)
    assert problem.zh == "“高山绿茶 罐装100g”库存不足，仅剩 3 件"
    assert problem.en == "Only 3 of Green tea left"


@pytest.mark.parametrize("available", [0, -2])
def test_sold_out_is_out_of_stock_with_nothing_left(available):
    (problem,) = quote([line(available=available)], SHANGHAI).problems
    assert (problem.code, problem.available) == ("out_of_stock", 0)
    assert problem.zh == "“高山绿茶 罐装100g”已售罄"


def test_two_lines_of_one_sku_draw_on_one_stock():
    lines = [line(1, quantity=3, available=5), line(1, quantity=3, available=5)]
    assert codes(quote(lines, SHANGHAI)) == [("out_of_stock", "P01-1")]
    assert (
        quote([line(1, quantity=3, available=5), line(1, quantity=2, available=5)], "31").problems
        == ()
    )


def test_unknown_skus_come_first():
    result = quote([line(available=0)], SHANGHAI, unknown=["P99-9"])
    assert codes(result) == [("unknown_sku", "P99-9"), ("out_of_stock", "P01-1")]
    assert result.problems[0].zh == "没有找到商品 P99-9"


@pytest.mark.parametrize("discount", [-1, 4801])
def test_an_impossible_discount_is_a_bug(discount):
    with pytest.raises(ValueError, match="discount"):
        quote([line(discount_fen=discount)], SHANGHAI)


@pytest.mark.parametrize(
    ("prices", "discount", "parts"),
    [
        ([960000, 1500000, 998000, 516000], 14000, [3382, 5284, 3516, 1818]),
        ([120, 0], 24, [24, 0]),
        ([1000], 2000, [1000]),
        ([4800, 4800, 4800], 100, [34, 33, 33]),
        ([4800], 0, [0]),
    ],
)
def test_an_order_discount_reaches_the_lines(prices, discount, parts):
    lines = [line(n, unit_price_fen=price) for n, price in enumerate(prices)]
    assert [one.discount_fen for one in allocate_discount(lines, discount)] == parts


def test_a_second_discount_builds_on_the_first():
    lines = [line(1, unit_price_fen=1000, discount_fen=900), line(2, unit_price_fen=100)]
    assert [one.discount_fen for one in allocate_discount(lines, 50)] == [925, 25]


def test_a_negative_discount_is_refused():
    with pytest.raises(ValueError, match="negative"):
        allocate_discount([line()], -1)


LINES = st.lists(
    st.builds(
        line,
        st.integers(1, 6),
        cooperative_code=st.sampled_from(["C01", "C02", "C03"]),
        quantity=st.integers(-1, 12_000),
        unit_price_fen=st.integers(1, 100_000),
        weight_g=st.none() | st.integers(1, 30_000),
        template=st.sampled_from([None, *PARSED.values()]),
        available=st.integers(0, 20_000),
        listed=st.booleans(),
    ),
    max_size=12,
)
PROVINCES = st.sampled_from([None, "31", "46", "52", "53", "54", "65", "81"])


@given(LINES, PROVINCES, st.integers(0, 10**9))
def test_every_quote_adds_up(lines, province, discount):
    sound = [one for one in lines if is_quantity(one.quantity)]
    result = quote(allocate_discount(sound, discount), province)
    lines_fen = sum(one.payable_fen for part in result.consignments for one in part.lines)
    freight = sum(sum(part.line_freight_fen) for part in result.consignments)
    assert result.total_fen == lines_fen + freight == sum(p.total_fen for p in result.consignments)
    assert result.total_fen == result.goods_fen - result.discount_fen + result.freight_fen
    assert all(share >= 0 for part in result.consignments for share in part.line_freight_fen)


@given(LINES, PROVINCES)
def test_each_line_is_priced_once_or_named(lines, province):
    result = quote(lines, province)
    priced = [one for part in result.consignments for one in part.lines]
    named = {problem.sku for problem in result.problems}
    assert all(one in priced or one.sku_code in named for one in lines)
    assert len(priced) <= len(lines)


@given(LINES, st.integers(0, 10**10))
def test_a_discount_is_never_lost_nor_larger_than_the_goods(lines, discount):
    sound = [one for one in lines if is_quantity(one.quantity)]
    given_away = sum(one.discount_fen for one in allocate_discount(sound, discount))
    assert given_away == min(discount, sum(one.goods_fen for one in sound))
