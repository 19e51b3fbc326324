"""Looking into the queue and the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from models.payments import ProviderEventOutcome
from shop.context import Transactions


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
