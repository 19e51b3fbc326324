"""Two refunds of one order at once, and a refund while the goods are being packed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from models.orders import Order
from models.payments import Payment, PaymentState
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.locks import AUDIT_CHAIN, lock_chain
from shop.payments import refund_rows, refunds
from shop.payments.refunds import retry_refund
from tests import refund_factories as fact
from tests.concurrency.conftest import ONE_ENTRY, ROW_LOCKS
from tests.conftest import acting

pytestmark = pytest.mark.race

PAYMENTS = Payment.__table__
UNLOCKED_PAID_BY = select(PAYMENTS).where(
    PAYMENTS.c.order_id == bindparam("order_id"), PAYMENTS.c.state == PaymentState.SUCCEEDED
)
TOTAL = 22_360
SIXTY_PERCENT = TOTAL * 60 // 100


def outcome(transactions: Transactions, move: Callable[[Ctx], Any]) -> str:
    """A move in a transaction of its own: "done", or the code of its refusal."""
    try:
        with transactions.begin() as ctx:
            move(ctx)
    except ShopError as error:
        return error.error_code
    return "done"


@pytest.fixture
def order(transactions: Transactions) -> Any:
    with transactions.begin() as ctx:
        return fact.bought(ctx)


def refund_60_percent(transactions: Transactions, order: Any) -> str:
    return outcome(transactions, lambda ctx: fact.ask(ctx, order, amount_fen=SIXTY_PERCENT))


@pytest.mark.parametrize("_round", range(5))
def test_of_two_refunds_of_60_percent_one_wins(transactions, together, order, _round):
    ends = together(*[partial(refund_60_percent, transactions, order)] * 2)
    assert sorted(ends) == ["done", "refund_exceeds_paid"]
    with transactions.begin() as ctx:
        assert fact.money(ctx, order) == (TOTAL, SIXTY_PERCENT, 0)
        assert fact.ledger(ctx, order)["refunds_in_flight"] == -SIXTY_PERCENT


def test_control_without_the_lock_both_believe_that_it_fits(
    transactions, together, order, monkeypatch
):
    """Both pass the command's own question; only the table's checks are left to refuse."""
    passed = Barrier(2)
    asked = []

    def unlocked(ctx: Ctx, order_id: Any) -> Any:
        return ctx.session.execute(select(Order.__table__).where(Order.id == order_id)).one()

    def written(*args: Any, **more: Any) -> Any:
        asked.append(1)
        passed.wait(timeout=10)
        return write(*args, **more)

    write = refunds.write_refund
    monkeypatch.setattr(refunds, "locked_order", unlocked)
    monkeypatch.setattr(refunds, "PAID_BY", UNLOCKED_PAID_BY)
    monkeypatch.setattr(refunds, "write_refund", written)
    ends = together(*[partial(refund_60_percent, transactions, order)] * 2)
    assert len(asked) == 2
    assert sorted(isinstance(one, Exception) for one in ends) == [False, True]


def ship_all(transactions: Transactions, number: str, order: Any) -> str:
    del order
    parcel = ShipParcel("zhongtong", "ZT0001", None)
    return outcome(transactions, lambda ctx: ship_parcel(acting(ctx, "bob"), number, parcel))


def refund_tea(transactions: Transactions, order: Any) -> str:
    return outcome(transactions, lambda ctx: fact.ask(ctx, order, fact.of(ctx, order, 1)))


@pytest.mark.parametrize("_round", range(10))
def test_a_piece_is_shipped_or_given_up_never_both(transactions, together, order, _round):
    with transactions.begin() as ctx:
        number = ctx.session.execute(select(Order.number)).scalar_one()
        on_hand, reserved = fact.stock(ctx)
    shipped, refunded = together(
        partial(ship_all, transactions, f"{number}-1", order),
        partial(refund_tea, transactions, order),
    )
    assert refunded == "done"
    with transactions.begin() as ctx:
        tea = fact.lines_of(ctx, order)[0]
        assert tea.back_goods_fen == 14_400
        if shipped == "done":
            assert (tea.shipped_quantity, tea.withdrawn) == (3, 0)
            assert fact.stock(ctx) == (on_hand - 3, reserved - 3)
            assert fact.parts(ctx, order)[0] == "shipped"
        else:
            assert shipped == "consignment_cancelled"
            assert (tea.shipped_quantity, tea.withdrawn) == (0, 3)
            assert fact.stock(ctx) == (on_hand, reserved - 3)
            assert fact.parts(ctx, order)[0] == "cancelled"


def test_control_without_the_lock_a_piece_is_shipped_and_given_up(
    transactions, together, order, loose
):
    with transactions.begin() as ctx:
        number = fact.number_of(ctx, order)
        fact.bought(ctx)  # whose pieces are taken instead
    loose.drop("order_line.ck_order_line_shipped")
    loose.without(ROW_LOCKS)
    loose.meet(before="UPDATE order_line")
    ends = together(
        partial(ship_all, transactions, f"{number}-1", order),
        partial(refund_tea, transactions, order),
    )
    assert ends == ["done", "done"]
    with transactions.begin() as ctx:
        tea = fact.lines_of(ctx, order)[0]
        assert (tea.quantity, tea.shipped_quantity, tea.withdrawn) == (3, 3, 3)


def parcels_and_refunds(transactions: Transactions, together: Any) -> list[str]:
    """A parcel of one order and refunds of two others, all of the same goods."""
    with transactions.begin() as ctx:
        number = fact.number_of(ctx, fact.bought(ctx))
    return together(
        partial(ship_all, transactions, f"{number}-1", None),
        partial(refund_tea, transactions, another(transactions)),
        partial(refund_tea, transactions, another(transactions)),
    )


def test_refunds_and_parcels_of_the_same_goods_do_not_wait_for_each_other(transactions, together):
    for _ in range(10):
        assert parcels_and_refunds(transactions, together) == ["done"] * 3


def test_control_who_takes_the_log_before_the_goods_gets_stuck(transactions, together, monkeypatch):
    def log_first(ctx: Ctx, *args: Any) -> None:
        lock_chain(ctx.session, AUDIT_CHAIN)
        give_up(ctx, *args)

    give_up = refunds.pieces.give_up
    monkeypatch.setattr(refunds.pieces, "give_up", log_first)
    rounds = (parcels_and_refunds(transactions, together) for _ in range(20))
    assert any("try_again" in ends for ends in rounds)


def another(transactions: Transactions) -> Any:
    with transactions.begin() as ctx:
        return fact.bought(ctx)


@pytest.fixture
def failed(transactions: Transactions, order: Any) -> Any:
    """A refund of 100 fen of that order that has failed."""
    with transactions.begin() as ctx:
        refund_id = fact.ask(ctx, order, amount_fen=100)
        fact.end(ctx, refund_id, "card_expired")
    return refund_id


def clicked_twice(transactions: Transactions, together: Any, failed: Any) -> list[str]:
    again = partial(outcome, transactions, lambda ctx: retry_refund(ctx, failed))
    return sorted(together(again, again))


def test_two_clicks_on_try_again_are_one(transactions, together, order, failed):
    assert clicked_twice(transactions, together, failed) == ["done", "refund_retried"]
    with transactions.begin() as ctx:
        assert fact.money(ctx, order) == (TOTAL, 100, 0)


def test_control_without_the_lock_both_clicks_send_money(
    transactions, together, order, failed, loose
):
    loose.drop("refund.uq_refund_retry_of", "refund.uq_refund_number")
    loose.without(ROW_LOCKS)
    loose.meet(before="INSERT INTO refund ")
    assert clicked_twice(transactions, together, failed) == ["done", "done"]
    with transactions.begin() as ctx:
        assert fact.money(ctx, order) == (TOTAL, 200, 0)


def ended_twice(transactions: Transactions, together: Any, order: Any) -> tuple[Any, list[bool]]:
    """A refund ends at the provider, and both of us hear it at once: (refund, who counted it)."""
    with transactions.begin() as ctx:
        refund_id = fact.ask(ctx, order, amount_fen=100)
    ends: list[bool] = []

    def settle() -> str:
        return outcome(transactions, lambda ctx: ends.append(fact.end(ctx, refund_id)))

    assert together(settle, settle) == ["done"] * 2
    return refund_id, sorted(ends)


def test_of_two_ends_at_once_one_counts(transactions, together, order):
    refund_id, ends = ended_twice(transactions, together, order)
    assert ends == [False, True]
    with transactions.begin() as ctx:
        assert fact.money(ctx, order) == (TOTAL, 0, 100)
        assert fact.ledger(ctx, order)["provider_clearing"] == TOTAL - 100
        assert len(refund_rows.parts_of(ctx, refund_id)) == 2


def test_control_without_the_locks_both_ends_count(transactions, together, order, loose):
    loose.drop("uq_journal_entry_cause", "payment.ck_payment_captured")
    loose.without(ROW_LOCKS, ONE_ENTRY)
    loose.meet(before="UPDATE refund ")
    assert ended_twice(transactions, together, order)[1] == [True, True]
    with transactions.begin() as ctx:
        assert fact.money(ctx, order) == (TOTAL, -100, 200)
        assert fact.ledger(ctx, order)["provider_clearing"] == TOTAL - 200
