import pytest

from tests.cast import order_body, secret

PRICE = "/cooperative/skus/P01-1"
STOCK = "/cooperative/skus/P01-1/stock-movements"
HARVEST = {"delta": 40, "cause": "harvest", "note": "秋茶入库"}


def offer(api, code="P01-1", slug="high-mountain-green-tea"):
    skus = api.get(f"/products/{slug}").json["skus"]
    return next((sku["price_fen"], sku["available"]) for sku in skus if sku["code"] == code)


def test_a_manager_reads_and_sets_a_price(api):
    assert offer(api) == (4800, 600)
    read = api.get(PRICE, as_="bob")
    assert (read.headers["ETag"], read.json["version"]) == ('"1"', 1)
    changed = api.patch(
        PRICE,
        {"price_fen": 5200, "reason": "春茶涨价"},
        as_="bob",
        headers={"If-Match": read.headers["ETag"]},
    )
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (changed.json["price_fen"], offer(api)) == (5200, (5200, 600))


@pytest.mark.parametrize(
    ("tag", "status", "code"),
    [
        (None, 428, "precondition_required"),
        ('"7"', 412, "precondition_failed"),
        ('"abc"', 412, "precondition_failed"),
        ('"99999999999999999999"', 412, "precondition_failed"),
    ],
)
def test_a_price_is_set_under_the_tag_that_was_read(api, tag, status, code):
    headers = {"If-Match": tag} if tag else {}
    answer = api.patch(PRICE, {"price_fen": 5200, "reason": "涨价"}, as_="bob", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert offer(api) == (4800, 600)


@pytest.mark.parametrize(
    "body",
    [
        {"price_fen": 0},
        {"price_fen": -5},
        {"price_fen": 10**9},
        {"price_fen": "5200"},
        {"price_fen": 52.5},
        {"price_fen": None},
        {},
        {"price_fen": 5200, "stock": 3},
        {"price_fen": 5200, "reason": ""},
        {"price_fen": 5200, "reason": " \n"},
        {"price_fen": 5200, "reason": None},
    ],
)
def test_a_price_that_is_none_is_refused(api, body):
    answer = api.patch(PRICE, {"reason": "涨价", **body}, as_="bob", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert offer(api) == (4800, 600)


def test_a_price_is_not_changed_without_a_reason(api):
    answer = api.patch(PRICE, {"price_fen": 5200}, as_="bob", headers={"If-Match": '"1"'})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["reason"])
    assert offer(api) == (4800, 600)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("charlie", 404),
        ("alice", 403),
        ("olga", 403),
        (None, 401),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_the_goods_of_others_are_closed(api, who, status, method):
    path, body = (STOCK, HARVEST) if method == "POST" else (PRICE, {"price_fen": 1, "reason": "x"})
    answer = api.call(
        method, path, as_=who, headers={"If-Match": '"1"'}, json=None if method == "GET" else body
    )
    assert answer.status_code == status
    assert offer(api) == (4800, 600)


def test_a_harvest_is_on_the_shelf_at_once(api):
    assert offer(api) == (4800, 600)
    answer = api.post(STOCK, HARVEST, as_="bob")
    assert (answer.status_code, answer.json) == (
        201,
        {"sku": "P01-1", "on_hand": 640, "reserved": 0, "available": 640},
    )
    assert offer(api) == (4800, 640)


def test_a_harvest_sent_twice_is_booked_once(api):
    first = api.post(STOCK, HARVEST, as_="bob", key="h1")
    again = api.post(STOCK, HARVEST, as_="bob", key="h1")
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = api.post(STOCK, {**HARVEST, "delta": 41}, as_="bob", key="h1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert offer(api) == (4800, 640)


def test_a_movement_needs_no_key(api):
    without = {"Authorization": f"Bearer {secret('bob')}"}
    for _ in range(2):
        sent = api.client.post(f"/api/v1{STOCK}", json=HARVEST, headers=without)
        assert sent.status_code == 201
    assert offer(api) == (4800, 680)


def test_movements_say_who_and_why(api):
    api.post(STOCK, HARVEST, as_="bob")
    page = api.get(f"{STOCK}?limit=1", as_="bob").json
    assert page["items"] == [
        {
            "at": "2026-11-23T10:00:00+08:00",
            "on_hand_delta": 40,
            "reserved_delta": 0,
            "cause": "harvest",
            "note": "秋茶入库",
            "order_number": None,
            "actor": "Bob",
        }
    ]
    rest = api.get(f"{STOCK}?cursor={page['next_cursor']}", as_="bob").json
    assert [one["cause"] for one in rest["items"]] == ["initial"]
    assert rest["next_cursor"] is None


def test_movements_do_not_say_who_bought(api):
    placed = api.post("/orders", order_body(("P01-1", 2)), as_="alice").json["number"]
    api.post(f"/orders/{placed}/cancel", as_="alice")
    rows = api.get(STOCK, as_="bob").json["items"]
    assert [(one["cause"], one["order_number"], one["actor"]) for one in rows] == [
        ("release", placed, None),
        ("reserve", placed, None),
        ("initial", None, None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {**HARVEST, "delta": 0},
        {**HARVEST, "delta": -40},
        {**HARVEST, "cause": "purchase", "delta": -1},
        {**HARVEST, "cause": "return", "delta": -1},
        {**HARVEST, "cause": "damage"},
        {**HARVEST, "cause": "reserve"},
        {**HARVEST, "cause": "magic"},
        {**HARVEST, "note": ""},
        {**HARVEST, "note": "  "},
        {**HARVEST, "delta": 2_000_000},
        {**HARVEST, "delta": "4"},
        {"delta": 4},
    ],
)
def test_a_movement_that_means_nothing_is_refused(api, body):
    answer = api.post(STOCK, body, as_="bob")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert offer(api) == (4800, 600)


def test_more_than_there_is_cannot_be_taken(api):
    answer = api.post(STOCK, {"delta": -601, "cause": "damage", "note": "受潮"}, as_="bob")
    assert (answer.status_code, answer.json["code"]) == (409, "below_reserved")
    assert (answer.json["on_hand"], answer.json["reserved"]) == (600, 0)
    assert offer(api) == (4800, 600)


def test_own_goods_and_nobody_elses(api):
    page = api.get("/cooperative/products", as_="charlie").json
    assert [one["code"] for one in page["items"]] == ["P06", "P07", "P08", "P09", "P10", "P11"]
    assert page["items"][0]["skus"][0] == {
        "code": "P06-1",
        "name": "袋装1kg",
        "net_content": "1kg",
        "unit": "袋",
        "price_fen": 3280,
        "weight_g": 1080,
        "barcode": "2000000000084",
        "active": True,
        "version": 1,
        "on_hand": 1500,
        "reserved": 0,
        "available": 1500,
    }


def test_own_goods_page_by_page(api):
    first = api.get("/cooperative/products?limit=4", as_="bob").json
    rest = api.get(f"/cooperative/products?cursor={first['next_cursor']}", as_="bob").json
    assert [one["code"] for one in rest["items"]] == ["P05"]
