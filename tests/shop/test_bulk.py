"""Rows that go to PostgreSQL as one JSON value arrive as what they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from models.inventory import MovementCause, Stock, StockMovement
from models.orders import OrderEvent, OrderState
from shop.bulk import inserting
from shop.ids import new_id
from shop.machine import append_rows, event_row, move_locked
from shop.orders.commands import place_order
from shop.orders.queries import state_of
from shop.orders.states import ORDER
from tests.conftest import counted
from tests.shop.test_orders_place import WISH

EVENTS, MOVEMENTS, STOCK = OrderEvent.__table__, StockMovement.__table__, Stock.__table__


@pytest.fixture
def placed_order(ctx):
    return place_order(ctx, WISH).id


TEXTS = ["", 'it\'s "quoted"', "反斜杠\\ 和 \u202e 倒写", "🍵\n\t", "%(name)s :name $1 {}", "null"]
SHANGHAI = timezone(timedelta(hours=8))


def movement(ctx, **values):
    sku = ctx.session.execute(select(STOCK.c.sku_id).order_by(STOCK.c.sku_id)).scalars().first()
    return {
        "id": new_id(),
        "sku_id": sku,
        "on_hand_delta": -3,
        "reserved_delta": 2**40,
        "cause": MovementCause.COUNT,
        "order_id": None,
        "parcel_id": None,
        "actor_id": None,
        "note": "",
        "at": datetime(2026, 2, 28, 23, 59, 59, 999999, SHANGHAI),
        **values,
    }


def test_every_kind_of_value_arrives_as_it_was(ctx):
    rows = [movement(ctx, note=text) for text in TEXTS]
    for _ in range(3):  # built, remembered, prepared
        again = [{**row, "id": new_id()} for row in rows]
        ctx.session.execute(inserting(MOVEMENTS), {"stock_movement": again})
        keys = [row["id"] for row in again]
        stored = ctx.session.execute(
            select(MOVEMENTS).where(MOVEMENTS.c.id.in_(keys)).order_by(MOVEMENTS.c.id)
        )
        assert [dict(row) for row in stored.mappings()] == again


def test_a_row_that_lacks_what_it_needs_is_refused_and_none_is_written(ctx):
    rows = [movement(ctx), {**movement(ctx), "at": None}]
    with pytest.raises(IntegrityError), ctx.session.begin_nested():
        ctx.session.execute(inserting(MOVEMENTS), {"stock_movement": rows})
    keys = [row["id"] for row in rows]
    found = ctx.session.execute(select(MOVEMENTS.c.id).where(MOVEMENTS.c.id.in_(keys)))
    assert found.all() == []


def test_what_is_left_out_takes_its_default(ctx):
    sku = ctx.session.execute(select(STOCK.c.sku_id)).scalars().first()
    write = inserting(STOCK, "reserved").returning(STOCK.c.on_hand, STOCK.c.reserved)
    for _ in range(3):
        ctx.session.execute(delete(STOCK).where(STOCK.c.sku_id == sku))
        written = ctx.session.execute(write, {"stock": [{"sku_id": sku, "on_hand": 5}]})
        assert tuple(written.one()) == (5, 0)


def line(ctx, order, event):
    return event_row(ctx, "order", order, order, event, None, "paid", why=event)


def events(ctx, order):
    found = ctx.session.execute(
        select(EVENTS.c.event, EVENTS.c.at).where(EVENTS.c.order_id == order).order_by(EVENTS.c.id)
    )
    return [tuple(row) for row in found]


def test_lines_of_a_timeline_are_written_by_one_statement(ctx, worker_database, placed_order):
    order, before = placed_order, events(ctx, placed_order)
    ctx.now = datetime(2026, 3, 1, tzinfo=UTC)
    with counted(worker_database) as issued:
        append_rows(ctx, [])
        assert issued == []
        append_rows(ctx, [line(ctx, order, name) for name in ("one", "two", "three")])
    assert len(issued) == 1
    assert events(ctx, order) == [*before, *((name, ctx.now) for name in ("one", "two", "three"))]


def test_a_transition_and_its_line_are_one_statement(ctx, worker_database, placed_order):
    before = events(ctx, placed_order)
    with counted(worker_database) as issued:
        moved = move_locked(
            ctx,
            ORDER,
            placed_order,
            placed_order,
            OrderState.PENDING_PAYMENT,
            "pay",
            values={"paid_at": ctx.now},
        )
    assert (moved.changed, len(issued)) == (True, 1)
    assert [name for name, _ in events(ctx, placed_order)] == [*(name for name, _ in before), "pay"]
    assert state_of(ctx, placed_order) is OrderState.PAID
