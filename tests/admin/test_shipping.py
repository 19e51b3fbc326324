"""The manager ships by the form: several parcels, clear refusals, no second effect."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from admin import consignments
from models.catalog import Sku
from models.fulfilment import Parcel
from models.orders import Consignment, ConsignmentState
from models.refunds import Dispute, DisputeState
from models.system import AuditEntry
from shop.inventory.queries import level
from tests import refund_factories as fact
from tests.admin.conftest import buy

SEEN = re.compile(r'name="seen" value="([^"]+)"')


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
    assert (numbers[23] in bob.plain, numbers[24] in bob.plain) == (True, False)
    more = bob.text.partition("下一页")[0].rpartition('href="/admin')[2].partition('"')[0]
    bob.get(more.replace("&amp;", "&"))
    assert (numbers[23] in bob.plain, numbers[24] in bob.plain) == (False, True)
    for path in ("?after=nonsense", "?state=shipped&before=nonsense", "?number=1&before=x"):
        assert bob.get(f"/consignments{path}").status_code == 422


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


def test_a_picking_list_says_what_it_leaves_out(bob, transactions, monkeypatch):
    numbers = [f"{buy(transactions, ('P01-1', count))}-1" for count in (1, 2, 4)]
    monkeypatch.setattr(consignments, "MOST_ON_A_LIST", 2)
    bob.get("/consignments/picking")
    assert "仅列前 2 单（付款早的在前），另有 1 单未列。" in bob.plain
    assert [number in bob.plain for number in numbers] == [True, True, False]
    assert "P01-1 高山绿茶 一级 罐装100g 3" in bob.plain
    monkeypatch.undo()
    bob.get("/consignments/picking")
    assert ("仅列前" in bob.plain, numbers[2] in bob.plain) == (False, True)


def test_the_first_page_shows_who_waits_longest(bob, transactions, time):
    first = buy(transactions, ("P01-1", 1))
    for _ in range(6):
        time.forward(hours=1)
        last = buy(transactions, ("P01-1", 1))
    bob.get("/")
    assert (f"{first}-1" in bob.plain, f"{last}-1" in bob.plain) == (True, False)


def test_a_consignment_is_found_by_order_and_by_tracking_number(bob, desk_of, number):
    ship(bob, f"{number}-1")
    for text in (number, f"{number}-1", " zt 778899 01 "):
        found = bob.get("/consignments", query_string={"number": text})
        assert found.headers["Location"] == f"/admin/consignments/{number}-1", text
    for text in (f"{number}-2", "ZT7788990", "%"):
        bob.get("/consignments", query_string={"number": text})
        assert "没有找到这个单号。请核对后再试。" in bob.plain, text
    desk_of("charlie").get("/consignments", query_string={"number": "ZT77889901"})


def test_several_are_listed_and_turned_over(bob, transactions):
    numbers = [f"{buy(transactions, ('P01-1', 1), paid=False)}-1" for _ in range(25)]
    bob.get("/consignments?number=2611")
    assert (numbers[1] in bob.plain, numbers[0] in bob.plain) == (True, False)
    more = bob.text.partition("下一页")[0].rpartition('href="/admin')[2].partition('"')[0]
    bob.get(more.replace("&amp;", "&"))
    assert (numbers[1] in bob.plain, numbers[0] in bob.plain) == (False, True)


def test_a_mistyped_label_is_put_right(bob, part, transactions):
    ship(bob, part)
    sent = {"carrier": "ems", "tracking_no": "ems 1234", "reason": "单号录错"}
    answer = fix(bob, part, **{**sent, "reason": " "})
    assert (answer.status_code, bob.notes) == (422, ["请填写更正原因"])
    assert 'value="ems 1234"' in bob.text
    assert fix(bob, part, **sent).status_code == 303
    bob.follow()
    assert bob.notes == ["已更正为：EMS1234"]
    assert "EMS EMS1234" in bob.plain
    assert stands(transactions, part) == (ConsignmentState.SHIPPED, 597, 0, 1)


def test_a_refused_correction_does_not_stand_in_the_next_parcel_s_form(bob, part):
    bob.get(f"/consignments/{part}")
    (line,) = bob.pieces
    ship(bob, part, **{line: "2"})
    fix(bob, part, carrier="owl", tracking_no="WRONG1", reason="更正")
    assert bob.notes == ["快递公司或单号有误"]
    assert bob.text.count('value="WRONG1"') == 1
    assert bob.pieces == {line: "1"}


def test_what_a_colleague_put_right_is_not_put_right_unseen(bob, part, transactions):
    ship(bob, part)
    bob.get(f"/consignments/{part}")
    (read,) = SEEN.findall(bob.text)
    assert read == "zhongtong ZT77889901"
    right = {"carrier": "ems", "tracking_no": "EMS2", "reason": "录错", "seen": read}
    assert fix(bob, part, **right).status_code == 303
    other = {**right, "tracking_no": "EMS3", "reason": "也录错"}
    assert fix(bob, part, **other).status_code == 409
    assert bob.notes == ["此单号刚被他人更正为 EMS2，请核对后再改"]
    assert ('value="EMS3"' in bob.text, 'value="也录错"' in bob.text) == (True, True)
    assert fix(bob, part, **right).status_code == 303
    assert fix(bob, part, **{**other, "seen": "ems EMS2"}).status_code == 303
    with transactions.begin() as ctx:
        steps = select(AuditEntry.before).where(AuditEntry.action == "parcel.correct")
        steps = ctx.session.execute(steps.order_by(AuditEntry.sequence)).scalars()
        assert [label["tracking_no"] for label in steps] == ["ZT77889901", "EMS2"]


def test_a_page_that_is_behind_says_what_to_do_with_the_box(bob, part, number, transactions):
    bob.get(f"/consignments/{part}")
    sent = {**bob.pieces, "carrier": "ems"}
    ship(bob, part)
    answer = bob.post(f"/consignments/{part}/parcels", once="2", tracking_no="EMS2", **sent)
    assert answer.status_code == 409
    assert bob.notes[-1] == "此单已全部发完，不用再发"
    assert stands(transactions, part)[3] == 1


def test_a_correction_that_is_none_says_why(bob, part):
    ship(bob, part)
    fix(bob, part, carrier="ems", tracking_no="E!", reason="录错")
    assert "快递单号为 4 至 40 位字母、数字或短横线" in bob.plain


def test_a_page_that_is_behind_names_the_line_with_too_many(bob, part):
    bob.get(f"/consignments/{part}")
    (line,) = bob.pieces
    ship(bob, part, **{line: "2"})
    assert ship(bob, part, **{line: "3", "tracking_no": "ZT0002"}).status_code == 409
    assert "只剩 1 件" in bob.plain
    assert bob.pieces == {line: "3"}


def fix(bob, part, **form):
    bob.get(f"/consignments/{part}")
    path = re.search(r'action="/admin(/consignments/[^"]+/parcels/[^"]+)"', bob.text)
    return bob.post(path[1], **form)


def test_the_desk_reads_the_goods_in_english(bob, number):
    for path in ("/consignments", f"/consignments/{number}-1", f"/consignments/{number}-1/slip"):
        bob.get(f"{path}?lang=en")
        assert ("High-mountain green tea" in bob.plain, "高山绿茶" in bob.plain) == (True, False)
    bob.get("/consignments/picking")
    assert "P01-1 High-mountain green tea Tin 100g 3" in bob.plain


def test_what_is_not_there(bob):
    for path in ("/consignments/1-1", "/consignments/x", "/consignments/1-1/slip"):
        assert bob.get(path).status_code == 404
        assert "没有找到这个发货单" in bob.plain
    assert bob.post("/consignments/1-1/parcels/x").status_code == 404


def test_who_is_about_to_ship_is_told_of_a_dispute(bob, transactions):
    """On the page, in the list, on the sheet for the shelves and on the slip in the box."""
    with transactions.begin() as ctx:
        order = fact.bought(ctx)
        part = f"{fact.number_of(ctx, order)}-1"
    pages = (f"/consignments/{part}", "/consignments", "/consignments/picking")
    pages = (*pages, f"/consignments/{part}/slip")
    warnings = ("付款有争议，先不要发货", "争议中，先不发")

    def warned() -> list[bool]:
        return [any(one in _read(bob, page) for one in warnings) for page in pages]

    assert warned() == [False] * 4
    with transactions.begin() as ctx:
        dispute = fact.disputed(ctx, order)
    assert warned() == [True] * 4
    with transactions.begin() as ctx:
        ctx.session.execute(
            update(Dispute).where(Dispute.id == dispute).values(state=DisputeState.WON)
        )
    assert warned() == [False] * 4


def _read(desk, page) -> str:
    desk.get(page)
    return desk.plain
