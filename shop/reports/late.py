"""What came into a period after it was over: the reason why a figure printed then has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import func, select

from shop.clock import day_start
from shop.context import Ctx
from shop.reports.definitions import GRACE_DAYS
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery
from shop.reports.statements import ENTRIES, conditions
from shop.reports.tree import spelled_out

PART = "recorded"


@dataclass(frozen=True, slots=True)
class Late:
    """How many entries, what they sum to and what of it is aid, in fen; `query` lists them."""

    query: SalesQuery
    entries: int
    goods_fen: int
    aid_amount_fen: int


def late(ctx: Ctx, query: SalesQuery) -> Late | None:
    """The entries of a period that were recorded more than a day after its end; None without any.

    They are first asked for as a figure, which is kept rolled up; only where there are some are
    they counted, which reads the whole period.
    """
    over = day_start(query.end + timedelta(days=GRACE_DAYS)) <= ctx.now
    if not over or PART in query.filters:
        return None
    asked = replace(query, group_by=(), filters={**query.filters, PART: ("late",)})
    totals = sales(ctx, asked).totals
    if not any(totals.values()):
        return None
    found = select(func.count()).where(conditions(spelled_out(ctx, asked))).select_from(ENTRIES)
    return Late(
        query=asked,
        entries=ctx.session.execute(found).scalar_one(),
        goods_fen=totals["paid_goods_fen"] - totals["refunded_goods_fen"],
        aid_amount_fen=totals["aid_amount_fen"],
    )
