"""What a report can be asked: its measures, its dimensions, and the words that define them.

Every text stands in Chinese and in English, because it is printed into every answer and file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Basis = Literal["event", "cohort"]

NOT_GIVEN = "none"
"""The value of a filter that asks for the entries where a dimension is empty."""

MOST_DIMENSIONS = 3
LONGEST_PERIOD_DAYS = 20 * 366
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Other years are slips of the hand, and some of them are beyond what dates can be."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and in English."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        """The words in `zh…` or, for anything else, in English."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of figures; `money` is in fen."""

    name: str
    title: Text
    meaning: Text
    money: bool = True


@dataclass(frozen=True, slots=True)
class Period:
    """A dimension of time: `unit` for date_trunc, `spelling` for to_char, `shape` for filters."""

    name: str
    title: Text
    spelling: str
    shape: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Coded:
    """A dimension with a code and a name frozen beside it; `empty` is said where there is none."""

    name: str
    title: Text
    empty: Text


@dataclass(frozen=True, slots=True)
class Choice:
    """A dimension with few values that the mall itself names."""

    name: str
    title: Text
    values: dict[str, Text]
    empty: Text


@dataclass(frozen=True, slots=True)
class Part:
    """A filter that is no dimension: which of the entries that make up the figures."""

    name: str
    title: Text
    values: dict[str, Text]


@dataclass(frozen=True, slots=True)
class Tree:
    """A filter that lets through a unit with everything below it in today's tree of units."""

    name: str
    title: Text


Dimension = Period | Coded | Choice
Filter = Dimension | Part | Tree

NOT_FILLED_IN = Text("（未填写）", "Not given")

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "orders",
            Text("订单数", "Orders"),
            Text("已付款的订单数，一单只计一次", "paid orders, each counted once"),
            money=False,
        ),
        Measure(
            "buyers",
            Text("购买人数", "Buyers"),
            Text(
                "有付款订单的不同账号数，未登录的按收货手机号计，两者不合并；各行不可相加，合计为重新计算",
                "distinct accounts with a paid order, and distinct phones of guests, who may be "
                "the same people; rows do not add up, the total is counted anew",
            ),
            money=False,
        ),
        Measure(
            "units_sold",
            Text("销售件数", "Units sold"),
            Text("已付款的件数，退款不扣减", "paid units; refunds do not lower them"),
            money=False,
        ),
        Measure(
            "paid_goods_fen",
            Text("支付商品额", "Goods paid"),
            Text("优惠后的商品实付额，不含运费", "goods paid after discounts, without freight"),
        ),
        Measure(
            "refunded_goods_fen",
            Text("商品退款额", "Goods refunded"),
            Text(
                "退回的商品款（以正数表示），不含运费", "goods money returned, as a positive number"
            ),
        ),
        Measure(
            "aid_amount_fen",
            Text("消费帮扶额", "Aid amount"),
            Text(
                "计入帮扶统计的商品支付额减退款额，不含运费",
                "goods paid less goods refunded of the lines that the rule set counts",
            ),
        ),
        Measure(
            "direct_purchase_fen",
            Text("其中直接购买", "of which direct purchase"),
            Text("消费帮扶额中归为直接购买的部分", "the part of the aid amount bought directly"),
        ),
        Measure(
            "help_sell_fen",
            Text("其中帮助销售", "of which help-sell"),
            Text("消费帮扶额中归为帮助销售的部分", "the part of the aid amount sold to others"),
        ),
        Measure(
            "freight_fen",
            Text("运费净额", "Freight, net"),
            Text("实收运费减退还的运费，不计入帮扶额", "freight paid less freight returned"),
        ),
    )
}

MONTH = r"(0[1-9]|1[0-2])"

DIMENSIONS: dict[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        Period(
            "day",
            Text("日", "Day"),
            "YYYY-MM-DD",
            re.compile(rf"\d{{4}}-{MONTH}-(0[1-9]|[12]\d|3[01])", re.ASCII),
        ),
        Period(
            "week",
            Text("周", "Week"),
            'IYYY"-W"IW',
            re.compile(r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])", re.ASCII),
        ),
        Period("month", Text("月", "Month"), "YYYY-MM", re.compile(rf"\d{{4}}-{MONTH}", re.ASCII)),
        Period(
            "quarter", Text("季度", "Quarter"), 'YYYY"-Q"Q', re.compile(r"\d{4}-Q[1-4]", re.ASCII)
        ),
        Period("year", Text("年", "Year"), "YYYY", re.compile(r"\d{4}", re.ASCII)),
        Coded("platform", Text("销售平台", "Platform"), NOT_FILLED_IN),
        Coded(
            "storefront", Text("商城", "Storefront"), Text("（平台外订单）", "Outside our malls")
        ),
        Coded("channel", Text("渠道", "Channel"), NOT_FILLED_IN),
        Coded("campaign", Text("活动", "Campaign"), Text("（无活动）", "No campaign")),
        Coded("unit", Text("单位", "Unit"), Text("（未填写单位）", "Not given")),
        Choice(
            "buyer_kind",
            Text("购买者类型", "Kind of buyer"),
            {
                "staff": Text("教职工", "Staff"),
                "student": Text("学生", "Students"),
                "alumni": Text("校友", "Alumni"),
                "public": Text("社会公众", "The public"),
                "unit_account": Text("单位账户", "Unit accounts"),
            },
            NOT_FILLED_IN,
        ),
        Choice(
            "purpose",
            Text("用途", "Purpose"),
            {
                "personal": Text("个人购买", "Personal"),
                "union_gift": Text("工会慰问", "Union gifts"),
                "canteen": Text("食堂采购", "Canteen"),
            },
            NOT_FILLED_IN,
        ),
        Choice(
            "aid_class",
            Text("帮扶类别", "Aid class"),
            {
                "direct_purchase": Text("直接购买", "Direct purchase"),
                "help_sell": Text("帮助销售", "Help-sell"),
            },
            Text("（不计入帮扶额）", "Not counted"),
        ),
        Coded("cooperative", Text("合作社", "Cooperative"), NOT_FILLED_IN),
        Coded("category", Text("品类", "Category"), NOT_FILLED_IN),
        Coded("product", Text("商品", "Product"), NOT_FILLED_IN),
        Coded("sku", Text("规格", "SKU"), NOT_FILLED_IN),
    )
}

FILTERS: dict[str, Filter] = {
    **DIMENSIONS,
    "within_unit": Tree("within_unit", Text("单位（含下级）", "Unit and all below it")),
    "side": Part(
        "side",
        Text("收付", "Side"),
        {"sold": Text("售出", "Sold"), "refunded": Text("退款", "Refunded")},
    ),
    "recorded": Part(
        "recorded",
        Text("记录时间", "Recorded"),
        {"late": Text("期间结束一天后补记", "More than a day after the period")},
    ),
}
"""Whatever a report can be narrowed down by: each dimension, and some parts that are none."""

GRACE_DAYS = 1
"""What is recorded so long after the end of a period is late: nightly work has its night."""

BASES: dict[str, Text] = {
    "event": Text(
        "按发生时间：销售计入付款日所在期间，退款计入退款日所在期间；"
        "晚到的记录（如补导的银行流水）仍计入其发生日，已过去的期间会随之变动",
        "by event: a sale in the period it was paid, a refund in the period it was refunded; "
        "what arrives late, such as a bank statement, counts on its own day "
        "and changes a past period",
    ),
    "cohort": Text(
        "按销售批次：退款从原销售所在的期间扣除，已过去的期间会随之变动",
        "by cohort: a refund is deducted from the period of its sale and changes a past period",
    ),
}

ENTRY_KINDS: dict[str, Text] = {
    "sale": Text("销售", "Sale"),
    "refund": Text("退款", "Refund"),
    "refund_undo": Text("退款失败，金额恢复", "Refund undone"),
    "import": Text("外部导入", "Import"),
    "import_undo": Text("撤销导入", "Import undone"),
    "reattributed_out": Text("归属更正（转出）", "Attribution corrected, out"),
    "reattributed_in": Text("归属更正（转入）", "Attribution corrected, in"),
}

REASONS: dict[str, Text] = {
    "buyer_kind": Text("按购买者类型归类", "classed by the kind of buyer"),
    "no_rule_set": Text("当日无有效口径", "no rule set was in force"),
    "platform_not_included": Text("该平台不计入", "the platform is not counted"),
    "product_not_aid": Text("非帮扶产品", "not an aid product"),
    "buyer_kind_unmapped": Text("购买者类型未归类", "the kind of buyer is not classed"),
}
"""Why the rule set counted an entry or did not; see `shop.aid.rules`."""
