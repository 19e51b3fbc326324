"""The demonstration: a filled mall to try everything on. Never in production."""

from __future__ import annotations

from shop.context import SYSTEM, Transactions
from shop.seed import catalogue, orders, people
from shop.seed.provider import Provider
from shop.settings import SettingsError

__all__ = ["seed", "seed_if_empty"]


def seed(transactions: Transactions, password: str, past: Provider | None = None) -> None:
    """Fill an empty database with the demonstration, and the provider's `past` beside it.

    Raises:
        SettingsError: this is production.
    """
    if transactions.settings.production:
        raise SettingsError("The demonstration data is refused when AIDMALL_ENV is production.")
    with transactions.acting(SYSTEM).begin() as ctx:
        catalogue.load_reference(ctx)
        catalogue.load_catalogue(ctx)
        people.load_people(ctx, password)
    orders.place_scenarios(transactions, past)


def seed_if_empty(transactions: Transactions, password: str, past: Provider | None = None) -> bool:
    """Fill the database if it holds no cooperative yet; whether it did.

    Raises:
        SettingsError: it is empty, and this is production.
    """
    with transactions.begin() as ctx:
        if catalogue.loaded(ctx):
            return False
    seed(transactions, password, past)
    return True
