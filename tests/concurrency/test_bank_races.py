"""Two people and one line, two lines and one order, the same file twice, at the same moment."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import func, select, update

from models.bank import BankMatch, BankReceipt, BankStatement, MatchState
from models.ledger import JournalEntry
from models.payments import Payment
from shop.errors import Conflict
from shop.payments import bank_rows, jobs
from shop.payments.bank_import import import_statement
from shop.payments.bank_jobs import match_receipts
from shop.payments.bank_matches import approve_match, enter_match
from shop.payments.proof import prove
from tests.bank_factories import TOTAL, bank_says, csv, receipt_id, receipts, states, unit_order
from tests.conftest import actor_of

pytestmark = pytest.mark.race


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


def test_two_people_enter_one_line(transactions, fiona, ada, together):
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款"))
    found = together(
        partial(enter, fiona, TOTAL, placed.number), partial(enter, ada, TOTAL, placed.number)
    )
    refused = [one for one in found if isinstance(one, Conflict)]
    assert [one.error_code for one in refused] == ["match_exists"]
    with transactions.begin() as ctx:
        assert count(ctx, BankMatch) == 1


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


def test_two_lines_for_one_order_at_once(transactions, fiona, ada, together):
    """Both are for the whole of it: one pays, the other's money stays open."""
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, "货款"), (TOTAL + 1, "货款"))
    entered = [enter(fiona, amount, placed.number) for amount in (TOTAL, TOTAL + 1)]
    found = together(*[partial(approve, ada, one) for one in entered])
    assert sorted(isinstance(one, Conflict) for one in found) == [False, True]
    with transactions.begin() as ctx:
        assert states(ctx) == {placed.number: "paid"}
        assert sorted(row[2] for row in receipts(ctx)) == [0, TOTAL]
        assert count(ctx, Payment) == 1
        assert prove(ctx).proved


def test_the_timer_against_the_bank(transactions, together, time):
    """Either the order is paid, or it is closed and its money waits on the line."""
    ends = set()
    for round_ in range(12):
        time.set("2026-11-23T10:00:00+08:00")
        placed = unit_order(transactions)
        with transactions.begin() as ctx:
            import_statement(ctx, "a.csv", csv((TOTAL, placed.number), first=round_ + 1))
        time.forward(days=31)
        together(
            partial(jobs.expire, transactions, placed.id), partial(match_receipts, transactions)
        )
        with transactions.begin() as ctx:
            state = states(ctx)[placed.number]
            assert prove(ctx).proved
        assert state in {"paid", "cancelled"}
        ends.add(state)
        match_receipts(transactions)
        with transactions.begin() as ctx:
            run = ctx.session.execute
            found = run(
                select(BankReceipt.state, BankReceipt.open_reason).where(
                    BankReceipt.remark == placed.number
                )
            ).one()
        assert found == (("matched", "") if state == "paid" else ("open", "order_cancelled"))
    assert ends


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


def test_the_same_file_three_times_at_once(transactions, together):
    data = csv((500, "甲"), (600, "乙"))

    def take_in():
        with transactions.begin() as ctx:
            return import_statement(ctx, "a.csv", data).already

    assert sorted(together(*[take_in] * 3)) == [False, True, True]
    with transactions.begin() as ctx:
        assert (count(ctx, BankStatement), count(ctx, BankReceipt)) == (1, 2)
        assert count(ctx, JournalEntry) == 2
