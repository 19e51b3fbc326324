"""State machines: a table per noun, and one function that moves a row along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.sql.schema import Table

from models.orders import OrderEvent
from shop.bulk import inserting
from shop.context import Ctx
from shop.errors import Conflict, NotFound
from shop.ids import new_id

EVENTS: Table = OrderEvent.__table__
WRITE_EVENTS = inserting(EVENTS)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Machine:
    """The states of one noun: (state, event) -> state. Printed into `docs/states.md`."""

    subject: str
    table: Table
    states: type[StrEnum]
    transitions: Mapping[tuple[StrEnum, str], StrEnum]

    def targets(self, event: str) -> frozenset[StrEnum]:
        """Every state that `event` can lead to."""
        return frozenset(to for (_, name), to in self.transitions.items() if name == event)


@dataclass(frozen=True, slots=True)
class Moved:
    """What `fire` did. `changed` is False when the row was already where the event leads."""

    before: StrEnum
    after: StrEnum

    @property
    def changed(self) -> bool:
        """Whether the row moved."""
        return self.before != self.after


def decide(machine: Machine, state: StrEnum, event: str) -> StrEnum:
    """The state after `event`; the same state when the event leads to where we are.

    Raises:
        Conflict: the event does not lead anywhere from here.
        ValueError: nobody knows the event, a bug.
    """
    targets = machine.targets(event)
    if not targets:
        raise ValueError(f"{machine.subject} knows no event {event!r}")
    after = machine.transitions.get((state, event))
    if after is not None:
        return after
    if state in targets:
        return state
    raise Conflict(
        code=f"{machine.subject}_{state}",
        zh="当前状态不允许此操作",
        en=f"This is not possible while the {machine.subject} is {state.replace('_', ' ')}",
        state=str(state),
    )


def fire(
    ctx: Ctx,
    machine: Machine,
    row_id: UUID,
    order_id: UUID,
    event: str,
    *,
    why: str = "",
    values: Mapping[str, Any] | None = None,
) -> Moved:
    """Lock the row, look the event up, set the new state and `values`, append the event.

    Raises:
        NotFound, Conflict: see `decide`.
    """
    table = machine.table
    found = ctx.session.execute(
        select(table.c.state).where(table.c.id == row_id).with_for_update()
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return move_locked(ctx, machine, row_id, order_id, found, event, why=why, values=values)


def move_locked(
    ctx: Ctx,
    machine: Machine,
    row_id: UUID,
    order_id: UUID,
    state: StrEnum,
    event: str,
    *,
    why: str = "",
    values: Mapping[str, Any] | None = None,
) -> Moved:
    """`fire` for a row that the caller has locked already and whose state it read."""
    after = decide(machine, state, event)
    moved = Moved(state, after)
    if moved.changed:
        told = event_row(ctx, machine.subject, row_id, order_id, event, state, after, why=why)
        changes = {"row_id": row_id, "state": after, **(values or {})}
        ctx.session.execute(_one_of(machine.table), {**changes, EVENTS.name: [told]})
    return moved


@cache
def _one_of(table: Table) -> Update:
    """The statement that sets, of one row, the columns it is executed with, and tells of it."""
    one = update(table).where(table.c.id == bindparam("row_id"))
    return one.add_cte(WRITE_EVENTS.cte("told"))


def append(
    ctx: Ctx,
    subject: str,
    row_id: UUID,
    order_id: UUID,
    event: str,
    before: str | None,
    after: str,
    *,
    why: str = "",
) -> None:
    """Write one line of the timeline."""
    append_rows(ctx, [event_row(ctx, subject, row_id, order_id, event, before, after, why=why)])


def append_rows(ctx: Ctx, rows: Sequence[Row]) -> None:
    """Write several lines of the timeline (`event_row`) by one statement."""
    if rows:
        ctx.session.execute(WRITE_EVENTS, {EVENTS.name: list(rows)})


def event_row(
    ctx: Ctx,
    subject: str,
    row_id: UUID,
    order_id: UUID,
    event: str,
    before: str | None,
    after: str,
    *,
    why: str = "",
) -> Row:
    """One line of the timeline as values, for writing several at once."""
    return {
        "id": new_id(),
        "order_id": order_id,
        "subject": subject,
        "subject_id": row_id,
        "event": event,
        "from_state": before,
        "to_state": after,
        "actor_id": ctx.actor.user_id,
        "why": why,
        "at": ctx.now,
    }
