"""The queue: a job is a row in its cause's commit, runs once, and outlives its worker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from models.system import WorkerHeartbeat
from shop import worker
from shop.jobs import registry
from shop.jobs.queue import enqueue
from tests.jobs import waiting

RAN: list[Any] = []


@pytest.fixture
def job(monkeypatch) -> str:
    RAN.clear()
    made = registry.Job("test.note", lambda transactions, **given: RAN.append(given), 3, None)
    monkeypatch.setitem(registry.JOBS, "test.note", made)
    return "test.note"


def work(transactions: Any, *, rescue: bool = False) -> int:
    """Run what waits, then stop; returns how many stalled jobs were taken over."""

    async def run() -> int:
        app = worker.build_app(transactions.database.url, transactions)
        async with app.open_async():
            rescued = await worker.rescue_once(app) if rescue else 0
            await app.run_worker_async(
                wait=False, install_signal_handlers=False, listen_notify=False
            )
        return rescued

    return asyncio.run(run())


def queue(transactions: Any, sql: str) -> None:
    with transactions.begin() as ctx:
        ctx.session.execute(text(sql))


def test_a_job_runs_after_the_commit(transactions, job):
    with transactions.begin() as ctx:
        enqueue(ctx, job, number="1")
    work(transactions)
    assert RAN == [{"number": "1"}]


def test_what_is_rolled_back_is_never_done(transactions, job):
    def refused() -> None:
        with transactions.begin() as ctx:
            enqueue(ctx, job, number="1")
            raise LookupError

    with pytest.raises(LookupError):
        refused()
    assert waiting(transactions) == []


def test_the_job_of_a_dead_worker_is_taken_over(transactions, job):
    with transactions.begin() as ctx:
        enqueue(ctx, job, number="1")
    queue(transactions, "UPDATE procrastinate_jobs SET status = 'doing'")
    assert (work(transactions), RAN) == (0, [])
    assert (work(transactions, rescue=True), RAN) == (1, [{"number": "1"}])


def test_a_job_by_the_clock_waits_for_its_own_last_run(transactions, monkeypatch):
    """However long that takes: its next ticks would take all the threads there are."""
    RAN.clear()
    tick = registry.Job("test.tick", lambda _transactions: RAN.append("tick"), 3, "0 0 1 1 *")
    monkeypatch.setitem(registry.JOBS, "test.tick", tick)

    async def queued() -> None:
        app = worker.build_app(transactions.database.url, transactions)
        async with app.open_async():
            await app.configure_task("test.tick").defer_async()

    asyncio.run(queued())
    queue(transactions, "UPDATE procrastinate_jobs SET status = 'doing'")
    asyncio.run(queued())
    work(transactions)
    assert RAN == []
    queue(transactions, "DELETE FROM procrastinate_jobs WHERE status = 'doing'")
    work(transactions)
    assert RAN == ["tick"]


def test_a_job_that_fails_for_good_stays_where_it_is_seen(transactions, monkeypatch):
    def fail(_transactions: Any) -> None:
        raise LookupError

    monkeypatch.setitem(registry.JOBS, "test.fail", registry.Job("test.fail", fail, 2, None))
    with transactions.begin() as ctx:
        enqueue(ctx, "test.fail")
    queue(transactions, "UPDATE procrastinate_jobs SET attempts = 1")
    work(transactions)
    with transactions.begin() as ctx:
        states = ctx.session.execute(
            text("SELECT status::text FROM procrastinate_jobs WHERE task_name = 'test.fail'")
        ).scalars()
        assert [*states] == ["failed"]


def test_a_worker_says_that_it_is_alive(transactions, time):
    worker.beat_once(transactions)
    time.forward(seconds=10)
    worker.beat_once(transactions)
    with transactions.begin() as ctx:
        assert [*ctx.session.execute(select(WorkerHeartbeat.at)).scalars()] == [time()]


def test_every_registered_job_has_a_handler_of_its_own():
    assert {
        "payments.handle_event",
        "payments.expire_unpaid",
        "orders.complete_shipped",
        "maintenance.forget",
    } <= set(registry.JOBS)
