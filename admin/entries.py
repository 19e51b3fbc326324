"""The entries behind a figure: summed, they are that figure; each leads to its order."""

from __future__ import annotations

from flask import Response, request

from admin import words
from admin.figures import chips, measures_in, names_in_entries
from admin.forms.fields import cut, id_of
from admin.forms.period import CUSTOM, PRESETS
from admin.forms.report import query_of
from admin.page import pages, show
from admin.reports import attachment
from shop.clock import business_day
from shop.context import Ctx
from shop.reports import queries
from shop.reports.entry_file import entries_csv as file_of

PAGE = 50


@pages.page("/entries", permission="entries.read")
def entries(ctx: Ctx) -> str:
    """A page of entries below the figures that all of them add up to."""
    span, query = query_of(request.args, business_day(ctx.now))
    report = queries.sales(ctx, query)
    found = queries.entries(ctx, query, id_of(request.args.get("after")), PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "entries.html",
        family="reports",
        span=span,
        query=query,
        rows=rows,
        more=more,
        totals=report.totals,
        definition=report.definition,
        as_of=report.as_of,
        presets={name: words.PERIODS[name] for name in (*PRESETS, CUSTOM)},
        bases=words.BASES,
        chips=chips(query, names_in_entries(rows), ctx.language),
        **measures_in(ctx.language),
    )


@pages.page("/entries.csv", permission="entries.read")
def entries_csv(ctx: Ctx) -> Response:
    """All of them as a file for a spreadsheet program."""
    span, query = query_of(request.args, business_day(ctx.now))
    return attachment(file_of(ctx, query), f"aid-entries-{span.start}-{span.end}.csv")
