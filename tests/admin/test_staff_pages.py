"""Orders, money that has to go back, and the log, as staff reads them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from models.orders import Order
from models.payments import Payment, PaymentMethod, PaymentState
from shop.ids import new_id
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, legs
from shop.seed.orders import place_scenarios
from tests.admin.conftest import buy
from tests.cast import order_body


def arrived(transactions, number, fen=4800, why="late"):
    """Money of an order that may not be kept."""
    with transactions.begin() as ctx:
        order_id = ctx.session.execute(select(Order.id).where(Order.number == number)).scalar_one()
        payment_id = new_id()
        post(
            ctx,
            Cause(
                subject="payment",
                subject_id=payment_id,
                event="captured",
                at=ctx.now,
                payment_id=payment_id,
                order_id=order_id,
            ),
            legs((Account.PROVIDER_CLEARING, fen), (Account.SUSPENSE, -fen)),
        )
        ctx.session.execute(
            insert(Payment.__table__).values(
                id=payment_id,
                order_id=order_id,
                method=PaymentMethod.STRIPE,
                state=PaymentState.NEEDS_REFUND,
                amount_fen=4800,
                captured_fen=fen,
                currency="CNY",
                reference=f"cs_{number}_{why}",
                failure_code=why,
                created_at=ctx.now,
                settled_at=ctx.now,
                expires_at=ctx.now + timedelta(minutes=30),
            )
        )


def test_orders_are_listed_newest_first_and_masked(olga, transactions):
    old, new = buy(transactions), buy(transactions, paid=False)
    olga.get("/orders")
    assert olga.plain.index(new) < olga.plain.index(old)
    assert "林* 社会公众" in olga.plain
    assert "林晓" not in olga.plain


def test_an_english_reader_is_told_english_names(olga, transactions):
    number = buy(transactions)
    for path in ("/orders?lang=en", f"/orders/{number}"):
        olga.get(path)
        found = {name: name in olga.plain for name in ("Direct", "自然访问")}
        assert (path, found) == (path, {"Direct": True, "自然访问": False})


def test_orders_by_state(olga, transactions):
    paid, unpaid = buy(transactions), buy(transactions, paid=False)
    olga.get("/orders?state=pending_payment")
    assert (paid in olga.plain, unpaid in olga.plain) == (False, True)


def test_a_whole_number_leads_to_its_order(olga, number):
    assert olga.get(f"/orders?number={number}").headers["Location"] == f"/admin/orders/{number}"
    assert olga.get(f"/orders?number={number}-2").status_code == 302
    assert number in olga.get(f"/orders?number={number[:8]}").get_data(as_text=True)


def test_a_number_that_nobody_has(olga, number):
    for asked in ("999999", "%25", "_", "'; drop", "９９"):
        assert olga.get(f"/orders?number={asked}").status_code == 200
        assert "没有找到订单" in olga.plain
    assert olga.get("/orders/26112300000000").status_code == 404
    assert olga.get("/orders?before=x").status_code == 422


def test_an_order_from_lines_to_entries(olga, transactions):
    number = place_scenarios(transactions)["S01"]
    olga.get(f"/orders/{number}")
    for said in (
        "¥111.80",
        "高山绿茶 一级",
        "中通快递 DEMO0001",
        "韵达快递 DEMO0002",
        "计入帮扶统计的明细",
        "按购买者类型归类 · aid2026",
        "款项到账",
        "确认收货",
    ):
        assert said in olga.plain, said


def test_the_entries_of_an_order_in_english(olga, transactions):
    number = place_scenarios(transactions)["S01"]
    olga.get(f"/orders/{number}?lang=en")
    assert olga.plain.count("High-mountain green tea") == 2
    assert "高山绿茶" not in olga.plain


def test_an_order_shows_nobodys_address(olga, number):
    olga.get(f"/orders/{number}")
    assert "林* 154****0001" in olga.plain
    for hidden in ("林晓", "15400000001", "220", "请放门卫"):
        assert hidden not in olga.plain
    assert "买家写有留言，仅发货的合作社可见" in olga.plain


def test_the_timeline_tells_who(olga, bob, number):
    bob.get(f"/consignments/{number}-1")
    bob.post(
        f"/consignments/{number}-1/parcels",
        once=bob.once,
        **bob.pieces,
        carrier="ems",
        tracking_no="EMS1234",
    )
    olga.get(f"/orders/{number}")
    assert f"全部发货 {number}-1 2026年11月23日 10:00 · Bob · EMS EMS1234" in olga.plain


def test_the_timeline_does_not_tell_who_bought(olga, api):
    placed = api.post("/orders", order_body(("P01-1", 1)), as_="alice").json["number"]
    olga.get(f"/orders/{placed}")
    assert "提交订单 2026年11月23日 10:00 · 买家" in olga.plain
    assert "Alice" not in olga.plain


def test_an_unpaid_order_counts_nowhere(olga, transactions):
    olga.get(f"/orders/{buy(transactions, paid=False)}")
    assert "未付款的订单不计入统计" in olga.plain
    assert "还没有付款记录" in olga.plain


def test_money_that_has_to_go_back(desk_of, number, transactions):
    fiona = desk_of("fiona")
    assert "没有需要处理的款项" in fiona.get("/payments").get_data(as_text=True)
    arrived(transactions, number, 4700, "amount_mismatch")
    arrived(transactions, number, 4800, "double")
    fiona.get("/payments")
    assert "待退回款项 2 ¥95.00" in fiona.plain
    assert fiona.plain.index("同一订单重复付款") < fiona.plain.index("到账金额或币种与订单不符")
    assert "有 2 笔" in fiona.get("/").get_data(as_text=True)


def test_the_log_tells_what_changed(desk_of, bob):
    bob.get("/goods/P01-1")
    bob.post("/goods/P01-1/price", once="1", price="50", reason="新茶上市", version="1")
    ada = desk_of("ada")
    ada.get("/audit")
    assert "Bob 修改价格 规格 P01-1 价格： ¥48.00 → ¥50.00 新茶上市" in ada.plain
    assert "修改价格 规格" not in ada.get("/audit?action=parcel.ship").get_data(as_text=True)


def test_the_log_holds_no_key_that_has_a_name(olga):
    olga.get("/audit")
    assert "授予角色 账号 Bob 角色： 合作社店长 合作社： 云雾岭茶叶专业合作社(演示)" in olga.plain
    table = olga.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert re.findall(r">[^<]*[0-9a-f]{8}-[0-9a-f]{4}-", table) == []


def test_the_log_is_asked_by_person_thing_and_day(desk_of, bob, number, time):
    bob.get(f"/consignments/{number}-1")
    time.forward(days=1)
    bob.get("/goods/P01-1")
    bob.post("/goods/P01-1/price", once="1", price="50", reason="新茶上市", version="1")
    ada = desk_of("ada")
    for asked, price, address in (
        ("actor=Bob", True, True),
        ("actor=Charlie", False, False),
        (f"subject={number}", False, True),
        ("subject=p01-1", True, False),
        ("day=2026-11-23", False, True),
        ("day=2026-11-24", True, False),
        ("day=2026-11-24&actor=Bob&subject=P01-1&action=sku.price", True, False),
        ("day=2026-11-24&action=parcel.ship", False, False),
    ):
        ada.get(f"/audit?{asked}")
        table = ada.text.partition("<tbody>")[2]
        assert ("新茶上市" in table, f"{number}-1" in table) == (price, address), asked
    assert "没有符合条件的记录。" in ada.plain
    for day in ("2026-13-01", "x", "0001-01-01", "9999-12-31"):
        assert ada.get(f"/audit?day={day}").status_code == 422


def test_reading_an_address_is_in_the_log(olga, bob, number):
    bob.get(f"/consignments/{number}-1")
    olga.get("/audit")
    assert f"Bob 查看个人信息 发货单 {number}-1 内容： 收货人、电话、地址、买家留言" in olga.plain


def test_the_log_is_verified(olga, bob, number, database):
    bob.get(f"/consignments/{number}-1")
    olga.get("/audit?verify=1")
    assert olga.notes == ["校验通过：日志完整，未被改动。"]
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        row = session.execute(
            text(
                "UPDATE audit_entry SET subject_id = '1' WHERE action = 'personal_data.read'"
                " RETURNING sequence"
            )
        ).scalar_one()
    olga.get("/audit?verify=1")
    assert olga.notes == [f"校验未通过，以下序号的记录与链不符：{row}"]


@pytest.mark.parametrize("asked", ["before=-1", "before=x", "before=1e9", "before=９"])
def test_a_page_of_the_log_that_is_none(olga, asked):
    assert olga.get(f"/audit?{asked}").status_code == 422


def test_an_order_that_could_not_be_closed_is_closed_by_finance(desk_of, transactions):
    number = buy(transactions, paid=False)
    fiona, olga = desk_of("fiona"), desk_of("olga")
    fiona.get("/payments")
    assert "付款期已过一小时以上" not in fiona.plain
    with transactions.begin() as ctx:
        past = ctx.now - timedelta(hours=1)
        ctx.session.execute(update(Order).where(Order.number == number).values(pay_before=past))
    olga.get("/payments")
    assert ("付款期已过一小时以上" in olga.plain, "关闭订单" in olga.plain) == (True, False)
    assert olga.post(f"/orders/{number}/close", reason="超时").status_code == 403
    fiona.get("/payments")
    assert "超时未能关闭的订单 1" in fiona.plain
    assert fiona.post(f"/orders/{number}/close", reason=" ").status_code == 422
    assert fiona.post(f"/orders/{number}/close", reason="渠道查无此单").status_code == 303
    fiona.get("/payments")
    assert ("付款期已过一小时以上" in fiona.plain, f"订单 {number} 已关闭" in fiona.plain) == (
        False,
        True,
    )
    olga.get(f"/orders/{number}")
    assert "财务人工关闭" in olga.plain
