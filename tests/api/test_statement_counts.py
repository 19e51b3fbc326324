"""An answer costs a constant number of SQL statements, however much it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shop.catalog.cache import cache_of
from tests.api.mall import Mall, pay
from tests.cast import order_body
from tests.conftest import counted

SHANGHAI, URUMQI = "310110", "650104"
FIVE = (
    "P01-1", "P01-2", "P06-1", "P06-2", "P12-1", "P12-2", "P18-1", "P18-2", "P21-1", "P22-1",
)  # fmt: skip
"""Ten SKUs of five cooperatives."""


def lines(count: int) -> list[tuple[str, int]]:
    return [(sku, 1) for sku in FIVE[:count]]


def basket(count: int) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": 1} for sku in FIVE[:count]], "division_code": URUMQI}


def cost(mall: Mall, call: Callable[[], Any]) -> int:
    """How many statements a good answer takes when nothing of it is kept; many rows go as one."""
    cache = cache_of(mall.database.engine)
    cache._clear()
    cache.expire()
    with counted(mall.database) as issued:
        answer = call()
    assert answer.status_code < 300, answer.text
    return len(issued)


def test_a_quote_of_one_line_and_of_ten(mall):
    costs = [cost(mall, lambda n=n: mall.api.post("/quotes", basket(n))) for n in (1, 10)]
    assert costs == [1, 1]  # the SKUs with stock and freight template


def test_an_order_of_one_line_and_of_ten(mall):
    bodies = [order_body(*lines(count)) for count in (1, 2, 10)]
    costs = [cost(mall, lambda body=body: mall.api.post("/orders", body)) for body in bodies]
    assert costs == [10, 11, 11]  # from two SKUs on their stock is locked first, in order


def test_opening_an_order_of_one_line_and_of_ten(mall):
    costs = []
    for count in (1, 10):
        order = mall.api.post("/orders", order_body(*lines(count))).json
        path = f"/orders/{order['number']}?access_token={order['access_token']}"
        costs.append(cost(mall, lambda path=path: mall.api.get(path)))
    assert costs == [3, 3]  # nothing has left, so nobody asks for parcels


def test_a_list_of_one_order_and_of_ten(mall):
    def listed() -> int:
        return cost(mall, lambda: mall.api.get("/orders", as_="alice"))

    few = listed()
    for _ in range(9):
        mall.api.post("/orders", order_body(*lines(10)), as_="alice")
    assert (few, listed()) == (3, 3)


def test_a_basket_of_one_line_and_of_ten(mall):
    costs = []
    for count in (1, 10):
        for sku in FIVE[:count]:
            mall.api.put(f"/cart/lines/{sku}", {"quantity": 1}, as_="stan")
        path = f"/cart?division_code={URUMQI}"
        costs.append(cost(mall, lambda path=path: mall.api.get(path, as_="stan")))
    assert costs == [3, 3]


@pytest.mark.parametrize("sort", ["relevance", "newest", "price", "-price", "sales"])
def test_a_shelf_of_one_product_and_of_all(mall, sort):
    for words in ("", "&q=茶", "&in_stock=true", "&category=tea&min_price_fen=1"):
        paths = [f"/products?sort={sort}{words}&limit={limit}" for limit in (1, 100)]
        costs = [cost(mall, lambda path=path: mall.api.get(path)) for path in paths]
        assert costs == [3, 3]


def test_a_product_with_one_size_and_with_two(mall):
    paths = [f"/products/{slug}" for slug in ("sun-dried-tea-cake", "high-mountain-green-tea")]
    costs = [cost(mall, lambda path=path: mall.api.get(path)) for path in paths]
    assert costs == [3, 3]


def test_what_is_kept_costs_nothing(mall):
    for path in ("/products/high-mountain-green-tea", "/products?limit=3"):
        mall.api.get(path)
        with counted(mall.database) as issued:
            assert mall.api.get(path).status_code == 200
        assert len(issued) <= 2  # the look whether anything has changed


def test_consignments_one_and_many(mall):
    def listed(limit: int) -> int:
        path = f"/cooperative/consignments?limit={limit}"
        return cost(mall, lambda: mall.api.get(path, as_="bob"))

    for _ in range(5):
        mall.api.post("/orders", order_body(*lines(10)))
    assert (listed(1), listed(100)) == (3, 3)


def test_a_consignment_of_one_line_and_of_two(mall):
    costs = []
    for count in (1, 2):
        order = mall.api.post("/orders", order_body(*lines(count)), as_="alice").json
        pay(mall, order["number"])
        path = f"/cooperative/consignments/{order['number']}-1"
        costs.append(cost(mall, lambda path=path: mall.api.get(path, as_="bob")))
    assert costs == [7, 7]  # one writes down who read the address


@pytest.mark.parametrize(
    ("path", "who", "most"),
    [
        ("/cooperative/products?limit={}", "bob", 3),
        ("/cooperative/skus/P01-1/stock-movements?limit={}", "bob", 3),
        ("/reports/entries?from=2026-01-01&to=2027-01-01&limit={}", "olga", 2),
    ],
)
def test_lists_of_one_and_of_a_hundred(mall, path, who, most):
    costs = [cost(mall, lambda n=n: mall.api.get(path.format(n), as_=who)) for n in (1, 100)]
    assert costs == [most, most]


@pytest.mark.parametrize("groups", ["", "month", "unit,channel,sku", "day,product,category"])
def test_a_report_costs_the_same_however_much_was_sold(mall, groups):
    query = f"/reports/sales?from=2026-01-01&to=2027-01-01&group_by={groups}"

    def made() -> int:
        return cost(mall, lambda: mall.api.get(query, as_="olga"))

    few = made()
    for _ in range(3):
        order = mall.api.post("/orders", order_body(*lines(10)), as_="alice").json
        pay(mall, order["number"])
    assert few == made() <= 7
