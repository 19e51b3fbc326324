"""Reading what does not agree, and the runs that found it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from models.identity import User
from models.orders import Order
from models.reconciliation import Difference, DifferenceState, Reconciliation, Side
from shop.context import Ctx
from shop.errors import NotFound

DIFFERENCES, RUNS = Difference.__table__, Reconciliation.__table__
ORDERS, USERS = Order.__table__, User.__table__

Row = dict[str, Any]

MOST = 500
"""Differences that a run shows; a day with more of them has another trouble than each of these."""

SHOWN = (
    select(
        DIFFERENCES.c.id,
        DIFFERENCES.c.side,
        DIFFERENCES.c.kind,
        DIFFERENCES.c.reference,
        DIFFERENCES.c.day,
        DIFFERENCES.c.theirs_fen,
        DIFFERENCES.c.ours_fen,
        DIFFERENCES.c.payment_id,
        DIFFERENCES.c.state,
        DIFFERENCES.c.detail,
        DIFFERENCES.c.opened_at,
        DIFFERENCES.c.closed_at,
        DIFFERENCES.c.explanation,
        ORDERS.c.number.label("order_number"),
        USERS.c.name.label("closed_by"),
    )
    .outerjoin(ORDERS, ORDERS.c.id == DIFFERENCES.c.order_id)
    .outerjoin(USERS, USERS.c.id == DIFFERENCES.c.closed_by)
)
RUNS_SHOWN = select(
    RUNS.c.id,
    RUNS.c.side,
    RUNS.c.day,
    RUNS.c.lines,
    RUNS.c.theirs_fen,
    RUNS.c.ours_fen,
    RUNS.c.open_differences,
    RUNS.c.sums,
    RUNS.c.ran_at,
    USERS.c.name.label("ran_by"),
).outerjoin(USERS, USERS.c.id == RUNS.c.ran_by)


def differences(
    ctx: Ctx,
    *,
    state: DifferenceState | None = None,
    side: Side | None = None,
    day: date | None = None,
    before: UUID | None = None,
    limit: int = 24,
) -> list[Row]:
    """Differences, newest first; `before` is the key of the last one already read."""
    wanted = []
    if state is not None:
        wanted.append(DIFFERENCES.c.state == state)
    if side is not None:
        wanted.append(DIFFERENCES.c.side == side)
    if day is not None:
        wanted.append(DIFFERENCES.c.day == day)
    if before is not None:
        wanted.append(DIFFERENCES.c.id < before)
    rows = ctx.session.execute(SHOWN.where(*wanted).order_by(DIFFERENCES.c.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


def difference(ctx: Ctx, difference_id: UUID) -> Row:
    """One difference.

    Raises:
        NotFound: there is none with this key.
    """
    found = ctx.session.execute(SHOWN.where(DIFFERENCES.c.id == difference_id)).mappings().first()
    if found is None:
        raise NotFound("没有找到这笔差异", "There is no such difference")
    return dict(found)


def open_count(ctx: Ctx) -> int:
    """How many differences wait for somebody."""
    found: int = ctx.session.execute(
        select(func.count())
        .select_from(DIFFERENCES)
        .where(DIFFERENCES.c.state == DifferenceState.OPEN)
    ).scalar_one()
    return found


def runs(
    ctx: Ctx,
    *,
    side: Side | None = None,
    day: date | None = None,
    after: tuple[date, UUID] | None = None,
    limit: int = 24,
) -> list[Row]:
    """Runs, the newest day first and of a day the newest run.

    `after` is the (`day`, `id`) of the last one already read.
    """
    wanted = []
    if side is not None:
        wanted.append(RUNS.c.side == side)
    if day is not None:
        wanted.append(RUNS.c.day == day)
    if after is not None:
        wanted.append(tuple_(RUNS.c.day, RUNS.c.id) < tuple_(*after))
    rows = ctx.session.execute(
        RUNS_SHOWN.where(*wanted).order_by(RUNS.c.day.desc(), RUNS.c.id.desc()).limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def run(ctx: Ctx, run_id: UUID) -> Row:
    """One run.

    Raises:
        NotFound: there is none with this key.
    """
    found = ctx.session.execute(RUNS_SHOWN.where(RUNS.c.id == run_id)).mappings().first()
    if found is None:
        raise NotFound("没有找到这次对账", "There is no such reconciliation")
    return dict(found)


def whole_run(ctx: Ctx, run_id: UUID) -> Row:
    """One run with `differences`: those of its side and day, whatever became of them.

    Raises:
        NotFound: there is none with this key.
    """
    found = run(ctx, run_id)
    return {
        **found,
        "differences": differences(ctx, side=found["side"], day=found["day"], limit=MOST),
    }
