"""A worker's sign of life, on which the readiness of every web server depends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text

from models.system import WorkerHeartbeat
from shop import worker
from shop.context import Transactions
from shop.jobs import registry
from shop.jobs.queue import enqueue
from tests.runtime.processes import PATIENCE, wait_until

MANY = 40
"""More jobs at once than Python has threads for by itself, on whichever machine."""

DROP = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()""")


def signs(transactions: Transactions) -> int:
    with transactions.reading() as ctx:
        return len(ctx.session.execute(select(WorkerHeartbeat.name)).all())


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_connection_costs_one_sign_of_life_and_not_all(transactions, monkeypatch, lost):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)

    async def beating() -> None:
        beat = asyncio.create_task(worker._beat(transactions))
        await asyncio.to_thread(wait_until, lambda: signs(transactions) or beat.done())
        assert signs(transactions) == 1
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat

    with transactions.begin() as ctx:
        ctx.session.execute(text("SELECT 1"))  # a connection to be lost stands in the pool
    if lost:
        with transactions.reading() as ctx:
            assert ctx.session.execute(DROP).scalar_one() == 1
    asyncio.run(beating())


def test_as_many_jobs_run_at_once_as_were_asked_for_and_the_sign_of_life_too(
    transactions, monkeypatch
):
    together, signed = threading.Barrier(MANY + 1), threading.Event()

    def meet(_transactions: Transactions) -> None:
        together.wait(PATIENCE)
        signed.wait(PATIENCE)  # they take long: nobody makes room

    monkeypatch.setitem(registry.JOBS, "test.meet", registry.Job("test.meet", meet, 2, None))
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    with transactions.begin() as ctx:
        for _ in range(MANY):
            enqueue(ctx, "test.meet")
    settings = replace(transactions.settings, worker_concurrency=MANY)

    async def working() -> None:
        work = asyncio.create_task(worker._work(settings, transactions))
        try:
            await asyncio.to_thread(together.wait, 20)
            with transactions.begin() as ctx:
                ctx.session.execute(delete(WorkerHeartbeat.__table__))
            await asyncio.to_thread(wait_until, lambda: signs(transactions) == 1)
        finally:
            together.abort()
            signed.set()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    asyncio.run(working())
