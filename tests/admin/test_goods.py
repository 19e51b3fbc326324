"""The manager changes prices and stock, with a reason, and never over somebody else's change."""

from __future__ import annotations

import re

from sqlalchemy import select

from models.catalog import Sku
from models.inventory import StockMovement
from models.system import AuditEntry
from shop.inventory.queries import level
from tests.admin.conftest import ONCE, buy
from tests.cast import order_body

PRICE = {"price": "52.5", "reason": "新茶上市"}
STOCK = {"direction": "in", "pieces": "40", "cause": "harvest", "note": "秋茶第二批"}
VERSION = re.compile(r'name="version" value="(\d+)"')


def stands(transactions):
    """(price in fen, on hand, movements, audit actions) of P01-1 and the log."""
    with transactions.begin() as ctx:
        sku = ctx.session.execute(select(Sku.id, Sku.price_fen).where(Sku.code == "P01-1")).one()
        moves = ctx.session.execute(
            select(StockMovement.id).where(StockMovement.sku_id == sku.id)
        ).all()
        actions = (
            ctx.session.execute(select(AuditEntry.action).order_by(AuditEntry.sequence))
            .scalars()
            .all()
        )
        return (
            sku.price_fen,
            level(ctx.session, sku.id).on_hand,
            len(moves),
            [action for action in actions if action.startswith(("sku.", "stock."))],
        )


def change_price(bob, **form):
    bob.get("/goods/P01-1")
    version = VERSION.search(bob.text)[1]
    return bob.post("/goods/P01-1/price", once=bob.once, version=version, **{**PRICE, **form})


def change_stock(bob, **form):
    bob.get("/goods/P01-1")
    return bob.post("/goods/P01-1/stock", **{"once": bob.once, **STOCK, **form})


def test_the_list_shows_price_and_stock(bob, number):
    bob.get("/goods")
    assert "罐装100g P01-1 ¥48.00 600 3 597" in bob.plain
    assert "在售" in bob.plain
    assert "Tea" not in bob.plain


def test_a_new_price(bob, transactions):
    assert change_price(bob).status_code == 303
    bob.follow()
    assert bob.notes == ["价格已改为 ¥52.50"]
    assert stands(transactions) == (5250, 600, 1, ["sku.price"])


def test_a_price_changed_meanwhile_is_not_overwritten(bob, transactions):
    bob.get("/goods/P01-1")
    stale, key = VERSION.search(bob.text)[1], bob.once
    change_price(bob)
    bob.follow()
    form = {"price": "1.00", "reason": "手滑", "once": key}
    answer = bob.post("/goods/P01-1/price", version=stale, **form)
    assert answer.status_code == 409
    assert bob.notes == ["内容已被他人修改，请刷新后重试"]
    assert 'value="1.00"' in bob.text
    assert 'value="手滑"' in bob.text
    assert VERSION.search(bob.text)[1] == str(int(stale) + 1)
    assert stands(transactions) == (5250, 600, 1, ["sku.price"])


def test_a_price_sent_twice_is_set_once_and_nobody_else_is_blamed(bob, transactions):
    bob.get("/goods/P01-1")
    form = {"once": bob.once, "version": VERSION.search(bob.text)[1], **PRICE}
    assert [bob.post("/goods/P01-1/price", **form).status_code for _ in range(2)] == [303, 303]
    bob.follow()
    assert set(bob.notes) == {"价格已改为 ¥52.50"}
    assert stands(transactions) == (5250, 600, 1, ["sku.price"])


def test_a_refused_price_leaves_the_form_beside_it_a_key_of_its_own(bob, transactions):
    assert change_price(bob, price="x").status_code == 422
    price, stock = ONCE.findall(bob.text)
    assert price != stock
    form = {**PRICE, "once": price, "version": VERSION.search(bob.text)[1]}
    assert bob.post("/goods/P01-1/price", **form).status_code == 303
    assert bob.post("/goods/P01-1/stock", once=stock, **STOCK).status_code == 303
    assert stands(transactions)[:2] == (5250, 640)


def test_a_refused_price_changes_nothing(bob, transactions):
    for form, note in (
        ({"reason": " "}, "请填写调价原因"),
        ({"reason": "很" * 501}, "文字不能超过 500 字"),
        ({"price": "0"}, "价格须大于零且不超过一百万元"),
        ({"price": "1000000.01"}, "价格须大于零且不超过一百万元"),
        ({"price": "1.005"}, "金额格式有误，请填写如 48.00 的数字"),
        ({"price": "四十八"}, "金额格式有误，请填写如 48.00 的数字"),
        ({"price": "-5"}, "价格须大于零且不超过一百万元"),
    ):
        assert (change_price(bob, **form).status_code, bob.notes) == (422, [note])
    assert stands(transactions) == (4800, 600, 1, [])


def test_people_write_amounts_with_signs(bob, transactions):
    change_price(bob, price="￥1,234.50")
    assert stands(transactions)[0] == 123_450


def test_more_stock(bob, transactions):
    assert change_stock(bob).status_code == 303
    bob.follow()
    assert bob.notes == ["库存已调整：+40 件"]
    assert "采收入库 +40 — — Bob 秋茶第二批" in bob.plain
    assert stands(transactions) == (4800, 640, 2, ["stock.adjust"])


def test_less_stock(bob, transactions):
    change_stock(bob, direction="out", cause="damage", note="受潮")
    assert stands(transactions) == (4800, 560, 2, ["stock.adjust"])


def test_never_below_what_orders_were_promised(bob, number, transactions):
    asked = {"direction": "out", "pieces": "598", "cause": "damage"}
    assert change_stock(bob, **asked).status_code == 409
    assert bob.notes == ["已有 3 件被订单占用，库存不能低于此数"]
    assert 'value="598"' in bob.text
    assert 'value="秋茶第二批"' in bob.text
    assert '<option value="damage" selected>' in bob.text
    assert stands(transactions)[1:] == (600, 2, [])


def test_a_refused_adjustment_changes_nothing(bob, transactions):
    for form, note in (
        ({"note": ""}, "请填写说明"),
        ({"cause": "ship"}, "请选择原因"),
        ({"cause": ""}, "请选择原因"),
        ({"pieces": "0"}, "请选择入库或出库，并填写大于零的件数"),
        ({"direction": "up"}, "请选择入库或出库，并填写大于零的件数"),
        ({"direction": ""}, "请选择入库或出库，并填写大于零的件数"),
        ({"direction": "out"}, "采收、采购和退货只能入库，损耗只能出库"),
        ({"cause": "damage"}, "采收、采购和退货只能入库，损耗只能出库"),
        ({"pieces": "1e3"}, "件数须为整数"),
    ):
        assert (change_stock(bob, **form).status_code, bob.notes) == (422, [note])
    assert stands(transactions) == (4800, 600, 1, [])


def test_no_direction_is_chosen_for_the_manager(bob):
    bob.get("/goods/P01-1")
    assert re.findall(r'name="direction"[^>]*', bob.text) == [
        'name="direction" value="in" required',
        'name="direction" value="out"',
    ]


def test_an_adjustment_sent_twice_counts_once(bob, transactions):
    bob.get("/goods/P01-1")
    form = {"once": bob.once, **STOCK}
    assert [bob.post("/goods/P01-1/stock", **form).status_code for _ in range(3)] == [303] * 3
    assert stands(transactions)[1:3] == (640, 2)


def test_movements_tell_their_order(bob, transactions):
    number = buy(transactions, ("P01-1", 2))
    bob.get("/goods/P01-1")
    assert f"订单占用 — +2 {number} — —" in bob.plain


def test_movements_do_not_tell_who_bought(bob, api):
    assert api.post("/orders", order_body(("P01-1", 2)), as_="alice").status_code == 201
    bob.get("/goods/P01-1")
    assert "订单占用 — +2" in bob.plain
    assert "Alice" not in bob.plain


def test_movements_are_turned_over(bob, transactions):
    for _ in range(24):
        buy(transactions, ("P01-1", 1))
    bob.get("/goods/P01-1")
    assert "期初库存" not in bob.plain
    more = re.search(r'href="/admin(/goods/P01-1\?before=[^"]+)"', bob.text)
    bob.get(more[1])
    assert bob.plain.count("期初库存 +600") == 1


def test_what_is_not_there(bob):
    for path in ("/goods/P99-9", "/goods/%F0%9F%8D%B5", "/goods/P01-1'--"):
        assert bob.get(path).status_code == 404
    assert bob.get("/goods?after=x").status_code == 422
