"""What a command of the command line stands on: settings, a database, refusals in one sentence.

As in `shop/cli.py`, everything is imported when it is called for.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shop.context import Transactions
    from shop.settings import Settings


class Refusal(click.ClickException):
    """One sentence on stderr and exit code 2: the caller has to change something."""

    exit_code = 2


@contextmanager
def as_system() -> Iterator[Transactions]:
    """Transactions of the system's own; what the shop refuses is one sentence and exit code 1."""
    from shop import logging
    from shop.context import SYSTEM, Transactions
    from shop.db import Database
    from shop.errors import ShopError

    with refusals(), found_database() as settings:
        assert settings.database_url is not None
        logging.configure(replace(migrated(settings), log_level="ERROR"))
        database = Database(settings.database_url, pool_size=1)
        try:
            yield Transactions(database=database, settings=settings, actor=SYSTEM)
        except ShopError as error:
            raise click.ClickException(error.en) from error
        finally:
            database.dispose()


@contextmanager
def refusals() -> Iterator[None]:
    """Where something has to be changed first, one sentence and an exit code, no traceback."""
    from migrations import MigrationRefusedError
    from shop.embedded_postgres import EmbeddedPostgresError
    from shop.serve.children import obey_supervisor
    from shop.serve.supervisor import StartError
    from shop.settings import SettingsError

    obey_supervisor()
    try:
        yield
    except (SettingsError, EmbeddedPostgresError, MigrationRefusedError) as error:
        raise Refusal(str(error)) from error
    except StartError as error:
        raise click.ClickException(str(error)) from error


def given_settings() -> Settings:
    """The settings of the environment, `DATABASE_URL` with its driver."""
    from shop.serve import preflight
    from shop.settings import load

    settings = load()
    if settings.database_url is None:
        return settings
    return replace(settings, database_url=preflight.with_driver(settings.database_url))


def with_database_url() -> Settings:
    """The settings, with a `DATABASE_URL` that answers.

    Raises:
        SettingsError: there is none, or nobody answers there.
    """
    from shop.serve import preflight
    from shop.settings import SettingsError

    settings = given_settings()
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL is not set; `aidmall run` brings its own database.")
    preflight.check_database(settings.database_url)
    return settings


def migrated(settings: Settings) -> Settings:
    """The same settings; their database has the schema of this code.

    Raises:
        SettingsError: it has another.
    """
    from shop.serve import preflight

    preflight.check_schema(settings)
    return settings


@contextmanager
def found_database() -> Iterator[Settings]:
    """Settings with the address of a database that is there: the given one, or the embedded."""
    from shop.embedded_postgres import EmbeddedPostgres
    from shop.serve import preflight
    from shop.serve.supervisor import DATABASE

    settings = given_settings()
    if settings.database_url is not None:
        preflight.check_database(settings.database_url)
        yield settings
        return
    with EmbeddedPostgres(settings.data_dir / "pg") as postgres:
        postgres.create_database(DATABASE)
        yield replace(settings, database_url=postgres.dsn(DATABASE))
