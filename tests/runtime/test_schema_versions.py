"""A database that is older or newer than the code is named, not stumbled over."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner

from shop.app import create_app
from shop.cli import main
from shop.settings import Settings
from tests.conftest import TEMPLATE

BEHIND = "The database does not have the schema of this version: run aidmall migrate first."
AHEAD = (
    "The database is at revision 9999, which this version of the mall does not know:"
    " run the newer version, or restore a backup."
)


@pytest.fixture
def empty(postgres) -> str:
    name = f"bare_{uuid4().hex[:12]}"
    postgres.create_database(name)
    return postgres.dsn(name)


@pytest.fixture
def newer(postgres) -> str:
    """A database that a later version has migrated."""
    name = f"later_{uuid4().hex[:12]}"
    postgres.create_database(name, template=TEMPLATE)
    url: str = postgres.dsn(name)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return url


def aidmall(monkeypatch, url: str, *words: str) -> tuple[int, str]:
    monkeypatch.setenv("DATABASE_URL", url)
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "words",
    [
        ("worker",),
        ("seed",),
        ("ledger", "proof"),
        ("reports", "rebuild"),
        ("search", "rebuild"),
        ("reconcile",),
    ],
)
def test_before_the_first_migration_every_command_says_so(monkeypatch, empty, words):
    assert aidmall(monkeypatch, empty, *words) == (2, f"Error: {BEHIND}\n")


def test_a_newer_database_is_not_migrated(monkeypatch, newer):
    assert aidmall(monkeypatch, newer, "migrate") == (2, f"Error: {AHEAD}\n")
    assert aidmall(monkeypatch, newer, "ledger", "proof") == (2, f"Error: {BEHIND}\n")


@pytest.fixture
def foreign(empty, postgres) -> Iterator[str]:
    """An empty database in which our role may make nothing."""
    role = f"guest_{uuid4().hex[:12]}"
    with psycopg.connect(empty.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
    yield empty.replace("//postgres@", f"//{role}@")
    with psycopg.connect(empty.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP ROLE {role}")


def test_a_role_that_may_make_nothing_is_told_so(monkeypatch, foreign):
    said = "Error: The database refuses to be migrated: permission denied for schema public.\n"
    assert aidmall(monkeypatch, foreign, "migrate") == (2, said)


def test_a_web_server_over_an_empty_database_is_not_ready(empty):
    client = create_app(Settings(database_url=empty)).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not_ready",
        "checks": {"database": True, "migrations": False, "worker": False},
    }


def test_a_password_is_not_reset_for_a_blank_reason(monkeypatch, settings):
    words = ("reset-password", "alice@mall.example", "--reason", " ")
    code, said = aidmall(monkeypatch, settings.database_url, *words)
    assert (code, said.splitlines()[-1]) == (
        2,
        "Error: Say with --reason why, and how you know who asks.",
    )
