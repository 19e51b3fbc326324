"""A buyer who was given a password chooses another before anything else."""

from __future__ import annotations

import pytest

from shop.identity.commands import reset_password
from tests import cast

NEW = "plum-rain-season"


@pytest.fixture
def told(transactions) -> str:
    """The temporary password that Alice was told."""
    with transactions.begin() as ctx:
        return reset_password(ctx, cast.email("alice"), "rang back")


@pytest.fixture
def given(visitor, told):
    """A browser in which Alice has just signed in with it, on her way to her address book."""
    visitor.get("/sign-in?next=/account/addresses")
    form = {**visitor.hidden(), "email": cast.email("alice"), "password": told}
    visitor.post("/sign-in", form)
    return visitor


def test_signing_in_leads_to_the_form_and_on_from_there(given, told):
    assert given.shown.location == "/account/password?next=/account/addresses"
    page = given.follow().text
    assert "您是用临时密码登录的。请先设置自己的新密码，再继续使用。" in page
    assert "临时密码" in page
    form = {**given.hidden(), "password": told, "new_password": NEW}
    assert given.post("/account/password", form).location == "/account/addresses"
    assert "密码已修改" in given.follow().text


def test_until_then_nothing_of_hers_opens(given):
    given.follow()
    for path in ("/account", "/account/addresses", "/orders", "/cart", "/checkout", "/find-order"):
        answer = given.get(path)
        assert (path, answer.status_code) == (path, 302)
        assert answer.location.startswith("/account/password?next=")
    assert given.get("/p/high-mountain-green-tea").status_code == 200
    assert given.get("/admin/").location.startswith("/admin/password")


def test_a_refused_password_keeps_the_way_on(given, told):
    given.follow()
    form = {**given.hidden(), "password": told, "new_password": told}
    answer = given.post("/account/password", form)
    assert (answer.status_code, "新密码不能与临时密码相同" in answer.text) == (422, True)
    assert given.hidden()["next"] == "/account/addresses"
    assert told not in answer.text


def test_signing_out_stays_possible(given):
    given.follow()
    given.post("/sign-out")
    assert given.shown.location == "/"
    assert given.get("/orders").location.startswith("/sign-in")


def test_the_way_on_never_leads_elsewhere(given, told):
    given.follow()
    form = {**given.hidden(), "password": told, "new_password": NEW, "next": "https://evil.example"}
    assert given.post("/account/password", form).location == "/account"
