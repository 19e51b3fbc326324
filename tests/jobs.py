"""Looking into the queue and the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from models.payments import ProviderEventOutcome
from shop.context import Ctx, Transactions
from shop.jobs.queue import enqueue


def waiting(transactions: Transactions) -> list[tuple[str, dict[str, Any]]]:
    """(task, arguments) of every job that waits, oldest first."""
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            text("SELECT task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        )
        return [(row.task_name, row.args) for row in found]


def outcomes(transactions: Transactions) -> list[str]:
    with transactions.begin() as ctx:
        return [
            *ctx.session.execute(
                select(ProviderEventOutcome.outcome).order_by(ProviderEventOutcome.id)
            ).scalars()
        ]


def fail_job(ctx: Ctx, task: str, *, lock: str | None = None, **arguments: Any) -> int:
    """A job that was tried eight times and given up; its number."""
    enqueue(ctx, task, **arguments)
    number: int = ctx.session.execute(
        text("SELECT max(id) FROM procrastinate_jobs WHERE task_name = :task"), {"task": task}
    ).scalar_one()
    ctx.session.execute(
        text("""
            UPDATE procrastinate_jobs SET status = 'doing', attempts = 7, queueing_lock = :lock
             WHERE id = :job"""),
        {"job": number, "lock": lock},
    )
    ctx.session.execute(
        text("SELECT procrastinate_finish_job_v1(:job, 'failed', false)"), {"job": number}
    )
    return number
