from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from models.identity import AccessToken, BuyerKind, TokenKind, User
from models.organization import Unit
from models.system import AuditEntry
from shop.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from shop.identity import commands, passwords, queries
from tests import cast
from tests.conftest import acting

USERS, TOKENS = User.__table__, AccessToken.__table__
ENTRIES = AuditEntry.__table__
NEW = {
    "email": "Mei@Example.org",
    "password": "bamboo-lantern-7",
    "name": " 王梅 ",
    "buyer_kind": BuyerKind.ALUMNI,
}


def count(ctx, table):
    return ctx.session.execute(select(func.count()).select_from(table)).scalar_one()


def stored_password(ctx, name):
    statement = select(USERS.c.password_hash).where(USERS.c.email == cast.email(name))
    return ctx.session.execute(statement).scalar_one()


def test_a_buyer_opens_an_account(ctx):
    user = commands.register(ctx, **NEW, unit="U13")
    assert (user.email, user.name, user.buyer_kind) == ("mei@example.org", "王梅", "alumni")
    assert (user.unit.code, user.roles, user.created_at) == ("U13", [], ctx.now)


def test_the_password_is_not_stored(ctx):
    user = commands.register(ctx, **NEW)
    stored = ctx.session.execute(
        select(USERS.c.password_hash).where(USERS.c.id == user.id)
    ).scalar_one()
    assert stored.startswith("$argon2id$v=19$")
    assert NEW["password"] not in stored


def test_an_email_address_opens_one_account_only(ctx):
    commands.register(ctx, **NEW)
    before = count(ctx, USERS)
    with pytest.raises(Conflict) as refused:
        commands.register(ctx, **NEW | {"email": " MEI@example.ORG"})
    assert refused.value.error_code == "email_taken"
    assert count(ctx, USERS) == before


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"email": "mei"}, "invalid", "email"),
        ({"name": " "}, "invalid", "name"),
        ({"buyer_kind": BuyerKind.UNIT_ACCOUNT}, "invalid", "buyer_kind"),
        ({"unit": "U99"}, "invalid", "unit"),
        ({"password": "12345678"}, "weak_password", "password"),
        ({"email": "bamboo-lantern-7@example.org"}, "weak_password", "password"),
    ],
)
def test_what_no_account_is_opened_for(ctx, change, code, field):
    before = count(ctx, USERS)
    with pytest.raises(Invalid) as refused:
        commands.register(ctx, **NEW | change)
    assert (refused.value.error_code, list(refused.value.fields)) == (code, [field])
    assert count(ctx, USERS) == before


def test_a_closed_unit_takes_nobody_in(ctx):
    ctx.session.execute(update(Unit.__table__).values(active=False))
    with pytest.raises(Invalid) as refused:
        commands.register(ctx, **NEW, unit="U13")
    assert list(refused.value.fields) == ["unit"]


def test_signing_in_gives_a_secret_that_stands_for_the_person(ctx):
    signed_in = commands.sign_in(ctx, " ALICE@example.org", cast.PASSWORD, TokenKind.API)
    actor = queries.actor_for_token(ctx.session, signed_in.secret, TokenKind.API, ctx.now)
    assert (actor.user_id, actor.token_id) == (signed_in.user.id, signed_in.token_id)
    assert (actor.email, actor.scopes) == ("alice@example.org", {"*"})
    assert signed_in.expires_at - ctx.now == commands.TOKEN_LIFE


def test_only_the_hash_of_the_secret_is_stored(ctx):
    signed_in = commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)
    row = ctx.session.execute(select(TOKENS).where(TOKENS.c.id == signed_in.token_id)).one()
    assert row.token_hash == queries.token_hash(signed_in.secret)
    assert signed_in.secret not in str(row)
    assert len(signed_in.secret) >= 43


def test_a_session_is_no_api_token(ctx):
    secret = commands.sign_in(ctx, cast.email("bob"), cast.PASSWORD, TokenKind.SESSION).secret
    assert queries.actor_for_token(ctx.session, secret, TokenKind.API, ctx.now) is None


def test_a_token_ends_after_thirty_days(ctx):
    signed_in = commands.sign_in(ctx, cast.email("bob"), cast.PASSWORD, TokenKind.API)
    assert (
        queries.actor_for_token(ctx.session, signed_in.secret, TokenKind.API, signed_in.expires_at)
        is None
    )


def inactive(ctx):
    statement = update(USERS).where(USERS.c.email == cast.email("stan")).values(active=False)
    ctx.session.execute(statement)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (cast.email("alice"), "walnut-bridge-43"),
        (cast.email("alice"), "Walnut-Bridge-42"),
        (cast.email("alice"), " walnut-bridge-42"),
        (cast.email("alice"), ""),
        (cast.email("stan"), cast.PASSWORD),
        ("nobody@example.org", cast.PASSWORD),
        ("' OR 1=1 --", cast.PASSWORD),
        ("", ""),
    ],
)
def test_wrong_unknown_and_inactive_are_one_answer(ctx, email, password):
    inactive(ctx)
    before = count(ctx, TOKENS)
    with pytest.raises(Unauthenticated) as refused:
        commands.sign_in(ctx, email, password, TokenKind.API)
    error = refused.value
    assert (error.error_code, error.zh) == ("wrong_credentials", "邮箱或密码不正确")
    assert (error.fields, error.extra, count(ctx, TOKENS)) == ({}, {}, before)


def test_an_unknown_email_costs_a_verification_too(ctx, monkeypatch):
    verified = []

    class Hasher:
        def hash(self, _):
            return "dummy"

        def verify(self, stored, password):
            verified.append((stored, password))

    passwords._dummy.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda _: Hasher())
    assert passwords.fits(None, "secret-guess", ctx.settings) is False
    assert verified == [("dummy", "secret-guess")]
    passwords._dummy.cache_clear()


def test_a_scope_that_names_nothing_gets_no_token(ctx):
    before = count(ctx, TOKENS)
    with pytest.raises(Invalid):
        commands.sign_in(ctx, cast.email("bob"), cast.PASSWORD, TokenKind.API, ["stock.sell"])
    assert count(ctx, TOKENS) == before


def test_an_older_hash_is_made_anew_at_sign_in(ctx):
    before = stored_password(ctx, "alice")
    ctx.settings = replace(ctx.settings, environment="development")
    commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.API)
    after = stored_password(ctx, "alice")
    assert "$m=8,t=1,p=1$" in before
    assert "$m=19456,t=2,p=1$" in after
    assert passwords.fits(after, cast.PASSWORD, ctx.settings)


def test_a_hash_of_today_stays(ctx):
    before = stored_password(ctx, "alice")
    commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.API)
    assert stored_password(ctx, "alice") == before


def test_a_damaged_hash_opens_nothing(ctx):
    assert passwords.fits("not a hash", "not a hash", ctx.settings) is False


def test_signing_out_works_at_once_and_twice(ctx):
    alice = acting(ctx, "alice")
    commands.revoke(alice, alice.actor.token_id)
    assert queries.actor_for_token(ctx.session, cast.secret("alice"), "api", ctx.now) is None
    commands.revoke(alice, alice.actor.token_id)


def test_nobody_ends_the_sign_in_of_somebody_else(ctx):
    alice, bob = acting(ctx, "alice"), acting(ctx, "bob")
    with pytest.raises(NotFound):
        commands.revoke(alice, bob.actor.token_id)
    assert acting(ctx, "bob").actor == bob.actor


def test_ending_all_sign_ins_but_this_one(ctx):
    alice = acting(ctx, "alice")
    commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.API)
    assert len(queries.tokens(alice)) == 3
    assert commands.revoke_all(alice, keep=alice.actor.token_id) == 2
    assert [(token.id, token.current) for token in queries.tokens(alice)] == [
        (alice.actor.token_id, True)
    ]


def test_an_administrator_ends_the_sign_ins_of_a_person(ctx):
    stan = acting(ctx, "stan")
    assert commands.revoke_all_of(acting(ctx, "ada"), stan.actor.user_id, "lost phone") == 2
    assert queries.tokens(stan) == []


def test_an_organizer_does_not(ctx):
    stan = acting(ctx, "stan")
    with pytest.raises(Forbidden):
        commands.revoke_all_of(acting(ctx, "olga"), stan.actor.user_id, "curious")
    assert len(queries.tokens(stan)) == 2


def test_a_new_password_ends_every_other_sign_in(ctx):
    alice = acting(ctx, "alice")
    commands.change_password(alice, cast.PASSWORD, "plum-rain-season")
    assert [token.id for token in queries.tokens(alice)] == [alice.actor.token_id]
    commands.sign_in(ctx, cast.email("alice"), "plum-rain-season", TokenKind.API)
    with pytest.raises(Unauthenticated):
        commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.API)


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("walnut-bridge-43", "plum-rain-season", "wrong_password", "current_password"),
        (cast.PASSWORD, "password1", "weak_password", "new_password"),
        (cast.PASSWORD, "alice@example.org", "weak_password", "new_password"),
    ],
)
def test_a_password_that_is_not_changed(ctx, current, new, code, field):
    alice, before = acting(ctx, "alice"), stored_password(ctx, "alice")
    with pytest.raises(Invalid) as refused:
        commands.change_password(alice, current, new)
    assert (refused.value.error_code, list(refused.value.fields)) == (code, [field])
    assert stored_password(ctx, "alice") == before
    assert len(queries.tokens(alice)) == 2


def test_what_belongs_to_a_person_asks_for_one(ctx):
    for call in (queries.me, queries.tokens, commands.revoke_all):
        with pytest.raises(Unauthenticated):
            call(ctx)
    with pytest.raises(Unauthenticated):
        commands.change_password(ctx, "a", "b")


def test_who_forgot_a_password_is_given_another_and_signed_out(ctx):
    signed_in = commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)
    live = TOKENS.c.user_id == signed_in.user.id, TOKENS.c.revoked_at.is_(None)
    ended = ctx.session.execute(select(func.count()).select_from(TOKENS).where(*live)).scalar_one()
    password = commands.reset_password(ctx, cast.email("alice"), "rang from 154****0001")
    with pytest.raises(Unauthenticated):
        commands.sign_in(ctx, cast.email("alice"), cast.PASSWORD, TokenKind.SESSION)
    assert (
        queries.actor_for_token(ctx.session, signed_in.secret, TokenKind.SESSION, ctx.now) is None
    )
    assert commands.sign_in(ctx, cast.email("alice"), password, TokenKind.SESSION)
    entry = ctx.session.execute(select(ENTRIES).order_by(ENTRIES.c.sequence.desc()).limit(1)).one()
    assert (entry.action, entry.subject_id) == ("password.reset", str(signed_in.user.id))
    assert (entry.after, entry.reason) == ({"revoked": ended}, "rang from 154****0001")


def test_nobody_else_resets_a_password(ctx):
    before = stored_password(ctx, "alice")
    with pytest.raises(Forbidden):
        commands.reset_password(acting(ctx, "olga"), cast.email("alice"), "curious")
    assert stored_password(ctx, "alice") == before


def test_a_password_of_nobody_is_not_reset(ctx):
    with pytest.raises(NotFound):
        commands.reset_password(ctx, "nobody@mall.example", "rang")
