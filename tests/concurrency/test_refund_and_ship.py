"""Two at once: two refunds of one line, two parcels with the same pieces."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from models.aid import AidEntry
from models.fulfilment import ParcelLine
from models.inventory import Stock
from shop.aid import commands
from shop.context import Ctx, Transactions
from shop.fulfilment.commands import ShipParcel, ship_parcel
from tests.aid_factories import part, refund, sell
from tests.concurrency.conftest import ROW_LOCKS
from tests.conftest import acting
from tests.fulfilment_factories import paid

pytestmark = pytest.mark.race


def alone(transactions: Transactions, move: Callable[[Ctx], Any]) -> Callable[[], Any]:
    """A move in a transaction of its own."""

    def run() -> Any:
        with transactions.begin() as ctx:
            return move(ctx)

    return run


def outcomes(results: list[Any]) -> list[str]:
    return sorted(one.error_code if isinstance(one, Exception) else "done" for one in results)


def refund_60_percent(line: Any) -> Callable[[Ctx], Any]:
    return lambda ctx: refund(ctx, line, "2026-02-04T10:00:00", 6_000)


@pytest.mark.parametrize("_round", range(5))
def test_of_two_refunds_of_60_percent_one_wins(
    transactions: Transactions, together: Any, _round: int
) -> None:
    with transactions.begin() as ctx:
        line = sell(ctx, "2026-02-03T10:00:00", part(fen=10_000)).line
    ends = outcomes(together(*[alone(transactions, refund_60_percent(line))] * 2))
    assert ends == ["done", "refund_exceeds_sale"]
    with transactions.begin() as ctx:
        left = ctx.session.execute(select(func.sum(AidEntry.goods_fen))).scalar_one()
    assert left == 4_000


def test_control_without_the_lock_both_refunds_pass(
    transactions: Transactions, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by_both = Barrier(2)
    left = commands._left

    def unlocked(ctx: Ctx, line_id: Any) -> Any:
        found = left(ctx, line_id)
        read_by_both.wait(timeout=5)
        return found

    monkeypatch.setattr(commands, "_left", unlocked)
    monkeypatch.setattr("sqlalchemy.sql.selectable.Select.with_for_update", lambda self, **_: self)
    with transactions.begin() as ctx:
        line = sell(ctx, "2026-02-03T10:00:00", part(fen=10_000)).line
    ends = outcomes(together(*[alone(transactions, refund_60_percent(line))] * 2))
    assert ends == ["done", "done"]


def shipped_twice(transactions: Transactions, together: Any) -> list[str]:
    """Two parcels, each with everything of one consignment, are handed over at once."""
    with transactions.begin() as ctx:
        number = f"{paid(ctx)}-1"
        paid(ctx)  # whose pieces would be taken instead

    def ship(tracking_no: str) -> Callable[[], Any]:
        parcel = ShipParcel("zhongtong", tracking_no)
        return alone(transactions, lambda ctx: ship_parcel(acting(ctx, "bob"), number, parcel))

    return outcomes(together(ship("ZT0001"), ship("ZT0002")))


def pieces(transactions: Transactions) -> tuple[int, int]:
    """(in parcels, on hand)."""
    with transactions.begin() as ctx:
        packed = select(func.coalesce(func.sum(ParcelLine.quantity), 0))
        on_hand = select(func.sum(Stock.on_hand))
        return ctx.session.execute(packed).scalar_one(), ctx.session.execute(on_hand).scalar_one()


@pytest.mark.parametrize("_round", range(3))
def test_of_two_parcels_with_the_same_pieces_one_leaves(
    transactions: Transactions, together: Any, _round: int
) -> None:
    _, stock = pieces(transactions)
    assert shipped_twice(transactions, together) == ["consignment_shipped", "done"]
    assert pieces(transactions) == (3, stock - 3)


def test_control_without_the_lock_the_same_pieces_leave_twice(
    transactions: Transactions, together: Any, loose: Any
) -> None:
    _, stock = pieces(transactions)
    loose.drop("order_line.ck_order_line_shipped")
    loose.without(ROW_LOCKS)
    loose.meet(before="INSERT INTO parcel ")
    assert shipped_twice(transactions, together) == ["done", "done"]
    assert pieces(transactions) == (6, stock - 6)


def test_two_cooperatives_of_one_order_ship_at_once(
    transactions: Transactions, together: Any
) -> None:
    with transactions.begin() as ctx:
        order = paid(ctx)

    def ship(name: str, place: int) -> Callable[[], Any]:
        parcel, number = ShipParcel("zhongtong", f"ZT000{place}"), f"{order}-{place}"
        return alone(transactions, lambda ctx: ship_parcel(acting(ctx, name), number, parcel))

    assert outcomes(together(ship("bob", 1), ship("charlie", 2))) == ["done", "done"]
