from copy import deepcopy
from uuid import UUID

import pytest
from freight_cases import CASES, FT_WEIGHT, SHANGHAI, TEMPLATES, XINJIANG, YUNNAN
from hypothesis import given
from hypothesis import strategies as st

from shop.errors import Invalid
from shop.pricing.freight import freight_fen, parse_template, parsed_template, to_free_fen

PARSED = {code: parse_template(data) for code, data in TEMPLATES.items()}
WORDS = st.sampled_from(["65", "53", "default", "first", "provinces", "min_goods_fen", "", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def changed(**fields):
    return deepcopy(FT_WEIGHT) | fields


def faults(data):
    try:
        parse_template(data)
    except Invalid as refusal:
        return list(refusal.fields)
    return []


@pytest.mark.parametrize(("code", "province", "pieces", "grams", "goods", "expected"), CASES)
def test_golden_cases(code, province, pieces, grams, goods, expected):
    assert freight_fen(PARSED[code], province, pieces, grams, goods) == expected


def test_the_table_is_as_long_as_promised():
    assert len(CASES) >= 60
    assert len({case[:5] for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("goods", "missing"), [(0, 9900), (1, 9899), (9899, 1), (9900, 0), (20000, 0)]
)
def test_what_is_missing_to_free_freight(goods, missing):
    assert to_free_fen(PARSED["FT_WEIGHT"], SHANGHAI, goods) == missing


@pytest.mark.parametrize("province", [YUNNAN, XINJIANG, "81"])
def test_no_hint_where_freight_is_never_free(province):
    assert to_free_fen(PARSED["FT_WEIGHT"], province, 9000) is None


@pytest.mark.parametrize("grams", [0, -1])
def test_a_missing_weight_is_refused_not_taken_for_zero(grams):
    with pytest.raises(Invalid) as refusal:
        freight_fen(PARSED["FT_WEIGHT"], SHANGHAI, 1, grams, 1000)
    assert refusal.value.error_code == "weight_missing"


def test_no_pieces_are_refused():
    with pytest.raises(Invalid) as refusal:
        freight_fen(PARSED["FT_FREE"], XINJIANG, 0, 100, 1000)
    assert refusal.value.error_code == "quantity_invalid"


@pytest.mark.parametrize("code", ["", "5", "530000", "ab", "５３", "²³"])
def test_a_code_that_is_not_a_province_is_refused(code):
    with pytest.raises(Invalid) as refusal:
        freight_fen(PARSED["FT_FREE"], code, 1, 100, 1000)
    assert refusal.value.error_code == "invalid_division"


STEP = {"first": 1000, "first_fee_fen": 800, "additional": 1000, "additional_fee_fen": 300}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (changed(code=""), "code"),
        (changed(code=None), "code"),
        (changed(name=7), "name"),
        (changed(charge_by="volume"), "charge_by"),
        (changed(charge_by=["piece"]), "charge_by"),
        (changed(default=None), "default"),
        (changed(default=STEP | {"first": 0}), "default.first"),
        (changed(default=STEP | {"first": True}), "default.first"),
        (changed(default=STEP | {"additional": 0}), "default.additional"),
        (changed(default=STEP | {"first_fee_fen": -1}), "default.first_fee_fen"),
        (changed(default=STEP | {"additional_fee_fen": 3.5}), "default.additional_fee_fen"),
        (changed(default=STEP | {"first_fee_fen": 100_000_001}), "default.first_fee_fen"),
        (changed(default={"first": 1000}), "default.first_fee_fen"),
        (changed(default=STEP | {"firts": 1}), "default.firts"),
        (changed(rules={}), "rules"),
        (changed(rules=[None]), "rules[0]"),
        (changed(rules=[STEP]), "rules[0].provinces"),
        (changed(rules=[STEP | {"provinces": []}]), "rules[0].provinces"),
        (changed(rules=[STEP | {"provinces": ["653"]}]), "rules[0].provinces"),
        (changed(rules=[STEP | {"provinces": [65]}]), "rules[0].provinces"),
        (changed(rules=[STEP | {"provinces": ["65"]}] * 2), "rules[1].provinces"),
        (changed(free_conditions="x"), "free_conditions"),
        (changed(free_conditions=[{"min_goods_fen": 1}]), "free_conditions[0].provinces"),
        (changed(free_conditions=[{"provinces": "default"}]), "free_conditions[0].min_goods_fen"),
        (changed(not_deliverable=["HK"]), "not_deliverable"),
        (changed(not_deliverable=None), "not_deliverable"),
        (changed(free_condition=[]), "free_condition"),
    ],
)
def test_a_broken_template_names_the_field(data, field):
    with pytest.raises(Invalid) as refusal:
        parse_template(data)
    assert refusal.value.error_code == "invalid_freight_template"
    assert list(refusal.value.fields) == [field]


def test_optional_parts_may_be_left_out():
    template = parse_template({"code": "X", "charge_by": "weight_g", "default": STEP})
    assert (template.name, template.rules, template.free_conditions) == ("", (), ())
    assert freight_fen(template, "81", 1, 1000, 0) == 800


def test_not_deliverable_wins_over_a_rule():
    template = parse_template(changed(not_deliverable=["65"]))
    assert freight_fen(template, XINJIANG, 1, 100, 1000) is None


def test_a_stored_template_is_read_once_and_again_when_it_changes():
    row = UUID(int=1)
    first = parsed_template(row, changed())
    assert parsed_template(row, changed()) is first
    assert parsed_template(row, changed(name="新")).name == "新"
    assert parsed_template(UUID(int=2), changed(code="B")).code == "B"


@given(st.dictionaries(st.sampled_from([*FT_WEIGHT, "x"]), JSON))
def test_any_json_parses_or_is_refused_by_field(fields):
    assert len(faults(changed(**fields))) <= 1


@given(
    st.sampled_from(sorted(PARSED)),
    st.sampled_from(["11", "31", "46", "52", "53", "54", "65"]),
    st.integers(1, 99),
    st.integers(1, 500_000),
    st.integers(0, 500_000),
    st.integers(0, 20_000),
)
def test_heavier_is_never_cheaper(code, province, pieces, grams, more, goods):
    lighter = freight_fen(PARSED[code], province, pieces, grams, goods)
    heavier = freight_fen(PARSED[code], province, pieces, grams + more, goods)
    assert (lighter is None) is (heavier is None)
    assert lighter is None or lighter <= heavier


@given(st.sampled_from(["31", "52", "53"]), st.integers(1, 999), st.integers(0, 20_000))
def test_dearer_goods_never_raise_the_freight(province, pieces, goods):
    template = PARSED["SACKS"]
    freight = freight_fen(template, province, pieces, 0, goods)
    assert freight_fen(template, province, pieces, 0, goods + 1) <= freight
