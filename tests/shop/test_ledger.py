"""Entries are written once, sum to zero and never change; balances and what is owed add up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from models.payments import PaymentMethod
from shop.context import Ctx
from shop.errors import NotFound
from shop.ids import new_id
from shop.ledger.commands import Cause, post, post_many
from shop.ledger.queries import EntryFilter, accounts, entries, entry, payable
from shop.ledger.rules import Account, Leg, legs
from tests.conftest import NOW
from tests.refund_factories import ask, bought, end, of

TODAY = date(2026, 11, 23)
MOVED = legs((Account.BANK, 500), (Account.SUSPENSE, -500))


def cause(event: str = "made", **more) -> Cause:
    return Cause(subject="test", subject_id=new_id(), event=event, at=NOW, **more)


def balances(ctx: Ctx, on: date | None = None) -> dict[str, int]:
    return {one["code"]: one["balance_fen"] for one in accounts(ctx, on) if one["balance_fen"]}


def test_a_cause_is_written_once(ctx):
    once = cause()
    assert [post(ctx, once, MOVED), post(ctx, once, MOVED)] == [True, False]
    post_many(ctx, [(once, MOVED), (cause(), MOVED)])
    assert balances(ctx) == {"bank": 1000, "suspense": -1000}


def test_post_many_after_posts_brings_nothing_back(ctx):
    for _ in range(3):
        post(ctx, cause(), MOVED)
        post_many(ctx, [(cause(), MOVED), (cause(), MOVED)])
    assert balances(ctx)["bank"] == 4500


def test_nothing_to_post_is_a_bug(ctx):
    with pytest.raises(ValueError, match="moves no money"):
        post(ctx, cause(), [])


def test_legs_that_do_not_sum_to_zero_are_a_bug():
    with pytest.raises(ValueError, match="do not sum to zero"):
        legs((Account.BANK, 1), (Account.SUSPENSE, -2))


def test_the_database_refuses_what_is_not_balanced(ctx):
    with pytest.raises(DatabaseError, match="must sum to zero"):
        post(ctx, cause(), [Leg(Account.BANK, 1), Leg(Account.SUSPENSE, -2)])


@pytest.mark.parametrize("table", ["journal_entry", "posting"])
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}"]
)
def test_nothing_that_is_written_changes(ctx, table, change):
    post(ctx, cause(), MOVED)
    column = "note" if table == "journal_entry" else "amount_fen"
    with pytest.raises(DatabaseError, match="append"):
        ctx.session.execute(text(change.format(table=table, column=column) + _all(change)))


def _all(change: str) -> str:
    return " CASCADE" if change.startswith("TRUNCATE") else ""


def test_money_of_a_payment_does_not_change_without_an_entry(transactions):
    with transactions.begin() as ctx:
        bought(ctx)
    with pytest.raises(DatabaseError, match="without a journal entry"), transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE payment SET refunding_fen = 1"))
    with transactions.begin() as ctx:
        assert ctx.session.execute(text("SELECT refunding_fen FROM payment")).scalar_one() == 0


def test_an_entry_of_an_earlier_transaction_does_not_cover_a_change(transactions):
    with transactions.begin() as ctx:
        bought(ctx)
        payment_id = ctx.session.execute(text("SELECT id FROM payment")).scalar_one()
    with transactions.begin() as ctx:
        post(ctx, cause(payment_id=payment_id), MOVED)
    with pytest.raises(DatabaseError, match="without a journal entry"), transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE payment SET disputed_fen = 1"))


def test_balances_at_the_end_of_a_day(ctx):
    post(ctx, cause(), MOVED)
    later = Cause(subject="test", subject_id=new_id(), event="x", at=NOW + timedelta(days=1))
    post(ctx, later, MOVED)
    yesterday = TODAY - timedelta(days=1)
    found = [balances(ctx, on).get("bank", 0) for on in (yesterday, TODAY, None)]
    assert found == [0, 500, 1000]


def test_every_account_is_listed_and_cooperatives_are_kept_apart(ctx):
    bought(ctx)
    found = {one["code"]: one for one in accounts(ctx)}
    assert list(found) == [account.value for account in Account]
    owed = found["cooperative_payable"]
    assert [one["party"] for one in owed["parties"]] == ["C01", "C02"]
    assert sum(one["balance_fen"] for one in owed["parties"]) == owed["balance_fen"]
    assert sum(one["balance_fen"] for one in found.values()) == 0


def test_entries_by_account_party_subject_day_and_order(ctx):
    order_id = bought(ctx)
    bought(ctx, ("P01-1", 1), method=PaymentMethod.BANK_TRANSFER)
    end(ctx, ask(ctx, order_id, of(ctx, order_id, 2, 1)))
    number = ctx.session.execute(
        text("SELECT number FROM customer_order WHERE id = :id"), {"id": order_id}
    ).scalar_one()

    def found(**wanted) -> list[tuple[str, str]]:
        return sorted((one["subject"], one["event"]) for one in entries(ctx, EntryFilter(**wanted)))

    paid, asked, done = (
        ("payment", "captured"),
        ("refund", "requested"),
        ("refund", "succeeded"),
    )
    assert found() == [("bank_receipt", "booked"), paid, paid, asked, done]
    assert found(account=Account.PROVIDER_CLEARING) == [paid, done]
    assert found(account=Account.COOPERATIVE_PAYABLE, party="C02") == [paid, asked]
    assert found(subject="refund", day=TODAY) == [asked, done]
    assert found(day=TODAY - timedelta(days=1)) == []
    assert found(order_number=number) == [paid, asked, done]


def test_pages_of_entries_meet_without_a_gap(ctx):
    for days in (0, 0, 1, 1, 1):
        at = NOW - timedelta(days=days)
        post(ctx, Cause(subject="test", subject_id=new_id(), event="x", at=at), MOVED)
    whole = [one["id"] for one in entries(ctx, EntryFilter())]
    read, after = [], None
    while page := entries(ctx, EntryFilter(), after, 2):
        read += [one["id"] for one in page]
        after = (page[-1]["day"], page[-1]["id"])
    assert (read, len(whole)) == (whole, 5)


def test_one_entry_with_its_postings(ctx):
    post(ctx, cause("moved", note="why"), MOVED)
    [listed] = entries(ctx, EntryFilter())
    found = entry(ctx, listed["id"])
    assert found == listed
    assert (found["event"], found["note"], found["actor"]) == ("moved", "why", None)
    assert found["postings"] == [
        {"account": "bank", "party": "", "amount_fen": 500},
        {"account": "suspense", "party": "", "amount_fen": -500},
    ]
    with pytest.raises(NotFound):
        entry(ctx, new_id())


def test_open_disputes_freeze_what_is_owed(ctx):
    order_id = bought(ctx)
    owed = payable(ctx, "C02")
    assert (owed.balance_fen > 0, owed.frozen_fen) == (True, 0)
    payment_id = ctx.session.execute(text("SELECT id FROM payment")).scalar_one()
    line = of(ctx, order_id, 2).line_id
    dispute = {"id": new_id(), "order": order_id, "payment": payment_id, "line": line, "now": NOW}
    ctx.session.execute(
        text(
            "INSERT INTO dispute (id, reference, order_id, payment_id, state, amount_fen,"
            " withheld_fen, reason, opened_at)"
            " VALUES (:id, 'dp_1', :order, :payment, 'open', 900, 0, 'fraudulent', :now)"
        ),
        dispute,
    )
    ctx.session.execute(text("INSERT INTO dispute_line VALUES (:id, :line, 800, 100)"), dispute)
    frozen = payable(ctx, "C02")
    assert (frozen.balance_fen, frozen.frozen_fen) == (owed.balance_fen, 900)
    assert payable(ctx, "C01").frozen_fen == 0
    ctx.session.execute(text("UPDATE dispute SET state = 'won'"))
    assert payable(ctx, "C02") == owed
    with pytest.raises(NotFound):
        payable(ctx, "C99")
