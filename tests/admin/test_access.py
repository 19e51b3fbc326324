"""Every page for every role: shown, refused, or sent to sign in."""

from __future__ import annotations

import re

import pytest

from tests.admin.conftest import buy
from tests.cast import CAST

EVERYBODY = ("", *CAST)
COOPERATIVES = {"bob", "charlie"}
STAFF = {"olga", "fiona", "ada"}

PAGES = {
    "/": COOPERATIVES | STAFF,
    "/consignments": COOPERATIVES,
    "/consignments?state=completed": COOPERATIVES,
    "/consignments/picking": COOPERATIVES,
    "/goods": COOPERATIVES,
    "/listings": COOPERATIVES | {"olga", "ada"},
    "/reports": STAFF,
    "/reports/by/unit": STAFF,
    "/reports/by/unit.csv": STAFF,
    "/entries": STAFF,
    "/entries.csv": STAFF,
    "/orders": STAFF,
    "/payments": STAFF,
    "/refunds": STAFF,
    "/disputes": STAFF,
    "/audit?verify=1": {"olga", "ada"},
}
INLINE = re.compile(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:")
FORMS = ("/consignments/1-1/parcels", "/goods/P01-1/price", "/goods/P01-1/stock")


def test_who_opens_which_page(desk_of):
    for name in EVERYBODY:
        desk, refused = desk_of(name), 403 if name else 302
        found = {path: desk.get(path).status_code for path in PAGES}
        wanted = {path: 200 if name in may else refused for path, may in PAGES.items()}
        assert (name, found) == (name, wanted)


def test_no_page_is_kept_after_signing_out(desk_of):
    bob = desk_of("bob")
    for path in ("/", "/goods", "/orders", "/consignments/1-1", "/sign-in"):
        assert bob.get(path).headers["Cache-Control"] == "private, no-store"
    headers = bob.get("/static/admin.css?v=1&lang=en").headers
    assert headers["Cache-Control"] == "public, max-age=31536000"
    assert "Set-Cookie" not in headers


def test_only_managers_send_forms(desk_of):
    for name, refused in (("alice", 403), ("olga", 403), ("", 302)):
        desk = desk_of(name)
        desk.get("/" if name else "/sign-in")
        found = [desk.post(path).status_code for path in FORMS]
        assert (name, found) == (name, [refused] * 3)


def test_a_visitor_comes_back_to_the_page_after_signing_in(desk_of):
    answer = desk_of("").get("/orders?number=2611")
    assert answer.headers["Location"] == "/admin/sign-in?next=/admin/orders?number%3D2611"


def test_one_cooperative_opens_nothing_of_another(desk_of, number):
    bob = desk_of("bob")
    others = (f"/consignments/{number}-2", f"/consignments/{number}-2/slip", "/goods/P06-1")
    assert [bob.get(path).status_code for path in others] == [404, 404, 404]
    assert bob.get(f"/consignments/{number}-1").status_code == 200
    assert bob.get("/goods/P01-1").status_code == 200


def test_one_cooperative_changes_nothing_of_another(desk_of, number):
    bob = desk_of("bob")
    bob.get("/goods/P01-1")
    once = bob.once
    for path, form in {
        f"/consignments/{number}-2/parcels": {"carrier": "ems", "tracking_no": "AB1234"},
        "/goods/P06-1/price": {"price": "1.00", "reason": "x", "version": "1"},
        "/goods/P06-1/stock": {"direction": "out", "pieces": "1", "cause": "damage", "note": "x"},
    }.items():
        assert bob.post(path, once=once, **form).status_code == 404
    charlie = desk_of("charlie")
    assert "2 件未发" in charlie.get(f"/consignments/{number}-2").get_data(as_text=True)
    assert "¥32.80" in charlie.get("/goods/P06-1").get_data(as_text=True)


def test_staff_reads_no_consignment_and_managers_no_order(desk_of, number):
    assert desk_of("olga").get(f"/consignments/{number}-1").status_code == 403
    assert desk_of("bob").get(f"/orders/{number}").status_code == 403


def test_lists_show_own_consignments_only(bob, desk_of, number, transactions):
    buy(transactions, ("P06-1", 1))
    bob.get("/consignments")
    assert re.findall(r"\d{14}-\d", bob.plain) == [f"{number}-1"]
    assert bob.plain.count("高山绿茶") == 1
    assert "核桃" not in bob.plain
    assert desk_of("charlie").get("/").get_data(as_text=True).count("发货单号") == 1


def test_pages_have_no_inline_script_or_style(desk_of, number):
    bob, olga = desk_of("bob"), desk_of("olga")
    paths = {
        bob: ["/", "/consignments", f"/consignments/{number}-1", "/goods/P01-1"],
        olga: ["/", "/reports", "/reports/by/month", "/entries", f"/orders/{number}"],
    }
    for desk, own in paths.items():
        for path in own:
            desk.get(path)
            assert (path, INLINE.findall(desk.text)) == (path, [])


def test_whatever_waits_for_somebody_leads_to_a_page_of_theirs(desk_of):
    for name, piles in (("olga", 6), ("fiona", 9), ("ada", 9)):
        desk = desk_of(name)
        desk.get("/payments")
        links = re.findall(r'<a class="count[^"]*" href="/admin([^"#]+)', desk.text)
        found = [desk.get(link).status_code for link in links]
        assert (name, found) == (name, [200] * piles)


def test_an_address_of_no_page_is_answered_by_a_page(desk_of):
    for name in ("", "bob", "olga"):
        desk = desk_of(name)
        assert desk.get("/nowhere").status_code == 404
        assert "没有找到您要的内容" in desk.plain
        assert desk.get("/goods/P01-1/price").status_code == 405
        assert "此地址不接受这种访问方式" in desk.plain
    desk.get("/nowhere?lang=en")
    assert "There is nothing here" in desk.plain


def test_an_address_that_only_begins_like_ours_is_answered_by_the_mall(desk_of):
    assert desk_of("").get("istrators").status_code == 404


@pytest.mark.parametrize("path", ["/reports", "/reports/by/unit", "/entries"])
def test_a_nul_behind_another_value_of_its_name_is_refused(olga, path):
    assert olga.get(f"{path}?channel=a&channel=%00").status_code == 422
    assert "无法识别的字符" in olga.plain
