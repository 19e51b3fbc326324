"""A worker's sign of life, on which the readiness of every web server depends."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from sqlalchemy import select, text

from models.system import WorkerHeartbeat
from shop import worker
from shop.context import Transactions
from tests.runtime.processes import wait_until

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
