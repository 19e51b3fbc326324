"""Reading stock and its movements."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from models.identity import User
from models.inventory import MovementCause, Stock, StockMovement
from models.orders import Order
from shop.inventory.commands import StockLevel
from shop.session import Session

STOCK = Stock.__table__
MOVEMENTS = StockMovement.__table__
ORDERS = Order.__table__
USERS = User.__table__

BY_BUYERS = frozenset({MovementCause.RESERVE, MovementCause.RELEASE})
"""Movements that a buyer sets off: a cooperative is not told who."""


def level(session: Session, sku_id: UUID) -> StockLevel:
    """What is there of a SKU and how much of it is promised; nothing where none is kept."""
    row = session.execute(
        select(STOCK.c.on_hand, STOCK.c.reserved).where(STOCK.c.sku_id == sku_id)
    ).one_or_none()
    return StockLevel(row.on_hand, row.reserved) if row else StockLevel(0, 0)


def movements(
    session: Session,
    sku_id: UUID,
    *,
    limit: int,
    before: UUID | None = None,
) -> tuple[list[Any], UUID | None]:
    """A SKU's movements, the latest first, and where the next page begins (None on the last).

    `actor` is the name of who moved the goods; None for the system and for every buyer.
    """
    statement = (
        select(
            MOVEMENTS.c.id,
            MOVEMENTS.c.at,
            MOVEMENTS.c.on_hand_delta,
            MOVEMENTS.c.reserved_delta,
            MOVEMENTS.c.cause,
            MOVEMENTS.c.note,
            ORDERS.c.number.label("order_number"),
            USERS.c.name.label("actor"),
        )
        .outerjoin(ORDERS, ORDERS.c.id == MOVEMENTS.c.order_id)
        .outerjoin(
            USERS, and_(USERS.c.id == MOVEMENTS.c.actor_id, MOVEMENTS.c.cause.not_in(BY_BUYERS))
        )
        .where(MOVEMENTS.c.sku_id == sku_id)
        .order_by(MOVEMENTS.c.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(MOVEMENTS.c.id < before)
    rows = list(session.execute(statement).all())
    return rows[:limit], (rows[limit - 1].id if len(rows) > limit else None)
