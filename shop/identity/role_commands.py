"""Granting and withdrawing roles: nobody gives a right that is not theirs to give."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.identity import Role, RoleGrant
from shop import audit
from shop.context import Ctx
from shop.errors import Conflict, Forbidden, Invalid, NotFound, Words
from shop.ids import new_id

GRANTS = RoleGrant.__table__

OF_A_UNIT = frozenset({Role.UNIT_LIAISON, Role.UNION_BUYER, Role.CANTEEN_BUYER})
"""Whose holders act for one unit. What the others may do is not looked at by unit: an organizer of
one school would read every school's figures."""


def grant_role(
    ctx: Ctx,
    user_id: UUID,
    role: Role,
    cooperative_id: UUID | None = None,
    unit_id: UUID | None = None,
) -> None:
    """Give a person a role, once: a second time changes nothing and leaves no audit row.

    Raises:
        Forbidden: only the system and platform administrators grant roles.
        Invalid: `role_not_bounded`, the role is not one that ends at this cooperative or unit;
            `cooperative_required`, a cooperative's manager manages one.
    """
    may_administer(ctx)
    _check_bounds(role, cooperative_id, unit_id)
    added = ctx.session.execute(
        insert(GRANTS)
        .values(
            id=new_id(),
            user_id=user_id,
            role=role,
            cooperative_id=cooperative_id,
            unit_id=unit_id,
            granted_at=ctx.now,
        )
        .on_conflict_do_nothing()
        .returning(GRANTS.c.id)
    ).scalar_one_or_none()
    if added is not None:
        facts = _grant_facts(role, cooperative_id, unit_id)
        audit.record(ctx, "role.grant", "user", str(user_id), after=facts)


def withdraw_role(
    ctx: Ctx,
    user_id: UUID,
    role: Role,
    cooperative_id: UUID | None = None,
    unit_id: UUID | None = None,
) -> None:
    """Take a role away; it ends with the person's next request.

    Raises:
        Forbidden: only the system and platform administrators may.
        NotFound: the person does not hold it.
        Conflict: `last_admin`, somebody has to be able to grant roles.
    """
    may_administer(ctx)
    if role == Role.PLATFORM_ADMIN:
        _keep_one_admin(ctx, user_id)
    gone = ctx.session.execute(
        delete(GRANTS)
        .where(
            GRANTS.c.user_id == user_id,
            GRANTS.c.role == role,
            GRANTS.c.cooperative_id.is_not_distinct_from(cooperative_id),
            GRANTS.c.unit_id.is_not_distinct_from(unit_id),
        )
        .returning(GRANTS.c.id)
    ).scalar_one_or_none()
    if gone is None:
        raise NotFound
    facts = _grant_facts(role, cooperative_id, unit_id)
    audit.record(ctx, "role.withdraw", "user", str(user_id), before=facts)


def _check_bounds(role: Role, cooperative_id: UUID | None, unit_id: UUID | None) -> None:
    """A bound that nobody heeds is refused: it would promise less than is given."""
    if role == Role.COOP_MANAGER and cooperative_id is None:
        raise Invalid(
            "合作社店长须指定所管理的合作社",
            "A cooperative's manager needs the cooperative",
            code="cooperative_required",
            fields={"cooperative_id": [Words("必填", "Required")]},
        )
    unheeded = [
        name
        for name, given, heeded in (
            ("cooperative_id", cooperative_id, role == Role.COOP_MANAGER),
            ("unit_id", unit_id, role in OF_A_UNIT),
        )
        if given is not None and not heeded
    ]
    if unheeded:
        word = Words("此角色的权限不按该范围限定", "This role is not bounded by it")
        raise Invalid(
            "此角色不能限定到所选的单位或合作社",
            "This role cannot be bounded to that unit or cooperative",
            code="role_not_bounded",
            fields={name: [word] for name in unheeded},
        )


def _keep_one_admin(ctx: Ctx, user_id: UUID) -> None:
    """The rows are locked in one order, so two admins cannot remove each other at once."""
    admins = ctx.session.execute(
        select(GRANTS.c.user_id)
        .where(GRANTS.c.role == Role.PLATFORM_ADMIN)
        .order_by(GRANTS.c.id)
        .with_for_update()
    ).scalars()
    if set(admins) == {user_id}:
        raise Conflict(
            "至少要保留一位平台管理员", "There must be one administrator left", code="last_admin"
        )


def may_administer(ctx: Ctx) -> None:
    """Let the system and platform administrators pass.

    Raises:
        Forbidden: everybody else, whatever other role they hold.
    """
    if not ctx.actor.system and not ctx.actor.has(Role.PLATFORM_ADMIN):
        raise Forbidden


def _grant_facts(
    role: Role, cooperative_id: UUID | None, unit_id: UUID | None
) -> dict[str, str | None]:
    return {
        "role": role.value,
        "cooperative_id": str(cooperative_id) if cooperative_id else None,
        "unit_id": str(unit_id) if unit_id else None,
    }
