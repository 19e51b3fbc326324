"""Can this installation serve, and what waits in it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from shop.context import Ctx

HEAD = "0005"
"""The migration this code was written for; a test keeps it equal to the newest file."""

BEGUN = text("SELECT to_regclass('alembic_version') IS NOT NULL")
"""Before the first migration there is nothing else to ask for."""

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
    "orders_overdue": (
        "Unpaid orders whose time was over an hour ago and which could not be closed",
        (
            "SELECT count(*) FROM customer_order WHERE state = 'pending_payment'"
            " AND payment_terms = 'prepay' AND pay_before <= :now - interval '1 hour'"
        ),
    ),
    "payments_needing_refund": (
        "Payments that no order may keep and nobody has sent back",
        (
            "SELECT count(*) FROM payment WHERE state = 'needs_refund'"
            " AND captured_fen > refunding_fen + refunded_fen + disputed_fen"
        ),
    ),
    "refunds_open": (
        "Refunds asked for that are not back yet",
        "SELECT count(*) FROM refund WHERE state IN ('requested', 'sent')",
    ),
    "refunds_failed": (
        "Refunds that failed and nobody has tried again",
        (
            "SELECT count(*) FROM refund JOIN payment ON payment.id = refund.payment_id,"
            " LATERAL (SELECT captured_fen - refunding_fen - refunded_fen - disputed_fen AS fen)"
            " AS rest,"
            " LATERAL (SELECT sum("
            " least(part.goods_fen, line.goods_fen - line.discount_fen - line.back_goods_fen)"
            " + least(part.freight_fen, line.freight_fen - line.back_freight_fen)) AS fen,"
            " bool_or(part.withdrawn + part.returned > 0) AS for_pieces"
            " FROM refund_line AS part JOIN order_line AS line ON line.id = part.order_line_id"
            " WHERE part.refund_id = refund.id) AS of_parts"
            " WHERE refund.state = 'failed'"
            # Nothing is left of what has gone back another way meanwhile.
            " AND CASE WHEN of_parts.for_pieces OR refund.retry_of IS NOT NULL"
            " AND refund.goods_fen + refund.freight_fen > 0 THEN of_parts.fen"
            " ELSE least(refund.amount_fen, rest.fen) END BETWEEN 1 AND rest.fen"
            " AND NOT EXISTS (SELECT FROM refund AS again WHERE again.retry_of = refund.id)"
        ),
    ),
    "disputes_open": (
        "Disputes that wait for the bank",
        "SELECT count(*) FROM dispute WHERE state = 'open'",
    ),
    "differences_open": (
        "Differences with the provider's or the bank's books",
        "SELECT count(*) FROM difference WHERE state = 'open'",
    ),
    "bank_receipts_open": (
        "Lines of the bank's statements that are matched to nothing",
        "SELECT count(*) FROM bank_receipt WHERE state = 'open'",
    ),
    "provider_events_failed": (
        "Provider events whose last handling failed",
        (
            "SELECT count(DISTINCT provider_event_id) FROM provider_event_outcome AS failed"
            " WHERE outcome = 'failed' AND NOT EXISTS (SELECT FROM provider_event_outcome AS later"
            " WHERE later.provider_event_id = failed.provider_event_id AND later.id > failed.id)"
        ),
    ),
    "consignments_to_ship": (
        "Paid consignments not wholly shipped",
        "SELECT count(*) FROM consignment WHERE state IN ('pending_shipment', 'partially_shipped')",
    ),
}


def checks(ctx: Ctx, silent: timedelta) -> dict[str, bool]:
    """What must be true before traffic is sent here."""
    if not ctx.session.execute(BEGUN).scalar_one():
        return {"database": True, "migrations": False, "worker": False}
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
        name: (help_text, ctx.session.execute(text(sql), {"now": ctx.now}).scalar_one())
        for name, (help_text, sql) in GAUGES.items()
    }
