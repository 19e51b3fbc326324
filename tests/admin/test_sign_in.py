"""Signing in and out, the language, and forms without their token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.identity import TokenKind
from shop.app import create_app
from shop.identity.queries import actor_for_token
from tests.admin.conftest import Desk
from tests.cast import PASSWORD, email


def sign_in(desk: Desk, name: str, password: str = PASSWORD, onward: str = ""):
    desk.get("/sign-in")
    return desk.post("/sign-in", email=email(name), password=password, next=onward)


def test_signing_in_leads_to_the_roles_work(desk_of):
    for name, work in {"bob": "等待最久的发货单", "olga": "2026 年消费帮扶"}.items():
        desk = desk_of("")
        assert sign_in(desk, name).status_code == 303
        assert work in desk.follow().get_data(as_text=True)


def test_the_session_is_the_storefronts_too(desk_of):
    desk = desk_of("")
    sign_in(desk, "bob")
    with desk.client.session_transaction() as session:
        assert session["sid"]
        assert session.permanent


def test_a_wrong_password_shows_the_form_again(desk_of):
    desk = desk_of("")
    assert sign_in(desk, "bob", "wrong").status_code == 422
    assert desk.notes == ["邮箱或密码不正确"]
    assert f'value="{email("bob")}"' in desk.text
    assert "wrong" not in desk.text.partition("<main")[2]
    assert desk.get("/").status_code == 302


def test_a_buyer_is_told_that_this_is_not_the_place(desk_of):
    desk = desk_of("")
    sign_in(desk, "alice")
    assert desk.follow().status_code == 403
    assert "当前账号没有后台权限" in desk.plain


def test_signing_in_never_leads_elsewhere(desk_of):
    for onward, goes in {
        "/admin/goods": "/admin/goods",
        "/admin?x=1": "/admin?x=1",
        "//evil.example": "/admin/",
        "https://evil.example/admin": "/admin/",
        "/administrator": "/admin/",
        "": "/admin/",
    }.items():
        assert sign_in(desk_of(""), "bob", onward=onward).headers["Location"] == goes


def test_signing_out_ends_the_session_for_good(bob):
    bob.get("/")
    with bob.client.session_transaction() as session:
        kept = session["sid"]
    assert bob.post("/sign-out").headers["Location"] == "/admin/sign-in"
    with bob.client.session_transaction() as session:
        session["sid"] = kept
    assert bob.get("/").status_code == 302


def test_a_form_without_its_token_is_refused(bob):
    answer = bob.client.post("/admin/goods/P01-1/price", data={"price": "1"})
    assert answer.status_code == 400
    assert "页面已过期" in answer.get_data(as_text=True)


def test_the_language_is_remembered(bob):
    bob.get("/goods?lang=en")
    assert bob.get("/goods").get_data(as_text=True).count("Goods and stock") > 0
    assert 'href="/admin/goods?lang=zh"' in bob.text


def test_guessing_passwords_is_slowed_down(database, settings, time):
    app = create_app(replace(settings, rate_limits=True), database, time)
    desk = Desk(app.test_client())
    desk.get("/sign-in")
    form = {"csrf_token": desk.token, "password": "x"}
    found = [
        desk.client.post("/admin/sign-in", data={**form, "email": f"{number}@example.org"})
        for number in range(21)
    ]
    assert [answer.status_code for answer in found] == [422] * 20 + [429]
    assert "操作过于频繁" in found[-1].get_data(as_text=True)


@pytest.mark.parametrize("name", ["endpoint", "_anchor", "_external", "_method", "_scheme", "self"])
def test_no_address_makes_the_other_language_lead_elsewhere(desk_of, name):
    desk = desk_of("")
    answer = desk.get(f"/sign-in?{name}=javascript", headers={"Host": "evil.example"})
    assert answer.status_code == 200
    assert f'href="/admin/sign-in?{name}=javascript&amp;lang=en"' in desk.text
    assert "evil.example" not in desk.text


def test_the_other_language_keeps_what_was_asked_for(desk_of):
    desk = desk_of("olga")
    assert desk.get("/orders?state=paid&x=1&x=%C3%A9").status_code == 200
    assert 'href="/admin/orders?state=paid&amp;x=1&amp;x=%C3%A9&amp;lang=en"' in desk.text


def test_signing_in_begins_a_new_session_and_signing_out_leaves_nothing_of_it(desk_of):
    desk = desk_of("")
    desk.get("/sign-in?lang=en")
    with desk.client.session_transaction() as session:
        session.update(opened=[("26112300000000", "x")], placed=("26112300000000", "x"), cart="c")
        before = session["csrf_token"]
    sign_in(desk, "bob")
    with desk.client.session_transaction() as session:
        assert set(session) == {"sid", "lang", "opened", "cart", "_permanent"}
    desk.follow()
    with desk.client.session_transaction() as session:
        assert session["csrf_token"] != before
    desk.post("/sign-out")
    with desk.client.session_transaction() as session:
        assert dict(session) == {"lang": "en"}


def test_signing_in_anew_ends_the_sign_in_before(desk_of, transactions):
    desk = desk_of("")
    sign_in(desk, "bob")
    with desk.client.session_transaction() as session:
        before = session["sid"]
    desk.follow()
    desk.post("/sign-in", email=email("charlie"), password=PASSWORD)
    with transactions.begin() as ctx:
        assert actor_for_token(ctx.session, before, TokenKind.SESSION, ctx.now) is None
    assert "核桃" in desk.get("/goods").get_data(as_text=True)


def test_a_sign_in_in_vain_ends_none(bob):
    bob.get("/")
    bob.post("/sign-in", email=email("charlie"), password="wrong")
    assert bob.get("/goods").status_code == 200
