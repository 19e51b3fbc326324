"""The command line.

Each command imports what it needs when it is called: `aidmall run` waits for neither Flask nor
SQLAlchemy, which would double its time to the first page.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shop.context import Transactions
    from shop.settings import Settings


class Refusal(click.ClickException):
    """One sentence on stderr and exit code 2: the caller has to change something."""

    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The consumption-aid mall. Settings come from the environment, see .env.example."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(metadata.version("aidmall"))


@main.command()
def run() -> None:
    """Run everything: PostgreSQL when there is none, migrations, demo, web server, worker."""
    from shop.serve import supervisor

    with _refusals():
        supervisor.run(_settings())


@main.command()
def web() -> None:
    """Run the web server alone (DATABASE_URL must be set)."""
    from shop.serve import web as server

    with _refusals():
        server.main(_with_database_url())


@main.command()
def worker() -> None:
    """Run the worker alone (DATABASE_URL must be set)."""
    from shop import worker as process

    with _refusals():
        process.run(_migrated(_with_database_url()))


@main.command()
def sandbox() -> None:
    """Run the payment sandbox alone: a stand-in for Stripe that moves no money."""
    from shop.payments.sandbox import server
    from shop.serve import preflight

    with _refusals():
        settings = _settings()
        preflight.check_folder(settings)
        server.main(settings)


@main.command()
@click.option("--check", is_flag=True, help="Only compare the migrations with the models.")
def migrate(*, check: bool) -> None:
    """Bring the database to the newest schema."""
    import migrations

    with _refusals():
        if check:
            from migrations import drift

            drift.main()
            return
        with _database() as settings:
            assert settings.database_url is not None
            migrations.upgrade(settings.database_url)


@main.command()
def seed() -> None:
    """Load the demonstration into an empty, migrated database."""
    from shop.serve import demo

    with _refusals(), _database() as settings:
        loaded = demo.load(_migrated(settings))
    click.echo("The demonstration is loaded." if loaded else "The mall is not empty.", err=True)


@main.group()
def reports() -> None:
    """The figures that are kept worked out."""


@reports.command()
def rebuild() -> None:
    """Work every kept report out from the entries again: after a restore from another server."""
    from shop.reports import jobs

    with _as_system() as transactions:
        made = jobs.rebuild(transactions)
    click.echo(f"{made} reports were worked out again.", err=True)


@main.group()
def ledger() -> None:
    """The double-entry ledger."""


@ledger.command()
def proof() -> None:
    """Add everything up again from zero; exit code 1 when a sum is not what it must be."""
    from shop.payments import proof as proofs

    with _as_system() as transactions, transactions.begin() as ctx:
        found = proofs.prove(ctx)
    for check in found.checks:
        click.echo(
            f"{'ok   ' if check.proved else 'WRONG'} {check.name:<24}"
            f"{check.ours:>18,} {check.expected:>18,} {check.difference:>14,} fen"
            f"  {check.rows:,} rows" + (f", {check.wrong:,} wrong" if check.wrong else "")
        )
        for sample in check.samples:
            click.echo(f"        {sample}")
    click.echo(
        f"{found.entries:,} entries: {'proved.' if found.proved else 'NOT proved.'}", err=True
    )
    if not found.proved:
        raise SystemExit(1)


@main.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Asia/Shanghai; else yesterday.")
@click.option("--side", type=click.Choice(["provider", "bank"]), help="One of them; else both.")
def reconcile(day: datetime | None, side: str | None) -> None:
    """Compare a day with the provider and the bank; exit code 1 when something differs."""
    from models.reconciliation import Side
    from shop.payments import difference_queries
    from shop.payments.reconcile_jobs import RUN, yesterday

    differing = False
    with _as_system() as transactions:
        wanted = day.date() if day else yesterday(transactions)
        for one in [Side(side)] if side else list(Side):
            run_id = RUN[one](transactions, wanted)
            with transactions.begin() as ctx:
                run = difference_queries.whole_run(ctx, run_id)
            differing |= bool(run["open_differences"])
            click.echo(
                f"{wanted} {one:<9}{run['lines']:>7,} lines  theirs {run['theirs_fen']:,}"
                f"  ours {run['ours_fen']:,} fen  {run['open_differences']} open differences"
            )
            for found in run["differences"]:
                click.echo(
                    f"  {found['state']:<10}{found['kind']:<20}{found['reference']}"
                    f"  theirs {found['theirs_fen']}  ours {found['ours_fen']}"
                )
    if differing:
        raise SystemExit(1)


@main.group()
def events() -> None:
    """What the payment provider told us."""


@events.command()
@click.option("--event", help="One event, by our key or by the provider's.")
@click.option("--failed", is_flag=True, help="Every event whose last handling failed.")
def replay(event: str | None, *, failed: bool) -> None:
    """Handle stored events once more; safe however often."""
    from shop.payments import event_queries, event_replay

    if (event is None) == (not failed):
        raise click.UsageError("Say either --event ID or --failed.")
    with _as_system() as transactions:
        if event is None:
            done, left = event_replay.replay_failed(transactions)
            click.echo(f"{done} events were handled, {left} failed again.")
            if left:
                raise SystemExit(1)
            return
        with transactions.begin() as ctx:
            event_id = event_queries.key_of(ctx, event)
        click.echo(event_replay.replay_event(transactions, event_id))


@main.command("reset-password")
@click.argument("email")
@click.option("--reason", required=True, help="Why, and how you know who asks; it is kept.")
def reset_password(email: str, reason: str) -> None:
    """Print a temporary password for EMAIL; all sign-ins of that person end."""
    if not reason.strip():
        raise click.UsageError("Say with --reason why, and how you know who asks.")
    from shop.identity import commands

    with _as_system() as transactions, transactions.begin() as ctx:
        password = commands.reset_password(ctx, email, reason)
    click.echo(password)
    click.echo("It opens nothing but the page on which another has to be chosen.", err=True)


@contextmanager
def _as_system() -> Iterator[Transactions]:
    """Transactions of the system's own; what the shop refuses is one sentence and exit code 1."""
    from shop import logging
    from shop.context import SYSTEM, Transactions
    from shop.db import Database
    from shop.errors import ShopError

    with _refusals(), _database() as settings:
        assert settings.database_url is not None
        logging.configure(replace(_migrated(settings), log_level="ERROR"))
        database = Database(settings.database_url, pool_size=1)
        try:
            yield Transactions(database=database, settings=settings, actor=SYSTEM)
        except ShopError as error:
            raise click.ClickException(error.en) from error
        finally:
            database.dispose()


@contextmanager
def _refusals() -> Iterator[None]:
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


def _settings() -> Settings:
    from shop.serve import preflight
    from shop.settings import load

    settings = load()
    if settings.database_url is None:
        return settings
    return replace(settings, database_url=preflight.with_driver(settings.database_url))


def _with_database_url() -> Settings:
    from shop.serve import preflight
    from shop.settings import SettingsError

    settings = _settings()
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL is not set; `aidmall run` brings its own database.")
    preflight.check_database(settings.database_url)
    return settings


def _migrated(settings: Settings) -> Settings:
    from shop.serve import preflight

    preflight.check_schema(settings)
    return settings


@contextmanager
def _database() -> Iterator[Settings]:
    """Settings with the address of a database that is there: the given one, or the embedded."""
    from shop.embedded_postgres import EmbeddedPostgres
    from shop.serve import preflight
    from shop.serve.supervisor import DATABASE

    settings = _settings()
    if settings.database_url is not None:
        preflight.check_database(settings.database_url)
        yield settings
        return
    with EmbeddedPostgres(settings.data_dir / "pg") as postgres:
        postgres.create_database(DATABASE)
        yield replace(settings, database_url=postgres.dsn(DATABASE))


if __name__ == "__main__":
    main()
