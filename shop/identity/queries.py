"""Reading people. Passwords and token hashes never leave this package."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from models.catalog import Cooperative
from models.identity import AccessToken, Address, Role, RoleGrant, TokenKind, User
from models.organization import Unit
from shop import crypto, divisions, phones
from shop.context import Actor, Ctx
from shop.errors import NotFound, Unauthenticated
from shop.identity.policy import STAFF
from shop.identity.rules import email_key
from shop.identity.values import AddressFacts, Me, Membership, Named, TokenFacts, UserFacts
from shop.session import Session

USERS = User.__table__
TOKENS = AccessToken.__table__
GRANTS = RoleGrant.__table__
ADDRESSES = Address.__table__
COOPERATIVES = Cooperative.__table__
HOME_UNITS = Unit.__table__
GRANT_UNITS = Unit.__table__.alias("grant_unit")

ADDRESS_COLUMNS = select(
    ADDRESSES.c.id,
    ADDRESSES.c.recipient,
    ADDRESSES.c.phone_encrypted,
    ADDRESSES.c.division_code,
    ADDRESSES.c.detail,
    ADDRESSES.c.is_default,
)

AnyRow = Row[*tuple[Any, ...]]


def token_hash(secret: str) -> str:
    """What is stored of a bearer secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def actor_for_token(session: Session, secret: str, kind: TokenKind, now: datetime) -> Actor | None:
    """The person behind a live token, with roles; None when it is unknown, expired or revoked."""
    rows = session.execute(
        select(
            USERS.c.id,
            USERS.c.name,
            USERS.c.email,
            USERS.c.buyer_kind,
            USERS.c.unit_id.label("home_unit_id"),
            USERS.c.password_temporary,
            TOKENS.c.id.label("token_id"),
            TOKENS.c.scopes,
            GRANTS.c.role,
            GRANTS.c.cooperative_id,
            GRANTS.c.unit_id,
        )
        .select_from(TOKENS)
        .join(USERS, USERS.c.id == TOKENS.c.user_id)
        .outerjoin(GRANTS, GRANTS.c.user_id == USERS.c.id)
        .where(
            TOKENS.c.token_hash == token_hash(secret),
            TOKENS.c.kind == kind,
            TOKENS.c.revoked_at.is_(None),
            TOKENS.c.expires_at > now,
            USERS.c.active,
        )
    ).all()
    if not rows:
        return None
    first = rows[0]
    return Actor(
        user_id=first.id,
        name=first.name,
        email=first.email,
        buyer_kind=first.buyer_kind,
        unit_id=first.home_unit_id,
        roles=frozenset(row.role for row in rows if row.role is not None),
        cooperative_ids=frozenset(
            row.cooperative_id for row in rows if row.role == Role.COOP_MANAGER
        ),
        unit_ids=frozenset(row.unit_id for row in rows if row.unit_id is not None),
        scopes=frozenset(first.scopes),
        token_id=first.token_id,
        password_temporary=first.password_temporary,
    )


def user_by_email(session: Session, email: str) -> tuple[UUID, str, bool] | None:
    """(id, password hash, active) of the person with this e-mail address, if any."""
    row = session.execute(
        select(USERS.c.id, USERS.c.password_hash, USERS.c.active).where(
            USERS.c.email == email_key(email)
        )
    ).one_or_none()
    return (row.id, row.password_hash, row.active) if row else None


def user(session: Session, user_id: UUID) -> UserFacts:
    """A person with unit and roles, in one statement.

    Raises:
        NotFound: there is no such person.
    """
    rows = session.execute(
        select(
            USERS.c.id,
            USERS.c.email,
            USERS.c.name,
            USERS.c.buyer_kind,
            USERS.c.language,
            USERS.c.password_temporary,
            USERS.c.created_at,
            HOME_UNITS.c.code.label("home_code"),
            HOME_UNITS.c.name.label("home_name"),
            GRANTS.c.role,
            COOPERATIVES.c.code.label("cooperative_code"),
            COOPERATIVES.c.name.label("cooperative_name"),
            COOPERATIVES.c.name_en.label("cooperative_name_en"),
            GRANT_UNITS.c.code.label("unit_code"),
            GRANT_UNITS.c.name.label("unit_name"),
        )
        .select_from(USERS)
        .outerjoin(HOME_UNITS, HOME_UNITS.c.id == USERS.c.unit_id)
        .outerjoin(GRANTS, GRANTS.c.user_id == USERS.c.id)
        .outerjoin(COOPERATIVES, COOPERATIVES.c.id == GRANTS.c.cooperative_id)
        .outerjoin(GRANT_UNITS, GRANT_UNITS.c.id == GRANTS.c.unit_id)
        .where(USERS.c.id == user_id)
        .order_by(GRANTS.c.id)
    ).all()
    if not rows:
        raise NotFound
    return _user_facts(rows)


def me(ctx: Ctx) -> Me:
    """The actor with roles and address book: two statements.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if ctx.actor.user_id is None:
        raise Unauthenticated
    return Me(user(ctx.session, ctx.actor.user_id), addresses(ctx, ctx.actor.user_id))


def tokens(ctx: Ctx, before: UUID | None = None, limit: int | None = None) -> list[TokenFacts]:
    """The actor's live sign-ins, newest first.

    `before` is the `id` of the last one already read.

    Raises:
        Unauthenticated: nobody is signed in.
    """
    if ctx.actor.user_id is None:
        raise Unauthenticated
    older = [] if before is None else [TOKENS.c.id < before]
    rows = ctx.session.execute(
        select(
            TOKENS.c.id,
            TOKENS.c.kind,
            TOKENS.c.scopes,
            TOKENS.c.created_at,
            TOKENS.c.expires_at,
        )
        .where(
            TOKENS.c.user_id == ctx.actor.user_id,
            TOKENS.c.revoked_at.is_(None),
            TOKENS.c.expires_at > ctx.now,
            *older,
        )
        .order_by(TOKENS.c.id.desc())
        .limit(limit)
    )
    return [TokenFacts(**row, current=row["id"] == ctx.actor.token_id) for row in rows.mappings()]


def addresses(ctx: Ctx, user_id: UUID) -> tuple[AddressFacts, ...]:
    """A person's address book, the default first, then the oldest.

    The owner reads everything; staff reads names, phones and houses masked.

    Raises:
        NotFound: for everybody else, whether there is such a book or not.
    """
    own = ctx.actor.user_id == user_id
    if not own and not ctx.actor.system and not ctx.actor.has(*STAFF):
        raise NotFound
    rows = ctx.session.execute(
        ADDRESS_COLUMNS.where(ADDRESSES.c.user_id == user_id).order_by(
            ADDRESSES.c.is_default.desc(), ADDRESSES.c.id
        )
    )
    return tuple(_address_facts(row, ctx.settings.secret_key, masked=not own) for row in rows)


def address(ctx: Ctx, address_id: UUID) -> AddressFacts:
    """One of the actor's own addresses.

    Raises:
        NotFound: the actor has no such address.
    """
    row = ctx.session.execute(
        ADDRESS_COLUMNS.where(
            ADDRESSES.c.id == address_id, ADDRESSES.c.user_id == ctx.actor.user_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return _address_facts(row, ctx.settings.secret_key, masked=False)


def _user_facts(rows: Sequence[AnyRow]) -> UserFacts:
    first = rows[0]
    return UserFacts(
        id=first.id,
        email=first.email,
        name=first.name,
        buyer_kind=first.buyer_kind,
        language=first.language,
        password_temporary=first.password_temporary,
        created_at=first.created_at,
        unit=_named(first.home_code, first.home_name),
        memberships=tuple(
            Membership(
                row.role,
                _named(row.cooperative_code, row.cooperative_name, row.cooperative_name_en),
                _named(row.unit_code, row.unit_name),
            )
            for row in rows
            if row.role is not None
        ),
    )


def _named(code: str | None, name: str | None, name_en: str | None = None) -> Named | None:
    return None if code is None or name is None else Named(code, name, name_en)


def _address_facts(row: AnyRow, secret: str, *, masked: bool) -> AddressFacts:
    phone = _phone(row.phone_encrypted, secret)
    return AddressFacts(
        id=row.id,
        recipient=phones.mask_name(row.recipient) if masked else row.recipient,
        phone=phones.mask(phone) if masked else phone,
        division_code=row.division_code,
        division_name=divisions.full_name(row.division_code) or "",
        detail=phones.mask_address(row.detail) if masked else row.detail,
        is_default=row.is_default,
    )


def _phone(encrypted: str, secret: str) -> str:
    """Empty when it was written under another secret: the person can enter it again."""
    try:
        return crypto.decrypt(encrypted, secret)
    except crypto.UnreadableError:
        return ""
