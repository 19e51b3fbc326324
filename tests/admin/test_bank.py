"""The bank's desk: a file is previewed and imported, lines are matched by two people."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from sqlalchemy import func, select, update

from models.bank import BankMatch, BankReceipt, MatchState
from models.orders import Order
from shop.payments.bank_jobs import match_receipts
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund
from tests.admin.test_words import CHINESE
from tests.bank_factories import TOTAL, bank_says, csv, receipt_id, receipts, states, unit_order

HIDDEN = re.compile(r'name="(packed|filename|column_\w+)"[^>]* value="([^"]*)"')


@pytest.fixture
def fiona(desk_of):
    return desk_of("fiona")


@pytest.fixture
def ada(desk_of):
    return desk_of("ada")


def count(transactions, model=BankReceipt) -> int:
    with transactions.begin() as ctx:
        return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()


def send(desk, data: bytes, name="十一月.csv", **form):
    desk.get("/bank")
    return desk.post("/bank/import", file=(io.BytesIO(data), name), **form)


def line(transactions, amount=TOTAL) -> str:
    with transactions.begin() as ctx:
        return f"/bank/{receipt_id(ctx, amount)}"


def test_an_empty_desk(fiona):
    assert fiona.get("/bank").status_code == 200
    assert "没有待匹配的流水。" in fiona.plain
    assert "还没有导入过流水。" in fiona.plain


def test_who_may_what(desk_of, transactions):
    bank_says(transactions, (500, "利息"))
    assert desk_of("olga").get("/bank").status_code == 403
    ada = desk_of("ada")
    assert ada.get("/bank").status_code == 200
    assert "导入银行流水" not in ada.plain
    assert ada.post("/bank/import", step="import").status_code == 403
    assert ada.get(line(transactions, 500)).status_code == 200


def test_a_file_is_previewed_then_imported(fiona, transactions):
    placed = unit_order(transactions)
    assert send(fiona, csv((TOTAL, placed.number), (-300, "手续费"))).status_code == 200
    assert "确认导入 2 行" in fiona.plain
    assert placed.number in fiona.plain
    assert count(transactions) == 0
    kept = {name: unescape(value) for name, value in HIDDEN.findall(fiona.text)}
    assert (kept["filename"], kept["column_credit"]) == ("十一月.csv", "贷方发生额")
    fiona.post("/bank/import", step="import", **kept)
    fiona.follow()
    assert fiona.notes == ["已导入 2 笔新流水，系统正在匹配订单。"]
    match_receipts(transactions)
    with transactions.begin() as ctx:
        assert states(ctx) == {placed.number: "paid"}
    fiona.get("/bank?pile=matched")
    assert placed.number in fiona.plain


def test_a_file_may_be_larger_than_other_forms(fiona, transactions):
    data = csv(*((500 + number, "货" * 500) for number in range(800)))
    assert len(data) > 1_000_000
    assert send(fiona, data).status_code == 200
    assert "确认导入" in fiona.plain
    assert send(fiona, b"x" * 6_000_001).status_code == 413
    assert count(transactions) == 0


def test_the_same_file_again(fiona, transactions):
    for _ in range(2):
        send(fiona, csv((500, "甲")), step="import")
        fiona.follow()
    assert fiona.notes == ["这个文件已经导入过，没有重复导入。"]
    assert count(transactions) == 1


def test_rows_at_fault_are_named_and_nothing_comes_in(fiona, transactions):
    bad = csv((500, "甲"), (600, "乙")).replace(b"6.00", b"six")
    send(fiona, bad)
    assert "有 1 行无法读取" in fiona.plain
    assert "确认导入" not in fiona.plain
    assert send(fiona, bad, step="import").status_code == 422
    assert "第 3 行：金额无法识别" in fiona.plain
    assert count(transactions) == 0


@pytest.mark.parametrize(
    "form", [{}, {"packed": "x"}, {"packed": "eJw="}, {"packed": "////", "step": "import"}]
)
def test_a_form_without_a_file(fiona, transactions, form):
    fiona.get("/bank")
    assert fiona.post("/bank/import", **form).status_code == 422
    assert count(transactions) == 0


def test_columns_are_named_by_hand(fiona, transactions):
    data = "甲,乙\n2026-11-23,5.00\n".encode()
    assert send(fiona, data).status_code == 422
    assert "没有找到表头" in fiona.plain
    send(fiona, data, step="import", column_booked_on="甲", column_amount="乙")
    assert count(transactions) == 1


def test_a_line_by_hand(fiona, transactions):
    fiona.get("/bank")
    fiona.post("/bank/lines", booked_on="2026-11-23", amount="5.00", out="1", remark="手续费")
    fiona.follow()
    assert "手工录入" in fiona.plain
    with transactions.begin() as ctx:
        assert receipts(ctx) == [("open", -500, 0, "")]


@pytest.mark.parametrize(
    "form",
    [
        {"booked_on": "", "amount": "5"},
        {"booked_on": "2027-01-01", "amount": "5"},
        {"booked_on": "2026-11-23", "amount": "0"},
        {"booked_on": "2026-11-23", "amount": "five"},
    ],
)
def test_a_line_by_hand_that_makes_no_sense(fiona, transactions, form):
    fiona.get("/bank")
    assert fiona.post("/bank/lines", **form).status_code == 422
    assert count(transactions) == 0


def entered(desk, transactions, number, **form) -> str:
    path = line(transactions)
    desk.get(path)
    desk.post(f"{path}/match", once=desk.once, order=number, **form)
    desk.follow()
    return path


def decide(desk, path: str, word: str, **form):
    """Press the button of the only match on the page."""
    desk.get(path)
    action = re.search(rf'action="/admin({path}/matches/[0-9a-f-]+/{word})"', desk.text)
    assert action is not None, desk.plain
    return desk.post(action[1], **form)


def test_one_enters_another_approves(fiona, ada, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    path = entered(fiona, transactions, placed.number, note="电话确认")
    assert fiona.notes == ["已录入匹配，请另一位同事复核。"]
    assert "须由另一位同事复核" in fiona.plain
    assert "复核通过" not in fiona.plain
    assert "没有找到对应的订单" not in fiona.plain
    fiona.get("/bank?pile=entered")
    assert placed.number in fiona.plain
    decide(ada, path, "approve")
    ada.follow()
    assert ada.notes == ["已复核，订单已付款。"]
    with transactions.begin() as ctx:
        assert states(ctx) == {placed.number: "paid"}


def test_the_log_tells_who_read_the_payer(fiona, ada, transactions):
    unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    with transactions.begin() as ctx:
        line = receipt_id(ctx, TOTAL)
    fiona.get(f"/bank/{line}")
    ada.get("/audit")
    assert ada.plain.count("Fiona 查看个人信息 银行流水") == 1
    assert "内容： 对方户名、对方账号" in ada.plain


def test_nobody_approves_their_own_by_another_road(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    path = entered(fiona, transactions, placed.number)
    with transactions.begin() as ctx:
        match = ctx.session.execute(select(BankMatch.id)).scalar_one()
    assert fiona.post(f"{path}/matches/{match}/approve").status_code == 409
    assert "须由另一人复核" in fiona.plain
    with transactions.begin() as ctx:
        assert states(ctx) == {placed.number: "pending_payment"}


def test_a_proposal_is_taken_up_or_rejected(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "慰问品", "大学校工会"))
    fiona.get("/bank?pile=proposed")
    assert "付款单位相近，金额一致" in fiona.plain
    path = line(transactions)
    fiona.get(path)
    assert "采用建议" in fiona.plain
    assert placed.number in fiona.plain
    assert decide(fiona, path, "reject", note=" ").status_code == 422
    assert fiona.notes == ["请填写原因"]
    assert decided(transactions) == [(MatchState.PROPOSED, "")]
    decide(fiona, path, "reject", note="不是这个单位")
    assert decided(transactions) == [(MatchState.REJECTED, "不是这个单位")]


def decided(transactions):
    with transactions.begin() as ctx:
        found = ctx.session.execute(select(BankMatch.state, BankMatch.note))
        return [tuple(row) for row in found]


def test_the_finance_desk_counts_what_the_bank_s_piles_list(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (500, "利息"), (700, "甲"), (-300, "手续费"), (TOTAL, "货款", "路人甲"))
    entered(fiona, transactions, placed.number)
    fiona.get("/payments")
    assert "银行未匹配收款 2 ¥12.00 建议匹配的收款 0 ¥0.00 待复核的匹配 1 ¥139.80" in fiona.plain
    tiles = re.findall(r'href="/admin(/bank\?pile=\w+)"', fiona.text)
    assert tiles == ["/bank?pile=open", "/bank?pile=proposed", "/bank?pile=entered"]
    fiona.get(tiles[2])
    assert (placed.number in fiona.plain, "利息" in fiona.plain) == (True, False)


def test_a_form_that_is_refused_keeps_what_was_entered(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (500, "货款"))
    path = line(transactions, 500)
    fiona.get(path)
    answer = fiona.post(
        f"{path}/match", once=fiona.once, order=placed.number, amount="99", note="电话"
    )
    assert answer.status_code == 409
    assert "金额超过流水余额或订单待收金额" in fiona.plain
    assert 'value="99"' in fiona.text
    assert count(transactions, BankMatch) == 0


def test_a_double_tap_is_one_match(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    path = line(transactions)
    fiona.get(path)
    once = fiona.once
    for _ in range(2):
        fiona.post(f"{path}/match", once=once, order=placed.number)
    fiona.follow()
    assert "此表单已提交过，没有重复处理。" in fiona.notes
    assert count(transactions, BankMatch) == 1


def test_a_line_is_set_aside_and_opened_again(fiona, transactions):
    bank_says(transactions, (500, "利息"))
    path = line(transactions, 500)
    fiona.get(path)
    assert fiona.post(f"{path}/set-aside", reason=" ").status_code == 422
    fiona.post(f"{path}/set-aside", reason="活期利息")
    fiona.follow()
    assert "活期利息" in fiona.plain
    fiona.get("/bank?pile=set_aside")
    assert "活期利息" in fiona.plain
    fiona.get(path)
    fiona.post(f"{path}/reopen")
    with transactions.begin() as ctx:
        assert receipts(ctx)[0][0] == "open"


def test_a_refund_by_transfer_is_paid_out(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, placed.number, "大学校工会"))
    with transactions.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=500), "破损")
    fiona.get("/bank")
    assert f"{placed.number}R1" in fiona.plain
    assert "大学校工会" in fiona.plain
    fiona.post(f"/bank/refunds/{placed.number}R1/sent")
    fiona.follow()
    assert "已汇出，待银行流水" in fiona.plain
    bank_says(transactions, (-500, f"退款{placed.number}R1"), first=2)
    fiona.get("/bank")
    assert "待汇出的退款" not in fiona.plain


@pytest.mark.parametrize("path", ["/bank/x", "/bank/00000000-0000-7000-8000-000000000000"])
def test_what_is_not_there(fiona, path):
    assert fiona.get(path).status_code == 404


def test_strange_addresses(fiona):
    assert fiona.get("/bank?pile=nonsense").status_code == 200
    assert fiona.get("/bank?before=nonsense").status_code == 422


def test_a_line_is_put_to_a_refund_by_two_people(fiona, ada, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, placed.number))
    with transactions.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=500), "破损")
    number = f"{placed.number}R1"
    fiona.get("/bank")
    assert "汇出失败" not in fiona.plain
    fiona.post(f"/bank/refunds/{number}/sent")
    fiona.get("/bank")
    assert "汇出失败" in fiona.plain
    assert fiona.post(f"/bank/refunds/{number}/failed", reason=" ").status_code == 422
    assert ada.post(f"/bank/refunds/{number}/failed", reason="户名不符").status_code == 400
    ada.get("/bank")
    assert ada.post(f"/bank/refunds/{number}/failed", reason="户名不符").status_code == 403
    fiona.post(f"/bank/refunds/{number}/failed", reason="户名不符")
    fiona.follow()
    assert ("退款失败" in fiona.plain, "银行没有汇出" in fiona.plain) == (True, True)
    for late in ("sent", "failed"):
        assert fiona.post(f"/bank/refunds/{number}/{late}", reason="户名不符").status_code == 409
    bank_says(transactions, (-500, "补汇"), first=9)
    path = line(transactions, -500)
    fiona.get(path)
    assert "付了失败的退款" in fiona.plain
    sent = {"once": fiona.once, "refund": number, "refund_reason": "银行补汇"}
    assert fiona.post(f"{path}/refund", **{**sent, "refund": number[:-1]}).status_code == 404
    assert fiona.post(f"{path}/refund", **{**sent, "refund_reason": ""}).status_code == 422
    assert fiona.post(f"{path}/refund", **sent).status_code == 303
    assert fiona.post(f"{path}/refund", **sent).status_code == 303
    fiona.follow()
    assert ("已提交过" in fiona.plain, "失败的退款改由银行汇出" in fiona.plain) == (True, True)
    ada.get(path)
    ada.post(re.search(r'action="/admin(/bank/[^"]+/approve)"', ada.text)[1])
    fiona.get(f"/refunds/{number[:-1]}2")
    assert ("已退回" in fiona.plain, "对公转账" in fiona.plain) == (True, True)


def test_an_extension_from_the_order(desk_of, transactions, bob):
    placed = unit_order(transactions)
    olga = desk_of("olga")
    olga.get(f"/orders/{placed.number}")
    assert "延长付款期 15 天" in olga.plain
    olga.post(f"/orders/{placed.number}/extension")
    olga.follow()
    assert "付款期已延长至" in olga.notes[0]
    assert "延长付款期 15 天" not in olga.plain
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(Order.pay_extended_at)).scalar_one() is not None


def test_a_second_click_on_an_extension_is_told_that_it_is_done(desk_of, transactions):
    placed, closed = unit_order(transactions), unit_order(transactions)
    olga = desk_of("olga")
    olga.get(f"/orders/{placed.number}")
    olga.post(f"/orders/{placed.number}/extension")
    with transactions.begin() as ctx:
        until = select(Order.pay_before).where(Order.number == placed.number)
        before = ctx.session.execute(until).scalar_one()
    assert olga.post(f"/orders/{placed.number}/extension").status_code == 303
    olga.follow()
    assert "付款期已延长过一次，不能再延长。" in olga.plain
    with transactions.begin() as ctx:
        assert ctx.session.execute(until).scalar_one() == before
        ctx.session.execute(
            update(Order).where(Order.number == closed.number).values(state="cancelled")
        )
    assert olga.post(f"/orders/{closed.number}/extension").status_code == 409


def test_english_pages_hold_no_chinese(fiona, transactions):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "walk", "walker"), (TOTAL + 1, placed.number, "walker"))
    with transactions.begin() as ctx:
        one = receipt_id(ctx, TOTAL + 1)
    english = {"Accept-Language": "en"}
    for path in ("/bank", "/bank?pile=proposed", f"/bank/{one}"):
        fiona.get(path, headers=english)
        left = [run for run in CHINESE.findall(fiona.plain) if run != "中文"]
        assert (path, left) == (path, [])
    data = csv((500, "walk", "walker")).replace(
        "交易日期,贷方发生额,借方发生额,对方户名,附言,流水号".encode(),
        b"date,credit,debit,payer,remark,reference",
    )
    fiona.get("/bank?lang=en")
    fiona.post("/bank/import", file=(io.BytesIO(data), "walk.csv"))
    assert set(CHINESE.findall(fiona.plain)) == {"中文"}
    fiona.get(f"/orders/{placed.number}")
    assert "Payment before delivery" in fiona.plain
