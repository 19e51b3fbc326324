"""What the codes of the bank's lines and their matches are called. Lazy, as in `admin.words`."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from models.bank import MatchState, ReceiptState
from shop.payments.bank_desk import Pile

PILES: dict[str, Any] = {
    Pile.OPEN: lazy_gettext("待匹配"),
    Pile.PROPOSED: lazy_gettext("建议匹配"),
    Pile.ENTERED: lazy_gettext("待复核"),
    Pile.MATCHED: lazy_gettext("已匹配"),
    Pile.SET_ASIDE: lazy_gettext("已搁置"),
}

RECEIPT_STATES: dict[str, Any] = {
    ReceiptState.OPEN: lazy_gettext("未结清"),
    ReceiptState.MATCHED: lazy_gettext("已匹配"),
    ReceiptState.SET_ASIDE: lazy_gettext("已搁置"),
}

MATCH_STATES: dict[str, Any] = {
    MatchState.PROPOSED: lazy_gettext("系统建议"),
    MatchState.ENTERED: lazy_gettext("待复核"),
    MatchState.APPROVED: lazy_gettext("已生效"),
    MatchState.REJECTED: lazy_gettext("已驳回"),
}

TONES: dict[str, str] = {
    "open": "warn",
    "matched": "good",
    "set_aside": "quiet",
    "proposed": "info",
    "entered": "warn",
    "approved": "good",
    "rejected": "quiet",
}

WHY: dict[str, Any] = {
    "number_and_amount": lazy_gettext("订单号与金额一致"),
    "adds_up": lazy_gettext("多笔转账合计等于应付金额"),
    "sums_up": lazy_gettext("一笔转账等于多个订单合计"),
    "underpaid": lazy_gettext("订单号一致，金额不足"),
    "overpaid": lazy_gettext("订单号一致，金额多出"),
    "near_number": lazy_gettext("订单号错一位"),
    "payer_and_amount": lazy_gettext("付款单位相近，金额一致"),
    "person": lazy_gettext("人工匹配"),
    "refund": lazy_gettext("退款已汇出"),
    "refund_returned": lazy_gettext("退款被银行退回"),
    "refund_paid": lazy_gettext("失败的退款改由银行汇出"),
}
"""Why a line was matched to an order."""

OPEN_REASONS: dict[str, Any] = {
    "": lazy_gettext("尚未核对"),
    **{code: WHY[code] for code in ("underpaid", "overpaid", "near_number", "payer_and_amount")},
    "no_order": lazy_gettext("没有找到对应的订单"),
    "several_candidates": lazy_gettext("有多个可能的订单"),
    "several_do_not_sum": lazy_gettext("写了多个订单号，但合计不等"),
    "order_paid": lazy_gettext("订单已付款，款项重复"),
    "order_cancelled": lazy_gettext("订单已取消，款项晚到"),
    "match_rejected": lazy_gettext("与该订单的匹配已被人工驳回"),
    "no_refund": lazy_gettext("没有找到对应的退款"),
}
"""Why a line, or the rest of it, is still open."""

NOTES: dict[str, Any] = {
    "outdated": lazy_gettext("情况已变化"),
    "set_aside": lazy_gettext("流水已搁置"),
    "order_paid": lazy_gettext("订单已付款"),
    "order_cancelled": lazy_gettext("订单已取消"),
}
"""What the rules note at a match that falls away; a person's note is shown as it is."""

COLUMNS: dict[str, Any] = {
    "booked_on": lazy_gettext("交易日期"),
    "credit": lazy_gettext("收入金额"),
    "debit": lazy_gettext("支出金额"),
    "amount": lazy_gettext("金额（带正负号）"),
    "direction": lazy_gettext("借贷标志"),
    "payer_name": lazy_gettext("对方户名"),
    "payer_account": lazy_gettext("对方账号"),
    "remark": lazy_gettext("摘要 / 附言"),
    "bank_reference": lazy_gettext("流水号"),
}
"""Our fields of a statement's line."""
