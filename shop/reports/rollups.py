"""Roll-ups: answers worked out in the background, so that a report reads cells and a short tail.

A question is noted when somebody asks it; what nobody asks costs nothing. The worker works the
answer out up to a horizon: the oldest transaction that still runs. Whatever was written below it
is committed or gone for good, so an entry is in the roll-up exactly when its transaction lies
below, in whatever order transactions commit; a report adds what lies above. Nobody waits: a writer
of entries knows nothing of roll-ups.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    Text,
    Uuid,
    cast,
    column,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import array, insert

from models.aid import AidEntry, AidRollup, AidRollupCell
from shop.context import Ctx
from shop.ids import new_id
from shop.reports.definitions import MEASURES
from shop.reports.figures import COLUMNS, places, to_add
from shop.reports.rules import SalesQuery, asked, query_of, question

ENTRIES = AidEntry.__table__
ROLLUPS, CELLS = AidRollup.__table__, AidRollupCell.__table__

KEPT = timedelta(days=30)
"""Who asks for a figure every month finds it worked out."""

MOST_QUESTIONS = 500
"""Of more, those asked for longest ago are forgotten."""

NOTED_AGAIN = timedelta(minutes=10)
"""How precisely we know when a question was last asked: not worth a write each time."""

IN_USE = timedelta(hours=1)
SHORT_TAIL, LONG_TAIL = 200, 5_000
"""Entries above the horizon from which on it moves: of a question in use, and of any.

200 entries take some milliseconds to add to an answer, 5,000 some tenths of a second.
"""

MEMORY = "64MB"
PATIENCE_MS = 60_000
"""Summing a million entries takes seconds and, done in memory, 50 MB; once for each question."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A roll-up, and the horizon below which it holds every entry."""

    rollup: UUID
    horizon: int


def find(ctx: Ctx, query: SalesQuery) -> Stand | None:
    """Where the roll-up for a question stands, if there is one; notes that it was asked for."""
    row = ctx.session.execute(
        select(ROLLUPS.c.id, ROLLUPS.c.horizon, ROLLUPS.c.asked_at).where(
            ROLLUPS.c.key == _key(query),
            ROLLUPS.c.horizon.is_not(None),
            ROLLUPS.c.cluster == _cluster(),
        )
    ).one_or_none()
    if row is None:
        return None
    if ctx.now - row.asked_at > NOTED_AGAIN:
        free = select(ROLLUPS.c.id).where(ROLLUPS.c.id == row.id)
        _write(
            ctx,
            update(ROLLUPS)
            .where(ROLLUPS.c.id.in_(free.with_for_update(skip_locked=True)))
            .values(asked_at=ctx.now),
        )
    return Stand(row.id, row.horizon)


def note(ctx: Ctx, query: SalesQuery) -> None:
    """Write a question down for the worker."""
    _write(
        ctx,
        insert(ROLLUPS)
        .values(id=new_id(), key=_key(query), question=question(query), asked_at=ctx.now)
        .on_conflict_do_nothing(index_elements=["key"]),
    )


def take_time(ctx: Ctx) -> None:
    """Let this transaction sum up everything there is: more memory, more time, no compiler."""
    settings = {"work_mem": MEMORY, "statement_timeout": str(PATIENCE_MS), "jit": "off"}
    ctx.session.execute(
        select(*(func.set_config(name, value, True) for name, value in settings.items()))  # noqa: FBT003
    )


def due(ctx: Ctx) -> list[tuple[UUID, bool]]:
    """The roll-ups to bring up: not made yet, made elsewhere, or with too long a tail.

    True stands beside those that somebody waits for; they come first.
    """
    in_use = ROLLUPS.c.asked_at > ctx.now - IN_USE
    waited_for = or_(
        ROLLUPS.c.horizon.is_(None),
        ROLLUPS.c.cluster != _cluster(),
        in_use & (ROLLUPS.c.horizon <= _from_the_end(SHORT_TAIL)),
    )
    rows = ctx.session.execute(
        select(ROLLUPS.c.id, func.coalesce(waited_for, false()).label("waited_for"))
        .where(or_(waited_for, ROLLUPS.c.horizon <= _from_the_end(LONG_TAIL)))
        .order_by(text("waited_for DESC"), ROLLUPS.c.asked_at.desc())
    )
    return [(row.id, row.waited_for) for row in rows]


def bring_up(ctx: Ctx, rollup_id: UUID) -> bool:
    """Move a roll-up to the horizon of this moment; False when another worker is at it.

    Its cells and its horizon change together, so that whoever reads sees both as they were or
    both as they are.
    """
    row = _claimed(ctx, rollup_id)
    if row is None:
        return False
    since = row.horizon if row.cluster == row.ours else None
    below = ctx.session.execute(select(_running())).scalar_one()
    if since is None:
        ctx.session.execute(delete(CELLS).where(CELLS.c.rollup_id == rollup_id))
    elif since >= below:
        return True
    take_time(ctx)
    ctx.session.execute(_adding(rollup_id, query_of(row.question), since, below))
    ctx.session.execute(
        update(ROLLUPS).where(ROLLUPS.c.id == rollup_id).values(horizon=below, cluster=row.ours)
    )
    return True


def _claimed(ctx: Ctx, rollup_id: UUID) -> Any:
    """The roll-up's row, locked against other workers; None when one of them has it."""
    return ctx.session.execute(
        select(ROLLUPS.c.question, ROLLUPS.c.horizon, ROLLUPS.c.cluster, _cluster().label("ours"))
        .where(ROLLUPS.c.id == rollup_id)
        .with_for_update(skip_locked=True, key_share=True)
    ).one_or_none()


def forget(ctx: Ctx) -> int:
    """Delete the roll-ups that nobody has asked for in a month, or that are too many."""
    latest = select(ROLLUPS.c.id).order_by(ROLLUPS.c.asked_at.desc()).limit(MOST_QUESTIONS)
    gone = ctx.session.execute(
        delete(ROLLUPS)
        .where(or_(ROLLUPS.c.asked_at < ctx.now - KEPT, ROLLUPS.c.id.not_in(latest)))
        .returning(ROLLUPS.c.id)
    )
    return len(gone.all())


def start_over(ctx: Ctx) -> int:
    """Empty every roll-up, so that each is worked out from the entries again; how many there are.

    Entries that another server wrote bear its transactions' numbers, and as long as ours are lower
    they would all count as new. They get a number below every horizon.
    """
    take_time(ctx)
    foreign = select(ENTRIES.c.id).where(ENTRIES.c.xid >= _to_come()).limit(1)
    if ctx.session.execute(foreign).first():
        ctx.session.execute(text("ALTER TABLE aid_entry ALTER COLUMN xid TYPE bigint USING 0"))
    emptied = ctx.session.execute(
        update(ROLLUPS).values(horizon=None, cluster=None).returning(ROLLUPS.c.id)
    )
    return len(emptied.all())


def _adding(rollup_id: UUID, query: SalesQuery, since: int | None, below: int) -> Any:
    lacking = to_add(query, anew=since is None).params(since=since, below=below)
    cells = lacking.subquery("lacking")
    adding = insert(CELLS).from_select(
        ["rollup_id", *COLUMNS],
        select(literal(rollup_id, Uuid), *(cells.c[name] for name in COLUMNS)),
    )
    new = adding.excluded
    names = [func.greatest(CELLS.c.names[place], new.names[place]) for place in places(query)]
    return adding.on_conflict_do_update(
        index_elements=["rollup_id", "codes"],
        set_={name: CELLS.c[name] + new[name] for name in MEASURES}
        | {"names": cast(array(names), ARRAY(Text)), "rule_sets": func.array(_united(new))},
    )


def _united(new: Any) -> Any:
    every = func.unnest(CELLS.c.rule_sets + new.rule_sets).column_valued("code")
    return select(every).distinct().order_by(every).scalar_subquery()


def _write(ctx: Ctx, statement: Executable) -> None:
    """Now, or once the snapshot is over in which the question was asked.

    In one that could write, two who ask the same question would fail each other.
    """
    if ctx.afterwards is None:
        ctx.session.execute(statement)
    else:
        ctx.afterwards.append(statement)


def _key(query: SalesQuery) -> str:
    return hashlib.sha256(asked(query).encode()).hexdigest()


def _from_the_end(place: int) -> Any:
    """The transaction of the entry that has `place` - 1 later ones."""
    xid = ENTRIES.c.xid
    return select(xid).order_by(xid.desc()).offset(place - 1).limit(1).scalar_subquery()


def _running() -> ColumnElement[int]:
    """The oldest transaction that has not ended yet: all below are committed or gone."""
    return _number(func.pg_snapshot_xmin(func.pg_current_snapshot()))


def _to_come() -> ColumnElement[int]:
    """The first transaction that has not begun yet."""
    return _number(func.pg_snapshot_xmax(func.pg_current_snapshot()))


def _number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(cast(xid, Text), BigInteger)


def _cluster() -> Any:
    control = func.pg_control_system().table_valued(column("system_identifier", BigInteger))
    return select(control.c.system_identifier).scalar_subquery()
