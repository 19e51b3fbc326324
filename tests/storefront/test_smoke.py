import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/categories",
        "/c/tea",
        "/search?q=hetao",
        "/p/high-mountain-green-tea",
        "/coop/c01",
        "/cart",
        "/account",
        "/sign-in",
        "/register",
        "/find-order",
    ],
)
def test_pages(visitor, path):
    a = visitor.get(path)
    assert a.status_code == 200


def test_road(visitor, provider, transactions):
    visitor.put_in("P01-1", 2)
    visitor.put_in("P06-1", 1)
    assert visitor.get("/cart").status_code == 200
    a = visitor.check_out()
    assert a.status_code == 303, a.text
    print(a.location)
    ref = a.location.rpartition("/")[2]
    provider.pay(ref)
    [req] = provider.requests.values()
    b = visitor.get(req.success_url.removeprefix("http://127.0.0.1:8000"))
    assert b.status_code == 200
    assert "付款成功" in b.text
    b = visitor.get(f"/orders/{req.order_number}")
    assert b.status_code == 404
    b = visitor.get(req.cancel_url.removeprefix("http://127.0.0.1:8000"))
    assert b.status_code == 200
    assert "待发货" in b.text
