"""Can this installation serve, and what waits in it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from shop.context import Ctx

HEAD = "0003"
"""The migration this code was written for; a test keeps it equal to the newest file."""

GAUGES = {
    "jobs_waiting": (
        "Jobs that wait or run",
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
    ),
    "jobs_failed": (
        "Jobs given up on",
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'",
    ),
    "orders_pending_payment": (
        "Orders that wait for money",
        "SELECT count(*) FROM customer_order WHERE state = 'pending_payment'",
    ),
    "payments_needing_refund": (
        "Payments that came late, twice or wrong",
        "SELECT count(*) FROM payment WHERE state = 'needs_refund'",
    ),
    "consignments_to_ship": (
        "Paid consignments not wholly shipped",
        "SELECT count(*) FROM consignment WHERE state IN ('pending_shipment', 'partially_shipped')",
    ),
}


def checks(ctx: Ctx, silent: timedelta) -> dict[str, bool]:
    """What must be true before traffic is sent here."""
    head = ctx.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    last_beat = ctx.session.execute(text("SELECT max(at) FROM worker_heartbeat")).scalar_one()
    return {
        "database": True,
        "migrations": head == HEAD,
        "worker": last_beat is not None and ctx.now - last_beat < silent,
    }


def gauges(ctx: Ctx) -> dict[str, tuple[str, int]]:
    """Everything that is counted: name -> (help, value)."""
    return {
        name: (help_text, ctx.session.execute(text(sql)).scalar_one())
        for name, (help_text, sql) in GAUGES.items()
    }
