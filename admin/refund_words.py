"""What the codes of refunds and disputes are called. Lazy, as in `admin.words`."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from admin.words import REASONS, WHY_BACK
from models.refunds import DisputeState, RefundCause, RefundState
from shop.fulfilment.carriers import CARRIERS, carrier_name
from shop.payments.bank_desk import Pile

REFUND_STATES: dict[str, Any] = {
    RefundState.REQUESTED: lazy_gettext("待发出"),
    RefundState.SENT: lazy_gettext("处理中"),
    RefundState.SUCCEEDED: lazy_gettext("已退回"),
    RefundState.FAILED: lazy_gettext("退款失败"),
}

REFUND_CAUSES: dict[str, Any] = {
    RefundCause.STAFF: lazy_gettext("人工退款"),
    RefundCause.LATE: WHY_BACK["late"],
    RefundCause.DOUBLE: WHY_BACK["double"],
    RefundCause.AMOUNT_MISMATCH: WHY_BACK["amount_mismatch"],
    RefundCause.AT_PROVIDER: lazy_gettext("在支付渠道后台退款"),
}

FAILURES: dict[str, Any] = {
    "expired_or_canceled_card": lazy_gettext("卡已过期或已注销"),
    "lost_or_stolen_card": lazy_gettext("卡已挂失"),
    "insufficient_funds": lazy_gettext("渠道账户余额不足"),
    "declined": lazy_gettext("银行拒绝"),
    "merchant_request": lazy_gettext("商户撤回"),
    "charge_for_pending_refund_disputed": lazy_gettext("付款有争议"),
    "charge_already_refunded": lazy_gettext("该笔付款已全部退回"),
    "overtaken": lazy_gettext("款项已从支付渠道后台退回"),
    "rejected": lazy_gettext("支付渠道拒绝"),
    "returned_by_bank": lazy_gettext("银行退汇，款项已回到账户"),
    "rejected_by_bank": lazy_gettext("银行没有汇出"),
    "unknown": lazy_gettext("未说明原因"),
    "failed": lazy_gettext("未说明原因"),
}
"""Why a refund failed; a code that is not here is shown as it came."""

DISPUTE_STATES: dict[str, Any] = {
    DisputeState.OPEN: lazy_gettext("处理中"),
    DisputeState.WON: lazy_gettext("已胜诉"),
    DisputeState.LOST: lazy_gettext("已败诉"),
}

DISPUTE_REASONS: dict[str, Any] = {
    "fraudulent": lazy_gettext("非本人交易"),
    "product_not_received": lazy_gettext("没有收到货"),
    "product_unacceptable": lazy_gettext("货不对板"),
    "duplicate": lazy_gettext("重复扣款"),
    "credit_not_processed": lazy_gettext("退款没有收到"),
    "subscription_canceled": lazy_gettext("已取消仍被扣款"),
    "unrecognized": lazy_gettext("不认识这笔交易"),
    "general": lazy_gettext("其他"),
}
"""What the payer told their bank; a code that is not here is shown as it came."""

TONES: dict[str, str] = {
    "requested": "info",
    "sent": "info",
    "succeeded": "good",
    "failed": "bad",
    "open": "bad",
    "won": "good",
    "lost": "bad",
}

RETURN_RULES: dict[str, Any] = {
    "eligible": lazy_gettext("七日无理由退货"),
    "needs_confirm": lazy_gettext("拆封后不支持七日无理由退货"),
    "excluded_perishable": lazy_gettext("鲜活易腐，不适用七日无理由退货"),
}

COUNTS: dict[str, tuple[Any, str, dict[str, str]]] = {
    "due": (lazy_gettext("待退回款项"), "admin.payments", {"_anchor": "due"}),
    "stuck": (lazy_gettext("退款失败"), "admin.payments", {"_anchor": "stuck"}),
    "slow": (lazy_gettext("退款超过一天未到"), "admin.payments", {"_anchor": "slow"}),
    "overdue": (lazy_gettext("超时未能关闭的订单"), "admin.payments", {"_anchor": "overdue"}),
    "disputes": (lazy_gettext("进行中的争议"), "admin.disputes", {}),
    "receipts": (lazy_gettext("银行未匹配收款"), "admin.bank", {"pile": Pile.OPEN.value}),
    "proposed": (lazy_gettext("建议匹配的收款"), "admin.bank", {"pile": Pile.PROPOSED.value}),
    "matches": (lazy_gettext("待复核的匹配"), "admin.bank", {"pile": Pile.ENTERED.value}),
    "differences": (lazy_gettext("未解释的差异"), "admin.differences", {}),
}
"""What waits: its name, the page where it is worked off, and what of that page."""


def because(why: str, language: str) -> Any:
    """Why something happened to an order, in words; of a parcel its carrier and number."""
    carrier, _space, number = why.partition(" ")
    if number and carrier in CARRIERS:
        return f"{carrier_name(carrier, language)} {number}"
    known = (REASONS, FAILURES, DISPUTE_REASONS)
    return next((words[why] for words in known if why in words), why)
