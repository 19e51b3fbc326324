"""What has changed in the catalogue since somebody last asked: one small statement.

A movement's key begins with the time at which it was made, so "since" is a range of the primary
key. But a transaction may commit long after it made its movements; a reader who only asked for
keys later than its last question would miss them. The floor of a question therefore moves on only
when every transaction that was under way at some earlier question has ended. (The question takes
a transaction number of its own to know which those are: a snapshot's `xmax` stands behind the
last one that has *ended*, so it does not tell how many are under way.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models.catalog import CatalogVersion, Sku
from models.inventory import Stock, StockMovement
from shop.ids import MAX_CLOCK_OVERLAP, id_floor
from shop.session import Session

SKUS = Sku.__table__
STOCK = Stock.__table__
MOVEMENTS = StockMovement.__table__
VERSION = CatalogVersion.__table__

SKEW = timedelta(seconds=2)
"""How far the clocks of our machines may be apart; keys are made by the one that writes."""

Levels = tuple[int, ...]
"""Pieces that can be sold of each SKU on offer, in their order."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has read; opaque to everybody else."""

    floor: datetime
    waiting_since: datetime
    waiting_for: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The catalogue's version, and the levels of every product whose stock may have moved."""

    version: int
    levels: dict[UUID, Levels]
    position: Position


def _number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(cast(xid, Text), BigInteger)


_moved = (
    select(SKUS.c.product_id)
    .join(MOVEMENTS, MOVEMENTS.c.sku_id == SKUS.c.id)
    .where(MOVEMENTS.c.id >= bindparam("floor", type_=Uuid))
    .distinct()
)
_levels = (
    select(
        SKUS.c.product_id,
        func.array_agg(
            aggregate_order_by(
                func.coalesce(STOCK.c.on_hand - STOCK.c.reserved, 0), SKUS.c.position, SKUS.c.id
            )
        ).label("levels"),
    )
    .outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)
    .where(SKUS.c.active, SKUS.c.product_id.in_(_moved))
    .group_by(SKUS.c.product_id)
    .subquery("levels")
)
CHANGES = (
    select(
        VERSION.c.version,
        _number(func.pg_snapshot_xmin(func.pg_current_snapshot())).label("oldest_running"),
        _number(func.pg_current_xact_id()).label("own"),
        _levels.c.product_id,
        _levels.c.levels,
    )
    .select_from(VERSION)
    .outerjoin(_levels, true())
)


def changes(session: Session, now: datetime, position: Position | None) -> Changes:
    """What may have changed since `position` (None: from the beginning, so nothing has).

    Args:
        session: an open transaction.
        now: the machine's time, not a test's: it is held against the movements' keys.
        position: what the previous answer gave.
    """
    since = position.floor if position else now
    rows = session.execute(CHANGES, {"floor": id_floor(since)}).all()
    first = rows[0]
    return Changes(
        version=first.version,
        levels={row.product_id: tuple(row.levels) for row in rows if row.product_id is not None},
        position=_next(position, now, first.oldest_running, first.own),
    )


def _next(position: Position | None, now: datetime, oldest: int, own: int) -> Position:
    if position is None:
        return Position(now - MAX_CLOCK_OVERLAP, now, own)
    if oldest < position.waiting_for:
        return position
    return Position(max(position.floor, position.waiting_since - SKEW), now, own)
