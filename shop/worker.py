"""The worker process: every registered job, run from PostgreSQL's own queue."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

import shop.cart.jobs
import shop.jobs.maintenance
import shop.orders.jobs
import shop.payments.bank_jobs
import shop.payments.jobs
import shop.payments.reconcile_jobs
import shop.reports.jobs
from models.system import WorkerHeartbeat
from shop import logging
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.errors import TryAgain
from shop.ids import new_id
from shop.jobs.registry import JOBS, Job
from shop.settings import Settings

HANDLERS = (
    shop.cart.jobs,
    shop.orders.jobs,
    shop.payments.jobs,
    shop.payments.bank_jobs,
    shop.payments.reconcile_jobs,
    shop.reports.jobs,
    shop.jobs.maintenance,
)
"""Importing a context's jobs registers them."""

SPARE_THREADS = 2
"""Beside those of the jobs. Python alone makes four more than there are cores: few for many jobs at
once, and when all of them take long, none is left for the sign of life."""

BEAT_SECONDS = 10
RESCUE_SECONDS = 30
PAUSE_SECONDS = 1.0
"""A connection of the queue that was used so lately is there."""

OUT_OF_REACH = (TryAgain, DBAPIError, ConnectorException)
"""How a database says that it is busy, away, or for the moment cannot be written to."""

log = logging.get("worker")

_seen_alive: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; jobs under way are finished first."""
    logging.configure(settings)
    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=settings.worker_concurrency)
    transactions = Transactions(database=database, settings=settings, actor=SYSTEM)
    asyncio.run(_work(settings, transactions))
    database.dispose()


async def _work(settings: Settings, transactions: Transactions) -> None:
    assert settings.database_url is not None
    asyncio.get_running_loop().set_default_executor(
        ThreadPoolExecutor(settings.worker_concurrency + SPARE_THREADS)
    )
    app = build_app(settings.database_url, transactions)
    beat = asyncio.create_task(_beat(transactions))
    async with app.open_async():
        rescue = asyncio.create_task(_again(RESCUE_SECONDS, "rescue", partial(rescue_once, app)))
        await app.run_worker_async(
            concurrency=settings.worker_concurrency,
            delete_jobs="successful",
            shutdown_graceful_timeout=10,
            fetch_job_polling_interval=2,
        )
        rescue.cancel()
    beat.cancel()


async def _again(seconds: float, name: str, step: Callable[[], Awaitable[object]]) -> None:
    """Do `step` again and again: a database that is busy or away costs one turn, not all others.

    A worker that went on without its sign of life would have every web server called not ready.
    """
    while True:
        try:
            await step()
        except OUT_OF_REACH as error:
            log.warning("worker.turn_missed", step=name, error=type(error).__name__)
        await asyncio.sleep(seconds)


async def rescue_once(app: App) -> int:
    """Put the jobs of silent workers back in the queue; returns how many.

    A job that runs by the clock may have been queued again meanwhile: then the old one is dropped.
    """
    count = 0
    for job in await app.job_manager.get_stalled_jobs():
        assert job.id is not None
        try:
            await app.job_manager.retry_job(job)
        except ConnectorException:
            await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        count += 1
    if count:
        log.warning("jobs.rescued", count=count)
    return count


def build_app(database_url: str, transactions: Transactions) -> App:
    """The worker's App with one task per registered job."""
    conninfo = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    connector = PsycopgConnector(
        conninfo=conninfo,
        min_size=1,
        max_size=6,
        configure=_commit_each_statement,
        pool_factory=_pool,
        # What the queue notes of a job (begun, done) need not wait for the disk: when the machine
        # dies and a note is lost, the job is run again, and handlers are safe to run twice. The
        # job itself was written by whoever asked for it, in their own commit.
        kwargs={"options": "-c synchronous_commit=off"},
    )
    app = App(connector=connector)
    for job in JOBS.values():
        _register(app, job, transactions)
    return app


def _pool(**options: Any) -> AsyncConnectionPool[Any]:
    """The queue's connections, asked for a sign of life only after a pause.

    Procrastinate has it asked each time, which doubles the statements of a busy queue.
    """
    return AsyncConnectionPool(**{**options, "check": _check_after_a_pause})


async def _check_after_a_pause(connection: AsyncConnection[Any]) -> None:
    now = time.monotonic()
    if now - _seen_alive.get(connection, 0.0) > PAUSE_SECONDS:
        await AsyncConnectionPool.check_connection(connection)
    _seen_alive[connection] = now


async def _commit_each_statement(connection: AsyncConnection[Any]) -> None:
    """Each statement of the queue is a transaction of its own: spare it BEGIN and COMMIT."""
    await connection.set_autocommit(True)


def _register(app: App, job: Job, transactions: Transactions) -> None:
    retry = RetryStrategy(
        max_attempts=job.attempts - 1, exponential_wait=2
    )  # tries after the first

    # A coroutine: Procrastinate's own way into a thread costs several times as much.
    async def run(timestamp: int = 0, **arguments: Any) -> None:
        del timestamp  # the tick of a job that runs by the clock; handlers ask the clock themselves
        await asyncio.to_thread(handle, job, transactions, **arguments)

    if job.cron is None:
        app.task(name=job.name, retry=retry)(run)
        return
    # One run at a time: a provider that is away makes runs long, and their next ticks would take
    # all the threads there are.
    task = app.task(name=job.name, queueing_lock=job.name, lock=job.name)(run)
    app.periodic(cron=job.cron)(task)


def handle(job: Job, transactions: Transactions, **arguments: Any) -> None:
    """Run one job with its own request id in the logs."""
    request_id = f"job-{new_id().hex[-12:]}"
    with structlog.contextvars.bound_contextvars(request_id=request_id, job=job.name):
        job.handler(replace(transactions, request_id=request_id), **arguments)


async def _beat(transactions: Transactions) -> None:
    await _again(BEAT_SECONDS, "beat", partial(asyncio.to_thread, beat_once, transactions))


def beat_once(transactions: Transactions) -> None:
    """Say that this worker is alive."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    with transactions.begin() as ctx:
        ctx.session.execute(
            insert(WorkerHeartbeat.__table__)
            .values(name=name, at=ctx.now)
            .on_conflict_do_update(index_elements=["name"], set_={"at": ctx.now})
        )
