"""Payments and refunds as a buyer follows them: why one failed, how far money is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.payments import PaymentMethod, PaymentState
from models.refunds import RefundState
from storefront.receipts import written
from storefront.texts import _

Row = Mapping[str, Any]
Shown = dict[str, Any]

STEP = {
    RefundState.REQUESTED: 1,
    RefundState.SENT: 2,
    RefundState.SUCCEEDED: 3,
    RefundState.FAILED: 0,
}
"""How many of the three steps (submitted, under way, back) are done."""


def refunds(rows: Sequence[Row], attempts: Sequence[Row]) -> list[Shown]:
    """The refunds of an order, the newest first."""
    unwanted = {one["id"] for one in attempts if one["state"] is PaymentState.NEEDS_REFUND}
    return [_refund(row, unwanted=row["payment_id"] in unwanted) for row in reversed(rows)]


def _refund(row: Row, *, unwanted: bool) -> Shown:
    state = row["state"]
    back = state is RefundState.SUCCEEDED
    last = row["settled_at"] if back else row["sent_at"]
    return {
        "number": row["number"],
        "amount_fen": row["amount_fen"],
        "freight_fen": row["freight_fen"],
        "state": str(state),
        "title": _state(state),
        "step": STEP[state],
        "requested_at": written(row["requested_at"]),
        "moved_at": written(last) if last else "",
        "expected": "" if back or state is RefundState.FAILED else _expected(row["method"]),
        "unwanted": unwanted,
    }


def _state(state: RefundState) -> str:
    return {
        RefundState.REQUESTED: lambda: _("退款已提交"),
        RefundState.SENT: lambda: _("退款处理中"),
        RefundState.SUCCEEDED: lambda: _("退款已退回"),
        RefundState.FAILED: lambda: _("退款没有成功，我们会联系您"),
    }[state]()


def _expected(method: PaymentMethod) -> str:
    """How long it takes, as the buyer paid."""
    if method is PaymentMethod.BANK_TRANSFER:
        return _("由财务汇回付款账户，一般 5 个工作日内到账。")
    return _("原路退回：支付宝、微信一般当天到账，银行卡 3 至 7 个工作日。")


def why_unpaid(attempts: Sequence[Row], *, closed: bool) -> str:
    """Why an order is still not paid; empty when there is nothing to tell.

    `closed`: the buyer comes from the cashier's page without having paid.
    """
    newest = attempts[-1] if attempts else None
    if newest is not None and newest["state"] is PaymentState.FAILED:
        return _("上次付款没有成功：%(why)s", why=_refusal(newest["failure_code"] or ""))
    if newest is not None and newest["state"] is PaymentState.EXPIRED:
        return _("上次的付款页面已经过期，没有扣款，请重新付款。")
    return _("您离开了收银台，还没有付款。") if closed else ""


def _refusal(code: str) -> str:
    """What a provider's code means to the buyer."""
    if code == "insufficient_funds":
        return _("账户余额不足，请换一种支付方式。")
    if code == "expired_card":
        return _("银行卡已过期，请换一张卡。")
    if code == "incorrect_cvc":
        return _("银行卡安全码有误，请核对后再试。")
    if code in {"authentication_required", "payment_intent_authentication_failure"}:
        return _("没有通过银行的身份验证，请再试一次。")
    return _("银行或支付平台没有批准，没有扣款。请再试一次或换个支付方式。")


def late_money(order: Row, attempts: Sequence[Row]) -> str:
    """What became of money that came when the order could not take it; empty if none did."""
    unwanted = [one for one in attempts if one["state"] is PaymentState.NEEDS_REFUND]
    waiting = {one["failure_code"] for one in unwanted if not _all_back(one)}
    if "double" in waiting:
        return _("您多付了一笔，多付的款项会自动原路退回，不用再做什么。")
    if "late" in waiting:
        return _("您的付款到账时订单已经关闭，款项会自动原路退回，不用再做什么。")
    if waiting:
        return _("您的付款与订单金额不符，我们核对后会原路退回。")
    if unwanted:
        return _("没有用于订单的付款已经全部原路退回。")
    if any(event["subject"] == "order" and event["event"] == "reopen" for event in order["events"]):
        return _("付款到账晚于截止时间，货还在，订单已自动恢复。")
    return ""


def _all_back(attempt: Row) -> bool:
    """Money of another currency is none of our fen: somebody has to look."""
    captured: int = attempt["captured_fen"]
    return 0 < captured <= int(attempt["refunded_fen"])
