"""Two runs of one day at once: lines, fees and differences are there once."""

from __future__ import annotations

import threading
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text

from models.reconciliation import Difference, DifferenceState, ProviderTransaction, Reconciliation
from shop.clock import SHANGHAI
from shop.context import Transactions
from shop.errors import Conflict
from shop.ledger.queries import accounts
from shop.payments import differences, provider_lines
from shop.payments.differences import explain, open_difference
from shop.payments.gateway import BalanceLine
from shop.payments.proof import prove
from shop.payments.reconcile import reconcile_provider
from tests.conftest import actor_of

DAY = date(2026, 11, 22)
LINES = 1_200
"""More than two slices, so that the runs meet while both are writing."""


@pytest.fixture
def lines(provider) -> None:
    """Charges that nobody here knows, each with a fee of one fen."""
    at = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
    provider.lines = [
        BalanceLine(
            reference=f"txn_{number}",
            kind="charge",
            amount_fen=500,
            fee_fen=1,
            net_fen=499,
            currency="CNY",
            created_at=at,
            source=f"ch_{number}",
        )
        for number in range(LINES)
    ]


def facts(transactions: Transactions) -> tuple[int, int, int, int]:
    """(lines stored, fees posted, differences, runs)."""
    with transactions.begin() as ctx:

        def count(model: Any) -> int:
            return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()

        fees = {one["code"]: one["balance_fen"] for one in accounts(ctx)}["provider_fees"]
        return count(ProviderTransaction), fees, count(Difference), count(Reconciliation)


def test_two_runs_at_once_write_everything_once(transactions, lines, together):
    def run() -> Any:
        return reconcile_provider(transactions, DAY)

    first, second = together(run, run)
    assert first != second
    assert facts(transactions) == (LINES, LINES, LINES, 2)
    with transactions.begin() as ctx:
        assert prove(ctx).proved


def test_without_the_guard_both_runs_post_every_fee(transactions, lines, together, monkeypatch):
    loose = str(provider_lines.STORE.text).replace("ON CONFLICT (reference) DO NOTHING", "")
    bound = list(provider_lines.STORE._bindparams.values())
    monkeypatch.setattr(provider_lines, "STORE", text(loose).bindparams(*bound))
    with transactions.begin() as ctx:
        ctx.session.execute(
            text(
                "ALTER TABLE provider_transaction DROP CONSTRAINT uq_provider_transaction_reference"
            )
        )
    together(*[lambda: reconcile_provider(transactions, DAY)] * 2)
    assert facts(transactions)[:2] == (2 * LINES, 2 * LINES)


def test_two_people_explain_one_difference(transactions, together):
    with transactions.begin() as ctx:
        open_difference(ctx, "unknown_line", "txn_1", day_of=ctx.now, theirs_fen=1)
        key = ctx.session.execute(select(Difference.id)).scalar_one()
    fiona = transactions.acting(actor_of(transactions, "fiona"))

    def say(words: str) -> str:
        with fiona.begin() as ctx:
            explain(ctx, key, words)
        return words

    found = together(lambda: say("甲"), lambda: say("乙"))
    [winner] = [one for one in found if isinstance(one, str)]
    [loser] = [one for one in found if isinstance(one, Conflict)]
    assert loser.error_code == "difference_explained"
    with transactions.begin() as ctx:
        row = ctx.session.execute(select(Difference.state, Difference.explanation)).one()
    assert row == (DifferenceState.EXPLAINED, winner)


def test_without_the_lock_the_second_word_covers_the_first(transactions, together, monkeypatch):
    """The control: a reader that takes no lock lets both through."""
    with transactions.begin() as ctx:
        open_difference(ctx, "unknown_line", "txn_1", day_of=ctx.now, theirs_fen=1)
        key = ctx.session.execute(select(Difference.id)).scalar_one()
    monkeypatch.setattr(
        "sqlalchemy.sql.selectable.GenerativeSelect.with_for_update", lambda self, **_: self
    )
    both_have_read = threading.Barrier(2)
    update = differences.update

    def after_both(table: Any) -> Any:
        both_have_read.wait(10)
        return update(table)

    monkeypatch.setattr(differences, "update", after_both)
    fiona = transactions.acting(actor_of(transactions, "fiona"))

    def say(words: str) -> str:
        with fiona.begin() as ctx:
            explain(ctx, key, words)
        return words

    assert together(lambda: say("甲"), lambda: say("乙")) == ["甲", "乙"]
