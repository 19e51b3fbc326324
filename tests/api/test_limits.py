"""Who guesses is slowed down: by address, by login, with Redis or while it is away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shop.app import create_app
from tests.cast import PASSWORD, email, order_body

NOWHERE = "redis://127.0.0.1:1"
"""Nobody listens on port 1."""


@pytest.fixture
def mall(database, settings, time) -> Any:
    """An application of the test's own that counts; it is told with which settings."""

    def made(**more: Any) -> Any:
        return create_app(replace(settings, rate_limits=True, **more), database, time).test_client()

    return made


def try_in(client: Any, login: str, address: str = "192.0.2.1") -> Any:
    """A guess at a password, from an address of its own."""
    return client.post(
        "/api/v1/auth/tokens",
        json={"login": login, "password": "guessed"},
        headers={"X-Forwarded-For": address},
    )


def from_everywhere(client: Any, login: str, times: int) -> list[int]:
    return [try_in(client, login, f"192.0.2.{number}").status_code for number in range(times)]


def test_a_login_is_guessed_ten_times_from_however_many_addresses(mall):
    client = mall(trusted_proxies=1)
    assert from_everywhere(client, email("alice"), 11) == [401] * 10 + [429]
    assert from_everywhere(client, f" {email('alice').upper()} ", 1) == [429]
    assert from_everywhere(client, email("stan"), 1) == [401]


def test_the_three_doors_count_together(mall):
    client = mall()
    assert from_everywhere(client, email("bob"), 9) == [401] * 9
    for path, status in (("/sign-in", 422), ("/admin/sign-in", 429)):
        client.get(path)
        with client.session_transaction() as session:
            assert session["csrf_token"]
        form = {"email": email("bob"), "password": "guessed", "csrf_token": token(client, path)}
        assert client.post(path, data=form).status_code == status


def token(client: Any, path: str) -> str:
    """The token of the form on a page."""
    text = client.get(path).get_data(as_text=True)
    return text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]


def test_a_refused_guess_says_when_to_come_again(mall):
    client = mall()
    from_everywhere(client, email("alice"), 10)
    refused = try_in(client, email("alice"))
    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert 60 < int(refused.headers["Retry-After"]) <= 900


@pytest.mark.parametrize("body", ['{"login": 5}', "[]", "{", '{"login": "\\ud800"}', "[" * 5_000])
def test_who_names_no_login_is_not_counted_by_it(mall, body):
    client = mall()
    send = {"data": body, "content_type": "application/json"}
    found = {client.post("/api/v1/auth/tokens", **send).status_code for _ in range(15)}
    assert found <= {400, 422}


def test_the_mall_sells_and_lets_in_while_redis_is_away(mall):
    client = mall(redis_url=NOWHERE)
    order = {"json": order_body(("P01-1", 1)), "headers": {"Idempotency-Key": "k"}}
    assert client.post("/api/v1/orders", **order).status_code == 201
    right = {"login": email("stan"), "password": PASSWORD}
    assert client.post("/api/v1/auth/tokens", json=right).status_code == 200
    assert from_everywhere(client, email("alice"), 11) == [401] * 10 + [429]


@pytest.mark.parametrize(("proxies", "last"), [(1, 422), (0, 429)])
def test_who_comes_through_a_trusted_proxy_has_a_limit_of_their_own(mall, proxies, last):
    client = mall(trusted_proxies=proxies)
    path, body = "/api/v1/auth/register", {}

    def register(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return client.post(path, json=body, headers=headers).status_code

    assert {register("192.0.2.1") for _ in range(10)} == {422}
    assert register("192.0.2.1") == 429
    assert register("192.0.2.2") == last


def change_on(client: Any, path: str, present: str, **headers: str) -> int:
    """Replace the password of who is signed in, by the form of the mall or of the desk."""
    form = {"password": present, "current_password": present, "new_password": "walnut-bridge-43"}
    form["csrf_token"] = token(client, path)
    return client.post(path, data=form, headers=headers).status_code


def test_who_finds_a_browser_signed_in_tries_ten_passwords_out(mall):
    client = mall(trusted_proxies=1)
    client.get("/sign-in")
    form = {"email": email("bob"), "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
    assert client.post("/sign-in", data=form).status_code == 303
    tried = ["/account/password"] * 6 + ["/admin/password"] * 4
    assert [change_on(client, path, "guessed") for path in tried] == [422] * 10
    for path in ("/account/password", "/admin/password"):
        more = {"X-Forwarded-For": "192.0.2.7", "Authorization": "Bearer x"}
        assert change_on(client, path, PASSWORD, **more) == 429
    assert client.get("/account").status_code == 200


def test_who_finds_a_token_tries_ten_passwords_out_however_it_is_spelled(mall):
    client = mall(trusted_proxies=1)
    right = {"login": email("alice"), "password": PASSWORD}
    found = [client.post("/api/v1/auth/tokens", json=right).json["token"] for _ in range(2)]

    def change(number: int, secret: str) -> int:
        """With a header of its own kind and from an address of its own."""
        spelled = f"{('Bearer', 'bearer')[number % 2]} {' ' * number}{secret}"
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "Authorization": spelled}
        body = {"current_password": "guessed", "new_password": "walnut-bridge-43"}
        return client.put("/api/v1/me/password", json=body, headers=headers).status_code

    assert [change(number, found[0]) for number in range(11)] == [422] * 10 + [429]
    assert change(11, found[1]) == 422


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", 429),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 422),
        ("192.0.2.1", "::ffff:192.0.2.1", 429),
        ("192.0.2.1", "::ffff:192.0.2.2", 422),
        ("unix", "unix", 429),
        ("fe80::1%eth0", "fe80::2%eth0", 429),
    ],
)
def test_all_addresses_of_one_network_have_one_limit(mall, first, second, status):
    client = mall()

    def register(address: str) -> int:
        sender = {"REMOTE_ADDR": address}
        return client.post("/api/v1/auth/register", json={}, environ_base=sender).status_code

    assert [register(first) for _ in range(11)] == [422] * 10 + [429]
    assert register(second) == status
