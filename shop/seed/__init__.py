"""The demonstration: a filled mall to try everything on. Never in production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from sqlalchemy import text

from shop.context import SYSTEM, Ctx, Transactions
from shop.seed import catalogue, orders, people
from shop.seed.provider import Provider
from shop.session import Session
from shop.settings import SettingsError

__all__ = ["seed", "seed_if_empty"]

LOCK = 7_201_412
"""Key of the advisory lock that lets one process fill the mall at a time; any fixed number does."""

ALONE = text("SELECT pg_advisory_xact_lock(:key)")
PATIENT = text("SET LOCAL lock_timeout = '60s'")
"""Whoever comes second waits for the first, who needs a second or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Transactions):
    """Transactions of several actors and moments that are one: whole or not there at all."""

    session: Session

    @contextmanager
    def begin(self) -> Iterator[Ctx]:
        """A part of the one transaction."""
        yield self._ctx(self.session)


def seed(transactions: Transactions, password: str, past: Provider | None = None) -> None:
    """Fill an empty database with the demonstration, and the provider's `past` beside it.

    Raises:
        SettingsError: this is production.
    """
    _refuse_production(transactions)
    with transactions.acting(SYSTEM).begin() as ctx:
        _fill(ctx, transactions, password, past)


def seed_if_empty(
    transactions: Transactions,
    password: str,
    past: Provider | None = None,
    *,
    before: Callable[[], None] = lambda: None,
) -> bool:
    """Fill the database if it holds no cooperative yet; whether it did.

    An interruption leaves it empty, for the next start. `before` is called when it is certain that
    nobody else fills it.

    Raises:
        SettingsError: it is empty, and this is production.
    """
    with transactions.acting(SYSTEM).begin() as ctx:
        ctx.session.execute(PATIENT)
        ctx.session.execute(ALONE, {"key": LOCK})
        if catalogue.loaded(ctx):
            return False
        _refuse_production(transactions)
        before()
        _fill(ctx, transactions, password, past)
    return True


def _fill(ctx: Ctx, transactions: Transactions, password: str, past: Provider | None) -> None:
    catalogue.load_reference(ctx)
    catalogue.load_catalogue(ctx)
    people.load_people(ctx, password)
    given = {field.name: getattr(transactions, field.name) for field in fields(transactions)}
    orders.place_scenarios(Joined(**given, session=ctx.session), past)


def _refuse_production(transactions: Transactions) -> None:
    if transactions.settings.production:
        raise SettingsError("The demonstration data is refused when AIDMALL_ENV is production.")
