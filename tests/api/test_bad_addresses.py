"""Addresses that mean nothing: bytes, paths, cursors, page sizes, dates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.refusals import problem, refused


def raw(mall: Any, path: bytes, query: bytes = b"", method: str = "GET") -> Any:
    """A request with these very bytes in its address."""
    overrides = {"PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    return mall.api.client.open("/", method=method, environ_overrides=overrides)


@pytest.mark.parametrize("bytes_", [b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8\x88", b"%ff"])
def test_an_address_that_is_no_utf8_leads_nowhere(mall, bytes_):
    for path in (b"/api/v1/products/", b"/api/v1/orders/", b"/api/v1/"):
        answer = raw(mall, path + bytes_, b"q=" + bytes_)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        problem(answer)
    assert raw(mall, b"/api/v1/products", b"q=" + bytes_ + b"&x" + bytes_).json["items"] == []


def test_what_is_no_utf8_is_no_language_either(mall):
    answer = raw(mall, b"/api/v1/me", b"lang=\xff&lang=en")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/products/a%00b", 422, "invalid"),
        ("/orders/%00", 422, "invalid"),
        ("/products?q=a%00", 422, "invalid"),
        ("/products?q=" + "a" * 201, 422, "invalid"),
        ("/products?q=" + "a" * 100_000, 414, "address_too_long"),
        ("/orders?" + "&a=1" * 10_000, 414, "address_too_long"),
        ("/products/" + "a" * 100_000, 404, "not_found"),
        ("/products/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("/cooperatives/%F0%9F%98%80", 404, "not_found"),
        ("/nothing/here", 404, "not_found"),
        ("/docs/../../setup.py", 404, "not_found"),
        ("/divisions?parent=%00", 422, "invalid"),
        ("/products?sort=cheap", 422, "invalid"),
        ("/products?in_stock=perhaps", 422, "invalid"),
        ("/products?min_price_fen=-1", 422, "invalid"),
        ("/products?max_price_fen=1e9", 422, "invalid"),
        ("/orders/1", 404, "not_found"),
        ("//products", 404, "not_found"),
        ("/products//", 404, "not_found"),
        ("/orders/%2f?access_token=secret", 404, "not_found"),
        ("/cart?division_code=999999", 422, "division_unknown"),
    ],
)
def test_addresses_that_lead_nowhere(mall, path, status, code):
    refused(mall, "GET", path, status, code)


PAGED = [
    ("/products", None), ("/orders", "alice"), ("/cooperative/consignments", "bob"),
    ("/cooperative/products", "bob"), ("/cooperative/skus/P01-1/stock-movements", "bob"),
    ("/reports/entries?from=2026-01-01&to=2026-02-01", "olga"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "who"), PAGED)
def test_a_page_has_between_one_and_a_hundred_items(mall, path, who):
    mark = "&" if "?" in path else "?"
    for limit in ("0", "-1", "101", "abc", "1.5", "", "1e1", "9" * 5_000):
        wanted = f"{path}{mark}limit={limit}"
        assert refused(mall, "GET", wanted, 422, "invalid", as_=who) == ["limit"]


@pytest.mark.parametrize(("path", "who"), PAGED)
def test_a_cursor_is_one_of_ours(mall, path, who):
    mark = "&" if "?" in path else "?"
    # Junk, bad base64, {}, [], null, [1,2], {"a":"1"}, a list in a list, a long one.
    for cursor in ("x", "%ff", "é", "e30", "W10", "bnVsbA", "WzEsMl0", "eyJhIjoiMSJ9", "W1tbXV1d",
                   "A" * 501, "WyJhIiwiMSIsIjIiLCIzIl0", "WyJub25lIl0"):  # fmt: skip
        wanted = f"{path}{mark}cursor={cursor}"
        assert refused(mall, "GET", wanted, 422, "invalid", as_=who) == ["cursor"]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("to=2026-03-01", "invalid", "from"),
        ("from=2026-01-01", "invalid", "to"),
        ("from=2026-02-30&to=2026-03-01", "invalid", "from"),
        ("from=26-01-01&to=2026-03-01", "invalid", "from"),
        ("from=2026-01-01T00:00:00&to=2026-03-01", "invalid", "from"),
        ("from=１&to=2026-03-01", "invalid", "from"),
        ("from=10000-01-01&to=2026-03-01", "invalid", "from"),
        ("from=2026-03-01&to=2026-03-01", "invalid_report", "to"),
        ("from=2026-03-02&to=2026-03-01", "invalid_report", "to"),
        ("from=0001-01-01&to=9999-12-31", "invalid_report", "to"),
        ("from=2026-01-01&to=2026-03-01&group_by=moon", "invalid_report", "group_by"),
        ("from=2026-01-01&to=2026-03-01&group_by=day,day", "invalid_report", "group_by"),
        ("from=2026-01-01&to=2026-03-01&group_by=day,unit,sku,week", "invalid_report", "group_by"),
        ("from=2026-01-01&to=2026-03-01&basis=luck", "invalid", "basis"),
        ("from=2026-01-01&to=2026-03-01&month=2026-13", "invalid_report", "month"),
        ("from=2026-01-01&to=2026-03-01&day=2026-00-10", "invalid_report", "day"),
        ("from=2026-01-01&to=2026-03-01&week=2026-W99", "invalid_report", "week"),
        ("from=2026-01-01&to=2026-03-01&aid_class=free", "invalid_report", "aid_class"),
        ("from=2026-01-01&to=2026-03-01&unit=", "invalid", "unit"),
        ("from=2026-01-01&to=2026-03-01&unti=U01", "invalid", "unti"),
        ("from=2026-01-01&to=2026-03-01&unit=U01&unit=U02", "invalid", "unit"),
    ],
)
@pytest.mark.parametrize("path", ["/reports/sales", "/reports/sales.csv"])
def test_a_report_that_means_nothing(mall, path, query, code, field):
    assert refused(mall, "GET", f"{path}?{query}", 422, code, as_="olga") == [field]
