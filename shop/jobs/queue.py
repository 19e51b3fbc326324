"""Work that must follow a commit is a row in that commit."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import text

from shop.context import Ctx

# Procrastinate's own function, which its Python side calls too. Its App needs ten times as long
# to get there, and asks in a round trip of its own.
DEFERRED = """procrastinate_defer_jobs_v1(ARRAY[ROW(
    'default', CAST(:task AS varchar), CAST(:priority AS integer), NULL, NULL,
    CAST(:arguments AS jsonb), NULL)::procrastinate_job_to_defer_v1])"""
"""An SQL expression that queues a job; the names are those of `deferral`."""

DEFER = text(f"SELECT {DEFERRED}")


def enqueue(ctx: Ctx, name: str, *, priority: int = 0, **arguments: Any) -> None:
    """Run job `name` with JSON `arguments` after this transaction commits; never if it does not."""
    ctx.session.execute(DEFER, deferral(name, priority=priority, **arguments))


def deferral(name: str, *, priority: int = 0, **arguments: Any) -> dict[str, Any]:
    """The values that `DEFERRED` names: for a statement that writes something and queues a job."""
    return {
        "task": name,
        "priority": priority,
        "arguments": orjson.dumps(arguments).decode(),
    }
