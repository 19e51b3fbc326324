"""Phone numbers in one form (E.164), and personal data cut down to what a list may show."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from shop.errors import Invalid, Words

HOME = "CN"
HOME_CODE = 86
PREFIX = f"+{HOME_CODE}"
MOBILE = re.compile(r"1[3-9][0-9]{9}")
"""A mobile number of the mainland. The shape is enough: new ranges are opened faster than any list
of them is updated, and a buyer must not be turned away for having one."""

STREET = re.compile(r"[^0-9０-９]{0,30}?(?:街道|大道|社区|[镇乡村路街道巷弄里])")
KEPT_DIGITS = 4
MAX_TEXT = 40


def parse(text: str, region: str = HOME) -> str:
    """`text` as E.164 (`+8613812341234`); without a country code it is a number of `region`.

    Raises:
        Invalid: `invalid_phone`, also for a number with an extension: E.164 has no room for it.
    """
    if region == HOME and MOBILE.fullmatch(text):  # as nearly everybody writes it
        return f"+{HOME_CODE}{text}"
    number = _number(text, region)
    if number is None or number.extension or not _acceptable(number):
        raise Invalid(
            "手机号码格式有误",
            "This is not a phone number we can call",
            code="invalid_phone",
            fields={"phone": [Words("请填写正确的手机号码", "A number we can call")]},
        )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def mask(phone: str) -> str:
    """`138****1234`; abroad `+852****4567`; a landline its last four; nothing of anything else."""
    if phone.startswith(PREFIX) and MOBILE.fullmatch(phone, len(PREFIX)):  # as we keep nearly all
        return f"{phone[3:6]}****{phone[-KEPT_DIGITS:]}"
    number = _number(phone, HOME)
    national = str(number.national_number) if number else ""
    if number is None or len(national) <= KEPT_DIGITS:
        return "****" if phone else ""
    if number.country_code != HOME_CODE:
        return f"+{number.country_code}****{national[-KEPT_DIGITS:]}"
    start = national[:3] if MOBILE.fullmatch(national) else ""
    return f"{start}****{national[-KEPT_DIGITS:]}"


def mask_name(name: str) -> str:
    """The first character and one or two stars: 张三 → 张*, 欧阳娜娜 → 欧**."""
    name = name.strip()
    return name[:1] + "*" * min(max(len(name) - 1, 1), 2) if name else ""


def mask_address(detail: str) -> str:
    """Down to the street, never the house: 博南镇东街12号 → 博南镇****; nothing if unsure."""
    street = STREET.match(detail.strip())
    return f"{street.group() if street else ''}****" if detail.strip() else ""


def _number(text: str, region: str) -> PhoneNumber | None:
    if len(text) > MAX_TEXT:
        return None
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _acceptable(number: PhoneNumber) -> bool:
    if number.country_code == HOME_CODE and MOBILE.fullmatch(str(number.national_number)):
        return True
    return phonenumbers.is_valid_number(number)
