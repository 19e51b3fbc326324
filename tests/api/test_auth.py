from dataclasses import replace

import pytest
from sqlalchemy import func, select

from models.identity import AccessToken, User
from shop.app import create_app
from shop.clock import SHANGHAI
from tests import cast
from tests.conftest import counted

MEI = {
    "email": "mei@example.org",
    "password": "bamboo-lantern-7",
    "name": "王梅",
    "buyer_kind": "alumni",
    "unit": "U13",
}
HOME = {
    "recipient": "林晓",
    "phone": "138 1234 1234",
    "division_code": "310110",
    "detail": "邯郸路 220 号",
}


def credentials(name, password=cast.PASSWORD):
    return {"login": cast.email(name), "password": password}


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def count(transactions, table):
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(table)).scalar_one()


def test_register_then_sign_in_then_read_oneself(api):
    registered = api.post("/auth/register", MEI)
    assert registered.status_code == 201
    token = api.post("/auth/tokens", {"login": MEI["email"], "password": MEI["password"]}).json
    assert token["user"] == {"id": registered.json["id"], "name": "王梅", "roles": []}
    me = api.get("/me", headers=bearer(token["token"])).json
    assert me["user"] == registered.json
    assert (me["user"]["unit"]["code"], me["memberships"], me["addresses"]) == ("U13", [], [])


def test_what_a_registration_answers(api):
    answer = api.post("/auth/register", MEI | {"unit": None}).json
    assert answer.keys() == {
        "id",
        "email",
        "name",
        "buyer_kind",
        "language",
        "unit",
        "roles",
        "created_at",
    }
    assert (answer["email"], answer["buyer_kind"], answer["unit"]) == (
        "mei@example.org",
        "alumni",
        None,
    )


def test_a_manager_reads_the_own_cooperative(api):
    (one,) = api.get("/me", as_="bob").json["memberships"]
    assert (one["role"], one["cooperative"]["code"], one["unit"]) == ("coop_manager", "C01", None)
    assert api.post("/auth/tokens", credentials("bob")).json["user"]["roles"] == ["coop_manager"]


def test_a_token_tells_when_it_ends(api, time):
    answer = api.post("/auth/tokens", credentials("alice")).json
    assert answer.keys() == {"token", "expires_at", "user"}
    assert answer["expires_at"] == "2026-12-23T10:00:00+08:00"
    time.set(answer["expires_at"])
    assert time.now.astimezone(SHANGHAI).isoformat() == answer["expires_at"]
    refused = api.get("/me", headers=bearer(answer["token"]))
    assert (refused.status_code, refused.json["code"]) == (401, "invalid_token")


def test_an_email_address_registers_once(api, transactions):
    before = count(transactions, User.__table__)
    refused = api.post("/auth/register", MEI | {"email": "ALICE@example.org"})
    assert (refused.status_code, refused.json["code"]) == (409, "email_taken")
    assert count(transactions, User.__table__) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "mei"}, "email"),
        ({"email": None}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 5_000}, "password"),
        ({"name": "\u202eeman"}, "name"),
        ({"buyer_kind": "unit_account"}, "buyer_kind"),
        ({"buyer_kind": "emperor"}, "buyer_kind"),
        ({"unit": "U99"}, "unit"),
        ({"roles": ["platform_admin"]}, "roles"),
    ],
)
def test_registrations_that_are_refused(api, transactions, change, field):
    before = count(transactions, User.__table__)
    refused = api.post("/auth/register", MEI | change)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])
    assert count(transactions, User.__table__) == before


@pytest.mark.parametrize("name", ["محمد بن علي", "茶友🍵🥜", "<b>'\"&</b>", "Ω≈ç√∫", "０１"])
def test_names_come_back_as_they_went_in(api, name):
    answer = api.post("/auth/register", MEI | {"name": name})
    assert (answer.status_code, answer.json["name"]) == (201, name)


def test_who_is_not_here_is_answered_like_who_is(api, transactions):
    before = count(transactions, AccessToken.__table__)
    wrong = api.post("/auth/tokens", credentials("alice", "walnut-bridge-43"))
    unknown = api.post("/auth/tokens", credentials("nobody"))
    assert [answer.status_code for answer in (wrong, unknown)] == [401, 401]
    assert wrong.json | {"request_id": ""} == unknown.json | {"request_id": ""}
    assert wrong.json["code"] == "wrong_credentials"
    assert list(wrong.headers.keys()) == list(unknown.headers.keys())
    assert count(transactions, AccessToken.__table__) == before


def test_the_answer_speaks_english_to_who_asks_for_it(api):
    english = {"Accept-Language": "en"}
    refused = api.post("/auth/tokens", credentials("nobody"), headers=english).json
    assert refused["detail"] == "The e-mail address or the password is wrong"
    weak = api.post("/auth/register", MEI | {"password": "12345678"}, headers=english).json
    assert (weak["code"], weak["errors"]) == (
        "weak_password",
        {"password": ["This password is among the first anybody would try"]},
    )


def test_signing_out_works_at_once(api):
    secret = api.post("/auth/tokens", credentials("alice")).json["token"]
    assert api.delete("/auth/tokens/current", headers=bearer(secret)).status_code == 204
    for method, path in (("GET", "/me"), ("DELETE", "/auth/tokens/current")):
        refused = api.call(method, path, headers=bearer(secret))
        assert (refused.status_code, refused.json["code"]) == (401, "invalid_token")
    assert api.get("/me", as_="alice").status_code == 200


def test_sign_ins_are_listed_and_ended_one_by_one(api):
    secret = api.post("/auth/tokens", credentials("alice")).json["token"]
    listed = api.get("/auth/tokens", as_="alice").json["items"]
    assert [(one["kind"], one["current"]) for one in listed].count(("api", True)) == 1
    newest = listed[0]
    assert (newest["current"], newest["scopes"]) == (False, ["*"])
    assert api.delete(f"/auth/tokens/{newest['id']}", as_="alice").status_code == 204
    assert api.get("/me", headers=bearer(secret)).status_code == 401
    assert len(api.get("/auth/tokens", as_="alice").json["items"]) == len(listed) - 1


def test_sign_ins_come_in_pages(api):
    for _ in range(3):
        api.post("/auth/tokens", credentials("alice"))
    whole = api.get("/auth/tokens", as_="alice").json
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/auth/tokens?limit=2&cursor={cursor}", as_="alice").json
        assert len(page["items"]) <= 2
        found, cursor = found + page["items"], page["next_cursor"]
    assert (found, whole["next_cursor"]) == (whole["items"], None)
    assert len(found) == 5


@pytest.mark.parametrize("token_id", ["nonsense", "0" * 32, "%00", "{bob}"])
def test_a_sign_in_of_somebody_else_is_not_found(api, token_id):
    (bobs,) = [t for t in api.get("/auth/tokens", as_="bob").json["items"] if t["current"]]
    refused = api.delete(f"/auth/tokens/{token_id.format(bob=bobs['id'])}", as_="alice")
    assert refused.status_code == (422 if token_id == "%00" else 404)
    assert api.get("/me", as_="bob").status_code == 200


def test_a_narrow_token_does_what_it_is_for_and_nothing_else(api):
    body = credentials("alice") | {"scopes": ["catalog.*"]}
    secret = api.post("/auth/tokens", body).json["token"]
    order = cast.order_body(("P01-1", 1))
    refused = api.post("/orders", order, headers=bearer(secret))
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert api.get("/me", headers=bearer(secret)).status_code == 403
    assert api.get("/auth/tokens", headers=bearer(secret)).status_code == 403
    assert api.get("/orders", as_="alice").json["items"] == []
    assert api.delete("/auth/tokens/current", headers=bearer(secret)).status_code == 204


def test_a_narrow_token_does_not_beget_a_wide_one(api):
    body = credentials("alice") | {"scopes": ["catalog.*"]}
    secret = api.post("/auth/tokens", body).json["token"]
    refused = api.post("/auth/tokens", credentials("alice"), headers=bearer(secret))
    assert refused.status_code == 403


@pytest.mark.parametrize("scopes", [[], ["catalog"], ["refund.all"], "catalog.*"])
def test_scopes_that_get_no_token(api, scopes):
    refused = api.post("/auth/tokens", credentials("alice") | {"scopes": scopes})
    assert refused.status_code == 422
    assert next(iter(refused.json["errors"])).startswith("scopes")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "x"])
def test_a_token_that_is_none_is_refused(api, header):
    refused = api.get("/me", headers={"Authorization": header})
    assert (refused.status_code, refused.json["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("GET", "/auth/tokens"),
        ("DELETE", "/auth/tokens/current"),
        ("DELETE", "/auth/tokens/" + "0" * 32),
        ("DELETE", "/me/addresses/" + "0" * 32),
    ],
)
def test_a_visitor_must_sign_in_first(api, method, path):
    refused = api.call(method, path)
    assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated")


def test_a_new_password_ends_the_other_sign_ins(api):
    other = api.post("/auth/tokens", credentials("alice")).json["token"]
    body = {"current_password": cast.PASSWORD, "new_password": "plum-rain-season"}
    assert api.put("/me/password", body, as_="alice").status_code == 204
    assert api.get("/me", headers=bearer(other)).status_code == 401
    assert api.get("/me", as_="alice").status_code == 200
    assert api.post("/auth/tokens", credentials("alice")).status_code == 401
    assert api.post("/auth/tokens", credentials("alice", "plum-rain-season")).status_code == 200


def test_a_stolen_token_does_not_change_the_password(api):
    body = {"current_password": "walnut-bridge-43", "new_password": "plum-rain-season"}
    refused = api.put("/me/password", body, as_="alice")
    assert (refused.status_code, refused.json["code"]) == (422, "wrong_password")
    assert api.post("/auth/tokens", credentials("alice")).status_code == 200


def test_the_address_book_over_http(api):
    added = api.post("/me/addresses", HOME, as_="alice")
    assert (added.status_code, added.json["phone"]) == (201, "+8613812341234")
    assert (added.json["division"], added.json["is_default"]) == ("上海市杨浦区", True)
    changed = api.put(
        f"/me/addresses/{added.json['id']}", HOME | {"detail": "国定路 400 号"}, as_="alice"
    )
    assert changed.json == added.json | {"detail": "国定路 400 号"}
    assert api.get("/me", as_="alice").json["addresses"] == [changed.json]
    assert api.delete(f"/me/addresses/{added.json['id']}", as_="alice").status_code == 204
    assert api.get("/me", as_="alice").json["addresses"] == []


def test_a_phone_with_letters_is_named(api):
    refused = api.post("/me/addresses", HOME | {"phone": "138abcd1234"}, as_="alice")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_phone")
    assert refused.json["errors"] == {"phone": ["请填写正确的手机号码"]}
    english = api.post(
        "/me/addresses",
        HOME | {"phone": "138abcd1234"},
        as_="alice",
        headers={"Accept-Language": "en"},
    )
    assert english.json["errors"] == {"phone": ["Please give a phone number we can call"]}
    assert api.get("/me", as_="alice").json["addresses"] == []


def test_addresses_of_somebody_else_are_not_there(api):
    key = api.post("/me/addresses", HOME, as_="alice").json["id"]
    answers = [
        api.put(f"/me/addresses/{key}", HOME, as_="bob"),
        api.delete(f"/me/addresses/{key}", as_="bob"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len(api.get("/me", as_="alice").json["addresses"]) == 1


def test_reading_oneself_takes_three_statements(api, database):
    for _ in range(3):
        api.post("/me/addresses", HOME, as_="bob")
    with counted(database) as issued:
        api.get("/me", as_="bob")
    assert len(issued) == 3


def test_signing_in_is_limited_by_address(database, settings, time):
    client = create_app(replace(settings, rate_limits=True), database, time).test_client()
    answers = [
        client.post("/api/v1/auth/tokens", json=credentials(f"nobody{number}")).status_code
        for number in range(21)
    ]
    assert answers == [401] * 20 + [429]
