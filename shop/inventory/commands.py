"""Every change of stock: a guarded UPDATE and the movement that explains it, in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from models.catalog import Product, Sku
from models.inventory import MovementCause, Stock, StockMovement
from shop import audit
from shop.catalog.cache import refresh_after_commit
from shop.context import Ctx
from shop.errors import Conflict, Invalid, NotFound, Words
from shop.ids import new_id
from shop.inventory.statements import RELEASE, RESERVE, SHIP, TAKE_BACK
from shop.locks import lock_stock

STOCK = Stock.__table__
MOVEMENTS = StockMovement.__table__
SKUS = Sku.__table__
PRODUCTS = Product.__table__
CODE = select(SKUS.c.code).where(SKUS.c.id == STOCK.c.sku_id).scalar_subquery().label("code")

MAX_ON_HAND = 100_000_000
"""More boxes than a county fills in a year: a slip of the hand, not a harvest."""

BY_HAND = frozenset(
    {
        MovementCause.HARVEST,
        MovementCause.PURCHASE,
        MovementCause.COUNT,
        MovementCause.DAMAGE,
        MovementCause.RETURN,
        MovementCause.CORRECTION,
    }
)
"""What a manager may give as the cause; the others belong to orders and to the first stock."""

ONLY_IN = frozenset({MovementCause.HARVEST, MovementCause.PURCHASE, MovementCause.RETURN})
ONLY_OUT = frozenset({MovementCause.DAMAGE})
"""What a cause means for the shelf; a count and a correction go either way."""


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What is there of a SKU and how much of it is promised, in pieces."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """What can still be sold."""
        return self.on_hand - self.reserved


def reserve(ctx: Ctx, order_id: UUID, quantities: Mapping[UUID, int]) -> None:
    """Promise these pieces to an order: all of them or none. Call it last, it takes hot rows.

    Args:
        ctx: the transaction.
        order_id: the order they are promised to.
        quantities: pieces by SKU id.

    Raises:
        Conflict: `out_of_stock`; `short` names every SKU that lacks and what is left of it.
        Invalid: a quantity is not positive.
    """
    lock_stock(ctx.session, quantities)
    taken = _move(ctx, RESERVE, quantities, order_id=order_id)
    if len(taken) != len(quantities):
        raise _out_of_stock(ctx, quantities.keys() - taken)


def release(ctx: Ctx, order_id: UUID, quantities: Mapping[UUID, int]) -> None:
    """Give back what an order had been promised.

    Raises:
        RuntimeError: more than is reserved, a bug.
        Invalid: a quantity is not positive.
    """
    lock_stock(ctx.session, quantities)
    _all(quantities, _move(ctx, RELEASE, quantities, order_id=order_id))


def ship(ctx: Ctx, order_id: UUID, parcel_id: UUID, quantities: Mapping[UUID, int]) -> None:
    """Take promised pieces off the shelf: on hand and reserved both fall.

    Raises:
        RuntimeError: more than is reserved, a bug.
        Invalid: a quantity is not positive.
    """
    lock_stock(ctx.session, quantities)
    _all(quantities, _move(ctx, SHIP, quantities, order_id=order_id, parcel_id=parcel_id))


def take_back(ctx: Ctx, order_id: UUID, quantities: Mapping[UUID, int], note: str) -> None:
    """Put goods that a buyer returned on the shelf again; `note` says on what occasion.

    Raises:
        RuntimeError: a SKU keeps no stock, a bug.
        Invalid: a quantity is not positive.
    """
    lock_stock(ctx.session, quantities)
    _all(quantities, _move(ctx, TAKE_BACK, quantities, order_id=order_id, note=note))
    refresh_after_commit(ctx.session)


def open_stock(ctx: Ctx, on_hand: Mapping[UUID, int]) -> None:
    """Begin the books of new SKUs: pieces by SKU id; 0 is a beginning too."""
    ctx.session.execute(
        insert(STOCK),
        [{"sku_id": sku, "on_hand": pieces, "reserved": 0} for sku, pieces in on_hand.items()],
    )
    first = [
        _movement(ctx, sku, pieces, MovementCause.INITIAL, "")
        for sku, pieces in on_hand.items()
        if pieces
    ]
    if first:
        ctx.session.execute(insert(MOVEMENTS), first)


def adjust(ctx: Ctx, sku_id: UUID, delta: int, cause: MovementCause, note: str) -> StockLevel:
    """Change what is on hand by `delta` pieces, for a reason that a manager gives.

    The caller has made sure that the SKU is the actor's to manage (`catalog.queries`).

    Raises:
        Conflict: `below_reserved`, orders have been promised more than would remain.
        Invalid: nothing changes, no note, or a cause that is not a manager's to give or goes the
            other way.
        NotFound: the SKU keeps no stock.
    """
    _check_adjustment(delta, cause, note)
    row = ctx.session.execute(
        update(STOCK)
        .where(
            STOCK.c.sku_id == sku_id,
            STOCK.c.on_hand + delta >= STOCK.c.reserved,
            STOCK.c.on_hand + delta <= MAX_ON_HAND,
        )
        .values(on_hand=STOCK.c.on_hand + delta)
        .returning(STOCK.c.on_hand, STOCK.c.reserved, CODE)
    ).one_or_none()
    if row is None:
        raise _not_adjusted(ctx, sku_id, delta)
    ctx.session.execute(insert(MOVEMENTS).values(_movement(ctx, sku_id, delta, cause, note)))
    audit.record(
        ctx,
        "stock.adjust",
        "sku",
        row.code,
        before={"on_hand": row.on_hand - delta},
        after={"on_hand": row.on_hand, "cause": cause.value},
        reason=note.strip(),
    )
    refresh_after_commit(ctx.session)
    return StockLevel(row.on_hand, row.reserved)


def _move(
    ctx: Ctx,
    statement: Any,
    quantities: Mapping[UUID, int],
    *,
    order_id: UUID,
    parcel_id: UUID | None = None,
    note: str = "",
) -> set[UUID]:
    if not all(quantity > 0 for quantity in quantities.values()):
        raise Invalid("购买数量须大于零", "A quantity must be positive", code="quantity_invalid")
    rows = ctx.session.execute(
        statement,
        {
            "movements": [new_id() for _ in quantities],
            "skus": list(quantities),
            "quantities": list(quantities.values()),
            "order_id": order_id,
            "parcel_id": parcel_id,
            "actor_id": ctx.actor.user_id,
            "at": ctx.now,
            "note": note,
        },
    )
    return set(rows.scalars())


def _all(wanted: Mapping[UUID, int], moved: set[UUID]) -> None:
    if len(moved) != len(wanted):
        raise RuntimeError("stock that was not reserved cannot be released or shipped")


def _out_of_stock(ctx: Ctx, missing: set[UUID]) -> Conflict:
    """Names what lacks. Read after the guard refused: the rows are locked, or it was one row."""
    rows = ctx.session.execute(
        select(
            SKUS.c.id,
            SKUS.c.code,
            SKUS.c.name,
            PRODUCTS.c.name.label("product"),
            PRODUCTS.c.name_en,
            (STOCK.c.on_hand - STOCK.c.reserved).label("available"),
        )
        .select_from(SKUS)
        .join(PRODUCTS, PRODUCTS.c.id == SKUS.c.product_id)
        .outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)
        .where(SKUS.c.id.in_(missing))
        .order_by(SKUS.c.code)
    ).all()
    zh = "、".join(f"{row.product} {row.name}（剩 {row.available or 0} 件）" for row in rows)
    en = ", ".join(f"{row.name_en} {row.code} ({row.available or 0} left)" for row in rows)
    return Conflict(
        f"库存不足：{zh}",
        f"Not enough in stock: {en}",
        code="out_of_stock",
        short=[{"sku": row.code, "available": row.available or 0} for row in rows],
    )


def _check_adjustment(delta: int, cause: MovementCause, note: str) -> None:
    if delta == 0:
        raise Invalid(
            "数量没有变化", "Nothing changes", fields={"delta": [Words("不能为零", "Not zero")]}
        )
    if cause not in BY_HAND:
        raise Invalid(
            "请选择调整原因",
            "Not a cause to give",
            fields={"cause": [Words("不可选", "Not yours to give")]},
        )
    if (cause in ONLY_IN and delta < 0) or (cause in ONLY_OUT and delta > 0):
        raise Invalid(
            "采收、采购和退货只能入库，损耗只能出库",
            "A harvest, a purchase and a return add to the stock; damage takes away from it",
            fields={"delta": [Words("方向与原因不符", "Not the way of this cause")]},
        )
    if not note.strip():
        raise Invalid(
            "请填写说明", "A note is needed", fields={"note": [Words("不能为空", "Say why")]}
        )


def _not_adjusted(ctx: Ctx, sku_id: UUID, delta: int) -> Exception:
    row = ctx.session.execute(
        select(STOCK.c.on_hand, STOCK.c.reserved).where(STOCK.c.sku_id == sku_id)
    ).one_or_none()
    if row is None:
        return NotFound()
    if delta > 0:
        return Invalid(
            "库存数量过大",
            "That is more than we can count",
            fields={"delta": [Words("数量过大", "Too many")]},
        )
    return Conflict(
        f"已有 {row.reserved} 件被订单占用，库存不能低于此数",
        f"{row.reserved} pieces are promised to orders; stock cannot fall below that",
        code="below_reserved",
        on_hand=row.on_hand,
        reserved=row.reserved,
    )


def _movement(
    ctx: Ctx, sku_id: UUID, delta: int, cause: MovementCause, note: str
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "sku_id": sku_id,
        "on_hand_delta": delta,
        "reserved_delta": 0,
        "cause": cause,
        "actor_id": ctx.actor.user_id,
        "note": note.strip(),
        "at": ctx.now,
    }
