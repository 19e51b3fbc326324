"""Changing the password at the desk, and having to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from models.catalog import Sku
from shop.app import create_app
from shop.identity.commands import reset_password
from tests.admin.conftest import Desk
from tests.cast import PASSWORD, email

NEW = "plum-rain-season"


def change(desk: Desk, current: str, new: str = NEW, **more: str):
    return desk.post("/password", current_password=current, new_password=new, **more)


@pytest.fixture
def told(transactions) -> str:
    """The temporary password that Bob was told."""
    with transactions.begin() as ctx:
        return reset_password(ctx, email("bob"), "rang back")


def test_a_temporary_password_leads_to_the_form_and_on_from_there(desk_of, told):
    desk = desk_of("")
    desk.get("/sign-in")
    desk.post("/sign-in", email=email("bob"), password=told, next="/admin/goods")
    desk.follow()
    assert desk.shown.headers["Location"] == "/admin/password?next=/admin/goods?"
    desk.follow()
    assert "您是用临时密码登录的。请先设置自己的新密码，再继续使用。" in desk.plain
    assert "商品与库存" not in desk.plain
    assert change(desk, told, next="/admin/goods").headers["Location"] == "/admin/goods"
    desk.follow()
    assert desk.notes == ["密码已修改，其他设备上的登录已退出。"]
    assert "高山绿茶" in desk.plain


def test_until_then_no_page_opens_and_no_form_counts(desk_of, told, transactions):
    desk = desk_of("")
    desk.get("/sign-in")
    desk.post("/sign-in", email=email("bob"), password=told)
    desk.get("/password")
    for path in ("/", "/goods", "/consignments", "/goods/P01-1", "/reports"):
        assert desk.get(path).headers["Location"].startswith("/admin/password")
    answer = desk.post("/goods/P01-1/price", price="1", reason="x", version="1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/password")
    with transactions.begin() as ctx:
        price = ctx.session.execute(select(Sku.price_fen).where(Sku.code == "P01-1"))
        assert price.scalar_one() == 4800


def test_the_reset_ends_the_session_of_the_other_browser(bob, transactions):
    bob.get("/goods")
    with transactions.begin() as ctx:
        reset_password(ctx, email("bob"), "lost phone")
    assert bob.get("/goods").headers["Location"].startswith("/admin/sign-in")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("short", "密码至少需要 8 个字符"),
        ("password1", "这个密码太常见，请换一个"),
        ("", "密码至少需要 8 个字符"),
        (None, "新密码不能与临时密码相同"),
    ],
)
def test_what_is_no_new_password(desk_of, told, new, why):
    desk = desk_of("")
    desk.get("/sign-in")
    desk.post("/sign-in", email=email("bob"), password=told)
    desk.get("/password?next=/admin/goods")
    answer = change(desk, told, told if new is None else new, next="/admin/goods")
    assert (answer.status_code, why in desk.plain) == (422, True)
    assert 'name="next" value="/admin/goods"' in desk.text
    assert told not in desk.text
    assert desk.get("/goods").status_code == 302


def test_sent_twice_it_is_done_once_and_said_so(desk_of, told):
    desk = desk_of("")
    desk.get("/sign-in")
    desk.post("/sign-in", email=email("bob"), password=told)
    desk.get("/password")
    assert [change(desk, told).status_code for _ in range(2)] == [303, 303]


def test_anybody_changes_the_own_password(bob):
    bob.get("/password")
    assert "当前密码" in bob.plain
    assert change(bob, "walnut-bridge-43").status_code == 422
    assert "当前密码不正确" in bob.plain
    assert change(bob, PASSWORD).headers["Location"] == "/admin/"


def test_a_visitor_signs_in_first(desk_of):
    assert desk_of("").get("/password").headers["Location"].startswith("/admin/sign-in")


def test_trying_passwords_out_is_slowed_down(database, settings, time, desk_of):
    app = create_app(replace(settings, rate_limits=True), database, time)
    desk = Desk(app.test_client())
    desk.get("/sign-in")
    desk.post("/sign-in", email=email("bob"), password=PASSWORD)
    desk.get("/password")
    found = [change(desk, f"guess-{number}").status_code for number in range(11)]
    assert found == [422] * 10 + [429]
