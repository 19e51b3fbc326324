"""The first page: what a manager has to ship, how far an organizer's year has come."""

from __future__ import annotations

from typing import Any

from admin import words
from admin.consignments import SHIPPABLE
from admin.figures import chart, chart_unit, measures_in
from admin.forms.period import year_start
from admin.forms.report import address, grouped
from admin.page import pages, show
from models.catalog import ListingState
from shop.catalog.listing_desk import listing_counts
from shop.clock import business_day
from shop.context import Ctx
from shop.fulfilment.desk import counts_by_state
from shop.fulfilment.queries import waiting_consignments
from shop.identity.policy import allowed
from shop.identity.queries import me
from shop.jobs.desk import failed_count
from shop.payments.desk import refunds_due
from shop.payments.refund_queries import refund_counts
from shop.reports.progress import year_progress
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery

NEXT_TO_SHIP = 6


@pages.page("/", permission="desk.open", opens="snapshot")
def landing(ctx: Ctx) -> str:
    """Each role's work on one page; who has two roles sees both."""
    board = _board(ctx) if allowed(ctx.actor, "consignments.read") else None
    year = _year(ctx) if allowed(ctx.actor, "reports.read") else None
    due = refunds_due(ctx) if allowed(ctx.actor, "payments.read_any") else None
    return show(
        "landing.html",
        family="landing",
        board=board,
        year=year,
        due=due,
        stuck=refund_counts(ctx)["stuck"] if allowed(ctx.actor, "refunds.read") else None,
        in_review=listing_counts(ctx)[ListingState.IN_REVIEW]
        if allowed(ctx.actor, "listings.review")
        else 0,
        failed_jobs=failed_count(ctx) if allowed(ctx.actor, "jobs.read") else 0,
        today=business_day(ctx.now),
        states=words.CONSIGNMENT_STATES,
        tones=words.TONES,
        indicators=words.INDICATORS,
        roles=words.ROLES,
        **measures_in(ctx.language),
    )


def _board(ctx: Ctx) -> dict[str, Any]:
    cooperatives = [
        membership.cooperative for membership in me(ctx).memberships if membership.cooperative
    ]
    return {
        "cooperatives": cooperatives,
        "counts": counts_by_state(ctx),
        "next": waiting_consignments(ctx, SHIPPABLE, limit=NEXT_TO_SHIP),
    }


def _year(ctx: Ctx) -> dict[str, Any]:
    first = year_start(business_day(ctx.now))
    query = SalesQuery(first, year_start(first, 1))
    by_month = sales(ctx, grouped(query, chart_unit(query)))
    return {
        "number": first.year,
        "query": query,
        "totals": by_month.totals,
        "chart": chart(by_month, "month", ctx.language),
        "progress": [goal for goal in year_progress(ctx, first.year) if goal.unit_code is None],
        "report": address("admin.report", query),
    }
