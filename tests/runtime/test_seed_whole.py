"""The demonstration is there as a whole or not at all, and its password is known before it is."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

import migrations
from models.base import Base
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.payments.sandbox.past import Past
from shop.seed import seed_if_empty
from shop.serve import demo
from shop.settings import Settings

TABLES = sorted(Base.metadata.tables)


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


class Stopped(Past):
    """A past that is interrupted in its third payment."""

    charges = 0

    def charge(self, order_number: str, attempt_id: UUID, amount_fen: int, at: datetime) -> Any:
        self.charges += 1
        if self.charges == 3:
            raise Interrupted
        return super().charge(order_number, attempt_id, amount_fen, at)


@pytest.fixture
def installation(postgres, tmp_path):
    """Transactions on a migrated, empty database, and settings with a folder of their own."""
    name = f"empty_{uuid4().hex[:12]}"
    postgres.create_database(name)
    url = postgres.dsn(name)
    migrations.upgrade(url)
    database = Database(url)
    settings = Settings(database_url=url, data_dir=tmp_path)
    yield Transactions(database=database, settings=settings, actor=SYSTEM)
    database.dispose()
    postgres.drop_database(name)


def rows(transactions: Transactions) -> dict[str, int]:
    with transactions.begin() as ctx:
        counts = {
            table: ctx.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in TABLES
        }
    return {table: count for table, count in counts.items() if count}


def charges(settings: Settings) -> int:
    with Past(settings) as past:
        return len([*past._sandbox.books.every("charge")])


def test_an_interruption_leaves_nothing_and_the_next_start_everything(installation):
    before, settings = rows(installation), installation.settings
    with pytest.raises(Interrupted), Stopped(settings) as past:
        seed_if_empty(installation, "walnut-bridge-42", past)
    assert (rows(installation), charges(settings)) == (before, 0)
    with Past(settings) as past:
        assert seed_if_empty(installation, "walnut-bridge-42", past) is True
    filled = rows(installation)
    assert (filled["customer_order"], filled["aid_entry"], filled["payment"]) == (7, 14, 6)
    assert charges(settings) == 5


def test_the_password_is_kept_before_there_are_accounts(installation):
    def keep() -> None:
        demo.keep_password(installation.settings, "walnut-bridge-42")
        raise Interrupted

    with pytest.raises(Interrupted):
        seed_if_empty(installation, "walnut-bridge-42", before=keep)
    assert demo.load(installation.settings) is True
    assert demo.kept_password(installation.settings) == "walnut-bridge-42"


def test_of_two_that_start_at_once_one_fills_the_mall(installation):
    results: list[tuple[str, bool]] = []

    def start(password: str) -> None:
        settings = replace(installation.settings, demo_password=password)
        results.append((password, demo.load(settings)))

    threads = [threading.Thread(target=start, args=(name,)) for name in ("first-tea", "walnuts-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [password for password, loaded in results if loaded]
    assert len(results) == 2
    assert demo.kept_password(installation.settings) == winner
    assert rows(installation)["customer_order"] == 7
