import json
import unicodedata

import pytest

from models.identity import BuyerKind
from shop.errors import Invalid
from shop.identity import rules
from shop.identity.common_passwords import COMMON
from shop.identity.rules import AddressInput, validated_address
from tests.conftest import SHARED

GOOD = AddressInput("林晓", "138 1234 1234", "310110", "邯郸路 220 号")
BLNS = SHARED / "data/security/blns/blns.json"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def normal(text):
    return unicodedata.normalize("NFC", text).strip()


def fields_of(call, *args, **more):
    with pytest.raises(Invalid) as refused:
        call(*args, **more)
    return refused.value.error_code, refused.value.fields


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Lin.Xiao@Example.ORG", "lin.xiao@example.org"),
        ("  a+b@mail.example.cn\t", "a+b@mail.example.cn"),
        ("林晓@例子.中国", "林晓@例子.中国"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
)
def test_an_email_address_is_kept_trimmed_and_lower(text, kept):
    assert rules.normal_email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lin",
        "lin@",
        "@example.org",
        "lin@example",
        "lin@example..org",
        "lin@.org",
        "a b@c.de",
        "lin@exa mple.org",
        "a@b@c.de",
        "a<b>@c.de",
        "a\x07@c.de",
        "x" * 65 + "@example.org",
        "a@" + "b" * 250 + ".org",
        "a@b.org\nBcc: c@d.org",
    ],
)
def test_what_is_no_email_address(text):
    assert fields_of(rules.normal_email, text) == ("invalid", {"email": ["请填写有效的电子邮箱"]})


@pytest.mark.parametrize(
    "name",
    [
        "林",
        "Anne-Marie O'Neil",
        "محمد بن علي",
        "שרה",
        f"茶友{FAMILY}",
        "<script>alert(1)</script>",
        "'; DROP TABLE user_account; --",
        "́áé",
        "x" * 80,
        "🍵" * 80,
        "ﷺ",
        "Ｔｈｅ",
    ],
)
def test_names_of_every_script_are_welcome(name):
    assert rules.normal_name(f"  {name} ") == normal(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 81,
        "a\x00b",
        "a\nb",
        "a\tb",
        "a\x1b[2Jb",
        "a\x7fb",
        "\u200b\u200b",
        "\ufeff",
        "ab\u202ecd",
        "a\u2028b",
        "\ud800",
    ],
)
def test_names_that_are_refused(name):
    code, fields = fields_of(rules.normal_name, name, "en")
    assert (code, fields) == ("invalid", {"name": ["A name has 1 to 80 visible characters"]})


@pytest.mark.skipif(not BLNS.exists(), reason="the collection of naughty strings is not here")
def test_naughty_strings_are_kept_as_they_are_or_refused():
    texts = json.loads(BLNS.read_text())
    kept = {text: rules.clean_text(text, 1, 80) for text in texts}
    changed = {text for text, one in kept.items() if one not in {None, normal(text)}}
    assert changed == set()
    assert sum(one is not None for one in kept.values()) > 400


@pytest.mark.parametrize("kind", sorted(rules.SELF_DECLARED))
def test_what_one_may_call_oneself(kind):
    assert rules.check_buyer_kind(kind) is None


def test_nobody_declares_himself_a_unit():
    code, fields = fields_of(rules.check_buyer_kind, BuyerKind.UNIT_ACCOUNT)
    assert (code, fields) == ("invalid", {"buyer_kind": ["请选择教职工、学生、校友或社会公众"]})


@pytest.mark.parametrize(
    "password",
    [
        "walnut-bridge-42",
        "8 chars!",
        "x" * 127 + "y",
        "核桃茶叶泡菜竹酒",
        "🍵🥜🌶🍶🍵🥜🌶🍶",
        " leading and trailing ",
        "ALLUPPERCASE LETTERS",
        "aaaaaaab",
    ],
)
def test_passwords_of_any_composition_pass(password):
    assert rules.check_password(password, "lin@example.org") is None


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "密码至少需要 8 个字符"),
        ("7chars!", "密码至少需要 8 个字符"),
        ("茶茶茶茶茶茶茶", "密码至少需要 8 个字符"),
        ("x" * 128 + "y", "密码不能超过 128 个字符"),
        ("12345678", "这个密码太常见，请换一个"),
        ("PassWord123", "这个密码太常见，请换一个"),
        ("password123!", "这个密码太常见，请换一个"),
        ("5201314520", "这个密码太常见，请换一个"),
        ("yongping2026", "这个密码太常见，请换一个"),
        ("aaaaaaaaaaaa", "这个密码太常见，请换一个"),
        ("lin.xiao.1987", "密码不能与邮箱相同"),
        ("Lin.Xiao.1987@Example.org", "密码不能与邮箱相同"),
    ],
)
def test_passwords_that_are_refused(password, message):
    refused = fields_of(rules.check_password, password, "lin.xiao.1987@example.org")
    assert refused == ("weak_password", {"password": [message]})


def test_the_list_of_common_passwords_is_worth_its_name():
    assert len(COMMON) > 100
    assert {word for word in COMMON if len(word) < 8 or word != word.casefold()} == set()


PERMISSIONS = ("catalog.read", "orders.place", "orders.read_own")


@pytest.mark.parametrize("scopes", [["*"], ["catalog.read"], ["orders.*", "catalog.*"]])
def test_scopes_that_name_something(scopes):
    assert rules.check_scopes(scopes, PERMISSIONS) is None


@pytest.mark.parametrize("scope", ["", "catalog", "catalog.", "refunds.*", "order.place", "*.*"])
def test_scopes_that_name_nothing(scope):
    code, fields = fields_of(rules.check_scopes, ["catalog.read", scope], PERMISSIONS)
    assert (code, fields) == ("invalid", {"scopes": ["含有未知的权限范围"]})


def test_an_address_is_kept_in_one_form():
    loose = AddressInput(" 林晓 ", "０１０-６２７５ ２１１４", "110108", "\u3000颐和园路 5 号 ")
    kept = AddressInput("林晓", "+861062752114", "110108", "颐和园路 5 号")
    assert validated_address(loose) == kept
    assert validated_address(kept) == kept


@pytest.mark.parametrize("recipient", ["林", "x" * 40, f"王{FAMILY}", "محمد"])
def test_recipients_of_every_script(recipient):
    kept = validated_address(AddressInput(recipient, GOOD.phone, "310110", GOOD.detail))
    assert kept == AddressInput(recipient, "+8613812341234", "310110", "邯郸路 220 号")


PHONES = [
    "",
    "138123",
    "138abcd1234",
    "1-800-FLOWERS",
    "手机13812341234",
    "110",
    "1" * 60,
    "13812341234,13812341235",
    "13812341234 ext. 5",
]


@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_that_cannot_be_called(phone):
    wrong = AddressInput(GOOD.recipient, phone, GOOD.division_code, GOOD.detail)
    chinese = {"address.phone": ["请填写正确的手机号码"]}
    english = {"phone": ["Please give a phone number we can call"]}
    assert fields_of(validated_address, wrong) == ("invalid_phone", chinese)
    assert fields_of(validated_address, wrong, prefix="", language="en") == (
        "invalid_phone",
        english,
    )


@pytest.mark.parametrize(
    "code", ["", "31", "310000", "532900", "999999", "31011", "abc", "３１０１１０"]
)
def test_an_address_ends_in_a_county(code):
    wrong = AddressInput(GOOD.recipient, GOOD.phone, code, GOOD.detail)
    fields = {"address.division_code": ["请选择完整的省、市、区县"]}
    assert fields_of(validated_address, wrong) == ("invalid", fields)


@pytest.mark.parametrize("code", ["441900", "620200", "710000", "810000"])
def test_or_where_there_are_no_counties(code):
    address = AddressInput(GOOD.recipient, GOOD.phone, code, GOOD.detail)
    assert validated_address(address).division_code == code


def test_every_fault_of_an_address_is_named_at_once():
    code, fields = fields_of(validated_address, AddressInput("x" * 41, "abc", "53", "x"))
    assert code == "invalid"
    assert sorted(fields) == [
        "address.detail",
        "address.division_code",
        "address.phone",
        "address.recipient",
    ]


@pytest.mark.parametrize(
    "detail", ["x", "x" * 121, "东街\n12 号", "东街\x0012 号", "\u202e东街 12 号"]
)
def test_details_that_are_refused(detail):
    wrong = AddressInput(GOOD.recipient, GOOD.phone, GOOD.division_code, detail)
    fields = {"address.detail": ["详细地址须为 2 至 120 个字符"]}
    assert fields_of(validated_address, wrong) == ("invalid", fields)
