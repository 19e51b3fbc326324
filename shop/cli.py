"""The command line.

Each command imports what it needs when it is called: `aidmall run` waits for neither Flask nor
SQLAlchemy, which would double its time to the first page.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import click

from shop.cli_context import (
    as_system,
    found_database,
    given_settings,
    migrated,
    refusals,
    with_database_url,
)

if TYPE_CHECKING:
    from datetime import datetime


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

    with refusals():
        supervisor.run(given_settings())


@main.command()
def web() -> None:
    """Run the web server alone (DATABASE_URL must be set)."""
    from shop.serve import web as server

    with refusals():
        server.main(with_database_url())


@main.command()
def worker() -> None:
    """Run the worker alone (DATABASE_URL must be set)."""
    from shop import worker as process

    with refusals():
        process.run(migrated(with_database_url()))


@main.command()
def sandbox() -> None:
    """Run the payment sandbox alone: a stand-in for Stripe that moves no money."""
    from shop.payments.sandbox import server
    from shop.serve import preflight

    with refusals():
        settings = given_settings()
        preflight.check_folder(settings)
        server.main(settings)


@main.command()
@click.option("--check", is_flag=True, help="Only compare the migrations with the models.")
def migrate(*, check: bool) -> None:
    """Bring the database to the newest schema."""
    import migrations

    with refusals():
        if check:
            from migrations import drift

            drift.main()
            return
        with found_database() as settings:
            assert settings.database_url is not None
            migrations.upgrade(settings.database_url)


@main.command()
def seed() -> None:
    """Load the demonstration into an empty, migrated database."""
    from shop.serve import demo

    with refusals(), found_database() as settings:
        loaded = demo.load(migrated(settings))
    click.echo("The demonstration is loaded." if loaded else "The mall is not empty.", err=True)


@main.group()
def reports() -> None:
    """The figures that are kept worked out."""


@reports.command()
def rebuild() -> None:
    """Work every kept report out from the entries again: after a restore from another server."""
    from shop.reports import jobs

    with as_system() as transactions:
        made = jobs.rebuild(transactions)
    click.echo(f"{made} reports were worked out again.", err=True)


@main.group()
def search() -> None:
    """What products are found by."""


@search.command("rebuild")
def rebuild_search() -> None:
    """Write anew what each product is found by: after an update that changed its rules."""
    from shop.catalog import commands

    with as_system() as transactions, transactions.begin() as ctx:
        made = commands.index_all(ctx)
    click.echo(f"{made} products were indexed.", err=True)


@main.group()
def ledger() -> None:
    """The double-entry ledger."""


@ledger.command()
def proof() -> None:
    """Add everything up again from zero; exit code 1 when a sum is not what it must be."""
    from shop.payments import proof as proofs

    with as_system() as transactions, transactions.begin() as ctx:
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
    with as_system() as transactions:
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
    with as_system() as transactions:
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

    with as_system() as transactions, transactions.begin() as ctx:
        password = commands.reset_password(ctx, email, reason)
    click.echo(password)
    click.echo("It opens nothing but the page on which another has to be chosen.", err=True)


if __name__ == "__main__":
    main()
