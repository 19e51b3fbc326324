"""Cursors: opaque, and either readable or refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from shop.errors import Invalid, Words


def encode_cursor(*key: str | int | None) -> str:
    """The key of the last row, made opaque."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def page_of(rows: Sequence[Any], limit: int, *key: str) -> dict[str, Any]:
    """A page of `limit` rows where one more was asked for, and the cursor to the next one.

    `key` names the columns that the rows are ordered by, the last of them unique.
    """
    page = list(rows[:limit])
    more = len(rows) > limit
    cursor = encode_cursor(*(str(_value(page[-1], name)) for name in key)) if more else None
    return {"items": page, "next_cursor": cursor}


def _value(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def decode_cursor(cursor: str | None) -> list[str]:
    """The key in a cursor; empty without one.

    Raises:
        Invalid: it is not one of ours.
    """
    if not cursor:
        return []
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise refusal() from error
    if not isinstance(key, list) or not key:
        raise refusal()
    return [str(part) for part in key]


def decode_id(cursor: str | None) -> UUID | None:
    """The row id in a cursor made by `encode_cursor(str(id))`.

    Raises:
        Invalid: it is not one of ours.
    """
    key = decode_cursor(cursor)
    if not key:
        return None
    try:
        (row_id,) = key
        return UUID(row_id)
    except ValueError as error:
        raise refusal() from error


def refusal() -> Invalid:
    """What a cursor that nobody gave out is answered with."""
    words = Words("分页位置无效", "This cursor is not one of ours")
    return Invalid(words, words.en, fields={"cursor": [words]})
