"""Indexing the shelves anew from the command line."""

from __future__ import annotations

from click.testing import CliRunner
from sqlalchemy import select, text, update

from models.catalog import Product
from shop.cli import main
from shop.context import Transactions

PRODUCTS = Product.__table__


def found_by(transactions: Transactions) -> dict[str, str]:
    with transactions.begin() as ctx:
        rows = ctx.session.execute(select(PRODUCTS.c.slug, PRODUCTS.c.search)).all()
    return {row.slug: str(row.search) for row in rows}


def version(transactions: Transactions) -> int:
    with transactions.begin() as ctx:
        found: int = ctx.session.execute(text("SELECT version FROM catalog_version")).scalar_one()
    return found


def test_every_product_is_found_by_todays_rules(settings, monkeypatch, transactions):
    before, shown = found_by(transactions), version(transactions)
    with transactions.begin() as ctx:
        ctx.session.execute(update(PRODUCTS).values(search=text("array_to_tsvector('{old}')")))
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    done = CliRunner().invoke(main, ["search", "rebuild"], catch_exceptions=False)
    assert (done.exit_code, done.output) == (0, f"{len(before)} products were indexed.\n")
    assert found_by(transactions) == before
    assert version(transactions) == shown + 1, "what is kept of the old rules is not shown again"
