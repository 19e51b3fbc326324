"""Reading single fields of a form or an address: text in, a value or a clear refusal out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.money import parse_yuan
from shop.errors import Invalid, Words
from shop.ids import id_in

MAX_TEXT = 500
MAX_DIGITS = 9


def text_of(form: Mapping[str, str], name: str, zh: str, en: str) -> str:
    """A text that has to be there; `zh` and `en` say so when it is not.

    Raises:
        Invalid: it is empty or longer than 500 characters.
    """
    text = form.get(name, "").strip()
    if not text:
        raise _refusal(name, zh, en)
    if len(text) > MAX_TEXT:
        raise _refusal(
            name, f"文字不能超过 {MAX_TEXT} 字", f"No text may be longer than {MAX_TEXT} characters"
        )
    return text


def pieces_of(form: Mapping[str, str], name: str) -> int:
    """A number of pieces, 0 for an empty field.

    Raises:
        Invalid: not a whole number from 0 to 999,999,999.
    """
    text = form.get(name, "").strip()
    if not text:
        return 0
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise _refusal(name, "件数须为整数", "A number of pieces must be a whole number")
    return int(text)


def fen_of(form: Mapping[str, str], name: str) -> int:
    """An amount in yuan as people write it, in fen.

    Raises:
        Invalid: not an amount with at most two decimals.
    """
    text = form.get(name, "").strip().removeprefix("¥").removeprefix("￥").replace(",", "")
    try:
        return parse_yuan(text)
    except ValueError as error:
        raise _refusal(
            name,
            "金额格式有误，请填写如 48.00 的数字",
            "This is not an amount; write a number such as 48.00",
        ) from error


def number_of(form: Mapping[str, str], name: str) -> int:
    """A whole number that the page itself wrote into the form.

    Raises:
        Invalid: somebody changed it.
    """
    text = form.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > MAX_DIGITS:
        raise _refusal(name, "表单不完整，请刷新页面后重试", "The form is incomplete, reload it")
    return int(text)


def id_of(text: str | None) -> UUID | None:
    """A key out of an address; None when there is none.

    Raises:
        Invalid: it is not a key.
    """
    if not text:
        return None
    found = id_in(text)
    if found is None:
        raise _refusal("before", "分页位置无效", "There is no such page")
    return found


def key_in(text: str) -> UUID:
    """A key that the page itself wrote into the form.

    Raises:
        Invalid: somebody changed it.
    """
    found = id_in(text)
    if found is None:
        raise Invalid("表单不完整，请刷新页面后重试", "The form is incomplete, reload it")
    return found


def _refusal(name: str, zh: str, en: str) -> Invalid:
    return Invalid(zh, en, fields={name: [Words(zh, en)]})


def cut(rows: list[Any], size: int, key: str = "id") -> tuple[list[Any], Any]:
    """One page out of `size + 1` rows, and where the next page begins (None on the last)."""
    more = len(rows) > size
    shown = rows[:size]
    return shown, (shown[-1][key] if more else None)
