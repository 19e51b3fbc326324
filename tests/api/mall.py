"""One installation for a whole module: it has sold something, and says when anything changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from models.base import Base
from shop.app import create_app
from shop.context import SYSTEM, Transactions
from shop.db import Database
from shop.embedded_postgres import EmbeddedPostgres
from shop.payments.providers import install
from shop.payments.sync import sync_payment
from shop.seed.orders import place_scenarios
from shop.settings import Settings
from tests.cast import Api, order_body
from tests.conftest import TEMPLATE, Time
from tests.fakes.gateway import FakeGateway

CONTENTS = text(
    "SELECT "
    + ", ".join(
        f"(SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f' FROM "{name}" t) AS "{name}"'
        for name in [*sorted(Base.metadata.tables), "procrastinate_jobs"]
    )
)
"""Of every table how many rows it has and a hash over all of them."""


@dataclass(frozen=True)
class Mall:
    """`order` is an unpaid guest's, `paid` is Alice's, with one consignment still to ship."""

    database: Database
    api: Api
    transactions: Transactions
    provider: FakeGateway
    settings: Settings
    time: Time
    order: dict[str, Any]
    paid: dict[str, Any]

    @property
    def app(self) -> Any:
        return self.api.client.application

    def contents(self) -> dict[str, str]:
        """Every table in a word: equal before and after when nothing changed."""
        with self.database.transaction() as session:
            return dict(session.execute(CONTENTS).mappings().one())

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.contents()[table].split()[0])


@contextmanager
def opened(postgres: EmbeddedPostgres) -> Iterator[Mall]:
    """A mall on a database of its own."""
    name = f"mall_{uuid4().hex[:12]}"
    postgres.create_database(name, template=TEMPLATE)
    database = Database(postgres.dsn(name), pool_size=4)
    try:
        yield _lived_in(database)
    finally:
        database.dispose()
        postgres.drop_database(name)


def _lived_in(database: Database) -> Mall:
    settings = Settings(
        environment="test", database_url=database.url, rate_limits=False, log_level="CRITICAL"
    )
    time = Time()
    provider = FakeGateway(clock=time)
    install(settings, provider)
    app = create_app(settings, database, time)
    app.testing = True
    transactions = Transactions(database, settings, SYSTEM, time)
    api = Api(app.test_client(), transactions)
    place_scenarios(transactions)
    order = api.post("/orders", order_body(("P01-1", 2), ("P06-1", 1))).json
    paid = api.post("/orders", order_body(("P01-1", 3), ("P06-1", 2)), as_="alice").json
    mall = Mall(database, api, transactions, provider, settings, time, order, paid)
    pay(mall, paid["number"])
    return mall


def pay(mall: Mall, number: str) -> None:
    """Alice pays an order of hers, and we learn of it."""
    assert mall.api.post(f"/orders/{number}/payments", {}, as_="alice").status_code == 201
    reference = list(mall.provider.checkouts)[-1]
    mall.provider.pay(reference)
    assert sync_payment(mall.transactions, reference)
