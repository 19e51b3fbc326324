"""Finance sends money back by the desk's pages, and answers a bank that asks."""

from __future__ import annotations

import re

import pytest

from models.payments import PaymentMethod
from shop.seed.data import demo
from tests import refund_factories as fact
from tests.admin.test_access import INLINE
from tests.admin.test_words import CHINESE, texts
from tests.cast import ADDRESS

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
TOTAL = 22_360
EVERYTHING = {"kind": "whole", "freight": "1", "reason": "买家取消"}


@pytest.fixture
def order(transactions):
    with transactions.begin() as ctx:
        return fact.bought(ctx)


@pytest.fixture
def number(order, transactions) -> str:
    with transactions.begin() as ctx:
        return fact.number_of(ctx, order)


@pytest.fixture
def fiona(desk_of):
    return desk_of("fiona")


def stands(transactions, order):
    with transactions.begin() as ctx:
        return fact.money(ctx, order), fact.gone(ctx, order)


def ended(transactions, number, failure="") -> None:
    with transactions.begin() as ctx:
        fact.end(ctx, fact.refund_numbered(ctx, number).id, failure)


def field(transactions, order, place, kind) -> str:
    with transactions.begin() as ctx:
        return f"{kind}-{fact.lines_of(ctx, order)[place - 1].id}"


def preview(desk, number, **form):
    desk.get(f"/orders/{number}/refund")
    return desk.post(f"/orders/{number}/refund/preview", **form)


def confirm(desk, number, **more):
    """Send what the preview carries on."""
    hidden = {**dict(HIDDEN.findall(desk.text)), **more}
    return desk.post(f"/orders/{number}/refund", **hidden)


def test_the_whole_order_after_a_look(fiona, number, order, transactions):
    fiona.get(f"/orders/{number}")
    assert f'href="/admin/orders/{number}/refund"' in fiona.text
    assert preview(fiona, number, **EVERYTHING).status_code == 200
    assert "将退回 ¥223.60 在线支付 · 退后还可退 ¥0.00" in fiona.plain
    assert "高山绿茶 一级 一级 50g/盒 ¥144.00 ¥0.00 3 —" in fiona.plain or "3 —" in fiona.plain
    assert stands(transactions, order) == ((TOTAL, 0, 0), [(0, 0, 0, 0)] * 2)
    assert confirm(fiona, number).status_code == 303
    fiona.follow()
    assert fiona.notes == ["退款 ¥223.60 已提交。"]
    assert stands(transactions, order)[0] == (TOTAL, TOTAL, 0)
    for said in ("退款中", f"{number}R1", "买家取消", "待发出", "不再发货 3", "申请退款"):
        assert said in fiona.plain, said
    assert f'href="/admin/orders/{number}/refund"' not in fiona.text


def test_a_double_tap_is_one_refund(fiona, number, order, transactions):
    preview(fiona, number, kind="amount", amount="5", freight="1", reason="补差价")
    hidden = dict(HIDDEN.findall(fiona.text))
    for _ in range(2):
        fiona.post(f"/orders/{number}/refund", **hidden)
    fiona.follow()
    assert fiona.notes[-1] == "此表单已提交过，没有重复处理。"
    assert stands(transactions, order)[0] == (TOTAL, 500, 0)


def test_pieces_and_money_of_lines(fiona, number, order, transactions):
    lines = {
        field(transactions, order, 1, "pieces"): "2",
        field(transactions, order, 2, "yuan"): "1.50",
    }
    preview(fiona, number, kind="lines", reason="破损", **lines)
    assert "将退回 ¥97.50" in fiona.plain
    confirm(fiona, number)
    assert stands(transactions, order)[1] == [(9_600, 0, 2, 0), (150, 0, 0, 0)]


def test_the_preview_can_be_changed(fiona, number, order, transactions):
    preview(fiona, number, kind="amount", amount="5", reason="补差价")
    assert confirm(fiona, number, change="1").status_code == 200
    assert 'value="5"' in fiona.text
    assert "补差价" in fiona.text
    assert stands(transactions, order)[0] == (TOTAL, 0, 0)


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"reason": "x"}, 422, "请选择退款方式"),
        ({"kind": "lines", "reason": "x"}, 422, "请填写至少一种商品的件数或金额"),
        ({"kind": "lines", "pieces-x": "1", "reason": "x"}, 422, "表单不完整，请刷新页面后重试"),
        (
            {"kind": "amount", "amount": "1.234", "reason": "x"},
            422,
            "金额格式有误，请填写如 48.00 的数字",
        ),
        ({"kind": "amount", "amount": "0", "reason": "x"}, 422, "退款金额须大于零"),
        ({"kind": "amount", "amount": "999", "reason": "x"}, 409, "退款超过可退的金额或数量"),
        ({"kind": "whole", "reason": " "}, 422, "请填写退款原因"),
    ],
)
def test_a_form_that_makes_no_sense_comes_back(
    fiona, number, order, transactions, form, status, told
):
    answer = preview(fiona, number, **form)
    assert (answer.status_code, fiona.notes) == (status, [told])
    assert confirm(fiona, number, once="k", **form).status_code == status
    assert stands(transactions, order) == ((TOTAL, 0, 0), [(0, 0, 0, 0)] * 2)


def test_goods_that_are_back_go_on_the_shelf(fiona, bob, number, order, transactions):
    bob.get(f"/consignments/{number}-1")
    bob.post(
        f"/consignments/{number}-1/parcels",
        once=bob.once,
        **bob.pieces,
        carrier="ems",
        tracking_no="EMS1234",
    )
    preview(fiona, number, **EVERYTHING, goods_returned="1")
    confirm(fiona, number)
    assert stands(transactions, order)[1] == [(14_400, 0, 0, 3), (6_560, 1_400, 2, 0)]
    bob.get("/goods/P01-1")
    assert f"退货入库 +3 — {number} Fiona {number}R1" in bob.plain


def test_the_list_and_one_of_them(fiona, olga, number, order, transactions):
    preview(fiona, number, **EVERYTHING)
    confirm(fiona, number)
    olga.get(f"/refunds?order={number}&state=requested&cause=staff")
    assert f"{number}R1 待发出 ¥223.60 人工退款 买家取消 在线支付" in olga.plain
    assert "没有这样的退款" in olga.get("/refunds?state=failed").get_data(as_text=True)
    olga.get(f"/refunds/{number}R1")
    for said in ("¥209.60", "¥14.00", "Fiona", "买家取消", "纸皮泡核桃"):
        assert said in olga.plain, said
    assert olga.get("/refunds/x").status_code == 404
    assert olga.get("/refunds?before=x").status_code == 422


def test_a_failed_one_waits_on_the_desk_until_it_is_tried_again(
    fiona, olga, number, order, transactions
):
    preview(fiona, number, **EVERYTHING)
    confirm(fiona, number)
    ended(transactions, f"{number}R1", "expired_or_canceled_card")
    olga.get("/")
    assert "有 1 笔退款失败，共 ¥223.60。" in olga.plain
    olga.get("/payments")
    assert "退款失败 1 ¥223.60" in olga.plain
    assert "卡已过期或已注销" in olga.plain
    assert "重新退款" not in olga.text.replace("或重新退款。", "")
    fiona.get("/payments")
    once = fiona.once
    assert fiona.post(f"/refunds/{number}R1/retry", once=once).status_code == 303
    fiona.follow()
    assert f"已重新发起：{number}R2" in fiona.plain.replace(" ", "")
    fiona.get("/payments")
    assert "退款失败 0 ¥0.00" in fiona.plain
    again = fiona.post(f"/refunds/{number}R1/retry", once="another")
    assert (again.status_code, fiona.notes[0]) == (409, "这笔退款已重新发起")
    assert stands(transactions, order)[0] == (TOTAL, TOTAL, 0)


def test_money_that_no_order_may_keep_goes_back_by_one_button(fiona, number, order, transactions):
    with transactions.begin() as ctx:
        payment = fact.unwanted(ctx, order)
    fiona.get("/payments")
    assert "待退回款项 1 ¥50.00" in fiona.plain
    form = {"once": fiona.once, "reason": "到账金额不符"}
    assert fiona.post(f"/payments/{payment}/refund", **form).status_code == 303
    fiona.follow()
    assert fiona.notes == ["退款已提交，正在原路退回。"]
    assert "待退回款项 0 ¥0.00" in fiona.plain
    assert stands(transactions, order)[0] == (TOTAL + 5_000, 5_000, 0)
    form["once"] = "another"
    assert fiona.post(f"/payments/{payment}/refund", **form).status_code == 409
    assert fiona.post("/payments/x/refund", **form).status_code == 404


def test_a_day_without_an_answer_is_on_the_desk(fiona, number, order, transactions, time):
    preview(fiona, number, **EVERYTHING)
    confirm(fiona, number)
    fiona.get("/payments")
    assert "退款超过一天未到 0" in fiona.plain
    time.forward(hours=25)
    fiona.get("/payments")
    assert "退款超过一天未到 1 ¥223.60" in fiona.plain


def test_the_goods_of_a_dispute_in_english(olga, number, order, transactions):
    with transactions.begin() as ctx:
        dispute = fact.disputed(ctx, order)
    olga.get(f"/disputes/{dispute}?lang=en")
    assert f"Dispute {number}" in olga.plain
    assert olga.plain.count("High-mountain green tea") == 2
    assert "高山绿茶" not in olga.plain


def test_a_dispute_with_its_evidence(fiona, olga, bob, number, order, transactions):
    with transactions.begin() as ctx:
        dispute = fact.disputed(ctx, order)
    bob.get(f"/consignments/{number}-1")
    bob.post(
        f"/consignments/{number}-1/parcels",
        once=bob.once,
        **bob.pieces,
        carrier="ems",
        tracking_no="EMS1234",
    )
    olga.get("/payments")
    assert "进行中的争议 1 ¥144.00" in olga.plain
    olga.get("/disputes?state=open")
    assert f"{number} 处理中 没有收到货 ¥144.00 ¥144.00" in olga.plain
    assert "没有争议" in olga.get("/disputes?state=won").get_data(as_text=True)
    olga.get(f"/disputes/{dispute}")
    for said in ("EMS1234", "没有收到货", "高山绿茶", "林*", "买家已确认不支持无理由退货"):
        assert said in olga.plain, said
    assert "全部发货 2026年11月23日 10:00 EMS EMS1234" in olga.plain
    assert "林晓" not in olga.text
    for page in (f"/disputes/{dispute}", f"/disputes/{dispute}/print"):
        fiona.get(page)
        assert "林晓" in fiona.plain
        assert "邯郸路 220 号" in fiona.plain
    olga.get("/audit?action=personal_data.read")
    assert olga.plain.count("Fiona 查看个人信息 争议 dp_1 内容： 收货人、电话、地址、邮箱") == 2
    assert olga.get("/disputes/x").status_code == 404
    olga.get(f"/orders/{number}")
    assert "没有收到货 2026年11月23日 10:00 处理中 ¥144.00" in olga.plain


def test_a_disputed_order_is_not_refunded(fiona, number, order, transactions):
    with transactions.begin() as ctx:
        fact.disputed(ctx, order)
    assert preview(fiona, number, **EVERYTHING).status_code == 409
    assert fiona.notes == ["付款正在争议处理中，暂时不能退款"]


def test_an_unpaid_order_has_no_refund(fiona, number, order, transactions):
    with transactions.begin() as ctx:
        unpaid = fact.place(ctx)
    fiona.get(f"/orders/{unpaid}")
    assert "/refund" not in fiona.text
    assert preview(fiona, unpaid, **EVERYTHING).status_code == 409
    assert fiona.notes == ["订单尚未付款"]


def test_a_bank_transfer_goes_back_by_a_person(fiona, transactions):
    with transactions.begin() as ctx:
        order = fact.bought(ctx, method=PaymentMethod.BANK_TRANSFER)
        number = fact.number_of(ctx, order)
    preview(fiona, number, **EVERYTHING)
    assert "对公转账 · 退后还可退 ¥0.00" in fiona.plain


def test_only_finance_asks_for_refunds(desk_of, number, order, transactions):
    with transactions.begin() as ctx:
        payment = fact.unwanted(ctx, order)
    before = stands(transactions, order)
    for who in ("olga", "ada", "bob", "alice"):
        desk = desk_of(who)
        desk.get("/")
        paths = (
            f"/orders/{number}/refund",
            f"/orders/{number}/refund/preview",
            f"/payments/{payment}/refund",
            f"/refunds/{number}R1/retry",
        )
        assert [desk.post(path, once="k", **EVERYTHING).status_code for path in paths] == [403] * 4
        assert desk.get(f"/orders/{number}/refund").status_code == 403
    desk_of("olga").get(f"/orders/{number}")
    assert stands(transactions, order) == before


def test_cooperatives_see_nothing_of_refunds_and_disputes(desk_of, number, order, transactions):
    with transactions.begin() as ctx:
        dispute = fact.disputed(ctx, order)
    for who in ("bob", "alice"):
        desk = desk_of(who)
        for path in ("/refunds", f"/refunds/{number}R1", "/disputes", f"/disputes/{dispute}"):
            assert desk.get(path).status_code == 403


def test_every_page_in_english(fiona, number, order, transactions):
    with transactions.begin() as ctx:
        fact.end(ctx, fact.ask(ctx, order, amount_fen=100), "declined")
        fact.unwanted(ctx, order)
        dispute = fact.disputed(ctx, order)
    names = " ".join(
        [
            *texts(demo()),
            *ADDRESS.values(),
            "上海市杨浦区 云南省大理白族自治州永平县 包装破损 中文",
            "云南省大理白族自治州永平县博南镇 云南省大理白族自治州永平县龙门乡",
        ]
    )
    paths = ("/payments", "/refunds", f"/refunds/{number}R1", f"/orders/{number}/refund")
    disputes = ("/disputes", f"/disputes/{dispute}", f"/disputes/{dispute}/print")
    for path in (*paths, *disputes, f"/orders/{number}"):
        fiona.get(path, headers={"Accept-Language": "en"})
        left = {run for run in CHINESE.findall(fiona.plain) if run not in names}
        assert (path, left) == (path, set())
        assert (path, INLINE.findall(fiona.text)) == (path, [])


def test_a_cooperative_is_never_asked_to_ship_what_was_refunded(
    fiona, bob, number, order, transactions
):
    lines = {field(transactions, order, 1, "pieces"): "2"}
    preview(fiona, number, kind="lines", reason="破损", **lines)
    confirm(fiona, number)
    bob.get("/consignments")
    assert "× 3 不再发货 2" in bob.plain
    bob.get(f"/consignments/{number}-1")
    assert "3 不再发货 2" in bob.plain
    assert list(bob.pieces.values()) == ["1"]
    assert "还有 1 件未发" in bob.plain
    bob.get("/consignments/picking")
    assert re.search(r"P01-1 高山绿茶[^0-9]*\S+ 1 ", bob.plain)
    assert re.search(r"高山绿茶 \S+ \S+ 不再发货 2 1 ", bob.plain)
    bob.get(f"/consignments/{number}-1/slip")
    assert "不再发货 2" in bob.plain
    bob.get(f"/consignments/{number}-1")
    packed = {"once": bob.once, **bob.pieces, "carrier": "ems", "tracking_no": "EMS1"}
    preview(fiona, number, **EVERYTHING)
    confirm(fiona, number)
    assert bob.post(f"/consignments/{number}-1/parcels", **packed).status_code == 409
    assert bob.notes == ["此单已取消或已退款，请不要发货"]
    bob.get(f"/consignments/{number}-1")
    assert "确认发货" not in bob.plain
    assert f"{number}-1" not in bob.get("/consignments/picking").get_data(as_text=True)
