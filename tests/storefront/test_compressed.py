"""What is sent is small: packed for whoever takes it, and no script where nothing is fetched."""

from __future__ import annotations

import gzip
import re

import pytest

from storefront.assets import STATIC, asset, script

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def vary(answer):
    return {name.strip() for name in answer.headers["Vary"].split(",")}


@pytest.mark.parametrize("path", ["/", "/categories", "/p/high-mountain-green-tea", "/sign-in"])
def test_a_page_is_packed_for_who_takes_it(reader, path):
    plain = reader.get(path)
    packed = reader.get(path, headers=GZIP)
    assert ("Content-Encoding" in plain.headers, packed.headers["Content-Encoding"]) == (
        False,
        "gzip",
    )
    assert "Accept-Encoding" in vary(plain) & vary(packed)
    assert packed.content_length == len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data).decode().startswith("<!doctype html>")


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "*;q=0"])
def test_who_does_not_take_it_gets_the_page_as_it_is(reader, accepted):
    answer = reader.get("/", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<!doctype html>")


def test_the_length_of_a_page_says_little(reader):
    assert len({len(reader.get("/sign-in", headers=GZIP).data) for _ in range(20)}) > 3


def test_a_refused_form_and_a_redirect_are_packed_or_passed_on(visitor):
    visitor.get("/sign-in")
    refused = visitor.post("/sign-in", {"email": "", "password": ""}, headers=GZIP)
    assert (refused.status_code, refused.headers["Content-Encoding"]) == (422, "gzip")
    assert "请填写这一项" in gzip.decompress(refused.data).decode()
    visitor.get("/sign-in")
    on = visitor.post("/cart/lines", {"sku": "P01-1", "quantity": "1"}, headers=GZIP)
    assert (on.status_code, on.location) == (303, "/cart")
    assert "Content-Encoding" not in on.headers


@pytest.mark.parametrize("name", ["shop.css", "shop.js", "icons.svg", "products/p01.svg"])
def test_a_file_is_packed_and_kept_like_any_other(reader, name):
    plain, packed = reader.get(asset(name)), reader.get(asset(name), headers=GZIP)
    assert gzip.decompress(packed.data) == plain.data == (STATIC / name).read_bytes()
    assert (packed.mimetype, packed.headers["Content-Encoding"]) == (plain.mimetype, "gzip")
    kept = "public, max-age=31536000, immutable"
    assert [one.headers["Cache-Control"] for one in (plain, packed)] == [kept, kept]
    assert "Accept-Encoding" in vary(plain) & vary(packed)
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_a_packed_file_is_not_sent_twice(reader):
    known = reader.get("/static/shop.css", headers=GZIP).headers["ETag"]
    again = reader.get("/static/shop.css", headers={**GZIP, "If-None-Match": known})
    assert (again.status_code, again.data) == (304, b"")
    plain = reader.get("/static/shop.css", headers={"If-None-Match": known})
    assert (plain.status_code, plain.data) == (200, (STATIC / "shop.css").read_bytes())


def test_a_part_of_a_file_is_cut_from_the_file_itself(reader):
    part = reader.get("/static/shop.css", headers={**GZIP, "Range": "bytes=0-9"})
    assert (part.status_code, part.data) == (206, (STATIC / "shop.css").read_bytes()[:10])
    assert "Content-Encoding" not in part.headers


@pytest.mark.parametrize("name", ["nothing.svg", "../assets.py", "%2e%2e/assets.py", "products"])
def test_what_is_no_file_of_ours_is_not_there(reader, name):
    assert reader.get(f"/static/{name}", headers=GZIP).status_code == 404


def test_the_script_is_packed_too(reader):
    packed = reader.get(script(), headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < 20_000 < len(gzip.decompress(packed.data))


@pytest.mark.parametrize("path", ["/", "/c/tea", "/search?q=cha", "/p/high-mountain-green-tea"])
def test_where_nothing_is_fetched_there_is_no_script_for_it(reader, path):
    page = reader.get(path).text
    assert ("hx-" in page, script() in page) == (False, False)


def test_where_something_is_fetched_the_script_comes_first(visitor):
    visitor.put_in("P01-1")
    for path in ("/cart", "/checkout"):
        page = visitor.get(path).text
        assert "hx-" in page
        assert re.findall(r'<script src="([^"?]+)', page) == [
            "/assets/htmx.min.js",
            "/static/shop.js",
        ]
