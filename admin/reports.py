"""帮扶统计: the total of a period, its breakdowns, its chart, its targets and its definition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, request
from flask_babel import gettext

from admin import words
from admin.definition import rule_set_facts
from admin.figures import chart, chart_unit, chips, measures_in, name_in, table
from admin.forms.period import CUSTOM, PRESETS
from admin.forms.report import grouped, query_of
from admin.page import pages, show
from shop.aid.queries import platforms
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Invalid
from shop.reports.definitions import DIMENSIONS, FILTERS
from shop.reports.exports import sales_csv
from shop.reports.late import late
from shop.reports.names import in_english
from shop.reports.progress import Progress, year_progress
from shop.reports.queries import SalesReport, sales
from shop.reports.rules import SalesQuery
from shop.web import language

ON_THE_FIRST_PAGE = ("unit", "channel", "cooperative", "category", "month", "platform")
ROWS = 12
"""Of a breakdown on the first page: a year's months. Its own page has all of them."""

MOST_ROWS = 500
"""Of a breakdown's own page: more than a year's days. Its file has all of them."""


@pages.page("/reports", permission="reports.read", opens="snapshot")
def report(ctx: Ctx) -> Any:
    """The total of a period with everything that explains it."""
    try:
        span, query = query_of(request.args, business_day(ctx.now))
        unit = chart_unit(query)
        by_time = sales(ctx, grouped(query, unit))
    except Invalid as error:
        return refused(error)
    by_dimension = [_told(ctx, sales(ctx, grouped(query, name))) for name in ON_THE_FIRST_PAGE]
    return show(
        "report.html",
        **_frame(ctx, span, query, by_time),
        chart=chart(by_time, unit, ctx.language),
        tables=[table(found, ctx.language, ROWS) for found in by_dimension],
        year=_target_year(query),
        progress=_progress(ctx, query),
        indicators=words.INDICATORS,
    )


@pages.page("/reports/by/<dimension>", permission="reports.read", opens="snapshot")
def breakdown(ctx: Ctx, dimension: str) -> Any:
    """The rows of one breakdown, or of one within another, with every measure."""
    try:
        span, query = query_of(request.args, business_day(ctx.now))
        found = _told(ctx, sales(ctx, grouped(query, *_by(dimension))))
    except Invalid as error:
        return refused(error)
    return show(
        "breakdown.html",
        **_frame(ctx, span, query, found),
        dimension=dimension,
        table=table(found, ctx.language, MOST_ROWS),
        dimensions={name: one.title.in_(ctx.language) for name, one in DIMENSIONS.items()},
    )


@pages.page("/reports/by/<dimension>.csv", permission="reports.read", opens="snapshot")
def breakdown_csv(ctx: Ctx, dimension: str) -> Response:
    """The same as a file for a spreadsheet program."""
    span, query = query_of(request.args, business_day(ctx.now))
    names = _by(dimension)
    text = "".join(sales_csv(sales(ctx, grouped(query, *names))))
    return attachment(text, f"aid-{'-'.join(names)}-{span.start}-{span.end}.csv")


def _by(dimension: str) -> tuple[str, ...]:
    """The dimension of a page's path, and the one within it that the address may name."""
    then = request.args.get("then")
    return (dimension, then) if then in DIMENSIONS and then != dimension else (dimension,)


def attachment(text: str, filename: str) -> Response:
    """A CSV file to be saved."""
    return Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _told(ctx: Ctx, report: SalesReport) -> SalesReport:
    """A report as its reader reads names; the file keeps those of the day."""
    return replace(report, rows=in_english(ctx, report.rows, report.query.group_by))


def _frame(ctx: Ctx, span: Any, query: SalesQuery, found: SalesReport) -> dict[str, Any]:
    """What every page about a period shows: how it was asked, its totals, its definition."""
    counted = {
        row["code"]: (ctx.language == "en" and row["name_en"]) or row["name"]
        for row in platforms(ctx)
    }
    return {
        "family": "reports",
        "span": span,
        "query": query,
        "presets": {name: words.PERIODS[name] for name in (*PRESETS, CUSTOM)},
        "bases": words.BASES,
        "name_in": name_in,
        "chips": chips(found.definition, ctx.language),
        "totals": found.totals,
        **measures_in(ctx.language),
        "definition": found.definition,
        "rule_sets": [
            (rules, rule_set_facts(rules, counted, ctx.language))
            for rules in found.definition["rule_sets"]
        ],
        "as_of": found.as_of,
        "late": late(ctx, query),
    }


def _target_year(query: SalesQuery) -> int:
    """The year whose targets stand beside a period: the one it ends in."""
    return (query.end.year - 1) if (query.end.month, query.end.day) == (1, 1) else query.end.year


def _progress(ctx: Ctx, query: SalesQuery) -> list[Progress]:
    """Targets are the whole organization's, so a filtered report shows none."""
    return [] if query.filters else year_progress(ctx, _target_year(query))


def refused(error: Invalid) -> tuple[str, int]:
    """The form again, with what was entered, what else was asked for, and no figures."""
    known = "group_by" not in error.fields
    asked = request.args
    return show(
        "report_refused.html",
        family="reports",
        error=error,
        faults=_faults(error, language()),
        asked=asked,
        here=request.endpoint if known else "admin.report",
        fixed=request.view_args if known else {},
        kept={
            name: values
            for name in ("basis", "then", *FILTERS)
            if name not in error.fields and (values := [one for one in asked.getlist(name) if one])
        },
        presets={name: words.PERIODS[name] for name in PRESETS},
    ), 422


def _faults(error: Invalid, language: str) -> list[tuple[str, str]]:
    """What is wrong with filters and dimensions, for which the form has no field: (title, why)."""
    titles = {name: one.title.in_(language) for name, one in FILTERS.items()}
    titles["group_by"] = gettext("统计维度")
    return [
        (titles[name], text)
        for name, texts in error.field_messages(language).items()
        if name in titles
        for text in texts
    ]
