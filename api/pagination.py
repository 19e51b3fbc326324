"""Cursors: opaque, and either readable or refused."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

import orjson

from shop.errors import Invalid, Words


def encode_cursor(*key: str | int | None) -> str:
    """The key of the last row, made opaque."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


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
