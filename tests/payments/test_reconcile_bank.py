"""A day of the bank's lines beside the ledger's bank account, and which days the night takes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from models.bank import BankReceipt, ReceiptState
from models.reconciliation import Difference, Reconciliation, Side
from shop.clock import day_start
from shop.context import Ctx, Transactions
from shop.errors import Invalid
from shop.ids import new_id
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, legs
from shop.payments import reconcile_jobs
from shop.payments.differences import open_difference
from shop.payments.gateway import GatewayUnavailable
from shop.payments.proof import prove
from shop.payments.providers import install
from shop.payments.reconcile_bank import reconcile_bank
from shop.seed.orders import place_scenarios
from tests.fakes.gateway import FakeGateway

DAY = date(2026, 11, 22)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


def receipt(
    ctx: Ctx, amount: int, booked_on: date = DAY, posted: int | None = None, **more: Any
) -> str:
    """A line of the bank's with its posting, or with another (0: none); its key."""
    row = {
        "id": new_id(),
        "fingerprint": str(new_id()),
        "state": ReceiptState.OPEN,
        "booked_on": booked_on,
        "amount_fen": amount,
        "entered_at": ctx.now,
        "matched_fen": 0,
        "payer_name": "",
        "payer_account": "",
        "remark": "",
        **more,
    }
    ctx.session.execute(insert(BankReceipt.__table__).values(row))
    fen = amount if posted is None else posted
    if fen:
        cause = Cause(
            subject="bank_receipt",
            subject_id=row["id"],
            event="booked",
            at=day_start(booked_on),
        )
        post(ctx, cause, legs((Account.BANK, fen), (Account.SUSPENSE, -fen)))
    return str(row["id"])


def run(transactions: Transactions, day: date = DAY) -> Any:
    run_id = reconcile_bank(transactions, day)
    with transactions.begin() as ctx:
        return ctx.session.execute(
            select(Reconciliation.__table__).where(Reconciliation.id == run_id)
        ).one()


def differences(transactions: Transactions) -> list[tuple[Any, ...]]:
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(
                Difference.kind,
                Difference.reference,
                Difference.theirs_fen,
                Difference.ours_fen,
                Difference.state,
            ).order_by(Difference.id)
        )
        return [tuple(row) for row in found]


def test_a_clean_day_of_the_bank(transactions):
    with transactions.begin() as ctx:
        receipt(ctx, 700)
        receipt(ctx, -200)
        receipt(ctx, 900, DAY - timedelta(days=1))
    row = run(transactions)
    assert (row.lines, row.theirs_fen, row.ours_fen, row.open_differences) == (2, 500, 500, 0)
    assert (row.sums["covered"], row.sums["unmatched"], row.sums["unmatched_fen"]) == (
        True,
        3,
        1400,
    )
    assert row.sums["balance"] == {"theirs_fen": 1400, "ours_fen": 1400, "unexplained_fen": 0}


def test_a_line_without_its_posting_until_it_has_one(transactions):
    with transactions.begin() as ctx:
        wrong = receipt(ctx, 700, posted=0)
        other = receipt(ctx, 300, posted=299)
    assert run(transactions).open_differences == 2
    assert sorted(differences(transactions)) == sorted(
        [
            ("receipt_not_posted", wrong, 700, None, "open"),
            ("receipt_not_posted", other, 300, 299, "open"),
        ]
    )
    with transactions.begin() as ctx:
        cause = Cause(subject="bank_receipt", subject_id=wrong, event="booked", at=day_start(DAY))
        post(ctx, cause, legs((Account.BANK, 700), (Account.SUSPENSE, -700)))
    assert run(transactions).open_differences == 1


def test_a_posting_without_a_line(transactions):
    with transactions.begin() as ctx:
        cause = Cause(subject="test", subject_id=new_id(), event="x", at=day_start(DAY))
        post(ctx, cause, legs((Account.BANK, 5), (Account.SUSPENSE, -5)))
    row = run(transactions)
    assert (row.theirs_fen, row.ours_fen, row.sums["covered"]) == (0, 5, False)
    [(kind, _, theirs, ours, state)] = differences(transactions)
    assert (kind, theirs, ours, state) == ("missing_at_theirs", None, 5, "open")


def test_a_week_is_patience_enough_for_an_unmatched_line(transactions):
    with transactions.begin() as ctx:
        old = receipt(ctx, 700, DAY - timedelta(days=7), matched_fen=100)
        receipt(ctx, 700, DAY - timedelta(days=6))
        receipt(ctx, 700, DAY - timedelta(days=9), state=ReceiptState.SET_ASIDE)
    run(transactions)
    assert differences(transactions) == [("receipt_unmatched", old, 600, None, "open")]
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE bank_receipt SET state = 'matched'"))
    run(transactions)
    assert differences(transactions) == [("receipt_unmatched", old, 600, None, "vanished")]


def test_an_earlier_day_says_nothing_of_what_is_too_old_today(transactions):
    with transactions.begin() as ctx:
        receipt(ctx, 700, DAY - timedelta(days=7))
    run(transactions)
    run(transactions, DAY - timedelta(days=5))
    assert [one[4] for one in differences(transactions)] == ["open"]


def test_a_payout_that_the_bank_has_not_seen(transactions, provider, time):
    time.now = datetime.fromisoformat("2026-11-15T10:00:00+08:00")
    reference = provider.payout(9_000)
    time.set("2026-11-23T10:00:00+08:00")
    provider_day = date(2026, 11, 15)
    reconcile_jobs.RUN[Side.PROVIDER](transactions, provider_day)
    run(transactions)
    [(kind, name, theirs, ours, state)] = differences(transactions)
    assert (kind, theirs, ours, state) == ("payout_missing", None, 9_000, "open")
    assert (name, reference) == (provider.lines[0].reference, provider.lines[0].source)
    with transactions.begin() as ctx:
        receipt(ctx, 9_000, date(2026, 11, 17), state=ReceiptState.SET_ASIDE)
    run(transactions)
    assert differences(transactions)[0][4] == "vanished"


@pytest.mark.parametrize(
    ("state", "more", "told"),
    [
        (ReceiptState.SET_ASIDE, {"set_aside_reason": "payout po_other"}, ["open"]),
        (ReceiptState.SET_ASIDE, {"set_aside_reason": "payout po_fake_1"}, []),
        (ReceiptState.SET_ASIDE, {"set_aside_reason": "到账的提现"}, []),
        (ReceiptState.MATCHED, {"matched_fen": 9_000}, ["open"]),
    ],
)
def test_a_line_that_is_something_else_is_no_payout(
    transactions, provider, time, state, more, told
):
    """As where the same sum is paid out twice, or a unit transfers it, within two weeks."""
    time.now = datetime.fromisoformat("2026-11-15T10:00:00+08:00")
    assert provider.payout(9_000) == "po_fake_1"
    time.set("2026-11-23T10:00:00+08:00")
    reconcile_jobs.RUN[Side.PROVIDER](transactions, date(2026, 11, 15))
    with transactions.begin() as ctx:
        receipt(ctx, 9_000, date(2026, 11, 17), state=state, **more)
    run(transactions)
    assert [one[4] for one in differences(transactions)] == told


def test_only_days_that_are_over_and_not_before_there_was_a_mall(transactions):
    for day, code in ((date(2026, 11, 23), "day_not_over"), (date(1, 1, 1), "day_too_early")):
        with pytest.raises(Invalid) as refusal:
            reconcile_bank(transactions, day)
        assert refusal.value.error_code == code


def test_the_night_takes_yesterday_on_both_sides(transactions, provider):
    reconcile_jobs.reconcile(transactions)
    with transactions.begin() as ctx:
        found = ctx.session.execute(select(Reconciliation.side, Reconciliation.day))
        assert sorted(found) == [(Side.BANK, DAY), (Side.PROVIDER, DAY)]


def test_the_night_takes_up_days_that_were_missed_or_are_not_settled(transactions, provider, time):
    reconcile_jobs.reconcile(transactions)
    with transactions.begin() as ctx:
        at = day_start(date(2026, 11, 20))
        open_difference(ctx, "unknown_line", "txn_1", day_of=at, theirs_fen=1)
        open_difference(ctx, "unknown_line", "txn_2", day_of=at - timedelta(days=40))
    time.forward(days=3)
    days = [date(2026, 11, day) for day in (20, 23, 24, 25)]
    assert reconcile_jobs.due(transactions, Side.PROVIDER) == days
    assert reconcile_jobs.due(transactions, Side.BANK) == days[1:]


def test_a_provider_that_is_away_keeps_nothing_from_the_bank(transactions, provider):
    provider.broken = 1
    with pytest.raises(GatewayUnavailable):
        reconcile_jobs.reconcile(transactions)
    with transactions.begin() as ctx:
        found = ctx.session.execute(select(Reconciliation.side)).scalars().all()
    assert found == [Side.BANK]


def test_a_day_that_failed_is_taken_up_though_a_later_one_went_well(transactions, provider, time):
    reconcile_jobs.reconcile(transactions)
    time.forward(days=2)
    provider.broken = 1
    with pytest.raises(GatewayUnavailable):
        reconcile_jobs.reconcile(transactions)
    with transactions.begin() as ctx:
        days = ctx.session.execute(
            select(Reconciliation.day).where(Reconciliation.side == Side.PROVIDER)
        )
        assert set(days.scalars()) == {DAY, date(2026, 11, 24)}, "the 23rd had no answer"
    time.forward(days=1)
    missed = [date(2026, 11, 23), date(2026, 11, 25)]
    assert reconcile_jobs.due(transactions, Side.PROVIDER) == missed
    assert reconcile_jobs.due(transactions, Side.BANK) == missed[1:]


def test_a_day_run_by_hand_hides_none_before_it(transactions, provider, time):
    reconcile_jobs.reconcile(transactions)
    time.forward(days=4)
    run(transactions, date(2026, 11, 25))
    wanted = [date(2026, 11, day) for day in (23, 24, 26)]
    assert reconcile_jobs.due(transactions, Side.BANK) == wanted


def test_the_worked_orders_are_proved_and_clean(transactions):
    place_scenarios(transactions)
    with transactions.begin() as ctx:
        proof = prove(ctx)
        days = ctx.session.execute(select(BankReceipt.booked_on).distinct()).scalars().all()
    assert [check.name for check in proof.checks if not check.proved] == []
    assert days
    for day in days:
        row = run(transactions, day)
        assert (row.lines > 0, row.theirs_fen - row.ours_fen, row.open_differences) == (True, 0, 0)
