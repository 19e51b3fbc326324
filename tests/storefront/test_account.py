"""Coming in, going out, the address book."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.identity import AccessToken, Address, TokenKind, User
from shop.identity.queries import actor_for_token
from storefront.shown import phone_text
from tests import cast
from tests.conftest import counted

ADDRESS = {
    "recipient": "林晓",
    "phone": "15400000001",
    "province": "530000",
    "city": "532900",
    "county": "532928",
    "detail": "博南镇东街 12 号",
}


def cookie(visitor) -> str | None:
    with visitor.client.session_transaction() as session:
        return session.get("sid")


def test_signing_in_begins_a_new_session(visitor, transactions):
    visitor.get("/sign-in?ch=new_media")
    with visitor.client.session_transaction() as session:
        before = session["csrf_token"]
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    with visitor.client.session_transaction() as session:
        assert set(session) <= {"sid", "came", "_permanent", "lang"}
        assert session["came"]["channel"][0] == "new_media"
        assert session.get("csrf_token") != before


def test_a_wrong_password_says_so_and_keeps_the_address(visitor):
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": cast.email("alice"), "password": "wrong"})
    assert answer.status_code == 422
    assert "邮箱或密码不正确" in answer.text
    assert cast.email("alice") in answer.text
    assert 'value="wrong"' not in answer.text
    assert cookie(visitor) is None


def test_a_page_that_needs_signing_in_is_reached_afterwards(visitor):
    visitor.get("/account/addresses")
    assert visitor.shown.location.startswith("/sign-in?next=/account/addresses")
    visitor.get(visitor.shown.location)
    form = {**visitor.hidden(), "email": cast.email("alice"), "password": cast.PASSWORD}
    assert visitor.post("/sign-in", form).location.startswith("/account/addresses")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/" + "x" * 400,
        "/a\nb",
    ],
)
def test_nobody_is_led_away_after_signing_in(visitor, wanted):
    visitor.get("/sign-in")
    form = {"email": cast.email("alice"), "password": cast.PASSWORD, "next": wanted}
    assert visitor.post("/sign-in", form).location == "/"


def test_signing_out_ends_the_session_for_good(alice, transactions):
    secret = cookie(alice)
    alice.get("/account")
    alice.post("/sign-out")
    assert cookie(alice) is None
    with alice.client.session_transaction() as session:
        session["sid"] = secret
    assert alice.get("/account/addresses").status_code == 302


def test_signing_in_anew_ends_the_sign_in_before(alice, transactions):
    before = cookie(alice)
    alice.get("/account/addresses/new")
    answer = alice.post("/sign-in", {"email": cast.email("uma"), "password": cast.PASSWORD})
    assert answer.status_code == 303
    with transactions.begin() as ctx:
        assert actor_for_token(ctx.session, before, TokenKind.SESSION, ctx.now) is None
    assert cast.email("uma") in alice.get("/account").text


def test_signing_out_twice_is_quiet(visitor):
    visitor.get("/sign-in")
    assert visitor.post("/sign-out").status_code == 303


def test_registering_signs_in(visitor, transactions):
    visitor.get("/register")
    form = {
        "name": "王小明 🌱",
        "email": "Wang@Example.org",
        "password": "a walnut a day",
        "buyer_kind": "staff",
        "unit": "U03",
    }
    assert visitor.post("/register", form).status_code == 303
    assert "欢迎您，王小明 🌱。" in visitor.follow().text
    assert "经济学院" in visitor.get("/account").text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("email", "nobody", "请填写有效的电子邮箱"),
        ("email", "alice@example.org", "此邮箱已注册"),
        ("password", "short", "密码至少需要 8 个字符"),
        ("password", "password", "这个密码太常见"),
        ("name", "", "请填写这一项"),
        ("buyer_kind", "unit_account", "请选择一项"),
        ("unit", "U99", "没有这个单位"),
    ],
)
def test_a_registration_is_shown_again(visitor, transactions, field, value, told):
    visitor.get("/register")
    form = {
        "name": "王",
        "email": "w@example.org",
        "password": "a walnut a day",
        "buyer_kind": "staff",
        field: value,
    }
    answer = visitor.post("/register", form)
    assert (answer.status_code, told in answer.text) == (409 if "已注册" in told else 422, True)
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(User).where(User.email == "w@example.org")).all() == []


def test_the_account_shows_who_and_where_orders_stand(alice, provider, database):
    alice.put_in("P01-1")
    alice.check_out()
    with counted(database) as issued:
        page = alice.get("/account").text
    assert len(issued) == 5
    assert "上海校友会" in page
    assert '<span class="count-dot">1</span>' in page
    assert 'href="/admin"' not in page


@pytest.mark.parametrize("who", ["bob", "olga"])
def test_staff_find_the_way_to_the_back_office(visitor, who):
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email(who), "password": cast.PASSWORD})
    assert 'href="/admin"' in visitor.get("/account").text


def test_an_address_is_kept_changed_and_removed(alice, transactions):
    alice.get("/account/addresses/new")
    alice.post("/account/addresses/new", ADDRESS)
    assert "博南镇东街 12 号" in alice.follow().text
    with transactions.begin() as ctx:
        kept = ctx.session.execute(select(Address.id)).scalar_one()
    page = alice.get(f"/account/addresses/{kept}").text
    assert '<option value="532928" selected>永平县</option>' in page
    alice.post(f"/account/addresses/{kept}", {**ADDRESS, "detail": "博南镇西街 3 号"})
    assert "博南镇西街 3 号" in alice.follow().text
    alice.post(f"/account/addresses/{kept}/remove")
    assert "还没有保存的地址" in alice.follow().text


def test_a_phone_is_shown_as_it_is_written_here(alice, transactions):
    alice.get("/account/addresses/new")
    alice.post("/account/addresses/new", ADDRESS)
    assert f'<span class="num">{ADDRESS["phone"]}</span>' in alice.follow().text
    with transactions.begin() as ctx:
        kept = ctx.session.execute(select(Address.id)).scalar_one()
    assert f'value="{ADDRESS["phone"]}"' in alice.get(f"/account/addresses/{kept}").text
    alice.put_in("P01-1")
    assert f'<span class="num">{ADDRESS["phone"]}</span>' in alice.get("/checkout").text


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("+8615400000001", "15400000001"),
        ("+862165640000", "+862165640000"),
        ("+85251234567", "+85251234567"),
        ("154****0001", "154****0001"),
    ],
)
def test_only_a_mobile_number_of_the_mainland_stands_without_its_country(kept, told):
    assert phone_text(kept) == told


def test_an_address_at_fault_is_shown_again(alice, transactions):
    alice.get("/account/addresses/new")
    answer = alice.post("/account/addresses/new", {**ADDRESS, "county": "", "phone": "x"})
    assert answer.status_code == 422
    assert "请选择完整的省、市、区县" in answer.text
    assert "请填写正确的手机号码" in answer.text
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(Address.id)).all() == []


def test_the_levels_of_an_address_come_without_script(alice):
    alice.get("/account/addresses/new")
    page = alice.post("/account/addresses/new", {"step": "region", "province": "310000"}).text
    assert '<option value="310110">杨浦区</option>' in page
    # Who listens stands around what is fetched, and is not fetched itself.
    assert page.count('hx-get="/account/region"') == 1
    part = alice.get("/account/region?province=530000", headers={"HX-Request": "true"}).text
    assert ('id="region"' in part, "hx-get" in part, 'id="quote"' in part) == (True, False, False)


def test_somebody_elses_address_is_not_there(alice):
    assert alice.get("/account/addresses/01890000-0000-7000-8000-000000000000").status_code == 404
    assert alice.get("/account/addresses/x").status_code == 404


def test_another_password_ends_the_other_sign_ins(alice, transactions):
    alice.get("/account/password")
    wrong = alice.post("/account/password", {"password": "no", "new_password": "a new walnut"})
    assert "当前密码不正确" in wrong.text
    alice.post("/account/password", {"password": cast.PASSWORD, "new_password": "a new walnut"})
    assert "密码已修改" in alice.follow().text
    with transactions.begin() as ctx:
        tokens = AccessToken.__table__
        mine = select(User.id).where(User.email == cast.email("alice")).scalar_subquery()
        live = select(tokens.c.id).where(tokens.c.user_id == mine, tokens.c.revoked_at.is_(None))
        assert len(ctx.session.execute(live).all()) == 1
