"""What the codes of the books are called: ledger, proof, reconciliation, provider events."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from models.payments import EventOutcome
from models.reconciliation import DifferenceState, Side

SIDES: dict[str, Any] = {
    Side.PROVIDER: lazy_gettext("支付渠道"),
    Side.BANK: lazy_gettext("银行"),
}

DIFFERENCE_STATES: dict[str, Any] = {
    DifferenceState.OPEN: lazy_gettext("待处理"),
    DifferenceState.VANISHED: lazy_gettext("已自动消除"),
    DifferenceState.EXPLAINED: lazy_gettext("已说明"),
}

DIFFERENCE_KINDS: dict[str, Any] = {
    "missing_at_ours": lazy_gettext("对方有，我方没有"),
    "missing_at_theirs": lazy_gettext("我方有，对方没有"),
    "amount_differs": lazy_gettext("金额不一致"),
    "currency": lazy_gettext("币种不是人民币"),
    "unknown_line": lazy_gettext("渠道流水类型未知"),
    "receipt_unmatched": lazy_gettext("银行流水逾期未认领"),
    "receipt_not_posted": lazy_gettext("银行流水与入账不一致"),
    "payout_missing": lazy_gettext("渠道提现未到银行"),
    "amount_mismatch": lazy_gettext("到账金额与订单不符"),
    "refund_amount": lazy_gettext("退款金额不一致"),
    "refund_exceeds_payment": lazy_gettext("退款超过付款余额"),
    "refund_succeeded_after_failing": lazy_gettext("退款失败后又成功"),
    "dispute_currency": lazy_gettext("争议币种不是人民币"),
}

OUTCOMES: dict[str, Any] = {
    EventOutcome.APPLIED: lazy_gettext("已处理"),
    EventOutcome.NOTHING_TO_DO: lazy_gettext("无需处理"),
    EventOutcome.IGNORED: lazy_gettext("无关，已忽略"),
    EventOutcome.FAILED: lazy_gettext("处理失败"),
    "waiting": lazy_gettext("排队中"),
}

TONES: dict[str, str] = {
    "open": "warn",
    "vanished": "quiet",
    "explained": "good",
    "applied": "good",
    "nothing_to_do": "quiet",
    "ignored": "quiet",
    "failed": "bad",
    "waiting": "info",
}

ACCOUNT_KINDS: dict[str, Any] = {
    "asset": lazy_gettext("资产"),
    "liability": lazy_gettext("负债"),
    "income": lazy_gettext("收入"),
    "expense": lazy_gettext("费用"),
}

SUBJECTS: dict[str, Any] = {
    "payment": lazy_gettext("付款"),
    "refund": lazy_gettext("退款"),
    "dispute": lazy_gettext("争议"),
    "bank_receipt": lazy_gettext("银行流水"),
    "provider_transaction": lazy_gettext("渠道流水"),
}

CAUSES: dict[str, Any] = {
    "payment.captured": lazy_gettext("款项到账"),
    "refund.requested": lazy_gettext("申请退款"),
    "refund.succeeded": lazy_gettext("退款完成"),
    "refund.failed": lazy_gettext("退款失败"),
    "dispute.withheld": lazy_gettext("争议冻结"),
    "dispute.won": lazy_gettext("争议胜诉，解冻"),
    "dispute.lost": lazy_gettext("争议败诉"),
    "bank_receipt.booked": lazy_gettext("银行流水入账"),
    "provider_transaction.charge_fee": lazy_gettext("收款手续费"),
    "provider_transaction.refund_fee": lazy_gettext("退款手续费"),
    "provider_transaction.refund_failed_fee": lazy_gettext("退款退回手续费"),
    "provider_transaction.dispute_fee": lazy_gettext("争议手续费"),
    "provider_transaction.payout": lazy_gettext("渠道提现到银行"),
    "provider_transaction.fee": lazy_gettext("渠道其他费用"),
    "provider_transaction.other": lazy_gettext("渠道未知流水"),
}
"""Subject and event of a journal entry -> words."""

MOVEMENTS: dict[str, Any] = {
    "charge": lazy_gettext("收款"),
    "refund": lazy_gettext("退款"),
    "dispute": lazy_gettext("争议"),
    "payout": lazy_gettext("提现"),
    "fee": lazy_gettext("其他费用"),
    "other": lazy_gettext("其他"),
    "money_in": lazy_gettext("收入流水"),
    "money_out": lazy_gettext("支出流水"),
}
"""Kinds in the sums of a reconciliation."""

CHECKS: dict[str, Any] = {
    "entries_balanced": lazy_gettext("每笔分录借贷相等"),
    "entries_have_postings": lazy_gettext("每笔分录都有明细"),
    "ledger_sums_to_zero": lazy_gettext("总账合计为零"),
    "payments_captured": lazy_gettext("各笔付款：到账"),
    "payments_refunding": lazy_gettext("各笔付款：退款在途"),
    "payments_refunded": lazy_gettext("各笔付款：已退款"),
    "payments_disputed": lazy_gettext("各笔付款：争议金额"),
    "refunds_of_payments": lazy_gettext("各笔付款 = 其退款合计"),
    "disputes_of_payments": lazy_gettext("各笔付款 = 其争议合计"),
    "lines_claimed": lazy_gettext("各商品行：已退 = 退款与败诉争议的明细"),
    "refunds_in_flight": lazy_gettext("退款在途 = 未完成的退款"),
    "disputes_held": lazy_gettext("争议冻结款 = 进行中的争议"),
    "cooperative_payable": lazy_gettext("应付各合作社 = 订单实付 − 退款 − 败诉争议"),
    "aid_entries": lazy_gettext("各订单帮扶记录 = 到账 − 已退 − 败诉争议"),
    "bank": lazy_gettext("银行存款 = 银行流水"),
    "bank_lines": lazy_gettext("各笔银行流水 = 其分录"),
    "bank_matched": lazy_gettext("各笔银行流水：已匹配 = 生效的匹配"),
    "provider_fees": lazy_gettext("渠道手续费 = 渠道流水中的费用"),
    "provider_clearing": lazy_gettext("渠道待结算 = 到账 − 退款 − 费用 − 提现"),
    "suspense": lazy_gettext("待认领款项：逐项相符"),
}
