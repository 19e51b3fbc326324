"""What every refusal has in common."""

from __future__ import annotations

import re
from typing import Any

from tests.api.mall import Mall

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def refused(mall: Mall, method: str, path: str, status: int, code: str, **more: Any) -> list[str]:
    """The request is refused in both languages and changes nothing; returns the fields at fault."""
    before = mall.contents()
    headers = more.pop("headers", {})
    for language in ("zh-CN", "en"):
        answer = mall.api.call(
            method, path, headers={"Accept-Language": language, **headers}, **more
        )
        assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
        problem(answer, chinese=language == "zh-CN")
    assert mall.contents() == before
    return list(answer.json.get("errors", {}))


def problem(answer: Any, *, chinese: bool = True) -> None:
    """A problem document, complete and in the caller's language."""
    told = answer.json
    assert answer.content_type == "application/problem+json"
    assert (told["status"], told["type"]) == (answer.status_code, f"/problems/{told['code']}")
    assert told["title"]
    assert ("errors" in told) or told["status"] != 422
    assert told["request_id"] == answer.headers["X-Request-Id"]
    sentences = [told["detail"], *(one for said in told.get("errors", {}).values() for one in said)]
    assert [bool(CHINESE.search(one)) for one in sentences] == [chinese] * len(sentences)
