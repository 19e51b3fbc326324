import pytest
from sqlalchemy import func, select, update

from models.cart import Cart, CartLine
from models.catalog import Sku
from models.inventory import Stock
from tests import cast
from tests.conftest import counted

HEADER = "X-Cart-Token"


def rows(transactions, *tables):
    with transactions.begin() as ctx:
        return [
            ctx.session.execute(select(func.count()).select_from(table.__table__)).scalar_one()
            for table in tables
        ]


def as_visitor(token):
    return {HEADER: token}


def lines(answer):
    return [(line["sku"], line["quantity"]) for line in answer.json["lines"]]


def test_the_first_answer_brings_a_token_that_works(api, transactions):
    first = api.get("/cart")
    token = first.headers[HEADER]
    assert (first.status_code, first.json["lines"], first.json["cart_token"]) == (200, [], token)
    assert rows(transactions, Cart) == [0]
    put = api.put("/cart/lines/P01-1", {"quantity": 2}, headers=as_visitor(token))
    assert (put.status_code, put.headers[HEADER], lines(put)) == (200, token, [("P01-1", 2)])
    assert lines(api.get("/cart", headers=as_visitor(token))) == [("P01-1", 2)]


def test_a_first_write_needs_no_token(api):
    put = api.put("/cart/lines/P01-1", {"quantity": 2})
    assert lines(api.get("/cart", headers=as_visitor(put.json["cart_token"]))) == [("P01-1", 2)]
    assert lines(api.get("/cart")) == []


def test_what_a_basket_tells_of_a_line(api):
    answer = api.put("/cart/lines/P01-1", {"quantity": 2}, as_="alice").json
    (line,) = answer["lines"]
    assert line.keys() == {
        "sku",
        "slug",
        "name",
        "name_en",
        "spec",
        "image_url",
        "cooperative",
        "quantity",
        "available",
        "unit_price_fen",
        "goods_fen",
    }
    assert (line["unit_price_fen"], line["goods_fen"], line["cooperative"]["code"]) == (
        4_800,
        9_600,
        "C01",
    )
    assert (answer["goods_fen"], answer["pieces"], answer["cart_token"]) == (9_600, 2, None)
    assert (answer["freight_known"], answer["problems"]) == (False, [])


def test_who_is_signed_in_needs_no_token_and_gets_none(api):
    put = api.put("/cart/lines/P01-1", {"quantity": 2}, as_="alice")
    assert HEADER not in put.headers
    assert [lines(api.get("/cart", as_=name)) for name in ("alice", "bob")] == [[("P01-1", 2)], []]


def test_with_a_division_there_is_freight(api):
    api.put("/cart/lines/P12-1", {"quantity": 1}, as_="alice")
    near = api.get("/cart?division_code=310110", as_="alice").json
    assert near["freight_known"] is True
    assert near["total_fen"] == near["goods_fen"] + near["freight_fen"]
    unknown = api.get("/cart?division_code=999999", as_="alice")
    assert (unknown.status_code, unknown.json["code"]) == (422, "division_unknown")


@pytest.mark.parametrize("token", ["", "12345", "x" * 400, "a.b", "' OR 1=1"])
def test_an_unknown_token_means_an_empty_basket(api, transactions, token):
    api.put("/cart/lines/P01-1", {"quantity": 2})
    answer = api.get("/cart", headers=as_visitor(token))
    assert (answer.status_code, answer.json["lines"]) == (200, [])
    assert answer.headers[HEADER] not in {"", token}
    assert rows(transactions, Cart) == [1]


def test_a_made_up_token_never_becomes_a_basket(api):
    put = api.put("/cart/lines/P01-1", {"quantity": 2}, headers=as_visitor("shared"))
    assert put.headers[HEADER] != "shared"
    assert lines(api.get("/cart", headers=as_visitor("shared"))) == []


def test_more_than_there_is_is_kept_and_told(api, transactions):
    before = stock(transactions)
    answer = api.put("/cart/lines/P01-1", {"quantity": 9_999}, as_="alice")
    (problem,) = answer.json["problems"]
    available = answer.json["lines"][0]["available"]
    assert (answer.status_code, lines(answer)) == (200, [("P01-1", 9_999)])
    assert problem == {
        "code": "out_of_stock",
        "sku": "P01-1",
        "available": available,
        "detail": problem["detail"],
    }
    assert f"仅剩 {available} 件" in problem["detail"]
    assert stock(transactions) == before


def stock(transactions):
    with transactions.begin() as ctx:
        table = Stock.__table__
        return ctx.session.execute(select(table).order_by(table.c.sku_id)).all()


@pytest.mark.parametrize(
    "body",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": 10_000},
        {"quantity": "2"},
        {"quantity": 1.5},
        {"quantity": True},
        {"quantity": None},
        {},
    ],
)
def test_quantities_that_are_refused(api, transactions, body):
    refused = api.put("/cart/lines/P01-1", body, as_="alice")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["quantity"])
    assert rows(transactions, Cart, CartLine) == [0, 0]


@pytest.mark.parametrize("sku", ["P99-9", "p01-1", "%F0%9F%8D%B5", "x" * 3_000])
def test_what_is_not_for_sale_is_not_found(api, transactions, sku):
    refused = api.put(f"/cart/lines/{sku}", {"quantity": 1}, as_="alice")
    assert (refused.status_code, refused.json["code"]) == (404, "not_found")
    assert rows(transactions, Cart, CartLine) == [0, 0]


def test_taking_out(api):
    api.put("/cart/lines/P01-1", {"quantity": 2}, as_="alice")
    api.put("/cart/lines/P12-1", {"quantity": 1}, as_="alice")
    for _ in range(2):
        answer = api.delete("/cart/lines/P01-1", as_="alice")
        assert (answer.status_code, lines(answer)) == (200, [("P12-1", 1)])


def test_signing_in_merges_and_never_doubles(api):
    credentials = {"login": cast.email("alice"), "password": cast.PASSWORD}
    api.put("/cart/lines/P01-1", {"quantity": 3}, as_="alice")
    token = api.put("/cart/lines/P01-1", {"quantity": 2}).headers[HEADER]
    api.put("/cart/lines/P12-1", {"quantity": 5}, headers=as_visitor(token))
    for _ in range(2):
        assert api.post("/auth/tokens", credentials, headers=as_visitor(token)).status_code == 200
        assert sorted(lines(api.get("/cart", as_="alice"))) == [("P01-1", 3), ("P12-1", 5)]
    assert lines(api.get("/cart", headers=as_visitor(token))) == []


def test_a_refused_sign_in_merges_nothing(api):
    token = api.put("/cart/lines/P01-1", {"quantity": 2}).headers[HEADER]
    wrong = {"login": cast.email("alice"), "password": "walnut-bridge-43"}
    assert api.post("/auth/tokens", wrong, headers=as_visitor(token)).status_code == 401
    assert lines(api.get("/cart", as_="alice")) == []
    assert lines(api.get("/cart", headers=as_visitor(token))) == [("P01-1", 2)]


def test_a_basket_is_read_in_two_statements_however_long(api, database):
    for sku in ("P01-1", "P09-1", "P12-1"):
        token = api.put(f"/cart/lines/{sku}", {"quantity": 1}, as_="alice")
    assert token.status_code == 200
    with counted(database) as issued:
        api.get("/cart", as_="alice")
    assert len(issued) == 3  # who asks, the lines, the catalogue's rows


def test_what_has_left_the_shelf_conflicts_as_it_does_in_an_order(api, transactions):
    with transactions.begin() as ctx:
        ctx.session.execute(update(Sku).where(Sku.code == "P01-1").values(active=False))
    refused = api.put("/cart/lines/P01-1", {"quantity": 1}, as_="alice")
    ordered = api.post("/orders", cast.order_body(("P01-1", 1)), as_="alice")
    for answer in (refused, ordered):
        assert (answer.status_code, answer.json["code"]) == (409, "not_listed")
    assert rows(transactions, Cart, CartLine) == [0, 0]
