"""Jobs that were given up: who reads them sees no person, and a retry is one more try."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text

from models.system import AuditEntry
from shop.errors import Conflict, NotFound
from shop.jobs.commands import retry_job, retry_jobs
from shop.jobs.desk import failed_count, failed_jobs
from shop.jobs.queue import enqueue
from tests.jobs import fail_job

REFUND = "01900000-0000-7000-8000-000000000001"
SENT: dict[str, Any] = {"refund": REFUND, "phone": "15400000001", "who": "林晓", "reference": ""}


def job_rows(ctx) -> list[tuple[str, str, int]]:
    found = ctx.session.execute(
        text("SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY id")
    )
    return [tuple(row) for row in found]


def audited(ctx) -> int:
    return ctx.session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


def test_what_failed_is_listed_without_persons(ctx):
    enqueue(ctx, "payments.send_refund", refund=REFUND)
    first, second = fail_job(ctx, "payments.send_refund", **SENT), fail_job(ctx, "cart.forget")
    newest, oldest = failed_jobs(ctx, before=None, limit=5)
    assert (newest["id"], newest["name"], newest["arguments"]) == (second, "cart.forget", {})
    assert oldest["arguments"] == {"refund": REFUND, "phone": "***", "who": "***"}
    assert (oldest["id"], oldest["attempts"]) == (first, 8)
    assert oldest["failed_at"].tzinfo is not None
    assert [row["id"] for row in failed_jobs(ctx, before=second, limit=5)] == [first]
    assert failed_count(ctx) == 2


@pytest.mark.parametrize("value", [REFUND, "cs_test_a1B2", "pi_3Q"])
def test_keys_are_shown(ctx, value):
    fail_job(ctx, "payments.handle_event", event=value)
    assert failed_jobs(ctx, before=None, limit=1)[0]["arguments"] == {"event": value}


@pytest.mark.parametrize("value", ["lin@example.org", "15400000001", "林晓", 7, {"a": "b"}])
def test_anything_else_is_not(ctx, value):
    fail_job(ctx, "payments.handle_event", event=value)
    assert failed_jobs(ctx, before=None, limit=1)[0]["arguments"] == {"event": "***"}


def test_a_retry_queues_this_job_alone_and_is_audited(ctx):
    fail_job(ctx, "payments.send_refund", refund=REFUND)
    job = fail_job(ctx, "payments.handle_event", event=REFUND)
    before = audited(ctx)
    assert retry_job(ctx, job) is True
    assert job_rows(ctx) == [
        ("payments.send_refund", "failed", 8),
        ("payments.handle_event", "todo", 9),
    ]
    entry = ctx.session.execute(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()[0]
    assert (entry.action, entry.subject, entry.subject_id) == ("job.retry", "job", str(job))
    assert (entry.after, audited(ctx)) == ({"job": "payments.handle_event"}, before + 1)


def test_a_job_by_the_clock_that_waits_already_is_dropped(ctx):
    job = fail_job(ctx, "cart.forget", lock="cart.forget")
    enqueue(ctx, "cart.forget")
    ctx.session.execute(
        text("UPDATE procrastinate_jobs SET queueing_lock = task_name WHERE status = 'todo'")
    )
    assert retry_job(ctx, job) is False
    assert job_rows(ctx) == [("cart.forget", "todo", 0)]


def test_a_job_by_the_clock_runs_again_when_none_waits(ctx):
    job = fail_job(ctx, "cart.forget", lock="cart.forget")
    assert retry_job(ctx, job) is True
    assert job_rows(ctx) == [("cart.forget", "todo", 9)]


def test_a_job_that_waits_is_not_retried(ctx):
    job = fail_job(ctx, "cart.forget")
    retry_job(ctx, job)
    before = audited(ctx)
    with pytest.raises(Conflict) as refused:
        retry_job(ctx, job)
    assert refused.value.error_code == "job_not_failed"
    assert (job_rows(ctx), audited(ctx)) == ([("cart.forget", "todo", 9)], before)


def test_all_are_let_run_again_each_clock_job_once(ctx):
    for _ in range(3):
        fail_job(ctx, "cart.forget", lock="cart.forget")
    fail_job(ctx, "payments.send_refund", refund=REFUND)
    before = audited(ctx)
    assert retry_jobs(ctx) == 2
    assert job_rows(ctx) == [("cart.forget", "todo", 9), ("payments.send_refund", "todo", 9)]
    assert (audited(ctx), retry_jobs(ctx)) == (before + 4, 0)


def test_a_job_that_is_gone(ctx):
    before = audited(ctx)
    with pytest.raises(NotFound):
        retry_job(ctx, 2**63 - 1)
    assert (job_rows(ctx), audited(ctx)) == ([], before)
