"""Money on its way back, and money that did not come, as the buyer's pages tell it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from models.payments import Payment
from shop.payments.sync import sync_payment
from tests import refund_factories as fact
from tests.storefront.conftest import orders, page_of, pay
from tests.storefront.test_orders import path


@pytest.fixture
def ordered(visitor, provider, transactions):
    """A guest's order of 2 tea and 1 walnuts that waits to be paid."""
    visitor.put_in("P01-1", 2)
    visitor.put_in("P06-1", 1)
    visitor.check_out()
    return orders(transactions)[0]


@pytest.fixture
def paid(visitor, ordered, provider):
    pay(provider)
    visitor.get(page_of(provider)[0])
    return ordered


def words(visitor) -> str:
    """What is read on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visitor.shown.text))


def refund(transactions, order, *, end: str | None = None, **wish) -> None:
    with transactions.begin() as ctx:
        lines = [fact.of(ctx, order.id, *one) for one in wish.pop("lines", ())]
        refund_id = fact.ask(ctx, order.id, *lines, **wish)
        if end is not None:
            fact.end(ctx, refund_id, end)


def test_nothing_is_said_of_refunds_where_there_are_none(visitor, paid, transactions):
    visitor.get(path(transactions, paid))
    assert "退款" not in words(visitor)


def test_a_refund_is_followed_from_step_to_step(visitor, paid, transactions):
    refund(transactions, paid, lines=[(1, 1)])
    visitor.get(path(transactions, paid))
    said = words(visitor)
    assert f"退款单号 {paid.number}R1 2026年11月23日 10:00 提交" in said
    assert "银行卡 3 至 7 个工作日" in said
    assert "1 件已退款，不再发货" in said
    assert "退款中 − ¥ 48 .00" in said
    assert visitor.shown.text.count('class="is-done">已提交') == 1
    with transactions.begin() as ctx:
        fact.end(ctx, fact.refund_numbered(ctx, f"{paid.number}R1").id)
    visitor.get(path(transactions, paid))
    assert "退款已退回 ¥ 48 .00" in words(visitor)
    assert "已退款 − ¥ 48 .00" in words(visitor)
    assert "个工作日" not in words(visitor)


def test_a_refund_says_nothing_of_who_and_why(visitor, paid, transactions):
    refund(transactions, paid, amount_fen=100)
    assert "包装破损" not in visitor.get(path(transactions, paid)).text


def test_a_refund_that_failed_is_ours_to_mend(visitor, paid, transactions):
    refund(transactions, paid, amount_fen=100, end="declined")
    visitor.get(path(transactions, paid))
    assert "退款没有成功，我们会联系您" in words(visitor)
    assert "declined" not in visitor.shown.text


def test_an_order_that_went_back_whole_reads_as_refunded(alice, provider, transactions):
    alice.put_in("P01-1")
    alice.check_out()
    [order] = orders(transactions)
    pay(provider)
    alice.get(page_of(provider)[0])
    refund(transactions, order)
    alice.get(f"/orders/{order.number}")
    assert "商品不再发货，款项正在原路退回" in words(alice)
    with transactions.begin() as ctx:
        fact.end(ctx, fact.refund_numbered(ctx, f"{order.number}R1").id)
    alice.get(f"/orders/{order.number}")
    assert "商品不再发货，款项已退回" in words(alice)
    assert "已取消" not in words(alice)
    assert "未发的商品已退款，不再发货" in words(alice)
    alice.get("/orders")
    assert "已退款" in words(alice)
    alice.get(f"/orders/{order.number}/result")
    assert "商品不再发货，款项已退回" in words(alice)
    assert "付款成功" not in words(alice)


def test_who_leaves_the_cashier_is_told_and_has_one_button(visitor, ordered, provider):
    back = page_of(provider)[1]
    visitor.get(back)
    assert "您离开了收银台，还没有付款。" in words(visitor)
    assert visitor.shown.text.count(f'action="/orders/{ordered.number}/pay"') == 1
    answer = visitor.post(f"/orders/{ordered.number}/pay", visitor.hidden())
    assert answer.location == f"https://pay.example/{next(iter(provider.checkouts))}"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("insufficient_funds", "账户余额不足"),
        ("expired_card", "银行卡已过期"),
        ("generic_decline", "银行或支付平台没有批准"),
        (None, "银行或支付平台没有批准"),
    ],
)
def test_a_decline_says_why_and_can_be_tried_again(
    visitor, ordered, provider, transactions, code, told
):
    reference = next(iter(provider.checkouts))
    provider.pend(reference)
    provider.decline(reference)
    sync_payment(transactions, reference)
    with transactions.begin() as ctx:
        ctx.session.execute(update(Payment.__table__).values(failure_code=code))
    for page in (page_of(provider)[0], path(transactions, ordered)):
        visitor.get(page)
        assert told in words(visitor)
        assert visitor.shown.text.count(f'action="/orders/{ordered.number}/pay"') == 1
    again = visitor.post(f"/orders/{ordered.number}/pay", visitor.hidden())
    assert again.location == f"https://pay.example/{list(provider.checkouts)[-1]}"
    assert len(provider.checkouts) == 2


def test_a_page_of_the_cashier_that_ran_out(visitor, ordered, provider, transactions):
    reference = next(iter(provider.checkouts))
    provider.expire(reference)
    sync_payment(transactions, reference)
    visitor.get(path(transactions, ordered))
    assert "上次的付款页面已经过期，没有扣款，请重新付款。" in words(visitor)


def test_money_after_cancelling_goes_back_by_itself(visitor, ordered, provider, transactions):
    visitor.get(path(transactions, ordered))
    visitor.post(f"/orders/{ordered.number}/cancel", visitor.hidden())
    reference = next(iter(provider.checkouts))
    provider.arrive(reference, ordered.total_fen)
    sync_payment(transactions, reference)
    for page in (page_of(provider)[0], path(transactions, ordered)):
        visitor.get(page)
        assert "您的付款到账时订单已经关闭，款项会自动原路退回" in words(visitor)
        assert "这笔款项没有用于订单，全部退回。" in words(visitor)
        assert f"{ordered.number}R1" in words(visitor)
    assert visitor.get(page_of(provider)[0]).text.count("/again") == 1
    with transactions.begin() as ctx:
        fact.end(ctx, fact.refund_numbered(ctx, f"{ordered.number}R1").id)
    visitor.get(page_of(provider)[0])
    assert "没有用于订单的付款已经全部原路退回。" in words(visitor)


def test_late_money_for_goods_that_are_still_there(visitor, ordered, provider, transactions, time):
    time.forward(minutes=31)
    reference = next(iter(provider.checkouts))
    with transactions.begin() as ctx:
        fact.close(ctx, ordered.id)
    provider.arrive(reference, ordered.total_fen)
    sync_payment(transactions, reference)
    visitor.get(path(transactions, ordered))
    assert "待发货" in words(visitor)
    assert "付款到账晚于截止时间，货还在，订单已自动恢复。" in words(visitor)
    assert "付款晚到，订单已恢复" in words(visitor)


def test_the_wrong_amount_is_checked_by_a_person(visitor, ordered, provider, transactions):
    reference = next(iter(provider.checkouts))
    provider.arrive(reference, ordered.total_fen - 1)
    sync_payment(transactions, reference)
    visitor.get(page_of(provider)[0])
    assert "您的付款与订单金额不符，我们核对后会原路退回。" in words(visitor)


def test_all_of_it_in_english(visitor, paid, transactions):
    refund(transactions, paid, lines=[(1, 1)])
    refund(transactions, paid, amount_fen=100, end="declined")
    visitor.get(path(transactions, paid) + "&lang=en")
    said = words(visitor)
    for text in (
        "Refund submitted",
        "Refund number",
        "1 refunded, not shipped",
        "we will contact you",
    ):
        assert text in said, text
