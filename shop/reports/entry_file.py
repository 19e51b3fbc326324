"""The list of entries behind a figure as a file for a spreadsheet program.

What it is about stands on top, what its columns sum to at the end.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from models.money import yuan_text
from shop.context import Ctx
from shop.errors import Invalid
from shop.formatting import minute
from shop.reports.definitions import Text
from shop.reports.exports import BOM, TOTAL, definition, kept
from shop.reports.queries import entries, sales
from shop.reports.rules import SalesQuery

SLICE = 1_000
MOST = 20_000
"""Lines of one file: more than a person reads, less than a web process should hold."""

TITLE = Text("消费帮扶明细", "Entries of the aid record")

COLUMNS: dict[str, Text] = {
    "day": Text("日期", "Day"),
    "sale_day": Text("原销售日期", "Day of sale"),
    "kind_name": Text("类型", "Kind"),
    "platform_name": Text("销售平台", "Platform"),
    "order_number": Text("订单号", "Order"),
    "external_reference": Text("平台单号", "External order"),
    "unit_code": Text("单位代码", "Unit code"),
    "unit_name": Text("单位", "Unit"),
    "channel_name": Text("渠道", "Channel"),
    "buyer_kind_name": Text("购买者类型", "Kind of buyer"),
    "purpose_name": Text("用途", "Purpose"),
    "cooperative_code": Text("合作社代码", "Cooperative code"),
    "cooperative_name": Text("合作社", "Cooperative"),
    "category_name": Text("品类", "Category"),
    "product_name": Text("商品", "Product"),
    "sku_code": Text("规格代码", "SKU code"),
    "sku_name": Text("规格", "SKU"),
    "quantity": Text("件数", "Pieces"),
    "goods_fen": Text("商品金额（元）", "Goods (yuan)"),
    "freight_fen": Text("运费（元）", "Freight (yuan)"),
    "aid_class_name": Text("帮扶类别", "Aid class"),
    "rule_set_code": Text("口径", "Rule set"),
    "rule_reason_text": Text("归类依据", "Why"),
    "reason": Text("原因", "Reason"),
    "recorded_at": Text("记录时间", "Recorded"),
}
SUMMED = ("quantity", "goods_fen", "freight_fen")
DAYS = ("day", "sale_day")


def entries_csv(ctx: Ctx, query: SalesQuery) -> str:
    """All entries behind a figure, UTF-8 with BOM, amounts in yuan.

    Raises:
        Invalid: `too_many_entries`, the period has to be shorter; or see `check`.
    """
    buffer = io.StringIO()
    buffer.write(BOM)
    written = csv.writer(buffer)
    written.writerow([TITLE.in_(ctx.language)])
    written.writerows(definition(sales(ctx, query)))
    written.writerow([])
    written.writerow([title.in_(ctx.language) for title in COLUMNS.values()])
    sums: Counter[str] = Counter(dict.fromkeys(SUMMED, 0))
    for count, entry in enumerate(_all(ctx, query), start=1):
        if count > MOST:
            raise Invalid(
                f"明细超过 {MOST} 条，请缩小统计期间后再下载",
                f"More than {MOST} entries: choose a shorter period",
                code="too_many_entries",
            )
        written.writerow([_cell(name, entry[name], ctx.language) for name in COLUMNS])
        for name in SUMMED:
            sums[name] += entry[name]
    total = {name: _cell(name, value, ctx.language) for name, value in sums.items()}
    _, *others = COLUMNS
    written.writerow([TOTAL.in_(ctx.language), *(total.get(name, "") for name in others)])
    return buffer.getvalue()


def _all(ctx: Ctx, query: SalesQuery) -> Iterator[dict[str, Any]]:
    after: UUID | None = None
    while True:
        page = entries(ctx, query, after, SLICE)
        yield from page
        if len(page) < SLICE:
            return
        after = page[-1]["id"]


def _cell(name: str, value: Any, language: str) -> str:
    if name.endswith("_fen"):
        return yuan_text(value)
    if name == "recorded_at":
        return minute(value, language)
    if name == "quantity" or name in DAYS:
        return str(value)
    return kept("" if value is None else str(value))
