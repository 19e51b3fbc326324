"""Who guesses is slowed down; who only looks is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shop.app import create_app
from tests.storefront.conftest import Visitor


@pytest.fixture
def limited(worker_database, settings) -> Visitor:
    """A visitor of an installation that counts."""
    counting = replace(settings, rate_limits=True)
    return Visitor(create_app(counting, worker_database).test_client())


@pytest.mark.parametrize(
    ("path", "most"), [("/find-order", 10), ("/sign-in", 20), ("/register", 10)]
)
def test_forms_that_invite_guessing_are_limited(limited, path, most):
    limited.get(path)
    form = {"csrf_token": limited.hidden()["csrf_token"]}
    answers = [limited.client.post(path, data=form).status_code for _each in range(most + 1)]
    assert answers == [422] * most + [429]
    limited.get(path)
    assert "操作太快了" in limited.post(path).text


def test_looking_is_not_limited(limited):
    assert {limited.get("/sign-in").status_code for _each in range(30)} == {200}
    assert {limited.get("/c/tea").status_code for _each in range(30)} == {200}


def test_one_limit_does_not_count_for_another(limited):
    limited.get("/find-order")
    form = {"csrf_token": limited.hidden()["csrf_token"]}
    for _each in range(11):
        limited.client.post("/find-order", data=form)
    assert limited.client.post("/sign-in", data=form).status_code == 422
