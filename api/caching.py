"""Answers with an ETag: sent again only to those who do not have them yet."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema

from api.endpoint import Reply
from api.serializer import dumps
from shop.catalog.cache import Kept, etag_of
from shop.errors import Conflict

CACHE_CONTROL = "public, no-cache"
"""Keep it, but ask each time whether it is still true: the 304 costs next to nothing."""


KEPT = "aidmall.kept"
"""Where the answer's key stands for `api.ready`, which gives it again without asking Flask."""


def fresh(schema: type[Schema], value: Any) -> Reply:
    """`value` with an ETag over its bytes; 304 when the caller has just these."""
    body = dumps(schema, value)
    return conditional(Kept(None, body, etag_of(body)))


def conditional(kept: Kept) -> Reply:
    """A kept answer; 304 when the caller has just these bytes."""
    request.environ[KEPT] = kept.key
    headers = {"ETag": kept.etag, "Cache-Control": CACHE_CONTROL}
    if "If-None-Match" in request.headers and _has(kept.etag):
        return Reply(status=304, headers=headers, body=b"")
    return Reply(headers=headers, body=kept.body)


def _has(etag: str) -> bool:
    """Whether the caller has these bytes; a proxy that packs answers makes our tags weak ones."""
    return request.if_none_match.contains_weak(etag.strip('"'))


def version_tag(version: int) -> dict[str, str]:
    """The ETag header of a row that is edited under `If-Match`."""
    return {"ETag": f'"{version}"'}


def expected_version() -> int:
    """The version in `If-Match`: which state of the row the caller means to change.

    Raises:
        Conflict: `precondition_required` without the header; `precondition_failed` for a tag that
            cannot be the row's.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise Conflict(
            "缺少 If-Match 请求头，请先读取最新内容",
            "This request needs If-Match with the ETag you read",
            code="precondition_required",
        )
    tag = header.strip().strip('"')
    if not tag.isascii() or not tag.isdigit() or len(tag) > MAX_VERSION_DIGITS:
        raise Conflict(
            "内容已被他人修改，请刷新后重试",
            "That is not the ETag of the present state",
            code="precondition_failed",
        )
    return int(tag)


MAX_VERSION_DIGITS = 18
"""What a bigint holds for certain."""
