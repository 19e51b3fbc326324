"""What codes are called on the pages. Lazy: each text is looked up in the reader's language."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from admin import bank_words
from models.catalog import ListingState
from models.identity import Role
from models.inventory import MovementCause
from models.orders import ConsignmentState, OrderState
from models.payments import PaymentMethod, PaymentState

CONSIGNMENT_STATES: dict[str, Any] = {
    ConsignmentState.PENDING_PAYMENT: lazy_gettext("待付款"),
    ConsignmentState.PENDING_SHIPMENT: lazy_gettext("待发货"),
    ConsignmentState.PARTIALLY_SHIPPED: lazy_gettext("部分发货"),
    ConsignmentState.SHIPPED: lazy_gettext("待收货"),
    ConsignmentState.COMPLETED: lazy_gettext("已完成"),
    ConsignmentState.CANCELLED: lazy_gettext("已取消"),
}

ORDER_READINGS: dict[str, Any] = {
    **CONSIGNMENT_STATES,
    "refunding": lazy_gettext("退款中"),
    "refunded": lazy_gettext("已退款"),
}
"""What a whole order reads as: the codes of `shop.orders.states.reading`."""

ORDER_STATES: dict[str, Any] = {
    OrderState.PENDING_PAYMENT: lazy_gettext("待付款"),
    OrderState.PAID: lazy_gettext("已付款"),
    OrderState.CANCELLED: lazy_gettext("已取消"),
}

PAYMENT_STATES: dict[str, Any] = {
    PaymentState.CREATED: lazy_gettext("已创建"),
    PaymentState.PENDING: lazy_gettext("支付中"),
    PaymentState.SUCCEEDED: lazy_gettext("已到账"),
    PaymentState.FAILED: lazy_gettext("失败"),
    PaymentState.EXPIRED: lazy_gettext("已过期"),
    PaymentState.NEEDS_REFUND: lazy_gettext("待退回"),
}

PAYMENT_METHODS: dict[str, Any] = {
    PaymentMethod.STRIPE: lazy_gettext("在线支付"),
    PaymentMethod.BANK_TRANSFER: lazy_gettext("对公转账"),
}

WHY_BACK: dict[str, Any] = {
    "late": lazy_gettext("订单已取消后才到账"),
    "double": lazy_gettext("同一订单重复付款"),
    "amount_mismatch": lazy_gettext("到账金额或币种与订单不符"),
}

LISTING_STATES: dict[str, Any] = {
    ListingState.DRAFT: lazy_gettext("草稿"),
    ListingState.IN_REVIEW: lazy_gettext("审核中"),
    ListingState.LISTED: lazy_gettext("在售"),
    ListingState.UNLISTED: lazy_gettext("已下架"),
}

CAUSES: dict[str, Any] = {
    MovementCause.INITIAL: lazy_gettext("期初库存"),
    MovementCause.HARVEST: lazy_gettext("采收入库"),
    MovementCause.PURCHASE: lazy_gettext("采购入库"),
    MovementCause.COUNT: lazy_gettext("盘点"),
    MovementCause.DAMAGE: lazy_gettext("损耗"),
    MovementCause.RETURN: lazy_gettext("退货入库"),
    MovementCause.RESERVE: lazy_gettext("订单占用"),
    MovementCause.RELEASE: lazy_gettext("取消释放"),
    MovementCause.SHIP: lazy_gettext("发货出库"),
    MovementCause.CORRECTION: lazy_gettext("更正"),
}

ROLES: dict[str, Any] = {
    Role.ORGANIZER: lazy_gettext("帮扶组织方"),
    Role.FINANCE: lazy_gettext("财务"),
    Role.PLATFORM_ADMIN: lazy_gettext("平台管理员"),
    Role.COOP_MANAGER: lazy_gettext("合作社店长"),
    Role.UNIT_LIAISON: lazy_gettext("单位联络员"),
    Role.UNION_BUYER: lazy_gettext("工会采购员"),
    Role.CANTEEN_BUYER: lazy_gettext("食堂采购员"),
    Role.COUNTY_OFFICER: lazy_gettext("挂职干部"),
}

EVENTS: dict[str, Any] = {
    "order.place": lazy_gettext("提交订单"),
    "order.pay": lazy_gettext("订单已付款"),
    "order.cancel": lazy_gettext("订单已取消"),
    "order.expire": lazy_gettext("超时未付，订单已取消"),
    "order.reopen": lazy_gettext("款项晚到，订单重新打开"),
    "consignment.ship_on_credit": lazy_gettext("先货后款，通知合作社发货"),
    "consignment.reopen": lazy_gettext("发货单重新打开"),
    "consignment.withdraw_rest": lazy_gettext("其余已退款，不再发货"),
    "consignment.pay": lazy_gettext("通知合作社发货"),
    "consignment.cancel": lazy_gettext("发货单已取消"),
    "consignment.ship_part": lazy_gettext("部分发货"),
    "consignment.ship_all": lazy_gettext("全部发货"),
    "consignment.complete": lazy_gettext("确认收货"),
    "payment.start": lazy_gettext("发起付款"),
    "payment.open": lazy_gettext("等待付款"),
    "payment.succeed": lazy_gettext("款项到账"),
    "payment.arrive_unwanted": lazy_gettext("款项到账，需要退回"),
    "payment.fail": lazy_gettext("付款失败"),
    "payment.expire": lazy_gettext("付款已过期"),
    "refund.request": lazy_gettext("申请退款"),
    "refund.send": lazy_gettext("退款已提交支付渠道"),
    "refund.succeed": lazy_gettext("退款已退回"),
    "refund.fail": lazy_gettext("退款失败"),
    "dispute.open": lazy_gettext("买家银行提出争议"),
    "dispute.win": lazy_gettext("争议胜诉"),
    "dispute.lose": lazy_gettext("争议败诉"),
    "bank_match.approve": lazy_gettext("银行转账已匹配"),
}

REASONS: dict[str, Any] = {
    "timer": lazy_gettext("系统定时"),
    "by_hand": lazy_gettext("财务人工关闭"),
    "buyer": lazy_gettext("买家"),
    **WHY_BACK,
    "staff": lazy_gettext("人工退款"),
    "at_provider": lazy_gettext("在支付渠道后台退款"),
    "refund": lazy_gettext("已退款"),
    "dispute": lazy_gettext("拒付败诉"),
    "bank_transfer": lazy_gettext("改由对公转账付款"),
    **{code: text for code, text in bank_words.WHY.items() if code != "refund"},
}

ACTIONS: dict[str, Any] = {
    "sku.price": lazy_gettext("修改价格"),
    "stock.adjust": lazy_gettext("调整库存"),
    "parcel.ship": lazy_gettext("录入发货"),
    "parcel.correct": lazy_gettext("更正快递单号"),
    "personal_data.read": lazy_gettext("查看个人信息"),
    "product.submit": lazy_gettext("商品提交审核"),
    "product.approve": lazy_gettext("商品审核通过"),
    "product.reject": lazy_gettext("商品审核驳回"),
    "product.withdraw": lazy_gettext("商品下架"),
    "role.grant": lazy_gettext("授予角色"),
    "role.withdraw": lazy_gettext("撤销角色"),
    "tokens.revoke": lazy_gettext("强制退出登录"),
    "password.reset": lazy_gettext("重设密码"),
    "refund.fail": lazy_gettext("登记退款汇出失败"),
    "order.close": lazy_gettext("关闭超时订单"),
    "difference.explain": lazy_gettext("说明对账差异"),
    "event.replay": lazy_gettext("重新处理支付通知"),
    "job.retry": lazy_gettext("重试后台任务"),
    "refund.request": lazy_gettext("申请退款"),
    "refund.retry": lazy_gettext("重新退款"),
    "refund.sent": lazy_gettext("标记退款已汇出"),
    "order.extend": lazy_gettext("延长付款期"),
    "bank.import": lazy_gettext("导入银行流水"),
    "bank.enter": lazy_gettext("手工录入银行流水"),
    "bank.match": lazy_gettext("录入银行匹配"),
    "bank.approve": lazy_gettext("复核银行匹配"),
    "bank.reject": lazy_gettext("驳回银行匹配"),
    "bank.set_aside": lazy_gettext("搁置银行流水"),
    "bank.reopen": lazy_gettext("恢复银行流水"),
}

SUBJECTS: dict[str, Any] = {
    "sku": lazy_gettext("规格"),
    "product": lazy_gettext("商品"),
    "consignment": lazy_gettext("发货单"),
    "user": lazy_gettext("账号"),
    "difference": lazy_gettext("对账差异"),
    "provider_event": lazy_gettext("支付通知"),
    "refund": lazy_gettext("退款"),
    "dispute": lazy_gettext("争议"),
    "order": lazy_gettext("订单"),
    "bank_statement": lazy_gettext("银行流水文件"),
    "bank_receipt": lazy_gettext("银行流水"),
    "bank_match": lazy_gettext("银行匹配"),
    "job": lazy_gettext("后台任务"),
}

PERIODS: dict[str, Any] = {
    "this_month": lazy_gettext("本月"),
    "last_month": lazy_gettext("上月"),
    "this_quarter": lazy_gettext("本季度"),
    "this_year": lazy_gettext("今年"),
    "last_year": lazy_gettext("去年"),
    "custom": lazy_gettext("自定义"),
}

BASES: dict[str, Any] = {
    "event": lazy_gettext("按发生时间"),
    "cohort": lazy_gettext("按销售批次"),
}

INDICATORS: dict[str, Any] = {
    "aid_amount": lazy_gettext("消费帮扶额"),
    "direct_purchase": lazy_gettext("直接购买"),
    "help_sell": lazy_gettext("帮助销售"),
}

TONES: dict[str, str] = {
    "pending_payment": "quiet",
    "pending_shipment": "warn",
    "partially_shipped": "warn",
    "shipped": "info",
    "completed": "good",
    "cancelled": "quiet",
    "paid": "good",
    "created": "quiet",
    "pending": "info",
    "succeeded": "good",
    "failed": "quiet",
    "expired": "quiet",
    "needs_refund": "bad",
    "refunding": "info",
    "refunded": "quiet",
    "draft": "quiet",
    "in_review": "warn",
    "listed": "good",
    "unlisted": "quiet",
}
"""The colour of a state's badge: what has to be done, what is on its way, what is over."""

FIELDS: dict[str, Any] = {
    "price_fen": lazy_gettext("价格"),
    "on_hand": lazy_gettext("在库"),
    "cause": lazy_gettext("原因"),
    "state": lazy_gettext("状态"),
    "carrier": lazy_gettext("快递公司"),
    "tracking_no": lazy_gettext("快递单号"),
    "pieces": lazy_gettext("件数"),
    "fields": lazy_gettext("内容"),
    "role": lazy_gettext("角色"),
    "cooperative_id": lazy_gettext("合作社"),
    "unit_id": lazy_gettext("单位"),
    "revoked": lazy_gettext("登录数"),
    "amount_fen": lazy_gettext("金额"),
    "filename": lazy_gettext("文件"),
    "rows": lazy_gettext("行数"),
    "new": lazy_gettext("新增"),
    "order": lazy_gettext("订单"),
    "booked_on": lazy_gettext("交易日期"),
    "pay_before": lazy_gettext("付款期限"),
    "reason": lazy_gettext("原因"),
    "job": lazy_gettext("任务"),
}
"""What an entry of the audit log calls what changed."""

PERSONAL: dict[str, Any] = {
    "recipient": lazy_gettext("收货人"),
    "phone": lazy_gettext("电话"),
    "address": lazy_gettext("地址"),
    "note": lazy_gettext("买家留言"),
    "email": lazy_gettext("邮箱"),
    "payer_name": lazy_gettext("对方户名"),
    "payer_account": lazy_gettext("对方账号"),
}
