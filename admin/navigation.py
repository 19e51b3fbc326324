"""Where each role's work is: the entries of the side bar and of the bar at a phone's bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext

from shop.context import Actor
from shop.identity.policy import allowed


@dataclass(frozen=True, slots=True)
class Entry:
    """A way to a page family; `family` is what its pages say they belong to."""

    family: str
    endpoint: str
    icon: str
    label: Any
    short: Any
    permission: str


ENTRIES = (
    Entry(
        "landing",
        "admin.landing",
        "home",
        lazy_gettext("工作台"),
        lazy_gettext("工作台"),
        "desk.open",
    ),
    Entry(
        "consignments",
        "admin.consignments",
        "truck",
        lazy_gettext("发货"),
        lazy_gettext("发货"),
        "consignments.read",
    ),
    Entry(
        "goods",
        "admin.goods",
        "box",
        lazy_gettext("商品与库存"),
        lazy_gettext("商品"),
        "stock.read",
    ),
    Entry(
        "listings",
        "admin.listings_page",
        "shelf",
        lazy_gettext("商品上下架"),
        lazy_gettext("上下架"),
        "listings.read",
    ),
    Entry(
        "reports",
        "admin.report",
        "chart",
        lazy_gettext("帮扶统计"),
        lazy_gettext("统计"),
        "reports.read",
    ),
    Entry(
        "orders",
        "admin.orders",
        "list",
        lazy_gettext("订单"),
        lazy_gettext("订单"),
        "orders.read_any",
    ),
    Entry(
        "payments",
        "admin.payments",
        "coins",
        lazy_gettext("待处理款项"),
        lazy_gettext("款项"),
        "payments.read_any",
    ),
    Entry(
        "audit",
        "admin.audit",
        "shield",
        lazy_gettext("操作日志"),
        lazy_gettext("日志"),
        "audit.read",
    ),
    Entry(
        "jobs",
        "admin.jobs",
        "again",
        lazy_gettext("后台任务"),
        lazy_gettext("任务"),
        "jobs.read",
    ),
)


def entries_for(actor: Actor) -> list[Entry]:
    """What the actor may open, in this order."""
    return [entry for entry in ENTRIES if allowed(actor, entry.permission)]
