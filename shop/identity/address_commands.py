"""The address book of the person who acts: nobody else's can be changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from models.identity import Address, User
from shop import crypto
from shop.context import Ctx
from shop.errors import Conflict, NotFound, Unauthenticated
from shop.identity.rules import AddressInput, validated_address
from shop.ids import new_id

ADDRESSES = Address.__table__
USERS = User.__table__

MAX_ADDRESSES = 20
"""Parents, a few friends, the office: more is somebody else's mailing list."""


def add_address(ctx: Ctx, address: AddressInput, *, default: bool = False) -> UUID:
    """Add an address; the first one is the default whatever `default` says.

    Raises:
        Invalid: see `validated_address`; the fields have no prefix here.
        Conflict: `too_many_addresses`.
        Unauthenticated: nobody is signed in.
    """
    values = _values(ctx, address)
    user_id = _lock_book(ctx)
    held = _ids(ctx, user_id)
    if len(held) >= MAX_ADDRESSES:
        raise Conflict(
            f"最多保存 {MAX_ADDRESSES} 个地址",
            f"At most {MAX_ADDRESSES} addresses can be kept",
            code="too_many_addresses",
        )
    address_id = new_id()
    ctx.session.execute(
        insert(ADDRESSES).values(
            id=address_id, user_id=user_id, is_default=False, created_at=ctx.now, **values
        )
    )
    if default or not held:
        _set_default(ctx, user_id, address_id)
    return address_id


def change_address(
    ctx: Ctx, address_id: UUID, address: AddressInput, *, default: bool = False
) -> None:
    """Replace an address. `default` makes it the default; False leaves that as it is.

    Raises:
        Invalid: see `validated_address`.
        NotFound: the actor has no such address.
        Unauthenticated: nobody is signed in.
    """
    values = _values(ctx, address)
    user_id = _lock_book(ctx)
    changed = ctx.session.execute(
        update(ADDRESSES)
        .where(ADDRESSES.c.id == address_id, ADDRESSES.c.user_id == user_id)
        .values(**values)
        .returning(ADDRESSES.c.id)
    ).scalar_one_or_none()
    if changed is None:
        raise NotFound
    if default:
        _set_default(ctx, user_id, address_id)


def remove_address(ctx: Ctx, address_id: UUID) -> None:
    """Remove an address; after the default one, the oldest of the others becomes the default.

    Raises:
        NotFound: the actor has no such address.
        Unauthenticated: nobody is signed in.
    """
    user_id = _lock_book(ctx)
    was_default = ctx.session.execute(
        delete(ADDRESSES)
        .where(ADDRESSES.c.id == address_id, ADDRESSES.c.user_id == user_id)
        .returning(ADDRESSES.c.is_default)
    ).scalar_one_or_none()
    if was_default is None:
        raise NotFound
    others = _ids(ctx, user_id)
    if was_default and others:
        _set_default(ctx, user_id, others[0])


def _values(ctx: Ctx, address: AddressInput) -> dict[str, Any]:
    kept = validated_address(address, prefix="", language=ctx.language)
    secret = ctx.settings.secret_key
    return {
        "recipient": kept.recipient,
        "phone_encrypted": crypto.encrypt(kept.phone, secret),
        "phone_hash": crypto.keyed_hash(kept.phone, secret),
        "division_code": kept.division_code,
        "detail": kept.detail,
    }


def _lock_book(ctx: Ctx) -> UUID:
    """One writer a book, so that there is never a second default; returns the owner's id."""
    found: UUID | None = ctx.session.execute(
        select(USERS.c.id).where(USERS.c.id == ctx.actor.user_id).with_for_update()
    ).scalar_one_or_none()
    if found is None:
        raise Unauthenticated
    return found


def _ids(ctx: Ctx, user_id: UUID) -> list[UUID]:
    """Oldest first."""
    return list(
        ctx.session.execute(
            select(ADDRESSES.c.id).where(ADDRESSES.c.user_id == user_id).order_by(ADDRESSES.c.id)
        ).scalars()
    )


def _set_default(ctx: Ctx, user_id: UUID, address_id: UUID) -> None:
    ctx.session.execute(
        update(ADDRESSES)
        .where(ADDRESSES.c.user_id == user_id)
        .values(is_default=ADDRESSES.c.id == address_id)
    )
