"""Whatever the document allows or forbids is sent to it: nothing makes it stumble."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import GenerationConfig

from api.openapi import document
from tests.cast import secret

schema = schemathesis.openapi.from_dict(document())


@pytest.mark.parametrize("who", [None, "bob", "olga"])
@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_nothing_breaks(case, mall, who) -> None:
    headers = {"Authorization": f"Bearer {secret(who)}"} if who else None
    answer = case.call(app=mall.app, headers=headers)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
