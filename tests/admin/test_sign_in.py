"""Signing in and out, the language, and forms without their token."""

from __future__ import annotations

from dataclasses import replace

from shop.app import create_app
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
