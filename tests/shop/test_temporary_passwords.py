"""A password that somebody else made opens one thing: choosing another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from models.identity import TokenKind, User
from shop.context import ANONYMOUS, Actor
from shop.errors import Forbidden, Invalid
from shop.identity import commands, passwords, queries
from shop.identity.policy import BEFORE_A_NEW_PASSWORD, PERMISSIONS, allowed, authorize
from tests import cast

USERS = User.__table__
NEW = "plum-rain-season"


def told(ctx, name: str = "ada") -> str:
    return commands.reset_password(ctx, cast.email(name), "rang back")


def signed_in(ctx, password: str, name: str = "ada"):
    """The same transaction, with a person acting who has just signed in."""
    found = commands.sign_in(ctx, cast.email(name), password, TokenKind.API)
    actor = queries.actor_for_token(ctx.session, found.secret, TokenKind.API, ctx.now)
    return replace(ctx, actor=actor)


def temporary(ctx, name: str = "ada") -> bool:
    return ctx.session.execute(
        select(USERS.c.password_temporary).where(USERS.c.email == cast.email(name))
    ).scalar_one()


def test_only_a_reset_makes_it_temporary_and_only_a_change_ends_that(ctx):
    assert temporary(ctx) is False
    password = told(ctx)
    assert temporary(ctx) is True
    ada = signed_in(ctx, password)
    assert ada.actor.password_temporary is True
    commands.change_password(ada, password, NEW)
    assert temporary(ctx) is False
    assert signed_in(ctx, NEW).actor.password_temporary is False
    assert temporary(ctx, "olga") is False


def test_a_hash_made_anew_is_as_temporary_as_before(ctx, monkeypatch):
    password = told(ctx)
    monkeypatch.setattr(passwords, "is_outdated", lambda *_: True)
    assert signed_in(ctx, password).actor.password_temporary is True


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_everything_else_waits(ctx, permission):
    ada = signed_in(ctx, told(ctx)).actor
    free = replace(ada, password_temporary=False)
    left = permission in BEFORE_A_NEW_PASSWORD
    assert allowed(ada, permission) is (left and allowed(free, permission))
    if not left:
        with pytest.raises(Forbidden) as refused:
            authorize(ada, permission)
        assert refused.value.error_code == "password_change_required"


def test_a_visitor_has_no_password_to_change():
    assert allowed(ANONYMOUS, "orders.place")
    assert not Actor().password_temporary


def test_the_temporary_one_does_not_stay(ctx):
    password = told(ctx)
    ada = signed_in(ctx, password)
    with pytest.raises(Invalid) as refused:
        commands.change_password(ada, password, password)
    assert (refused.value.error_code, refused.value.fields) == (
        "same_password",
        {"new_password": ["新密码不能与临时密码相同"]},
    )
    assert temporary(ctx) is True


def test_a_change_sent_twice_is_quiet(ctx):
    password = told(ctx)
    ada = signed_in(ctx, password)
    commands.change_password(ada, password, NEW)
    before = ctx.session.execute(select(USERS)).all()
    commands.change_password(ada, password, NEW)
    assert ctx.session.execute(select(USERS)).all() == before


def test_a_second_reset_ends_what_the_first_began(ctx):
    ada = signed_in(ctx, told(ctx))
    second = told(ctx)
    with pytest.raises(Forbidden):
        signed_in(ctx, "x" * 16)
    assert queries.tokens(ada) == []
    assert signed_in(ctx, second).actor.password_temporary is True
