"""Comparing a day with the provider and the bank, and what does not agree."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from api.endpoint import Ctx, Transactions, endpoint
from api.pagination import decode_cursor, decode_id, page_of, refusal
from api.schemas.reconciliation import (
    DifferenceAnswer,
    DifferencePage,
    DifferencesQuery,
    ExplainBody,
    RunBody,
    RunPage,
    RunsQuery,
    WholeRunAnswer,
)
from shop.payments import difference_queries as queries
from shop.payments.differences import explain
from shop.payments.reconcile_jobs import RUN
from shop.web import key_of

TAG = "Finance"


@endpoint(
    "POST",
    "/reconciliations",
    permission="reconciliations.run",
    tag=TAG,
    body=RunBody,
    answer=WholeRunAnswer,
    status=201,
    phases=True,
)
def reconcile(transactions: Transactions, body: dict[str, Any]) -> dict[str, Any]:
    """Compare one day that is over; repeating it is harmless."""
    run_id = RUN[body["side"]](transactions, body["day"])
    with transactions.begin() as ctx:
        return queries.whole_run(ctx, run_id)


@endpoint(
    "GET",
    "/reconciliations",
    permission="reconciliations.read",
    tag=TAG,
    query=RunsQuery,
    answer=RunPage,
)
def runs(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Every comparison, the newest day first."""
    limit = query["limit"]
    found = queries.runs(
        ctx,
        side=query["side"],
        day=query["day"],
        after=_after(query["cursor"]),
        limit=limit + 1,
    )
    return page_of(found, limit, "day", "id")


@endpoint(
    "GET",
    "/reconciliations/<run_id>",
    permission="reconciliations.read",
    tag=TAG,
    answer=WholeRunAnswer,
)
def run(ctx: Ctx, run_id: str) -> dict[str, Any]:
    """One comparison with the differences of its day."""
    return queries.whole_run(ctx, key_of(run_id))


@endpoint(
    "GET",
    "/differences",
    permission="reconciliations.read",
    tag=TAG,
    query=DifferencesQuery,
    answer=DifferencePage,
)
def differences(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """What does not agree, newest first."""
    limit = query["limit"]
    found = queries.differences(
        ctx,
        state=query["state"],
        side=query["side"],
        day=query["day"],
        before=decode_id(query["cursor"]),
        limit=limit + 1,
    )
    return page_of(found, limit, "id")


@endpoint(
    "POST",
    "/differences/<difference_id>/explain",
    permission="differences.explain",
    tag=TAG,
    body=ExplainBody,
    answer=DifferenceAnswer,
)
def explain_difference(ctx: Ctx, difference_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say why both sides differ, and close it."""
    explain(ctx, key_of(difference_id), body["explanation"])
    return queries.difference(ctx, key_of(difference_id))


def _after(cursor: str | None) -> tuple[date, UUID] | None:
    found = decode_cursor(cursor)
    if not found:
        return None
    try:
        day, run_id = found
        return date.fromisoformat(day), UUID(run_id)
    except ValueError as error:
        raise refusal() from error
