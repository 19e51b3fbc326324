"""The figures and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request

from api.endpoint import Ctx, Reply, endpoint
from api.pagination import decode_id, page_of
from api.schemas.reports import EntriesParams, EntryPage, SalesAnswer, SalesParams
from shop.errors import Invalid, Words
from shop.reports import queries
from shop.reports.definitions import DIMENSIONS, FILTERS
from shop.reports.exports import sales_csv
from shop.reports.names import in_english
from shop.reports.queries import SalesReport
from shop.reports.rules import SalesQuery

TAG = "Organizer"


@endpoint(
    "GET",
    "/reports/sales",
    permission="reports.read",
    opens="snapshot",
    tag=TAG,
    query=SalesParams,
    answer=SalesAnswer,
)
def sales(ctx: Ctx, query: dict[str, Any]) -> SalesReport:
    """Figures of a half-open period by up to three dimensions, with their definition."""
    report = queries.sales(ctx, _asked(query))
    return replace(report, rows=in_english(ctx, report.rows, report.query.group_by))


@endpoint(
    "GET",
    "/reports/sales.csv",
    permission="reports.read",
    opens="snapshot",
    tag=TAG,
    query=SalesParams,
    media_type="text/csv",
)
def sales_file(ctx: Ctx, query: dict[str, Any]) -> Reply:
    """The same for a spreadsheet program: amounts in yuan, the definition on top."""
    report = queries.sales(ctx, _asked(query))
    name = f"sales_{report.query.start}_{report.query.end}.csv"
    return Reply(
        body="".join(sales_csv(report)).encode(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@endpoint(
    "GET",
    "/reports/entries",
    permission="entries.read",
    tag=TAG,
    query=EntriesParams,
    answer=EntryPage,
)
def entries(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """The entries behind a figure, by day: every sale, refund and import line."""
    limit = query["limit"]
    found = queries.entries(ctx, _asked(query), decode_id(query["cursor"]), limit + 1)
    page = page_of(found, limit, "id")
    return {**page, "items": in_english(ctx, page["items"], DIMENSIONS, "{}_code")}


def _asked(query: Mapping[str, Any]) -> SalesQuery:
    """The query as values.

    Raises:
        Invalid: a name stands twice in the address; one of the two would be passed over.
    """
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        words = Words("请用逗号分隔多个值", "Separate several values with commas")
        raise Invalid(fields={name: [words] for name in twice})
    return SalesQuery(
        start=query["from_"],
        end=query["to"],
        group_by=_split(query.get("group_by", "")),
        basis=query["basis"],
        filters={name: _split(query[name]) for name in FILTERS if query[name] is not None},
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()
