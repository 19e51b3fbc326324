"""Migrations over a mall that has sold something: nothing is lost on the way up, nothing stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text

import migrations
from models.base import Base
from models.payments import PaymentMethod
from shop.clock import frozen
from shop.context import SYSTEM, Ctx, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.payments.proof import prove
from shop.seed.orders import place_scenarios
from shop.settings import Settings
from tests import refund_factories as fact
from tests.conftest import NOW, TEMPLATE

REVISIONS = sorted(path.name[:4] for path in (migrations.ROOT / "versions").glob("0*.py"))

SCHEMA = """
SELECT 'column ' || table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable,
    column_default) FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
UNION ALL
SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, tgenabled::text || pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || oid::regprocedure, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'type ' || typname, typtype::text FROM pg_type LEFT JOIN pg_class c ON c.oid = typrelid
    WHERE typnamespace = 'public'::regnamespace AND (typtype = 'e' OR c.relkind = 'c')
"""
"""Everything that a migration makes, by name: more than the models know of."""


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> str:
    """The address of a database with nothing in it."""
    name = f"bare_{uuid4().hex[:12]}"
    postgres.create_database(name)
    return postgres.dsn(name)


@pytest.fixture
def sold(postgres: EmbeddedPostgres) -> str:
    """The address of a clone of the template; no pool keeps statements of a schema that goes."""
    name = f"sold_{uuid4().hex[:12]}"
    postgres.create_database(name, template=TEMPLATE)
    return postgres.dsn(name)


@contextmanager
def opened(url: str, settings: Settings) -> Iterator[Transactions]:
    """Transactions on a database as it is at this moment, by the system, at NOW."""
    database = Database(url)
    try:
        yield Transactions(database=database, settings=settings, actor=SYSTEM, clock=frozen(NOW))
    finally:
        database.dispose()


def live(url: str, settings: Settings) -> None:
    """The demonstration's past; a refund that ended, one that came back, a dispute that is open."""
    with opened(url, settings) as transactions:
        place_scenarios(transactions)
        with transactions.begin() as ctx:
            order = fact.bought(ctx)
            fact.end(ctx, fact.ask(ctx, order, fact.of(ctx, order, 2, 1)))
            back = fact.ask(ctx, order, fact.of(ctx, order, 1, 1))
            fact.end(ctx, back)
            fact.end(ctx, back, failure="lost_or_stolen_card")
            fact.disputed(ctx, order)


def schema(url: str) -> dict[str, str]:
    with psycopg.connect(migrations._conninfo(url)) as connection:
        return dict(connection.execute(SCHEMA).fetchall())


def tables(url: str) -> dict[str, str]:
    """Columns, constraints and indexes of the mall's own tables: all that a model can say."""
    return {
        name: text
        for name, text in schema(url).items()
        if name.startswith(("column ", "constraint ", "index "))
        and not re.search("procrastinate_|alembic_version", name)
        and not text.startswith("TRIGGER")
    }


def rows(url: str, sql: str) -> list[Any]:
    with psycopg.connect(migrations._conninfo(url)) as connection:
        return connection.execute(sql).fetchall()


def balances(ctx: Ctx) -> list[tuple[str, str, int]]:
    found = ctx.session.execute(
        text(
            "SELECT account, party, sum(amount_fen)::bigint FROM posting"
            " GROUP BY account, party HAVING sum(amount_fen) <> 0 ORDER BY account, party"
        )
    )
    return [tuple(row) for row in found]


def test_the_migrations_make_what_the_models_say(empty, sold):
    """To the letter of each check and default, which Alembic's own comparison leaves out."""
    engine = create_engine(empty)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert tables(sold) == tables(empty)


@pytest.mark.parametrize("revision", REVISIONS)
def test_down_to_a_revision_is_as_up_to_it(empty, sold, settings, revision):
    """Whatever a mall has lived through, going down leaves the schema of that revision."""
    live(sold, settings)
    migrations.upgrade(empty, revision)
    migrations.downgrade(sold, revision)
    assert schema(sold) == schema(empty)


def test_an_undone_refund_is_as_if_it_had_not_been(sold, settings):
    """The record of release 0.1 has no word for it, and the sums by line stay what they are."""
    of_lines = (
        "SELECT order_line_id, sum(goods_fen), sum(freight_fen), sum(quantity) FROM aid_entry"
        " GROUP BY order_line_id ORDER BY order_line_id"
    )
    kinds = "SELECT kind, count(*) FROM aid_entry WHERE kind LIKE 'refund%' GROUP BY kind"
    live(sold, settings)
    before = rows(sold, of_lines)
    assert sorted(rows(sold, kinds)) == [("refund", 4), ("refund_undo", 1)]
    migrations.downgrade(sold, "0002")
    assert rows(sold, kinds) == [("refund", 3)]
    assert rows(sold, of_lines) == before


def test_a_mall_that_has_sold_goes_down_to_nothing_and_up_again(sold, settings):
    live(sold, settings)
    before = schema(sold)
    migrations.downgrade(sold)
    assert list(schema(sold)) == [
        "column alembic_version.version_num",
        "constraint alembic_version.alembic_version_pkc",
        "index alembic_version_pkc",
    ]
    migrations.upgrade(sold)
    assert schema(sold) == before
    migrations.check_drift(sold)
    assert rows(sold, "SELECT count(*) FROM customer_order") == [(0,)]
    with opened(sold, settings) as transactions, transactions.begin() as ctx:
        assert prove(ctx).proved


def test_how_goods_are_kept_is_said_in_english_where_the_pages_said_it(sold):
    """By version 0.4 the storefront itself knew four ways; what a shop wrote otherwise has none."""
    migrations.downgrade(sold, "0004")
    with psycopg.connect(migrations._conninfo(sold)) as connection:
        for code, text in (("P01", "0-4℃冷藏"), ("P02", "常温, 避免阳光直射"), ("P03", "随意")):
            connection.execute("UPDATE product SET storage = %s WHERE code = %s", (text, code))
    migrations.upgrade(sold)
    kept = "SELECT storage_en, label_en FROM product WHERE code < 'P05' ORDER BY code"
    assert rows(sold, kept) == [
        ("Refrigerated at 0–4 °C", {}),
        ("At room temperature, away from direct sunlight", {}),
        (None, {}),
        ("Cool, dry and dark, well closed", {}),
    ]
    assert rows(sold, "SELECT DISTINCT name_en FROM sales_platform") == [(None,)]


def test_what_was_paid_before_there_was_a_ledger_is_its_opening_balance(sold, settings):
    """Two orders paid two ways and money that no order may keep, as release 0.1 left them.

    The bank's line of a transfer is not here: until a statement brings it, suspense owes it.
    """
    with opened(sold, settings) as transactions, transactions.begin() as ctx:
        by_card = fact.bought(ctx)
        fact.bought(ctx, ("P01-1", 1), method=PaymentMethod.BANK_TRANSFER)
        fact.unwanted(ctx, by_card)
    migrations.downgrade(sold, "0002")
    assert rows(sold, "SELECT to_regclass('posting')") == [(None,)]
    paid = "SELECT id, state, captured_fen FROM payment ORDER BY id"
    before = rows(sold, paid)
    assert [row[1:] for row in before] == [
        ("succeeded", 22_360),
        ("succeeded", 4_800),
        ("needs_refund", 5_000),
    ]
    migrations.upgrade(sold)
    assert rows(sold, paid) == before
    with opened(sold, settings) as transactions, transactions.begin() as ctx:
        found = prove(ctx)
        assert [check for check in found.checks if not check.proved] == []
        assert found.entries == 3
        assert balances(ctx) == [
            ("cooperative_payable", "C01", -14_400 - 4_800),
            ("cooperative_payable", "C02", -7_960),
            ("provider_clearing", "", 22_360 + 5_000),
            ("suspense", "", 4_800 - 5_000),
        ]
