"""What staff reads of the queue: the jobs that were given up, as it keeps them until a retry."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import text

from shop.context import Ctx

Row = dict[str, Any]

# The queue notes when a job was given up, not why: the error stands in the worker's log.
FAILED = text("""
    SELECT job.id, job.task_name AS name, job.args AS arguments, job.attempts,
           (SELECT max(event.at) FROM procrastinate_events AS event
             WHERE event.job_id = job.id AND event.type = 'failed') AS failed_at
      FROM procrastinate_jobs AS job
     WHERE job.status = 'failed'
       AND (CAST(:before AS bigint) IS NULL OR job.id < CAST(:before AS bigint))
     ORDER BY job.id DESC
     LIMIT :most""")
COUNT = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]{2,8}(_[A-Za-z0-9]+)+")
"""A key of ours, or a reference of the provider's such as cs_live_a1: they name no person."""


def failed_jobs(ctx: Ctx, *, before: int | None, limit: int) -> list[Row]:
    """Jobs that were tried for the last time, newest first, older than `before`.

    Arguments are shown if they are keys; of anything else a job may be given, only that it is.
    """
    found = ctx.session.execute(FAILED, {"before": before, "most": limit}).mappings()
    return [{**row, "arguments": _masked(row["arguments"])} for row in found]


def failed_count(ctx: Ctx) -> int:
    """How many jobs were given up."""
    count: int = ctx.session.execute(COUNT).scalar_one()
    return count


def _masked(arguments: dict[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) and KEY.fullmatch(value) else "***"
        for name, value in arguments.items()
        if value not in ("", None)
    }
