"""What people and programs send by mistake or in malice: refused by name, and nothing changes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from shop.identity.rules import clean_text
from tests.api.refusals import problem, refused
from tests.cast import order_body
from tests.conftest import SHARED

BLNS = SHARED / "data/security/blns/blns.json"
NAUGHTY = json.loads(BLNS.read_text(encoding="utf-8")) if BLNS.exists() else []
QUANTITY = "lines.0.quantity"
LIQUOR, TEA = "P18-2", "P01-1"


def changed(path: str, value: Any, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """An order's body with something else at `path`."""
    body = copy.deepcopy(body or order_body((TEA, 1)))
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    place: Any = body
    for key in way:
        place = place[key]
    place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "status", "code"),
    [
        ("lines.0.sku", "P99-9", 404, "unknown_sku"),
        ("lines.0.sku", "P01-1' OR '1'='1", 404, "unknown_sku"),
        ("lines.0.sku", "p01-1", 404, "unknown_sku"),
        ("lines.0.quantity", 601, 409, "out_of_stock"),
        ("lines", [{"sku": TEA, "quantity": 9_999}] * 2, 422, "quantity_invalid"),
        ("address.phone", "138abcd1234", 422, "invalid_phone"),
        ("address.phone", "📱📱📱", 422, "invalid_phone"),
        ("address.phone", "1380000", 422, "invalid_phone"),
        ("address.phone", "1" * 32, 422, "invalid_phone"),
        ("buyer.buyer_kind", "unit_account", 422, "unit_account_required"),
        ("unit", "U99", 422, "unknown_code"),
        ("channel", "'; DROP TABLE customer_order; --", 422, "unknown_code"),
        ("campaign", "K99", 422, "unknown_code"),
        ("storefront", "none", 422, "unknown_code"),
        ("coupon", "FREE", 422, "coupon_unknown"),
        ("expected_total_fen", -1, 409, "total_changed"),
        ("expected_total_fen", -(2**63), 409, "total_changed"),
        ("confirmations", {}, 422, "no_return_confirmation_required"),
    ],
)
def test_an_order_is_refused_by_name(mall, path, value, status, code):
    refused(mall, "POST", "/orders", status, code, json=changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("lines", [{"sku": TEA, "quantity": 9_999}] * 2, "lines"),
        ("address.division_code", "710000", "lines"),
        ("note", "\x00", "_schema"),
    ],
)
def test_a_refusal_names_the_field(mall, path, value, field):
    answer = mall.api.post("/orders", changed(path, value))
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_liquor_is_for_grown_ups_who_say_so(mall):
    body = changed("confirmations.adult", False, order_body((LIQUOR, 1)))
    refused(mall, "POST", "/orders", 422, "adult_confirmation_required", json=body)
    body = order_body((LIQUOR, 1))
    refused(mall, "POST", "/orders", 409, "alcohol_not_for_students", json=body, as_="stan")


@pytest.mark.parametrize("lines", [((LIQUOR, 1), (TEA, 1)), ((TEA, 1), (LIQUOR, 1))])
def test_all_that_an_order_lacks_is_named_at_once(mall, lines):
    body = changed("address.phone", "1380000", order_body(*lines))
    body = changed("confirmations", {"adult": False}, body)
    named = ["address.phone", "confirmations.adult", "confirmations.no_return"]
    assert refused(mall, "POST", "/orders", 422, "invalid_phone", json=body) == named
    body = changed("confirmations", {}, order_body(*lines))
    code = "adult_confirmation_required"
    assert refused(mall, "POST", "/orders", 422, code, json=body) == named[1:]


@pytest.mark.parametrize(
    "value", [0, -1, 1.5, 1.0, True, None, "1", "１", [1], {}, 10_000, 1_000_000, 2**63, 10**40]
)
@pytest.mark.parametrize("path", ["/orders", "/quotes"])
def test_a_quantity_is_a_whole_number_of_pieces(mall, path, value):
    body = changed(QUANTITY, value)
    body = body if path == "/orders" else {"lines": body["lines"]}
    assert refused(mall, "POST", path, 422, "invalid", json=body) == [QUANTITY]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lines", []),
        ("lines", [{"sku": TEA, "quantity": 1}] * 201),
        ("lines", [{"sku": f"P{place}", "quantity": 1} for place in range(101)]),
        ("lines.0.sku", ""),
        ("lines.0.sku", "P" * 65),
        ("lines.0.price_fen", 1),
        ("address", None),
        ("address.division_code", "999999"),
        ("address.division_code", "310000"),
        ("address.division_code", "３１０１１０"),
        ("address.recipient", ""),
        ("address.recipient", "   "),
        ("address.recipient", "林" * 41),
        ("address.recipient", "林\u202e晓"),
        ("address.recipient", "\u200b\u200b"),
        ("address.recipient", "a\nb"),
        ("address.detail", "邯" * 121),
        ("buyer.name", "\u202eabc"),
        ("buyer.name", "\x01"),
        ("buyer.name", "x" * 81),
        ("buyer.email", "lin"),
        ("buyer.email", "x" * 250 + "@example.org"),
        ("buyer.email", "lin@exam ple.org"),
        ("buyer.buyer_kind", "king"),
        ("purpose", "union_gift"),
        ("note", "好" * 201),
        ("note", "bell\x07"),
        ("note", "\u202eetih"),
        ("total_fen", 1),
        ("confirmations.adult", "perhaps"),
        ("expected_total_fen", 48.0),
        ("expected_total_fen", "4800"),
    ],
)
def test_an_order_names_the_field_at_fault(mall, path, value):
    assert refused(mall, "POST", "/orders", 422, "invalid", json=changed(path, value)) == [path]


@pytest.mark.parametrize("body", [[], [1], "x", 1, 1.5, None, True])
def test_a_body_is_an_object(mall, body):
    data = json.dumps(body)
    for path in ("/orders", "/quotes", "/auth/tokens"):
        type_ = "application/json"
        fields = refused(mall, "POST", path, 422, "invalid", data=data, content_type=type_)
        assert fields == ["_schema"]


@pytest.mark.parametrize("code", ["999999", "310110999999", "", " 310110", "県", "0", "3１"])
def test_a_county_that_does_not_exist_has_no_freight(mall, code):
    body = {"lines": [{"sku": TEA, "quantity": 1}], "division_code": code}
    assert refused(mall, "POST", "/quotes", 422, "division_unknown", json=body) == ["division_code"]


@pytest.mark.parametrize("name", ["😀🎉", "محمد علي", "דוד", "𠮷野家", "Zoë", "한글", "👨‍👩‍👧"])
def test_people_may_be_called_anything(mall, name):
    body = changed("address.recipient", name)
    body["buyer"]["name"] = body["note"] = name
    order = mall.api.post("/orders", body)
    assert order.status_code == 201, order.text
    told = order.json
    assert [told["address"]["recipient"], told["buyer_name"], told["note"]] == [name] * 3


@pytest.mark.skipif(not NAUGHTY, reason="needs ../shared")
def test_naughty_strings_are_kept_as_they_are(mall):
    good = [one for one in NAUGHTY if clean_text(one, 2, 40) == one]
    notes = notes_of([one for one in NAUGHTY if clean_text(one, 1, 200) == one])
    assert (len(good) > 200, len(notes) > 50) == (True, True)
    for place in range(0, len(good) - 1, 2):
        recipient, detail = good[place : place + 2]
        note = notes[place // 2 % len(notes)]
        body = changed("note", note, changed("address.recipient", recipient))
        body["address"]["detail"] = detail
        told = mall.api.post("/orders", body).json
        kept = (told["address"]["recipient"], told["address"]["detail"], told["note"])
        assert kept == (recipient, detail, note)


def notes_of(texts: list[str]) -> list[str]:
    """All of them, as many in a note as it takes."""
    notes = [""]
    for text in texts:
        longer = f"{notes[-1]}\n{text}".strip()
        notes[-1:] = [longer] if len(longer) <= 200 else [notes[-1], text]
    return notes


@pytest.mark.skipif(not NAUGHTY, reason="needs ../shared")
def test_naughty_strings_that_nobody_could_print_are_refused(mall):
    bad = [one for one in NAUGHTY if 0 < len(one) <= 80 and clean_text(one, 1, 80) is None]
    assert len(bad) > 9
    for one in bad:
        fields = refused(mall, "POST", "/orders", 422, "invalid", json=changed("buyer.name", one))
        assert fields == ["buyer.name"]


def leaves(value: Any, path: str = "") -> list[str]:
    """Every place in a body at which something can stand, objects and lists included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, one in inner:
        here = f"{path}.{key}" if path else str(key)
        found += [here, *(leaves(one, here) if isinstance(one, dict | list) else [])]
    return found


STRANGE = [
    None, True, 0, -1, 1.5, 2**64 - 1, -(2**63), 10**30, "", " ", "-1", "1e3", "\x7f", "\u202e",
    "%00", "{{7*7}}", "' OR 1=1 --", "a@b", "😀", "x" * 5_000, [], [[]], {}, {"a": {"b": []}}, [None],
    ["x"] * 300,
]  # fmt: skip

BODIES: list[tuple[str, str, str | None, dict[str, Any]]] = [
    ("POST", "/orders", None, order_body((TEA, 1), unit="U01", channel="direct", note="x")),
    ("POST", "/quotes", None, {"lines": [{"sku": TEA, "quantity": 1}], "division_code": "310110"}),
    ("PUT", f"/cart/lines/{TEA}", "alice", {"quantity": 1}),
    ("POST", "/orders/26112312345678/payments", None, {"method": "stripe", "return_url": "x"}),
    ("POST", "/auth/register", None, {"email": "a@example.org", "password": "walnut-bridge-42",
                                      "name": "x", "buyer_kind": "public", "unit": "U01"}),
    ("POST", "/auth/tokens", None, {"login": "x", "password": "y", "scopes": ["*"]}),
    ("POST", "/me/addresses", "alice", {**order_body()["address"], "is_default": True}),
    ("PATCH", f"/cooperative/skus/{TEA}", "bob", {"price_fen": 1, "reason": "x"}),
    ("POST", f"/cooperative/skus/{TEA}/stock-movements", "bob",
     {"delta": 1, "cause": "count", "note": "x"}),
    ("POST", "/cooperative/consignments/x/parcels", "bob",
     {"carrier": "zhongtong", "tracking_no": "ZT0001",
      "lines": [{"line_id": "01a209b6-2666-7731-a3cc-785f69dde57f", "quantity": 1}]}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "who", "body"), BODIES, ids=lambda x: str(x)[:40])
def test_anything_may_stand_anywhere(mall, method, path, who, body):
    for leaf in leaves(body):
        for value in STRANGE:
            sent = changed(leaf, value, body)
            answer = mall.api.call(method, path, json=sent, as_=who, headers={"If-Match": '"1"'})
            assert answer.status_code < 500, (leaf, value)
            if answer.status_code >= 400:
                problem(answer)
