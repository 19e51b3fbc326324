"""Requests that are wrong as requests: bodies, headers, methods."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from shop.app import create_app
from shop.db import Database
from tests.api.refusals import problem, refused
from tests.cast import order_body

JSON = "application/json"
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"{", b"nul", b"{'a': 1}", b'{"a": 1,}', b'{"a": 1} {}', b"NaN", b"Infinity",
        b'{"lines": NaN}', b'{"lines": 1e400}', b'{"note": "\\ud800"}', b'{"note": "\x00"}',
        b'{"note": "\xff"}', b"\xef\xbb\xbf{}", "{}".encode("utf-16"), "{}".encode("utf-32"),
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000,
    ],
    ids=lambda data: repr(data[:12]),
)  # fmt: skip
def test_what_is_not_json_is_unreadable(mall, data):
    for path in ("/orders", "/quotes", "/auth/tokens"):
        refused(mall, "POST", path, 400, "unreadable", data=data, content_type=JSON)


@pytest.mark.parametrize(
    "data",
    [
        b'{"note": "\\u0000"}', b'{"a\\u0000": 1}', b'{"lines": [{"sku": "\\u0000"}]}',
        b'{"note": ' + b"[" * 900 + b'"\\u0000"' + b"]" * 900 + b"}",
        b'{"note": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
    ids=lambda data: repr(data[:24]),
)  # fmt: skip
def test_json_that_we_cannot_keep_is_invalid(mall, data):
    refused(mall, "POST", "/orders", 422, "invalid", data=data, content_type=JSON)


def test_of_a_key_that_stands_twice_the_last_counts(mall):
    data = b'{"lines": [{"sku": "P01-1", "quantity": 1, "quantity": 2}]}'
    answer = mall.api.call("POST", "/quotes", data=data, content_type=JSON)
    assert (answer.status_code, answer.json["goods_fen"]) == (200, 9600)


@pytest.mark.parametrize(
    "type_", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
              "application/xml", "application/jsonp", "json", ";", "😀"]
)  # fmt: skip
def test_a_body_is_json_and_says_so(mall, type_):
    more = {"data": b'{"lines": []}', "content_type": type_ and type_.encode().decode("latin-1")}
    refused(mall, "POST", "/quotes", 415, "unsupported_media_type", **more)
    refused(mall, "POST", "/orders", 415, "unsupported_media_type", **more)


@pytest.mark.parametrize("path", ["/orders", "/auth/tokens", "/webhooks/stripe"])
def test_ten_megabytes_are_too_much(mall, path):
    data = b"x" * 10 * MEGABYTE
    refused(mall, "POST", path, 413, "too_large", data=data, content_type=JSON)


@pytest.mark.parametrize(
    "data",
    [
        b'{"lines": [' + b",".join([b"{}"] * 300_000) + b"]}",
        b'{"lines": [' + b",".join([b"1"] * 400_000) + b"]}",
        b"{" + b",".join(b'"%d":1' % key for key in range(90_000)) + b"}",
    ],
    ids=["lines", "numbers", "keys"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/orders", "/quotes", "/auth/tokens"])
def test_a_megabyte_of_small_things_is_not_looked_at_one_by_one(mall, path, data):
    refused(mall, "POST", path, 413, "too_large", data=data, content_type=JSON)


def in_chunks(mall: Any, path: str, body: bytes) -> str:
    """The status of a request that does not say how long its body is."""
    environ = EnvironBuilder(
        f"/api/v1{path}", method="POST", content_type=JSON, headers={"Idempotency-Key": "chunks"}
    ).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return run_wsgi_app(mall.app.wsgi_app, environ)[1][:3]


@pytest.mark.parametrize("path", ["/orders", "/auth/tokens", "/webhooks/stripe"])
def test_ten_megabytes_in_chunks_are_not_cut_off_but_refused(mall, path):
    before = mall.contents()
    assert in_chunks(mall, path, b"x" * 10 * MEGABYTE) == "413"
    assert in_chunks(mall, path, b" " * MEGABYTE + b"{") == "413"
    assert in_chunks(mall, path, b"{" + b" " * (MEGABYTE - 2)) == "400"
    assert mall.contents() == before


@pytest.mark.parametrize("key", ["", "k" * 256, "k" * 10_000])
def test_an_order_needs_a_key_of_sensible_length(mall, key):
    more = {"json": order_body(("P01-1", 1)), "headers": {"Idempotency-Key": key}}
    refused(mall, "POST", "/orders", 400, "idempotency_key_required", **more)


def test_a_key_may_not_hold_a_nul(mall):
    environ = EnvironBuilder("/api/v1/orders", method="POST", json={}).get_environ()
    environ["HTTP_IDEMPOTENCY_KEY"] = "a\x00"
    assert run_wsgi_app(mall.app.wsgi_app, environ)[1][:3] == "422"


def test_an_order_sent_again_is_the_same_order(mall):
    body = order_body(("P01-1", 1))
    first = mall.api.post("/orders", body, key="again")
    before = mall.contents()
    second = mall.api.post("/orders", body, key="again")
    assert (second.status_code, second.data) == (201, first.data)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert mall.contents() == before
    other = order_body(("P01-1", 2))
    refused(mall, "POST", "/orders", 422, "idempotency_key_reused", json=other, key="again")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/quotes", {"POST", "OPTIONS"}),
        ("DELETE", "/orders", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("POST", "/products", {"GET", "HEAD", "OPTIONS"}),
        ("HEAD", "/auth/register", {"POST", "OPTIONS"}),
        ("PROPFIND", "/products", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/cart", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(mall, method, path, allow):
    answer = mall.api.call(method, path)
    assert (answer.status_code, set(answer.allow)) == (405, allow)
    if method != "HEAD":
        refused(mall, method, path, 405, "method_not_allowed")


def test_options_and_head(mall):
    answer = mall.api.call("OPTIONS", "/products")
    assert (answer.status_code, set(answer.allow)) == (200, {"GET", "HEAD", "OPTIONS"})
    get, head = (mall.api.call(method, "/products?limit=2") for method in ("GET", "HEAD"))
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    "tag", ["", '"', "x", '""', "W/", 'W/"x"', ",,,", '"a" "b"', "\x7f", "é", '"' + "x" * 10_000]
)
def test_an_etag_that_is_not_ours_gets_the_whole_answer(mall, tag):
    for path in ("/products", "/categories"):
        assert mall.api.get(path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "tag", ["", "x", '"0"', '"-1"', '"1.0"', "*", 'W/"1"', '"' + "9" * 99, "١"]
)
def test_a_price_is_not_changed_under_a_tag_that_is_not_its(mall, tag):
    headers = {"If-Match": tag.encode().decode("latin-1")}
    more = {"json": {"price_fen": 5000, "reason": "x"}, "as_": "bob", "headers": headers}
    refused(mall, "PATCH", "/cooperative/skus/P01-1", 412, "precondition_failed", **more)


def test_a_price_is_not_changed_without_a_tag(mall):
    more = {"json": {"price_fen": 5000, "reason": "x"}, "as_": "bob"}
    refused(mall, "PATCH", "/cooperative/skus/P01-1", 428, "precondition_required", **more)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x y", "Bearer " + "x" * 10_000, "é"]
)
def test_a_token_that_is_none(mall, header):
    headers = {"Authorization": header}
    refused(mall, "GET", "/me", 401, "invalid_token", headers=headers)
    refused(mall, "POST", "/orders", 401, "invalid_token", headers=headers, json={})
    assert mall.api.get("/me", headers=headers).headers["WWW-Authenticate"] == "Bearer"


def test_a_database_that_is_away_is_no_fault_of_the_caller(mall):
    nowhere = Database(mall.database.url.replace("/mall_", "/nowhere_"))
    app = create_app(replace(mall.settings, database_url=nowhere.url), nowhere, mall.time)
    app.testing = True
    for path in ("/api/v1/products", "/api/v1/units", "/metrics"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "30"
        problem(answer)


@pytest.mark.parametrize("path", ["/me", "/orders/1", "/quotes", "/nothing", "/cart"])
def test_nobody_on_the_way_keeps_what_is_not_public(mall, path):
    for who in (None, "alice"):
        assert mall.api.get(path, as_=who).headers["Cache-Control"] == "no-store"
    kept = mall.api.get("/products").headers["Cache-Control"]
    assert kept == "public, no-cache"


def test_a_provider_that_is_away_can_be_asked_again(mall):
    path = f"/orders/{mall.order['number']}/payments?access_token={mall.order['access_token']}"
    mall.provider.broken = 1
    away = mall.api.post(path, {}, key="pay")
    assert (away.status_code, away.json["code"]) == (503, "payment_provider_unavailable")
    assert away.headers["Retry-After"] == "30"
    problem(away)
    assert mall.api.post(path, {}, key="pay").status_code == 201


@pytest.mark.parametrize(
    "tag", ["zh-CN", "*", "", "xx", "en;q=0", "é", "zh" * 5_000, ";q=", "fr,zh"]
)
def test_any_language_may_be_asked_for(mall, tag):
    answer = mall.api.get("/me", headers={"Accept-Language": tag})
    assert answer.json["detail"] == "请先登录"


@pytest.mark.parametrize("id_", ["", "\x7f", "a b", "x" * 65, "../x", "é", "<script>"])
def test_a_request_id_is_taken_over_only_if_it_is_harmless(mall, id_):
    answer = mall.api.get("/me", headers={"X-Request-Id": id_})
    assert answer.headers["X-Request-Id"] == answer.json["request_id"] != id_
