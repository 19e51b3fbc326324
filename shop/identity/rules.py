"""What we accept of a person: e-mail, name, password, scopes, delivery address. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from models.identity import BuyerKind
from shop import divisions, phones
from shop.errors import Invalid
from shop.identity.common_passwords import COMMON

MAX_EMAIL = 254
"""The longest that mail servers pass on (RFC 5321)."""

MAX_NAME = 80
MAX_RECIPIENT = 40
MAX_DETAIL = 120
MIN_DETAIL = 2

MIN_PASSWORD = 8
MAX_PASSWORD = 128
"""Long enough for a sentence, short enough that hashing it costs what hashing costs."""

SELF_DECLARED = frozenset({BuyerKind.STAFF, BuyerKind.STUDENT, BuyerKind.ALUMNI, BuyerKind.PUBLIC})
"""What one may call oneself; the account of a unit is opened by the organization."""

EMAIL = re.compile(
    r"[^@\s<>(),:;\"\\\[\]]{1,64}@[^@\s<>(),:;\"\\\[\].]+(\.[^@\s<>(),:;\"\\\[\].]+)+"
)
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, line and paragraph separators."""

TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e")
"""Marks that turn the order of what follows: on a packing list they make one line read as another.
Right-to-left names need none of them."""

UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Mn", "Zs", "Zl", "Zp"})

Texts = Mapping[str, tuple[str, str]]

PROBLEMS: Texts = {
    "email": ("请填写有效的电子邮箱", "Please give a valid e-mail address"),
    "name": ("姓名须为 1 至 80 个字符", "A name has 1 to 80 visible characters"),
    "buyer_kind": (
        "请选择教职工、学生、校友或社会公众",
        "Please choose staff, student, alumni or public",
    ),
    "unit": ("没有这个单位，请重新选择", "There is no such unit"),
    "wrong_password": ("当前密码不正确", "The current password is not right"),
    "same_password": (
        "新密码不能与临时密码相同",
        "The new password must be another than the temporary one",
    ),
    "scopes": ("含有未知的权限范围", "There is no such scope"),
    "short": ("密码至少需要 8 个字符", "A password has at least 8 characters"),
    "long": ("密码不能超过 128 个字符", "A password has at most 128 characters"),
    "common": ("这个密码太常见，请换一个", "This password is among the first anybody would try"),
    "own_name": ("密码不能与邮箱相同", "The password must not be your e-mail address"),
    "recipient": (
        "收货人须为 1 至 40 个字符",
        "The recipient has 1 to 40 visible characters",
    ),
    "invalid_phone": ("请填写正确的手机号码", "Please give a phone number we can call"),
    "division_code": ("请选择完整的省、市、区县", "Please choose province, city and county"),
    "detail": (
        "详细地址须为 2 至 120 个字符",
        "The address has 2 to 120 visible characters",
    ),
}


@dataclass(frozen=True, slots=True)
class AddressInput:
    """Where a parcel goes. Out of `validated_address` the phone is E.164, the texts are trimmed."""

    recipient: str
    phone: str
    division_code: str
    detail: str


def problem_text(key: str, language: str) -> str:
    """The sentence of a problem, in the reader's language."""
    zh, en = PROBLEMS[key]
    return zh if language.startswith("zh") else en


def clean_text(text: str, shortest: int, longest: int) -> str | None:
    """`text` trimmed and in one Unicode form (NFC); None when it may not be kept.

    Counted in characters. Emoji and every script are welcome; control characters are not, nor
    a text of which nothing would be seen.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not shortest <= len(text) <= longest or not TURNING.isdisjoint(text):
        return None
    categories = {unicodedata.category(character) for character in text}
    if categories & REFUSED_CATEGORIES or categories <= UNSEEN_CATEGORIES:
        return None
    return text


def email_key(text: str) -> str:
    """An e-mail address as it is compared: every spelling of one address gives one text."""
    return unicodedata.normalize("NFC", text).strip().lower()


def normal_email(text: str, language: str = "zh", *, field: str = "email") -> str:
    """An e-mail address as it is stored: trimmed and in lower case.

    Raises:
        Invalid: it is none; named `field`.
    """
    email = email_key(text)
    if clean_text(email, 1, MAX_EMAIL) != email or not EMAIL.fullmatch(email):
        raise _invalid({field: problem_text("email", language)})
    return email


def normal_name(text: str, language: str = "zh", *, field: str = "name") -> str:
    """A person's name as it is stored.

    Raises:
        Invalid: empty, too long or with control characters; named `field`.
    """
    name = clean_text(text, 1, MAX_NAME)
    if name is None:
        raise _invalid({field: problem_text("name", language)})
    return name


def check_buyer_kind(kind: BuyerKind, language: str = "zh") -> None:
    """Let pass what a person may declare of themselves.

    Raises:
        Invalid: it is not for oneself to say; field `buyer_kind`.
    """
    if kind not in SELF_DECLARED:
        raise _invalid({"buyer_kind": problem_text("buyer_kind", language)})


def check_password(
    password: str, email: str, language: str = "zh", *, field: str = "password"
) -> None:
    """Let a new password pass: 8 to 128 characters of any kind, and not easily guessed.

    Nothing is trimmed or folded, neither here nor when it is stored.

    Raises:
        Invalid: too short, too long, among the commonest, or the e-mail name; named `field`.
    """
    fault = _password_fault(password, email)
    if fault is not None:
        raise _invalid({field: problem_text(fault, language)}, code="weak_password")


def check_scopes(scopes: Iterable[str], permissions: Collection[str], language: str = "zh") -> None:
    """Let scopes pass that name something: `*`, a permission, or a family such as `catalog.*`.

    Raises:
        Invalid: one of them names nothing; field `scopes`.
    """
    families = {f"{permission.partition('.')[0]}.*" for permission in permissions}
    if not {"*", *permissions, *families}.issuperset(scopes):
        raise _invalid({"scopes": problem_text("scopes", language)})


def validated_address(
    address: AddressInput, *, prefix: str = "address.", language: str = "zh"
) -> AddressInput:
    """`address` in the form in which it is kept and printed; every fault is named at once.

    Raises:
        Invalid: `invalid_phone` when the phone alone is at fault, else `invalid`; the fields are
            `address.recipient`, `address.phone`, `address.division_code`, `address.detail`
            (or with another `prefix`), their messages in `language`.
    """
    recipient = clean_text(address.recipient, 1, MAX_RECIPIENT)
    detail = clean_text(address.detail, MIN_DETAIL, MAX_DETAIL)
    phone = _phone(address.phone)
    division = divisions.lookup(address.division_code)
    faults: dict[str, str] = {}
    if recipient is None:
        faults["recipient"] = "recipient"
    if phone is None:
        faults["phone"] = "invalid_phone"
    if division is None or not division.leaf:
        faults["division_code"] = "division_code"
    if detail is None:
        faults["detail"] = "detail"
    if recipient is None or phone is None or detail is None or division is None or faults:
        raise _invalid(
            {prefix + name: problem_text(key, language) for name, key in faults.items()},
            code="invalid_phone" if list(faults) == ["phone"] else None,
        )
    return AddressInput(recipient, phone, division.code, detail)


def _phone(text: str) -> str | None:
    """E.164, or None. Letters are refused: a telephone's keypad would read them as digits."""
    if any(character.isalpha() for character in text):
        return None
    try:
        return phones.parse(text)
    except Invalid:
        return None


def _password_fault(password: str, email: str) -> str | None:
    if len(password) < MIN_PASSWORD:
        return "short"
    if len(password) > MAX_PASSWORD:
        return "long"
    folded = password.casefold()
    if folded in {email.casefold(), email.casefold().partition("@")[0]}:
        return "own_name"
    return "common" if folded in COMMON or len(set(folded)) == 1 else None


def _invalid(fields: Mapping[str, str], code: str | None = None) -> Invalid:
    return Invalid(code=code, fields={name: [text] for name, text in fields.items()})
