"""The demonstration of an installation: whether it is wanted, its password, its accounts."""

from __future__ import annotations

import os
import secrets
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from shop.serve import preflight

if TYPE_CHECKING:
    from pathlib import Path

    from shop.settings import Settings

PASSWORD_BYTES = 9
"""72 random bits in twelve characters: short enough to type on a phone."""


def wanted(settings: Settings) -> bool:
    """Whether the demonstration is to be loaded: asked for, and the mall is empty."""
    assert settings.database_url is not None
    if settings.seed != "demo" or settings.production:
        return False
    with preflight.connect(settings.database_url) as connection:
        return connection.execute("SELECT EXISTS (SELECT 1 FROM cooperative)").fetchone() != (True,)


def load(settings: Settings) -> bool:
    """Load the demonstration into an empty mall; False when it is not empty.

    The password that the accounts get is kept beside the data, readable by its owner only, before
    there are any: however this ends, whoever comes next can sign in.
    """
    # These bring the whole domain with them (1 s), and the supervisor calls the rest of this
    # module at every start.
    from shop.context import SYSTEM, Transactions
    from shop.db import Database
    from shop.payments.sandbox.past import Past
    from shop.seed import seed_if_empty

    assert settings.database_url is not None
    preflight.check_folder(settings)
    password = settings.demo_password or kept_password(settings) or new_password()
    database = Database(settings.database_url, pool_size=1)
    try:
        transactions = Transactions(database=database, settings=settings, actor=SYSTEM)
        # With a key of Stripe's own the past stays ours alone: nothing is invented over there.
        sandbox = Past(settings) if settings.stripe_secret_key is None else nullcontext()
        with sandbox as past:
            return seed_if_empty(
                transactions, password, past, before=partial(keep_password, settings, password)
            )
    finally:
        database.dispose()


def accounts(settings: Settings) -> list[tuple[str, str]]:
    """(e-mail, name) of the demo accounts in the database."""
    assert settings.database_url is not None
    query = (
        "SELECT email, name FROM user_account"
        " WHERE email LIKE '%@demo.example' AND active ORDER BY created_at, id"
    )
    with preflight.connect(settings.database_url) as connection:
        return [(email, name) for email, name in connection.execute(query)]


def kept_password(settings: Settings) -> str | None:
    """The password that the demo accounts were made with, if they were made from here."""
    try:
        return _file(settings).read_text().strip() or None
    except FileNotFoundError:
        return None


def keep_password(settings: Settings, password: str) -> None:
    """Note the password where only we can read it."""
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password + "\n")


def new_password() -> str:
    """A password nobody can guess."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _file(settings: Settings) -> Path:
    return settings.data_dir / "demo-password"
