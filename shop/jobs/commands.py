"""Giving a job that was given up another chance."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, NotFound

LOCK = text("""
    SELECT task_name, CAST(status AS text) AS status FROM procrastinate_jobs
     WHERE id = :job FOR UPDATE""")
RETRY = text("SELECT procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)")
FAILED = text("""
    SELECT id FROM procrastinate_jobs WHERE status = 'failed'
     ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED""")
DROP = text("DELETE FROM procrastinate_jobs WHERE id = :job AND status = 'failed'")

MOST = 200
"""Jobs let run again at once: each is an entry of the audit log, which others wait for."""


def retry_jobs(ctx: Ctx) -> int:
    """Let every job that was given up run once more, the oldest 200; how many are queued again."""
    found = ctx.session.execute(FAILED, {"most": MOST}).scalars().all()
    return sum([retry_job(ctx, job_id) for job_id in found])


def retry_job(ctx: Ctx, job_id: int) -> bool:
    """Let a job that was given up run once more, now; what fails again is given up again.

    Returns:
        False for a job by the clock whose next run is queued already: the old one is dropped.

    Raises:
        NotFound: there is no such job; it may have succeeded meanwhile.
        Conflict: `job_not_failed`, it waits or runs.
    """
    job = ctx.session.execute(LOCK, {"job": job_id}).one_or_none()
    if job is None:
        raise NotFound
    if job.status != "failed":
        raise Conflict(
            "该任务正在排队或执行，无需重试",
            "The job is waiting or running",
            code="job_not_failed",
        )
    queued = _queued_again(ctx, job_id)
    audit.record(ctx, "job.retry", "job", str(job_id), after={"job": job.task_name})
    return queued


def _queued_again(ctx: Ctx, job_id: int) -> bool:
    try:
        with ctx.session.begin_nested():
            ctx.session.execute(RETRY, {"job": job_id})
    except IntegrityError:  # the queue keeps one waiting run of a job by the clock, no second
        ctx.session.execute(DROP, {"job": job_id})
        return False
    return True
