"""Two people and one line, two lines and one order, the same file twice, at the same moment."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import func, select, update

from models.bank import BankMatch, BankReceipt, BankStatement, MatchState
from models.inventory import Stock
from models.ledger import JournalEntry
from models.payments import Payment
from shop.errors import Conflict
from shop.payments import bank_rows, jobs
from shop.payments.bank_aside import set_aside
from shop.payments.bank_import import import_statement
from shop.payments.bank_jobs import match_receipts
from shop.payments.bank_review import approve_match, enter_match
from shop.payments.proof import prove
from tests.bank_factories import TOTAL, bank_says, csv, receipt_id, receipts, states, unit_order
from tests.concurrency.conftest import CHAIN_LOCKS, ROW_LOCKS
from tests.conftest import actor_of

pytestmark = pytest.mark.race

ORDER_LOCKED = r"(?s)^SELECT customer_order\b.*FOR UPDATE"


@pytest.fixture
def fiona(transactions):
    return transactions.acting(actor_of(transactions, "fiona"))


@pytest.fixture
def ada(transactions):
    return transactions.acting(actor_of(transactions, "ada"))


def enter(transactions, amount, number):
    with transactions.begin() as ctx:
        return enter_match(ctx, receipt_id(ctx, amount), number, None, "")


def approve(transactions, match):
    with transactions.begin() as ctx:
        return approve_match(ctx, match)


def count(ctx, model) -> int:
    return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()


def entered_twice(transactions, fiona, ada, together):
    """Two people say of one line that it is for one order; what became of both."""
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款"))
    found = together(
        partial(enter, fiona, TOTAL, placed.number), partial(enter, ada, TOTAL, placed.number)
    )
    return [one.error_code for one in found if isinstance(one, Exception)]


def test_two_people_enter_one_line(transactions, fiona, ada, together):
    assert entered_twice(transactions, fiona, ada, together) == ["match_exists"]
    with transactions.begin() as ctx:
        assert count(ctx, BankMatch) == 1


def test_control_without_the_lock_one_line_is_entered_twice(
    transactions, fiona, ada, together, loose
):
    loose.drop("uq_bank_match_live")
    loose.without(ROW_LOCKS)
    loose.meet(before="INSERT INTO bank_match")
    assert entered_twice(transactions, fiona, ada, together) == []
    with transactions.begin() as ctx:
        assert count(ctx, BankMatch) == 2


def test_one_line_for_two_orders_at_once(transactions, fiona, ada, together):
    """Entered for two orders, a line that is enough for one pays one."""
    orders = [unit_order(transactions), unit_order(transactions)]
    bank_says(transactions, (TOTAL, "货款"))
    entered = [enter(fiona, TOTAL, placed.number) for placed in orders]
    found = together(*[partial(approve, ada, one) for one in entered])
    refused = [one.error_code for one in found if isinstance(one, Conflict)]
    assert refused == ["bank_receipt_matched"]
    with transactions.begin() as ctx:
        assert sorted(states(ctx).values()) == ["paid", "pending_payment"]
        assert receipts(ctx) == [("matched", TOTAL, TOTAL, "")]
        assert prove(ctx).proved


def blind_approve(transactions, gate, match) -> None:
    """What a shop does that reads what is left of a line, and locks nothing."""
    with transactions.begin() as ctx:
        found = bank_rows.match(ctx, match)
        row = bank_rows.receipt(ctx, found.receipt_id)
        gate.wait(10)
        left = row.amount_fen - row.matched_fen
        assert found.amount_fen <= left
        run = ctx.session.execute
        run(update(BankMatch).where(BankMatch.id == match).values(state=MatchState.APPROVED))
        run(
            update(BankReceipt)
            .where(BankReceipt.id == row.id)
            .values(matched_fen=row.matched_fen + found.amount_fen)
        )


def test_control_without_the_lock_a_line_pays_twice(transactions, fiona, together):
    orders = [unit_order(transactions), unit_order(transactions)]
    bank_says(transactions, (TOTAL, "货款"))
    entered = [enter(fiona, TOTAL, placed.number) for placed in orders]
    gate = threading.Barrier(2)
    together(*[partial(blind_approve, transactions, gate, one) for one in entered])
    with transactions.begin() as ctx:
        given = ctx.session.execute(
            select(func.sum(BankMatch.amount_fen)).where(BankMatch.state == MatchState.APPROVED)
        ).scalar_one()
        assert given == 2 * TOTAL


def two_lines_approved(transactions, fiona, ada, together):
    """Two lines, each for the whole of one order, are approved at once: (order, refused)."""
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款"), (TOTAL + 1, "货款"))
    entered = [enter(fiona, amount, placed.number) for amount in (TOTAL, TOTAL + 1)]
    found = together(*[partial(approve, ada, one) for one in entered])
    return placed, [one.error_code for one in found if isinstance(one, Exception)]


def test_two_lines_for_one_order_at_once(transactions, fiona, ada, together):
    """Both are for the whole of it: one pays, the other's money stays open."""
    placed, refused = two_lines_approved(transactions, fiona, ada, together)
    assert refused in (["order_paid"], ["bank_match_rejected"])
    with transactions.begin() as ctx:
        assert states(ctx) == {placed.number: "paid"}
        assert sorted(row[2] for row in receipts(ctx)) == [0, TOTAL]
        assert count(ctx, Payment) == 1
        assert prove(ctx).proved


def test_control_without_the_lock_an_order_is_paid_by_both(
    transactions, fiona, ada, together, loose, monkeypatch
):
    loose.drop("uq_payment_live", "uq_payment_settles")
    loose.without(ROW_LOCKS)
    loose.meet(before="INSERT INTO payment")
    # Each would wait for the other's match in order to reject it.
    monkeypatch.setattr(bank_rows, "release_matches", lambda *_: 0)
    assert two_lines_approved(transactions, fiona, ada, together)[1] == []
    with transactions.begin() as ctx:
        assert count(ctx, Payment) == 2


def timer_and_bank(transactions, together, time, number=1):
    """The time of an order is over when its money is read: (order's number, its state)."""
    time.set("2026-11-23T10:00:00+08:00")
    placed = unit_order(transactions)
    with transactions.begin() as ctx:
        import_statement(ctx, "a.csv", csv((TOTAL, placed.number), first=number))
    time.forward(days=31)
    together(partial(jobs.expire, transactions, placed.id), partial(match_receipts, transactions))
    with transactions.begin() as ctx:
        return placed.number, states(ctx)[placed.number]


def line_of(ctx, number):
    return ctx.session.execute(
        select(BankReceipt.id, BankReceipt.state, BankReceipt.open_reason).where(
            BankReceipt.remark == number
        )
    ).one()


def test_the_timer_against_the_bank(transactions, together, time, loose):
    """Either the order is paid, or it is closed and its money waits on the line.

    The timer has the shorter way; in every other round it waits just before the order's lock.
    """
    ends = set()
    for round_ in range(24):
        loose.meet(before=ORDER_LOCKED, parties=1 + round_ % 2)
        number, state = timer_and_bank(transactions, together, time, round_ + 1)
        loose.meet()
        match_receipts(transactions)
        with transactions.begin() as ctx:
            assert prove(ctx).proved
            line = line_of(ctx, number)
            if state == "cancelled":
                set_aside(ctx, line.id, "退回")
        ends.add((state, line.state, line.open_reason))
    assert ends == {("paid", "matched", ""), ("cancelled", "open", "order_cancelled")}


def test_control_without_the_lock_a_closed_order_has_its_money(transactions, together, time, loose):
    """Whoever is last, its goods are free and its money is kept."""
    loose.drop("customer_order.ck_customer_order_paid_at")
    with transactions.begin() as ctx:
        reserved = ctx.session.execute(select(func.sum(Stock.reserved))).scalar_one()
    loose.without(ROW_LOCKS)
    loose.meet(before="UPDATE customer_order")
    timer_and_bank(transactions, together, time)
    with transactions.begin() as ctx:
        assert receipts(ctx) == [("matched", TOTAL, TOTAL, "")]
        assert ctx.session.execute(select(func.sum(Stock.reserved))).scalar_one() == reserved


def test_the_job_twice_at_once(transactions, together):
    placed = [unit_order(transactions) for _ in range(4)]
    lines = [(TOTAL, one.number) for one in placed]
    with transactions.begin() as ctx:
        import_statement(ctx, "a.csv", csv(*lines))
    together(*[partial(match_receipts, transactions)] * 3)
    with transactions.begin() as ctx:
        assert set(states(ctx).values()) == {"paid"}
        assert receipts(ctx) == [("matched", TOTAL, TOTAL, "")] * 4
        assert (count(ctx, BankMatch), count(ctx, Payment)) == (4, 4)
        assert prove(ctx).proved


def test_control_without_the_locks_two_jobs_match_one_line_twice(transactions, together, loose):
    placed = unit_order(transactions)
    with transactions.begin() as ctx:
        import_statement(ctx, "a.csv", csv((TOTAL, placed.number)))
    loose.drop("uq_bank_match_live", "uq_payment_live", "uq_payment_settles")
    loose.without(ROW_LOCKS)
    loose.meet(after="INSERT INTO bank_match")
    together(*[partial(match_receipts, transactions)] * 2)
    with transactions.begin() as ctx:
        assert count(ctx, BankMatch) == 2


def imported(transactions, together):
    """One file is taken in three times at once: who was told that it was there already."""
    data = csv((500, "甲"), (600, "乙"))

    def take_in():
        with transactions.begin() as ctx:
            return import_statement(ctx, "a.csv", data).already

    return sorted(together(*[take_in] * 3))


def test_the_same_file_three_times_at_once(transactions, together):
    assert imported(transactions, together) == [False, True, True]
    with transactions.begin() as ctx:
        assert (count(ctx, BankStatement), count(ctx, BankReceipt)) == (1, 2)
        assert count(ctx, JournalEntry) == 2


def test_control_without_the_lock_every_line_is_there_three_times(transactions, together, loose):
    loose.drop(
        "bank_statement.uq_bank_statement_sha256", "bank_receipt.uq_bank_receipt_fingerprint"
    )
    loose.without(CHAIN_LOCKS)
    loose.meet(before="INSERT INTO bank_statement", parties=3)
    assert imported(transactions, together) == [False, False, False]
    with transactions.begin() as ctx:
        assert (count(ctx, BankStatement), count(ctx, BankReceipt)) == (3, 6)
        assert count(ctx, JournalEntry) == 6
