"""The statements that move stock: each changes the rows its guard lets pass and explains them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Uuid, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from models.inventory import MovementCause, Stock, StockMovement

STOCK = Stock.__table__
MOVEMENTS = StockMovement.__table__

WANTED = (
    func.unnest(
        bindparam("movements", type_=ARRAY(Uuid)),
        bindparam("skus", type_=ARRAY(Uuid)),
        bindparam("quantities", type_=ARRAY(BigInteger)),
    )
    .table_valued("movement_id", "sku_id", "quantity")
    .render_derived()
)


def moving(cause: MovementCause, guard: Any, *, on_hand: int, reserved: int) -> Any:
    """The statement that changes all rows the guard lets pass and returns their SKUs."""
    changed = (
        update(STOCK)
        .where(STOCK.c.sku_id == WANTED.c.sku_id, guard)
        .values(
            on_hand=STOCK.c.on_hand + on_hand * WANTED.c.quantity,
            reserved=STOCK.c.reserved + reserved * WANTED.c.quantity,
        )
        .returning(WANTED.c.movement_id, STOCK.c.sku_id, WANTED.c.quantity)
        .cte("changed")
    )
    return (
        insert(MOVEMENTS)
        .from_select(
            [
                "id",
                "sku_id",
                "on_hand_delta",
                "reserved_delta",
                "cause",
                "order_id",
                "parcel_id",
                "actor_id",
                "note",
                "at",
            ],
            select(
                changed.c.movement_id,
                changed.c.sku_id,
                on_hand * changed.c.quantity,
                reserved * changed.c.quantity,
                bindparam("cause", cause, type_=MOVEMENTS.c.cause.type),
                bindparam("order_id", type_=Uuid),
                bindparam("parcel_id", type_=Uuid),
                bindparam("actor_id", type_=Uuid),
                bindparam("note", "", type_=MOVEMENTS.c.note.type),
                bindparam("at", type_=MOVEMENTS.c.at.type),
            ),
            include_defaults=False,
        )
        .returning(MOVEMENTS.c.sku_id)
    )


RESERVE = moving(
    MovementCause.RESERVE,
    STOCK.c.on_hand - STOCK.c.reserved >= WANTED.c.quantity,
    on_hand=0,
    reserved=1,
)
RELEASE = moving(
    MovementCause.RELEASE, STOCK.c.reserved >= WANTED.c.quantity, on_hand=0, reserved=-1
)
SHIP = moving(MovementCause.SHIP, STOCK.c.reserved >= WANTED.c.quantity, on_hand=-1, reserved=-1)
TAKE_BACK = moving(MovementCause.RETURN, STOCK.c.on_hand >= 0, on_hand=1, reserved=0)
