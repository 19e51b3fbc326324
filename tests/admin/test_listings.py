"""On sale and off it: the cooperative asks, who reviews decides, and the mall shows it at once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from models.catalog import ListingState, Product
from models.system import AuditEntry
from tests.admin.conftest import Desk, buy

TEA, WALNUTS = "high-mountain-green-tea", "thin-shell-dried-walnuts"
PRODUCTS, AUDIT = Product.__table__, AuditEntry.__table__


def step(desk: Desk, what: str, slug: str = TEA, seen: str = "listed", **form: str):
    desk.get("/listings")
    return desk.post(way(what, slug), step=what, seen=seen, **form)


def way(what: str, slug: str = TEA) -> str:
    return f"/listings/{slug}" + ("/review" if what in {"approve", "reject"} else "")


def stands(transactions, slug: str = TEA) -> tuple[str, list[tuple[str, str]]]:
    """(state, [(action, reason)]) of a product."""
    with transactions.begin() as ctx:
        state = ctx.session.execute(select(PRODUCTS.c.state).where(PRODUCTS.c.slug == slug))
        steps = ctx.session.execute(
            select(AUDIT.c.action, AUDIT.c.reason)
            .where(AUDIT.c.subject == "product", AUDIT.c.subject_id == slug)
            .order_by(AUDIT.c.sequence)
        )
        return state.scalar_one().value, [tuple(row) for row in steps]


def put(transactions, state: ListingState, slug: str = TEA) -> None:
    with transactions.begin() as ctx:
        ctx.session.execute(update(PRODUCTS).where(PRODUCTS.c.slug == slug).values(state=state))


def in_the_mall(desk: Desk, slug: str = TEA) -> tuple[int, int, bool]:
    """The status of its page, of it in the API, and whether a search finds it there."""
    client = desk.client
    found = client.get("/api/v1/products?limit=100").json["items"]
    return (
        client.get(f"/p/{slug}").status_code,
        client.get(f"/api/v1/products/{slug}").status_code,
        slug in {one["slug"] for one in found},
    )


def row_of(desk: Desk, slug: str = TEA) -> str:
    found = re.search(rf'<tr id="{slug}">(.*?)</tr>', desk.text, re.DOTALL)
    assert found is not None
    return found[1]


def offered(desk: Desk, slug: str = TEA) -> list[str]:
    """What can be done with a product."""
    forms = re.findall(
        r'action="/admin([^"]+)".*?name="step" value="(\w+)"', row_of(desk, slug), re.DOTALL
    )
    assert [place for place, _ in forms] == [way(what, slug) for _, what in forms]
    return [what for _, what in forms]


def test_off_sale_and_on_again_as_the_mall_shows_at_once(bob, olga, transactions):
    assert in_the_mall(bob) == (200, 200, True)
    assert step(bob, "withdraw", reason="春茶卖完").status_code == 303
    bob.follow()
    assert bob.notes == ["已下架，商城里不再出售。已下单的订单不受影响。"]
    assert "商品下架：春茶卖完" in bob.plain
    assert in_the_mall(bob) == (404, 404, False)
    step(bob, "submit", seen="unlisted")
    bob.follow()
    assert bob.notes == ["已申请上架，帮扶组织方审核后开始出售。"]
    assert in_the_mall(bob) == (404, 404, False)
    step(olga, "approve", seen="in_review")
    olga.follow()
    assert olga.notes == ["已上架，商城里现在可以买到。"]
    assert in_the_mall(bob) == (200, 200, True)
    assert stands(transactions) == (
        "listed",
        [("product.withdraw", "春茶卖完"), ("product.submit", ""), ("product.approve", "")],
    )


def test_who_reviews_takes_anybodys_goods_off_and_puts_them_back(olga, desk_of, transactions):
    step(olga, "withdraw", WALNUTS, reason="抽检不合格")
    assert in_the_mall(olga, WALNUTS) == (404, 404, False)
    charlie = desk_of("charlie")
    charlie.get("/listings")
    assert "抽检不合格" in charlie.plain
    assert "Olga" in charlie.plain
    step(desk_of("ada"), "approve", WALNUTS, seen="unlisted")
    assert in_the_mall(olga, WALNUTS) == (200, 200, True)
    assert stands(transactions, WALNUTS)[1] == [
        ("product.withdraw", "抽检不合格"),
        ("product.approve", ""),
    ]


def test_a_rejected_product_tells_its_cooperative_why(bob, olga, transactions):
    put(transactions, ListingState.IN_REVIEW)
    step(olga, "reject", seen="in_review", reason="标签信息不全")
    bob.get("/listings?state=draft")
    assert "商品审核驳回：标签信息不全" in bob.plain
    assert offered(bob) == ["submit"]


@pytest.mark.parametrize(
    ("state", "own", "reviewing"),
    [
        (ListingState.DRAFT, ["submit"], []),
        (ListingState.IN_REVIEW, ["withdraw"], ["approve", "reject"]),
        (ListingState.LISTED, ["withdraw"], ["withdraw"]),
        (ListingState.UNLISTED, ["submit"], ["approve"]),
    ],
)
def test_what_is_offered_where(bob, olga, transactions, state, own, reviewing):
    put(transactions, state)
    for desk, steps in ((bob, own), (olga, reviewing)):
        desk.get(f"/listings?state={state}")
        assert offered(desk) == steps
        assert (f'href="/p/{TEA}"' in row_of(desk)) is (state is ListingState.LISTED)


def test_what_is_offered_does_not_end_in_a_refusal(bob, olga, transactions):
    for desk in (bob, olga):
        for state in ListingState:
            put(transactions, state)
            desk.get("/listings")
            for what in offered(desk):
                put(transactions, state)
                assert step(desk, what, seen=state, reason="因为").status_code == 303


def test_without_a_reason_nothing_leaves_the_shelf(bob, transactions):
    answer = step(bob, "withdraw", reason=" ")
    assert (answer.status_code, bob.notes) == (422, ["请填写原因"])
    assert '<details class="ask" open>' in row_of(bob)
    assert stands(transactions) == ("listed", [])
    assert in_the_mall(bob) == (200, 200, True)


def test_sent_twice_it_is_done_once(bob, transactions):
    assert [step(bob, "withdraw", reason="卖完").status_code for _ in range(2)] == [303, 303]
    assert stands(transactions) == ("unlisted", [("product.withdraw", "卖完")])


def test_a_request_taken_back_too_late_takes_nothing_off_sale(bob, olga, transactions):
    put(transactions, ListingState.IN_REVIEW)
    bob.get("/listings")
    step(olga, "approve", seen="in_review")
    answer = bob.post(f"/listings/{TEA}", step="withdraw", seen="in_review")
    assert (answer.status_code, bob.notes) == (409, ["商品状态刚被他人改过，请按最新状态操作"])
    assert "在售" in row_of(bob)
    assert stands(transactions) == ("listed", [("product.approve", "")])


def test_a_request_taken_back_is_called_so(bob, transactions):
    put(transactions, ListingState.IN_REVIEW)
    step(bob, "withdraw", seen="in_review")
    bob.follow()
    assert bob.notes == ["已撤回上架申请。"]
    assert ("撤回上架申请" in row_of(bob), "商品下架" in row_of(bob)) == (True, False)
    assert stands(transactions) == ("draft", [("product.withdraw", "")])


def test_a_form_that_was_tampered_with(bob, transactions):
    assert step(bob, "withdraw", seen="sold", reason="x").status_code == 422
    assert step(bob, "submit", seen="listed").status_code == 409
    assert step(bob, "burn").status_code == 422
    assert bob.post(f"/listings/{TEA}", step="approve", seen="in_review").status_code == 422
    assert stands(transactions) == ("listed", [])


def test_one_cooperative_moves_nothing_of_another(bob, transactions):
    assert step(bob, "withdraw", WALNUTS, reason="x").status_code == 404
    assert step(bob, "approve", seen="in_review").status_code == 403
    bob.get("/listings")
    assert f'id="{WALNUTS}"' not in bob.text
    assert stands(transactions, WALNUTS) == ("listed", [])
    assert stands(transactions) == ("listed", [])


def test_finance_and_buyers_move_nothing(desk_of, transactions):
    for name in ("fiona", "alice"):
        desk = desk_of(name)
        desk.get("/password")
        for what in ("withdraw", "approve"):
            assert desk.post(way(what), step=what, seen="listed").status_code == 403
    assert stands(transactions) == ("listed", [])


def test_the_list_is_turned_and_keeps_its_filter(olga):
    olga.get("/listings?state=listed")
    more = re.search(r'href="/admin(/listings\?state=listed&amp;after=[^"]+)"', olga.text)
    first = set(re.findall(r'<tr id="([^"]+)"', olga.text))
    olga.get(more[1].replace("&amp;", "&"))
    second = re.findall(r'<tr id="([^"]+)"', olga.text)
    assert len(first) == 24
    assert first.isdisjoint(second)
    assert 'name="state" value="listed"' in olga.text
    answer = step_on_page(olga, second[0])
    back = answer.headers["Location"]
    assert re.fullmatch(r"/admin/listings\?state=listed&after=[0-9a-f-]+", back)


def step_on_page(desk: Desk, slug: str):
    """Take a product off sale with the fields of its own form."""
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', row_of(desk, slug)))
    return desk.post(f"/listings/{slug}", **{**form, "reason": "卖完"})


def test_the_desk_says_what_waits_for_review(olga, desk_of, transactions):
    olga.get("/")
    assert "等待审核" not in olga.plain
    put(transactions, ListingState.IN_REVIEW)
    for name, told in (("olga", True), ("ada", True), ("fiona", False), ("bob", False)):
        desk = desk_of(name)
        desk.get("/")
        assert (name, "有 1 件商品申请上架，等待审核。" in desk.plain) == (name, told)


def test_orders_of_it_stand(bob, transactions):
    number = buy(transactions, ("P01-1", 2))
    step(bob, "withdraw", reason="卖完")
    bob.get(f"/consignments/{number}-1")
    assert "2 件未发" in bob.plain
