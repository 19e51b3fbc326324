"""How amounts, weights and times are written for people: whole numbers in, rounded once.

`language` is `zh` (or `zh_Hans_CN`, …) or anything else for English.
"""

from __future__ import annotations

from datetime import date, datetime

from models.money import yuan_text
from shop.clock import SHANGHAI

FEN_PER_WAN_YUAN = 1_000_000
GRAMS_PER_KG = 1_000
GRAMS_PER_JIN = 500
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def yuan(fen: int) -> str:
    """For pages: 123450 → `¥1,234.50`, -500 → `-¥5.00`."""
    whole, _, decimals = yuan_text(abs(fen)).partition(".")
    return f"{'-' if fen < 0 else ''}¥{int(whole):,}.{decimals}"


def wan_yuan(fen: int) -> str:
    """In units of 10,000 yuan (万元), two decimals, halves away from zero: 700350000 → `700.35`.

    Give it the exact total, not a sum of rounded rows: those two may differ, and both are printed.
    """
    return _two_decimals(fen, FEN_PER_WAN_YUAN)


def percent(part: int, whole: int | None) -> str:
    """`part` of `whole` with two decimals: 24251 of 22673 → `106.96%`; empty for a whole of 0."""
    return f"{_two_decimals(part * 100, whole)}%" if whole else ""


def weight(grams: int) -> str:
    """180 → `180 g`, 3600 → `3.6 kg`; exact."""
    if abs(grams) < GRAMS_PER_KG:
        return f"{grams} g"
    return f"{_trimmed(grams, GRAMS_PER_KG)} kg"


def jin(grams: int, language: str = "zh") -> str:
    """In 斤 of 500 g, exact: 3600 → `7.2斤` or `7.2 jin`."""
    unit = "斤" if language.startswith("zh") else " jin"
    return f"{_trimmed(grams, GRAMS_PER_JIN)}{unit}"


def day(moment: date, language: str = "zh") -> str:
    """The Asia/Shanghai day: `2026年2月3日` or `3 Feb 2026`."""
    local = moment.astimezone(SHANGHAI) if isinstance(moment, datetime) else moment
    if language.startswith("zh"):
        return f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}"


def minute(moment: datetime, language: str = "zh") -> str:
    """Asia/Shanghai day and time: `2026年2月3日 10:02` or `3 Feb 2026, 10:02`.

    Raises:
        ValueError: a naive datetime; nobody knows which moment it means.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime names no moment")
    local = moment.astimezone(SHANGHAI)
    separator = " " if language.startswith("zh") else ", "
    return f"{day(local, language)}{separator}{local:%H:%M}"


def _two_decimals(part: int, whole: int) -> str:
    """The quotient, rounded half away from zero in whole numbers."""
    negative = (part < 0) != (whole < 0)
    hundredths = (abs(part) * 200 + abs(whole)) // (abs(whole) * 2)
    return yuan_text(-hundredths if negative else hundredths)


def _trimmed(grams: int, unit: int) -> str:
    """The quotient with up to three decimals and no zeros behind."""
    thousandths = abs(grams) * 1_000 // unit
    whole, rest = divmod(thousandths, 1_000)
    decimals = f".{rest:03d}".rstrip("0").rstrip(".")
    return f"{'-' if grams < 0 else ''}{whole}{decimals}"
