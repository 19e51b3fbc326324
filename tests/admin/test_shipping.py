"""The manager ships by the form: several parcels, clear refusals, no second effect."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.catalog import Sku
from models.fulfilment import Parcel
from models.orders import Consignment, ConsignmentState
from shop.inventory.queries import level
from tests.admin.conftest import buy


@pytest.fixture
def part(number):
    """Bob's consignment: 3 of P01-1, of 600 on hand."""
    return f"{number}-1"


def stands(transactions, part):
    """(state, on hand, reserved, parcels) of the consignment and its SKU P01-1."""
    with transactions.begin() as ctx:
        state = ctx.session.execute(
            select(Consignment.state).where(Consignment.number == part)
        ).scalar_one()
        sku = ctx.session.execute(select(Sku.id).where(Sku.code == "P01-1")).scalar_one()
        held = level(ctx.session, sku)
        parcels = len(ctx.session.execute(select(Parcel.id)).all())
    return state, held.on_hand, held.reserved, parcels


def ship(bob, part, **form):
    bob.get(f"/consignments/{part}")
    sent = {"once": bob.once, **bob.pieces, "carrier": "zhongtong", "tracking_no": "ZT 778899 01"}
    return bob.post(f"/consignments/{part}/parcels", **{**sent, **form})


def test_by_default_everything_that_is_left_goes(bob, part, transactions):
    assert ship(bob, part).status_code == 303
    bob.follow()
    assert stands(transactions, part) == (ConsignmentState.SHIPPED, 597, 0, 1)
    assert bob.notes == ["已录入发货：ZT77889901"]
    assert "中通快递 ZT77889901" in bob.plain
    assert "确认发货" not in bob.plain


def test_several_parcels(bob, part, transactions):
    bob.get(f"/consignments/{part}")
    (line,) = bob.pieces
    ship(bob, part, **{line: "2"})
    assert stands(transactions, part) == (ConsignmentState.PARTIALLY_SHIPPED, 598, 1, 1)
    assert "还有 1 件未发" in bob.follow().get_data(as_text=True)
    assert bob.pieces == {line: "1"}
    ship(bob, part, tracking_no="ZT2")
    ship(bob, part, tracking_no="ZT22")
    assert stands(transactions, part) == (ConsignmentState.SHIPPED, 597, 0, 2)


REFUSED = (
    ({"carrier": "owl"}, 422, "快递公司或单号有误"),
    ({"tracking_no": "不是单号"}, 422, "快递公司或单号有误"),
    ({"line": "4"}, 409, "发货数量超过未发数量"),
    ({"line": "0"}, 422, "请填写发货数量"),
    ({"line": "-1"}, 422, "件数须为整数"),
    ({"line": "many"}, 422, "件数须为整数"),
)


def test_a_refused_form_changes_nothing(bob, part, transactions):
    bob.get(f"/consignments/{part}")
    (line,) = bob.pieces
    for form, status, note in REFUSED:
        entered = {line if name == "line" else name: value for name, value in form.items()}
        assert (ship(bob, part, **entered).status_code, bob.notes) == (status, [note])
    assert stands(transactions, part) == (ConsignmentState.PENDING_SHIPMENT, 600, 3, 0)


def test_a_refused_form_comes_back_as_it_was(bob, part):
    bob.get(f"/consignments/{part}")
    (line,) = bob.pieces
    ship(bob, part, **{line: "4", "tracking_no": "ZT1234"})
    assert bob.pieces == {line: "4"}
    assert 'name="tracking_no" required maxlength="40"' in bob.text
    assert 'value="ZT1234"' in bob.text
    assert '<option value="zhongtong" selected>' in bob.text


def test_a_form_sent_twice_ships_once(bob, part, transactions):
    bob.get(f"/consignments/{part}")
    form = {"once": bob.once, **bob.pieces, "carrier": "ems", "tracking_no": "EMS1234"}
    for note in ("已录入发货：EMS1234", "此表单已提交过，没有重复处理。"):
        assert bob.post(f"/consignments/{part}/parcels", **form).status_code == 303
        bob.follow()
        assert bob.notes == [note]
    assert stands(transactions, part) == (ConsignmentState.SHIPPED, 597, 0, 1)


def test_a_form_that_was_used_is_not_used_for_something_else(bob, part, transactions):
    bob.get(f"/consignments/{part}")
    form = {"once": bob.once, **dict.fromkeys(bob.pieces, "1"), "carrier": "ems"}
    bob.post(f"/consignments/{part}/parcels", **form, tracking_no="EMS1234")
    bob.follow()
    answer = bob.post(f"/consignments/{part}/parcels", **form, tracking_no="EMS9999")
    assert answer.status_code == 409
    assert bob.notes == ["此表单已经提交过，请刷新页面后重新填写"]
    assert stands(transactions, part) == (ConsignmentState.PARTIALLY_SHIPPED, 599, 2, 1)


def test_a_refused_form_is_mended_and_sent_again(bob, part, transactions):
    ship(bob, part, carrier="owl")
    mended = {"once": bob.once, **bob.pieces, "carrier": "ems", "tracking_no": "EMS1234"}
    assert bob.post(f"/consignments/{part}/parcels", **mended).status_code == 303
    assert stands(transactions, part) == (ConsignmentState.SHIPPED, 597, 0, 1)


def test_a_form_without_its_key_is_refused(bob, part, transactions):
    assert ship(bob, part, once="").status_code == 422
    assert stands(transactions, part) == (ConsignmentState.PENDING_SHIPMENT, 600, 3, 0)


def test_the_recipient_is_shown_while_it_has_to_be_shipped(bob, number, transactions, time):
    bob.get("/consignments")
    assert ("林*" in bob.plain, "林晓" in bob.plain) == (True, False)
    bob.get(f"/consignments/{number}-1")
    assert "林晓 15400000001" in bob.plain
    assert "邯郸路 220 号" in bob.plain
    assert "请放门卫" in bob.plain
    ship(bob, f"{number}-1")
    time.forward(days=31)
    bob.get(f"/consignments/{number}-1")
    assert "林* 154****0001" in bob.plain
    assert "收货信息已隐藏" in bob.plain
    assert "220" not in bob.plain


def test_what_is_not_paid_is_not_on_the_board(bob, transactions):
    number = buy(transactions, paid=False)
    assert number not in bob.get("/consignments").get_data(as_text=True)
    bob.get(f"/consignments/{number}-1")
    assert ("确认发货" in bob.plain, "林晓" in bob.plain) == (False, False)


def test_the_board_counts(bob, number, transactions):
    buy(transactions, ("P01-2", 1))
    bob.get("/")
    assert "待发货 2 部分发货 0 待收货 0 已完成 0" in bob.plain
    ship(bob, f"{number}-1")
    bob.get("/consignments?state=shipped")
    assert "待发货 1 部分发货 0 待收货 1 已完成 0 已取消 0" in bob.plain


def test_the_list_is_turned_over(bob, transactions):
    numbers = [f"{buy(transactions, ('P01-1', 1))}-1" for _ in range(25)]
    bob.get("/consignments")
    assert (numbers[1] in bob.plain, numbers[0] in bob.plain) == (True, False)
    more = bob.text.partition("下一页")[0].rpartition('href="/admin')[2].partition('"')[0]
    bob.get(more.replace("&amp;", "&"))
    assert (numbers[1] in bob.plain, numbers[0] in bob.plain) == (False, True)
    assert bob.get("/consignments?before=nonsense").status_code == 422


def test_the_picking_list_counts_what_is_left(bob, number, transactions):
    buy(transactions, ("P01-1", 4))
    bob.get(f"/consignments/{number}-1")
    (line,) = bob.pieces
    ship(bob, f"{number}-1", **{line: "2"})
    bob.get("/consignments/picking")
    assert "P01-1 高山绿茶 一级 罐装100g 5" in bob.plain
    assert "2 个发货单" in bob.plain
    assert "林晓" not in bob.plain
    bob.get(f"/consignments/{number}-1/slip")
    assert "林晓 15400000001" in bob.plain


def test_what_is_not_there(bob):
    for path in ("/consignments/1-1", "/consignments/x", "/consignments/1-1/slip"):
        assert bob.get(path).status_code == 404
        assert "没有找到这个发货单" in bob.plain
