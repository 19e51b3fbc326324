"""The entries behind a figure: summed, they are that figure; each leads to its order."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from admin import words
from admin.figures import FIRST, chips, measures_in
from admin.forms.fields import cut, id_of
from admin.forms.period import CUSTOM, PRESETS
from admin.forms.report import query_of
from admin.page import pages, show
from admin.reports import attachment, refused
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Invalid
from shop.reports import queries
from shop.reports.definitions import DIMENSIONS
from shop.reports.entry_file import entries_csv as file_of
from shop.reports.names import in_english
from shop.reports.rules import SalesQuery

PAGE = 50


@pages.page("/entries", permission="entries.read", opens="snapshot")
def entries(ctx: Ctx) -> Any:
    """A page of entries below the figures that all of them add up to."""
    try:
        span, query = query_of(request.args, business_day(ctx.now))
        report = queries.sales(ctx, query)
        found = queries.entries(ctx, query, id_of(request.args.get("after")), PAGE + 1)
    except Invalid as error:
        return refused(error)
    rows, more = cut(found, PAGE)
    return show(
        "entries.html",
        family="reports",
        span=span,
        query=query,
        rows=in_english(ctx, rows, DIMENSIONS, "{}_code"),
        more=more,
        totals=report.totals,
        **_lead(query, report.totals),
        definition=report.definition,
        as_of=report.as_of,
        presets={name: words.PERIODS[name] for name in (*PRESETS, CUSTOM)},
        bases=words.BASES,
        chips=chips(report.definition, ctx.language),
        **measures_in(ctx.language),
    )


@pages.page("/entries.csv", permission="entries.read", opens="snapshot")
def entries_csv(ctx: Ctx) -> Response:
    """All of them as a file for a spreadsheet program."""
    span, query = query_of(request.args, business_day(ctx.now))
    return attachment(file_of(ctx, query), f"aid-entries-{span.start}-{span.end}.csv")


def _lead(query: SalesQuery, totals: dict[str, int]) -> dict[str, Any]:
    """The figure that stands large: what the list was opened for, as far as its filters tell.

    `listed` is what the goods of all entries of the list sum to, in fen; `whole`, whether the
    figure is that sum. It is not where the list has entries that the rule set does not count.
    """
    side = query.wanted("side") if "side" in query.filters else ()
    one_side = {"sold": "paid_goods_fen", "refunded": "refunded_goods_fen"}
    name = one_side[side[0]] if len(side) == 1 else FIRST
    listed = totals["paid_goods_fen"] - totals["refunded_goods_fen"]
    if name == "refunded_goods_fen":
        listed = -listed
    return {"lead": name, "listed": listed, "whole": totals[name] == listed}
