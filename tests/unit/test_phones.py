import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.errors import Invalid
from shop.phones import mask, mask_address, mask_name, parse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13812341234", "+8613812341234"),
        (" 138 1234 1234 ", "+8613812341234"),
        ("138-1234-1234", "+8613812341234"),
        ("+86 138 1234 1234", "+8613812341234"),
        ("0086 13812341234", "+8613812341234"),
        ("１３８１２３４１２３４", "+8613812341234"),
        ("15400000099", "+8615400000099"),
        ("19912345678", "+8619912345678"),
        ("021-5566 4521", "+862155664521"),
        ("+852 9123 4567", "+85291234567"),
        ("+1 650-253-0000", "+16502530000"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_one_form_for_every_spelling(text, number):
    assert parse(text) == number


def test_the_region_is_for_numbers_without_a_country_code():
    assert parse("650 253 0000", "US") == "+16502530000"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "110",
        "12345",
        "1381234123",
        "138123412345",
        "12812341234",
        "+86",
        "+999 12345",
        "021-55664521 ext 12",
        "13812341234" * 5,
        "🙂",
        "\x00",
        "�",
        "= 1+1",
    ],
)
def test_what_nobody_can_call_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        parse(text)
    assert refusal.value.error_code == "invalid_phone"
    assert list(refusal.value.fields) == ["phone"]


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_the_usual_spelling_means_what_every_other_means(mobile):
    assert parse(mobile) == parse(f"+86 {mobile}") == f"+86{mobile}"
    assert mask(parse(mobile)) == mask(mobile) == f"{mobile[:3]}****{mobile[-4:]}"


@given(st.text() | st.text("0123456789+-() ;ext=", max_size=24))
def test_any_text_is_a_number_or_invalid(text):
    try:
        number = parse(text)
    except Invalid:
        return
    assert number.startswith("+")
    assert parse(number) == number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613812341234", "138****1234"),
        ("13812341234", "138****1234"),
        ("+85291234567", "+852****4567"),
        ("+862155664521", "****4521"),
        ("+861381234123", "****4123"),
        ("+8613812341234 ", "138****1234"),
        ("110", "****"),
        ("nonsense", "****"),
        ("", ""),
    ],
)
def test_masked_numbers(number, shown):
    assert mask(number) == shown


@given(st.text() | st.text("0123456789+", max_size=20))
def test_any_text_can_be_masked(text):
    digits = [c for c in mask(text) if c.isdigit()]
    assert len(digits) <= 8


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("欧阳娜", "欧**"),
        ("欧阳娜娜", "欧**"),
        ("张", "张*"),
        ("Alice Smith", "A**"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_masked_names(name, shown):
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("博南镇东街12号3栋502", "博南镇****"),
        ("邯郸路220号光华楼", "邯郸路****"),
        ("陆家嘴环路1000号", "陆家嘴环路****"),
        ("岩北村3组", "岩北村****"),
        ("12号楼西街", "****"),
        ("光华楼东辅楼", "****"),
        ("220 Handan Rd", "****"),
        (" ", ""),
    ],
)
def test_masked_addresses(detail, shown):
    assert mask_address(detail) == shown


@given(st.text())
def test_masked_addresses_show_no_digit(detail):
    assert not any(c in "0123456789０１２３４５６７８９" for c in mask_address(detail))
