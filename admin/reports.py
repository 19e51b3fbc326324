"""帮扶统计: the total of a period, its breakdowns, its chart, its targets and its definition."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from admin import words
from admin.definition import rule_set_facts
from admin.figures import chart, chart_unit, chips, measures_in, name_in, names_in_rows, table
from admin.forms.period import CUSTOM, PRESETS
from admin.forms.report import grouped, query_of
from admin.page import pages, show
from shop.aid.queries import platforms
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Invalid
from shop.reports.definitions import DIMENSIONS
from shop.reports.exports import sales_csv
from shop.reports.progress import Progress, year_progress
from shop.reports.queries import SalesReport, sales
from shop.reports.rules import SalesQuery

ON_THE_FIRST_PAGE = ("unit", "channel", "cooperative", "category", "month", "platform")
ROWS = 12
"""Of a breakdown on the first page: a year's months. Its own page has all of them."""


@pages.page("/reports", permission="reports.read")
def report(ctx: Ctx) -> Any:
    """The total of a period with everything that explains it."""
    try:
        span, query = query_of(request.args, business_day(ctx.now))
        unit = chart_unit(query)
        by_time = sales(ctx, grouped(query, unit))
    except Invalid as error:
        return _not_understood(error)
    by_dimension = {name: sales(ctx, grouped(query, name)) for name in ON_THE_FIRST_PAGE}
    return show(
        "report.html",
        **_frame(ctx, span, query, by_time, by_dimension),
        chart=chart(by_time, unit, ctx.language),
        tables=[table(found, ctx.language, ROWS) for found in by_dimension.values()],
        year=_target_year(query),
        progress=_progress(ctx, query),
        indicators=words.INDICATORS,
    )


@pages.page("/reports/by/<dimension>", permission="reports.read")
def breakdown(ctx: Ctx, dimension: str) -> Any:
    """All rows of one breakdown with every measure."""
    try:
        span, query = query_of(request.args, business_day(ctx.now))
        found = sales(ctx, grouped(query, dimension))
    except Invalid as error:
        return _not_understood(error)
    return show(
        "breakdown.html",
        **_frame(ctx, span, query, found, {dimension: found}),
        dimension=dimension,
        table=table(found, ctx.language),
        dimensions={name: one.title.in_(ctx.language) for name, one in DIMENSIONS.items()},
    )


@pages.page("/reports/by/<dimension>.csv", permission="reports.read")
def breakdown_csv(ctx: Ctx, dimension: str) -> Response:
    """The same as a file for a spreadsheet program."""
    span, query = query_of(request.args, business_day(ctx.now))
    text = "".join(sales_csv(sales(ctx, grouped(query, dimension))))
    return attachment(text, f"aid-{dimension}-{span.start}-{span.end}.csv")


def attachment(text: str, filename: str) -> Response:
    """A CSV file to be saved."""
    return Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _frame(
    ctx: Ctx, span: Any, query: SalesQuery, found: SalesReport, by: dict[str, SalesReport]
) -> dict[str, Any]:
    """What every page about a period shows: how it was asked, its totals, its definition."""
    names = {
        key: value
        for name, one in by.items()
        for key, value in names_in_rows(one.rows, name).items()
    }
    counted = {row["code"]: row["name"] for row in platforms(ctx)}
    return {
        "family": "reports",
        "span": span,
        "query": query,
        "presets": {name: words.PERIODS[name] for name in (*PRESETS, CUSTOM)},
        "bases": words.BASES,
        "name_in": name_in,
        "chips": chips(query, names, ctx.language),
        "totals": found.totals,
        **measures_in(ctx.language),
        "definition": found.definition,
        "rule_sets": [
            (rules, rule_set_facts(rules, counted, ctx.language))
            for rules in found.definition["rule_sets"]
        ],
        "as_of": found.as_of,
    }


def _target_year(query: SalesQuery) -> int:
    """The year whose targets stand beside a period: the one it ends in."""
    return (query.end.year - 1) if (query.end.month, query.end.day) == (1, 1) else query.end.year


def _progress(ctx: Ctx, query: SalesQuery) -> list[Progress]:
    """Targets are the whole organization's, so a filtered report shows none."""
    return [] if query.filters else year_progress(ctx, _target_year(query))


def _not_understood(error: Invalid) -> tuple[str, int]:
    """The form again, with what was entered and no figures."""
    return show(
        "report_refused.html",
        family="reports",
        error=error,
        asked=request.args,
        presets={name: words.PERIODS[name] for name in PRESETS},
    ), 422
