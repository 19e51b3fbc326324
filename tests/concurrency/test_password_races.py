"""A sign-in that has just proved a password, while that password is being replaced."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from models.identity import AccessToken, TokenKind, User
from shop.errors import Unauthenticated
from shop.identity import commands
from tests import cast

pytestmark = pytest.mark.race

TOKENS, USERS = AccessToken.__table__, User.__table__

STANDS_BEFORE_US = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
)


def reset_in_between(transactions, monkeypatch) -> str:
    """Alice's password is reset when her sign-in has proved it; what became of the sign-in."""
    fits = commands.passwords.fits
    resets = []

    def proved(stored, password, settings):
        found = fits(stored, password, settings)
        if not resets:
            resets.append(True)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(reset, transactions).result(timeout=10)
        return found

    monkeypatch.setattr(commands.passwords, "fits", proved)
    try:
        with transactions.begin() as ctx:
            commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)
    except Unauthenticated as error:
        return error.error_code
    return "done"


def reset(transactions) -> None:
    with transactions.begin() as ctx:
        commands.reset_password(ctx, cast.email("alice"), "lost phone")


def live(transactions) -> int:
    """How many sign-ins of Alice stand for her."""
    with transactions.begin() as ctx:
        return ctx.session.execute(
            select(func.count())
            .select_from(TOKENS)
            .join(USERS, USERS.c.id == TOKENS.c.user_id)
            .where(USERS.c.email == cast.email("alice"), TOKENS.c.revoked_at.is_(None))
        ).scalar_one()


def test_a_password_that_was_reset_meanwhile_signs_nobody_in(transactions, monkeypatch):
    assert reset_in_between(transactions, monkeypatch) == "wrong_credentials"
    assert live(transactions) == 0


def test_control_without_looking_again_the_old_password_opens_a_sign_in(transactions, monkeypatch):
    monkeypatch.setattr(commands, "_hold", lambda *_: None)
    assert reset_in_between(transactions, monkeypatch) == "done"
    assert live(transactions) == 1


def reset_at_the_end(transactions) -> int:
    """A reset that begins when a sign-in is written down but not committed; what it leaves."""
    with ThreadPoolExecutor(1) as pool:
        with transactions.begin() as ctx:
            commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)
            waiting = pool.submit(reset, transactions)
            wait_or_end(ctx, waiting)
        waiting.result(timeout=10)
    return live(transactions)


def wait_or_end(ctx, waiting) -> None:
    """Until the other has come to its end, or stands before a lock of ours."""
    while not waiting.done() and not ctx.session.execute(STANDS_BEFORE_US).scalar_one():
        pass


def test_a_reset_waits_for_a_sign_in_and_ends_it(transactions):
    assert reset_at_the_end(transactions) == 0


def test_control_without_the_lock_the_sign_in_outlives_the_reset(transactions, loose):
    loose.without(r"\s+FOR SHARE")
    assert reset_at_the_end(transactions) == 1
