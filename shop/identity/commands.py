"""Opening accounts, signing in and out, changing a password."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.identity import AccessToken, BuyerKind, TokenKind, User
from models.organization import Unit
from shop import audit, logging
from shop.context import Ctx
from shop.errors import Conflict, Invalid, NotFound, Unauthenticated
from shop.identity import passwords, policy, queries, rules
from shop.identity.role_commands import grant_role, may_administer, withdraw_role
from shop.identity.values import SignedIn, UserFacts
from shop.ids import UserId, new_id, secret_token

__all__ = [
    "change_password",
    "create_user",
    "grant_role",
    "register",
    "reset_password",
    "revoke",
    "revoke_all",
    "revoke_all_of",
    "sign_in",
    "withdraw_role",
    "wrong_credentials",
]

log = logging.get("identity")

USERS = User.__table__
TOKENS = AccessToken.__table__
UNITS = Unit.__table__

TOKEN_LIFE = timedelta(days=30)
"""Of a browser's session and of an API token alike, from sign-in, not from last use: a month is
what buyers of a mall expect, and whoever finds an old device gets a month at most."""

TEMPORARY = 16
"""Characters of a password that we make: 96 random bits, short enough to be read out."""

ALL_SCOPES = ("*",)


def create_user(
    ctx: Ctx,
    email: str,
    password: str,
    name: str,
    buyer_kind: BuyerKind,
    unit_id: UUID | None = None,
) -> UserId:
    """Open an account of any kind. How strong the password is, is the caller's business.

    Raises:
        Invalid: the e-mail address or the name cannot be kept.
        Conflict: `email_taken`.
    """
    user_id = UserId(new_id())
    added = ctx.session.execute(
        insert(USERS)
        .values(
            id=user_id,
            email=rules.normal_email(email, ctx.language),
            name=rules.normal_name(name, ctx.language),
            password_hash=passwords.hashed(password, ctx.settings),
            password_temporary=False,
            buyer_kind=buyer_kind,
            unit_id=unit_id,
            language=ctx.language,
            active=True,
            created_at=ctx.now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(USERS.c.id)
    ).scalar_one_or_none()
    if added is None:
        raise Conflict("此邮箱已注册", "This e-mail address has an account", code="email_taken")
    return user_id


def register(
    ctx: Ctx,
    *,
    email: str,
    password: str,
    name: str,
    buyer_kind: BuyerKind,
    unit: str | None = None,
) -> UserFacts:
    """A buyer opens an account; `unit` is the code of the unit that he or she belongs to.

    Raises:
        Invalid: a field cannot be accepted (`weak_password` for the password).
        Conflict: `email_taken`.
    """
    rules.check_buyer_kind(buyer_kind, ctx.language)
    rules.check_password(password, rules.normal_email(email, ctx.language), ctx.language)
    user_id = create_user(
        ctx,
        email=email,
        password=password,
        name=name,
        buyer_kind=buyer_kind,
        unit_id=_unit_id(ctx, unit) if unit else None,
    )
    log.info("registered", user_id=str(user_id))
    return queries.user(ctx.session, user_id)


def sign_in(
    ctx: Ctx,
    email: str,
    password: str,
    kind: TokenKind,
    scopes: Iterable[str] = ALL_SCOPES,
) -> SignedIn:
    """Exchange e-mail and password for a secret that stands for the person for `TOKEN_LIFE`.

    Unknown, inactive and wrong are one answer that takes one time: nobody learns who is here.

    Raises:
        Unauthenticated: `wrong_credentials`.
        Invalid: a scope names nothing.
    """
    wanted = sorted(set(scopes))
    rules.check_scopes(wanted, policy.PERMISSIONS, ctx.language)
    known = queries.user_by_email(ctx.session, email)
    user_id, stored, active = known or (None, None, False)
    if not passwords.fits(stored, password, ctx.settings) or user_id is None or not active:
        log.warning("sign_in_refused", kind=kind.value)
        raise wrong_credentials()
    assert stored is not None  # it fits
    _hold(ctx, user_id, stored, password)
    secret = secret_token()
    token_id = _issue(ctx, user_id, kind, secret, wanted)
    log.info("signed_in", user_id=str(user_id), kind=kind.value)
    return SignedIn(secret, token_id, ctx.now + TOKEN_LIFE, queries.user(ctx.session, user_id))


def wrong_credentials() -> Unauthenticated:
    """The one error of every failed sign-in, whatever the reason."""
    return Unauthenticated(
        "邮箱或密码不正确", "The e-mail address or the password is wrong", code="wrong_credentials"
    )


def revoke(ctx: Ctx, token_id: UUID) -> None:
    """End one of the actor's own sign-ins, at once; ending it twice is quiet.

    Raises:
        NotFound: the actor has no such sign-in.
    """
    found = ctx.session.execute(
        update(TOKENS)
        .where(TOKENS.c.id == token_id, TOKENS.c.user_id == ctx.actor.user_id)
        .values(revoked_at=func.coalesce(TOKENS.c.revoked_at, ctx.now))
        .returning(TOKENS.c.id)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    log.info("signed_out", user_id=str(ctx.actor.user_id))


def revoke_all(ctx: Ctx, *, keep: UUID | None = None) -> int:
    """End every sign-in of the actor but `keep`; returns how many there were."""
    return _revoke_all(ctx, _own_id(ctx), keep)


def revoke_all_of(ctx: Ctx, user_id: UUID, reason: str) -> int:
    """An administrator ends every sign-in of a person; returns how many there were.

    Raises:
        Forbidden: only the system and platform administrators may.
    """
    may_administer(ctx)
    ended = _revoke_all(ctx, user_id, None)
    audit.record(
        ctx, "tokens.revoke", "user", str(user_id), after={"revoked": ended}, reason=reason
    )
    return ended


def change_password(ctx: Ctx, current: str, new: str) -> None:
    """Replace the actor's password; every other sign-in ends, this one stays.

    Sent twice it is quiet: the password is the new one by then.

    Raises:
        Invalid: `wrong_password`, the current one is not right; `weak_password`, see the rules;
            `same_password`, a temporary one has to go.
        Unauthenticated: nobody is signed in.
    """
    user_id = _own_id(ctx)
    stored, temporary = ctx.session.execute(
        select(USERS.c.password_hash, USERS.c.password_temporary)
        .where(USERS.c.id == user_id)
        .with_for_update()
    ).one()
    if not passwords.fits(stored, current, ctx.settings):
        if not temporary and passwords.fits(stored, new, ctx.settings):
            return
        text = rules.problem_text("wrong_password", ctx.language)
        raise Invalid(code="wrong_password", fields={"current_password": [text]})
    rules.check_password(new, ctx.actor.email, ctx.language, field="new_password")
    if temporary and new == current:
        text = rules.problem_text("same_password", ctx.language)
        raise Invalid(code="same_password", fields={"new_password": [text]})
    _store_password(ctx, user_id, new, temporary=False)
    _revoke_all(ctx, user_id, ctx.actor.token_id)
    log.info("password_changed", user_id=str(user_id))


def reset_password(ctx: Ctx, email: str, reason: str) -> str:
    """Give a person who forgot theirs a password to be told once; every sign-in of theirs ends.

    With it the person can sign in, and then do nothing but choose another. Whoever calls this has
    made sure who is asking: nothing here can.

    Raises:
        Forbidden: only the system and platform administrators may.
        NotFound: nobody has this e-mail address.
    """
    may_administer(ctx)
    known = queries.user_by_email(ctx.session, email)
    if known is None:
        raise NotFound("没有这个邮箱的账号", "Nobody has this e-mail address")
    user_id = known[0]
    password = secret_token()[:TEMPORARY]
    _store_password(ctx, user_id, password, temporary=True)
    ended = _revoke_all(ctx, user_id, None)
    audit.record(
        ctx, "password.reset", "user", str(user_id), after={"revoked": ended}, reason=reason
    )
    return password


def _own_id(ctx: Ctx) -> UUID:
    if ctx.actor.user_id is None:
        raise Unauthenticated
    return ctx.actor.user_id


def _unit_id(ctx: Ctx, code: str) -> UUID:
    found: UUID | None = ctx.session.execute(
        select(UNITS.c.id).where(UNITS.c.code == code.strip(), UNITS.c.active)
    ).scalar_one_or_none()
    if found is None:
        raise Invalid(fields={"unit": [rules.problem_text("unit", ctx.language)]})
    return found


def _store_password(
    ctx: Ctx, user_id: UUID, password: str, *, temporary: bool | None = None
) -> None:
    """Keep a password; whether somebody else made it stays as it is unless told."""
    told = {} if temporary is None else {"password_temporary": temporary}
    ctx.session.execute(
        update(USERS)
        .where(USERS.c.id == user_id)
        .values(password_hash=passwords.hashed(password, ctx.settings), **told)
    )


def _hold(ctx: Ctx, user_id: UUID, proved: str, password: str) -> None:
    """Hold the person's row until we commit; the password that was `proved` has to be the one yet.

    Proving takes long enough for a reset or a change to come in between, which ends the sign-ins
    that it finds: so either we see that change here, or it waits for us and finds our sign-in. A
    hash of older parameters is made anew, for which the row must not be shared with another.

    Raises:
        Unauthenticated: `wrong_credentials`, it is another one by now.
    """
    outdated = passwords.is_outdated(proved, ctx.settings)
    stored = ctx.session.execute(
        select(USERS.c.password_hash)
        .where(USERS.c.id == user_id, USERS.c.active)
        .with_for_update(read=not outdated)
    ).scalar_one_or_none()
    if stored != proved and not passwords.fits(stored, password, ctx.settings):
        raise wrong_credentials()
    if outdated:
        _store_password(ctx, user_id, password)


def _issue(ctx: Ctx, user_id: UUID, kind: TokenKind, secret: str, scopes: list[str]) -> UUID:
    token_id = new_id()
    ctx.session.execute(
        insert(TOKENS).values(
            id=token_id,
            user_id=user_id,
            kind=kind,
            token_hash=queries.token_hash(secret),
            scopes=scopes,
            created_at=ctx.now,
            expires_at=ctx.now + TOKEN_LIFE,
        )
    )
    return token_id


def _revoke_all(ctx: Ctx, user_id: UUID, keep: UUID | None) -> int:
    ended = ctx.session.execute(
        update(TOKENS)
        .where(
            TOKENS.c.user_id == user_id,
            TOKENS.c.revoked_at.is_(None),
            TOKENS.c.expires_at > ctx.now,
            TOKENS.c.id.is_distinct_from(keep),
        )
        .values(revoked_at=ctx.now)
        .returning(TOKENS.c.id)
    ).all()
    return len(ended)
