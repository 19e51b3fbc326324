"""Which language an answer is in: what the visitor chose, what the browser prefers, Chinese."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("header", "zh"),
    [
        (None, True),
        ("", True),
        ("zh-CN,zh;q=0.9,en;q=0.8", True),
        ("en-GB,en;q=0.9,zh;q=0.8", False),
        ("zh;q=0.3, en;q=0.8", False),
        ("fr", True),
        ("fr, en;q=0.1", False),
        ("*", True),
        (";;q=,,\t=", True),
        ("en;q=x", True),
        ("x" * 5_000 + ",en", True),
    ],
)
def test_the_browsers_wish(client, header, zh):
    headers = {} if header is None else {"Accept-Language": header}
    answers = [client.get("/api/v1/orders/1", headers=headers) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {404}
    assert {"没有" in answer.json["detail"] for answer in answers} == {zh}


def test_what_the_visitor_chose_comes_first(client):
    answer = client.get("/api/v1/orders/1?lang=zh", headers={"Accept-Language": "en"})
    assert "没有" in answer.json["detail"]
