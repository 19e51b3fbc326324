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


def test_a_campus_behind_one_address_signs_in(limited):
    """Twenty of one name; of other names many more."""
    limited.get("/sign-in")
    form = {"csrf_token": limited.hidden()["csrf_token"], "email": "a@mall.example"}
    assert [limited.client.post("/sign-in", data=form).status_code for _ in range(3)] == [422] * 3
    others = [
        limited.client.post("/sign-in", data={**form, "email": f"b{number}@mall.example"})
        for number in range(40)
    ]
    assert {answer.status_code for answer in others} == {422}


def test_an_order_is_guessed_at_ten_times_however_its_number_is_spelled(limited):
    limited.get("/find-order")
    form = {"csrf_token": limited.hidden()["csrf_token"], "phone": "15400000001"}
    spelled = ["26112300000000", "2611 2300 0000 00"] * 5
    answers = [
        limited.client.post("/find-order", data={**form, "number": number}).status_code
        for number in [*spelled, "26112300000000", "26112300000019"]
    ]
    assert answers == [404] * 10 + [429, 404]


def test_one_form_too_many_keeps_what_was_typed_and_says_when(limited):
    limited.get("/sign-in")
    form = {"email": " Li@Mall.example", "password": "secret-guess"}
    for _each in range(21):
        limited.post("/sign-in", form)
    page = limited.shown
    seconds = int(page.headers["Retry-After"])
    assert page.status_code == 429
    assert f"操作太频繁，请在 {-(-seconds // 60)} 分钟后再试" in page.text
    assert limited.post("/sign-in", form).status_code == 429
    assert 'value=" Li@Mall.example"' in page.text
    assert "secret-guess" not in page.text


def test_looking_is_not_limited(limited):
    assert {limited.get("/sign-in").status_code for _each in range(30)} == {200}
    assert {limited.get("/c/tea").status_code for _each in range(30)} == {200}


def test_one_limit_does_not_count_for_another(limited):
    limited.get("/find-order")
    form = {"csrf_token": limited.hidden()["csrf_token"]}
    for _each in range(11):
        limited.client.post("/find-order", data=form)
    assert limited.client.post("/sign-in", data=form).status_code == 422


def test_an_order_is_guessed_at_sixty_times_an_hour_from_however_many_addresses(limited):
    limited.get("/find-order")
    form = {"csrf_token": limited.hidden()["csrf_token"], "phone": "15400000001"}

    def look_up(number: str, last: int) -> int:
        sender = {"REMOTE_ADDR": f"192.0.2.{last}"}
        data = {**form, "number": number}
        return limited.client.post("/find-order", data=data, environ_base=sender).status_code

    guesses = [look_up("26112300000000", last) for last in range(61)]
    assert guesses == [404] * 60 + [429]
    assert look_up("2611 2300 0000 00", 99) == 429
    assert look_up("26112300000019", 99) == 404


def test_the_provider_is_asked_about_one_order_sixty_times_a_minute(limited):
    answers = [limited.get("/orders/26112300000000/result").status_code for _each in range(61)]
    assert answers == [404] * 60 + [429]
    assert "操作太频繁" in limited.shown.text
    assert 0 < int(limited.shown.headers["Retry-After"]) <= 60
    assert limited.get("/orders/26112300000019/result").status_code == 404
    assert limited.get("/orders/26112300000000").status_code == 404
