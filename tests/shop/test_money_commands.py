"""The command line of the books: what it prints, and its exit code."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, text

from models.payments import EventOutcome, ProviderEvent
from shop.cli import main
from shop.ids import new_id
from shop.payments import webhooks
from tests.refund_factories import bought


@pytest.fixture
def aidmall(settings, monkeypatch):
    """Run a command on the test's database: (exit code, what it printed)."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        return done.exit_code, done.output

    return run


def test_a_proof_and_a_lie(aidmall, transactions):
    with transactions.begin() as ctx:
        bought(ctx)
    code, said = aidmall("ledger", "proof")
    assert (code, said.count("WRONG"), "1 entries: proved." in said) == (0, 0, True)
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE order_line SET back_goods_fen = 7 WHERE position = 1"))
    code, said = aidmall("ledger", "proof")
    assert (code, said.count("WRONG"), "NOT proved" in said) == (1, 2, True)
    wrong = [line.split()[1] for line in said.splitlines() if line.startswith("WRONG")]
    assert sorted(wrong) == ["cooperative_payable", "lines_claimed"]


def test_a_day_of_the_bank(aidmall):
    code, said = aidmall("reconcile", "--side", "bank", "--day", "2026-11-22")
    assert (code, said) == (
        0,
        "2026-11-22 bank           0 lines  theirs 0  ours 0 fen  0 open differences\n",
    )
    assert aidmall("reconcile", "--side", "bank", "--day", "1999-01-01")[0] == 1
    assert aidmall("reconcile", "--day", "today")[0] == 2


def test_replaying_events(aidmall, transactions):
    with transactions.begin() as ctx:
        event_id = new_id()
        ctx.session.execute(
            insert(ProviderEvent.__table__).values(
                id=event_id,
                provider="stripe",
                event_id="evt_1",
                type="payout.paid",
                body="{}",
                received_at=ctx.now,
            )
        )
        webhooks.note(ctx, event_id, EventOutcome.FAILED, "ValueError")
    assert aidmall("events", "replay", "--failed") == (
        0,
        "1 events were handled, 0 failed again.\n",
    )
    assert aidmall("events", "replay", "--failed") == (
        0,
        "0 events were handled, 0 failed again.\n",
    )
    assert aidmall("events", "replay", "--event", "evt_1") == (0, "ignored\n")
    assert aidmall("events", "replay", "--event", "evt_2")[0] == 1
    assert aidmall("events", "replay")[0] == 2
