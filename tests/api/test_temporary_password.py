"""A token got by a temporary password changes the password, and nothing else."""

from __future__ import annotations

import pytest

from shop.identity.commands import reset_password
from tests import cast

NEW = "plum-rain-season"


def sign_in(api, password: str):
    return api.post("/auth/tokens", {"login": cast.email("bob"), "password": password})


@pytest.fixture
def told(transactions) -> str:
    """The temporary password that Bob was told."""
    with transactions.begin() as ctx:
        return reset_password(ctx, cast.email("bob"), "rang back")


@pytest.fixture
def given(api, told) -> dict[str, str]:
    """The headers of a client that has signed in with it."""
    return {"Authorization": f"Bearer {sign_in(api, told).json['token']}"}


def test_the_old_tokens_have_ended(api, told):
    assert (api.get("/me", as_="bob").status_code, sign_in(api, cast.PASSWORD).status_code) == (
        401,
        401,
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("GET", "/auth/tokens"),
        ("GET", "/cart"),
        ("GET", "/orders"),
        ("POST", "/orders"),
        ("POST", "/quotes"),
        ("GET", "/cooperative/consignments"),
        ("POST", "/cooperative/consignments/1-1/parcels"),
    ],
)
def test_everything_else_names_what_is_to_be_done(api, given, method, path):
    refused = api.call(method, path, headers=given)
    assert (refused.status_code, refused.json["code"]) == (403, "password_change_required")
    assert refused.json["detail"] == "您的密码是临时密码，请先修改密码"


def test_with_another_password_the_same_token_does_everything(api, given, told):
    body = {"current_password": told, "new_password": NEW}
    same = api.put("/me/password", {**body, "new_password": told}, headers=given)
    assert (same.status_code, same.json["code"]) == (422, "same_password")
    assert api.put("/me/password", body, headers=given).status_code == 204
    assert api.get("/me", headers=given).json["user"]["email"] == cast.email("bob")
    assert api.get("/cooperative/consignments", headers=given).status_code == 200
    assert (sign_in(api, told).status_code, sign_in(api, NEW).status_code) == (401, 200)


def test_it_can_be_given_back(api, given):
    assert api.delete("/auth/tokens/current", headers=given).status_code == 204
    assert api.get("/me", headers=given).json["code"] == "invalid_token"
