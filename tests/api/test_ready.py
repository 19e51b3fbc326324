import pytest

from api.ready import ReadyAnswers
from shop.catalog.commands import change_price
from tests.conftest import actor_of

PRODUCT = "/api/v1/products/high-mountain-green-tea"


class Counting:
    """The application, and how often it was asked."""

    def __init__(self, app):
        self.app, self.asked = app, 0

    def __call__(self, environ, start):
        self.asked += 1
        return self.app(environ, start)


@pytest.fixture
def behind(app):
    return Counting(app.wsgi_app)


@pytest.fixture
def ready(app, client, behind, transactions):
    app.wsgi_app = ReadyAnswers(behind, transactions)
    return client


def test_the_second_answer_is_the_first_one_given_again(ready, behind):
    first, second = ready.get(PRODUCT), ready.get(PRODUCT)
    assert behind.asked == 1
    assert (second.status_code, second.data) == (200, first.data)
    own = {"X-Request-Id", "Date"}
    assert {pair for pair in second.headers if pair[0] not in own} == {
        pair for pair in first.headers if pair[0] not in own
    }
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_long_questions_are_not_remembered(ready, behind):
    for _ in range(2):
        assert ready.get(f"{PRODUCT}?for={'x' * 200}").status_code == 200
    assert behind.asked == 2


def test_who_has_it_is_told_so(ready, behind):
    tag = ready.get(PRODUCT).headers["ETag"]
    again = ready.get(PRODUCT, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert "Content-Length" not in again.headers
    assert behind.asked == 1


def test_a_change_is_asked_for_and_learnt_again(ready, behind, transactions):
    old = ready.get(PRODUCT)
    bob = transactions.acting(actor_of(transactions, "bob"))
    with bob.begin() as ctx:
        change_price(ctx, "P01-1", 5200, "春茶涨价", 1)
    new = ready.get(PRODUCT)
    assert (old.json["price_fen"], new.json["price_fen"]) == (4800, 5200)
    assert ready.get(PRODUCT).headers["ETag"] == new.headers["ETag"] != old.headers["ETag"]
    assert behind.asked == 2


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", PRODUCT, {"Authorization": "Bearer nonsense"}, 401),
        ("GET", PRODUCT, {"X-Request-Id": "mine"}, 200),
        ("HEAD", PRODUCT, {}, 200),
        ("POST", PRODUCT, {}, 405),
        ("GET", "/api/v1/categories", {}, 200),
        ("GET", "/api/v1/products/none", {}, 404),
        ("GET", "/api/v1/products?limit=0", {}, 422),
    ],
)
def test_what_is_not_plain_or_not_kept_goes_the_usual_way(
    ready, behind, method, path, headers, status
):
    ready.get(PRODUCT)
    for _ in range(2):
        assert ready.open(path, method=method, headers=headers).status_code == status
    assert behind.asked == 3


def test_other_queries_are_other_answers(ready, behind):
    tea, nuts = (ready.get(f"/api/v1/products?category={one}") for one in ("tea", "walnut"))
    assert ready.get("/api/v1/products?category=tea").data == tea.data != nuts.data
    assert behind.asked == 2


def test_a_sale_that_ends_is_noticed(ready, behind, time):
    time.set("2026-05-31T23:59:59+08:00")
    assert ready.get("/api/v1/products/fresh-blueberries").json["sale_state"] == "open"
    time.forward(seconds=1)
    assert ready.get("/api/v1/products/fresh-blueberries").json["sale_state"] == "ended"
    assert behind.asked == 2


def test_addresses_do_not_pile_up(ready, app, monkeypatch):
    monkeypatch.setattr("api.ready.MAX_ADDRESSES", 3)
    for number in range(8):
        ready.get(f"/api/v1/products?unknown={number}")
    assert len(app.wsgi_app._known) == 2
