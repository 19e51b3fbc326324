"""Work that must follow a commit is a row in that commit."""

from __future__ import annotations

from typing import Any

from procrastinate import App, SyncPsycopgConnector

from shop.context import Ctx

# This App only writes rows, on the caller's own connection; its connector is never opened.
# The worker has an App of its own (an App defers through whichever connector it opened last).
_deferring = App(connector=SyncPsycopgConnector())


def enqueue(ctx: Ctx, name: str, *, priority: int = 0, **arguments: Any) -> None:
    """Run job `name` with JSON `arguments` after this transaction commits; never if it does not."""
    connection = ctx.session.connection().connection.driver_connection
    _deferring.configure_task(name, connection=connection, priority=priority).defer(**arguments)
