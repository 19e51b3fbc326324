"""The command line for people: what it prints, and its exit code."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from models.identity import TokenKind
from shop.cli import main
from shop.errors import Unauthenticated
from shop.identity.commands import sign_in
from tests import cast


def reset(settings, monkeypatch, who: str):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    words = ["reset-password", who, "--reason", "rang from the office"]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_the_temporary_password_is_printed_and_works(settings, monkeypatch, transactions):
    done = reset(settings, monkeypatch, cast.email("alice"))
    assert done.exit_code == 0
    password = done.stdout.strip()
    with transactions.begin() as ctx:
        assert sign_in(ctx, cast.email("alice"), password, TokenKind.SESSION)
    with pytest.raises(Unauthenticated), transactions.begin() as ctx:
        sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)


def test_nobodys_password_is_one_sentence(settings, monkeypatch):
    done = reset(settings, monkeypatch, "nobody@mall.example")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: Nobody has this e-mail address\n"
