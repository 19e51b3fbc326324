"""What was sent, as values: a body that is JSON, of a size that a schema can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Literal

import orjson
from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import FileStorage

from api.wording import worded
from shop.errors import Invalid, Words
from shop.web import refuse_nul

MAX_PARTS = 2_000
"""Keys and values of a body: an order of 200 lines has some 1,050.

A schema works on each part, and tells of each that is wrong; a megabyte of empty lines would keep
it busy for a minute and be answered with 25 megabytes of faults.
"""

Unknown = Literal["exclude", "raise"]


def json_body() -> Any:
    """The body of the present request.

    Raises:
        Invalid: `unsupported_media_type`, `unreadable`, `too_large` (more than `MAX_PARTS`).
    """
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Invalid(
            "请求内容须为 application/json",
            "The body must be application/json",
            code="unsupported_media_type",
        )
    raw = request.get_data()
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid("JSON 无法解析", "The body is not JSON", code="unreadable") from error
    parts = list(islice(_parts(value), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        raise Invalid("提交的内容过大", "The body has too many parts", code="too_large")
    if b"\\u0000" in raw:
        refuse_nul(part for part in parts if isinstance(part, str))
    return value


def uploaded(name: str) -> FileStorage:
    """A file out of the present request's form.

    Raises:
        Invalid: `unsupported_media_type`, the body is no form with files; or `name` is missing.
    """
    if request.mimetype != "multipart/form-data":
        raise Invalid(
            "请求内容须为 multipart/form-data",
            "The body must be multipart/form-data",
            code="unsupported_media_type",
        )
    file = request.files.get(name)
    if file is None:
        words = Words("请选择文件", "A file is needed")
        raise Invalid(words, words.en, fields={name: [words]})
    return file


def _parts(value: Any) -> Iterator[Any]:
    """Every value in a JSON value, keys included, however deep: perhaps deeper than our stack."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())


@cache
def _loader(schema: type[Schema], unknown: Unknown) -> Schema:
    """One instance a schema: making one costs more than loading an order with it."""
    return schema(unknown=unknown)


def loaded(schema: type[Schema], data: Any, *, unknown: Unknown) -> Any:
    """`data` as `schema` loads it.

    Raises:
        Invalid: every field at fault is named, with a sentence in both languages.
    """
    try:
        return _loader(schema, unknown).load(data)
    except ValidationError as error:
        faults = flat(_messages(error))
        raise Invalid(
            fields={name: [worded(one) for one in said] for name, said in faults.items()}
        ) from error


def _messages(error: ValidationError) -> dict[str, Any]:
    messages = error.messages
    return messages if isinstance(messages, dict) else {"_schema": messages}


def flat(messages: Mapping[Any, Any], prefix: str = "") -> dict[str, list[str]]:
    """Nested marshmallow messages as `{"lines.0.sku": [...]}`."""
    found: dict[str, list[str]] = {}
    for key, value in messages.items():
        name = prefix if key == "_schema" and prefix else f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found.update(flat(value, name))
        else:
            found[name] = [str(one) for one in value]
    return found
