import pytest
from sqlalchemy import func, insert, select, update

from models.catalog import Cooperative
from models.identity import Role, RoleGrant, User
from models.organization import Unit
from models.system import AuditEntry
from shop import audit
from shop.errors import Conflict, Forbidden, Invalid, NotFound
from shop.identity import commands, queries
from shop.identity.policy import PERMISSIONS, allowed
from shop.identity.values import Membership, Named
from shop.ids import new_id
from tests.conftest import acting

GRANTS, ENTRIES = RoleGrant.__table__, AuditEntry.__table__


def user_id(ctx, name):
    return acting(ctx, name).actor.user_id


def rows(ctx):
    tables = (GRANTS, ENTRIES)
    return [ctx.session.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]


def test_a_role_is_granted_and_audited(ctx):
    alice = user_id(ctx, "alice")
    commands.grant_role(acting(ctx, "ada"), alice, Role.FINANCE)
    assert acting(ctx, "alice").actor.roles == {Role.FINANCE}
    last = ctx.session.execute(select(ENTRIES).order_by(ENTRIES.c.sequence.desc())).first()
    assert (last.action, last.subject_id) == ("role.grant", str(alice))
    assert last.after == {"role": "finance", "cooperative_id": None, "unit_id": None}
    assert audit.verify(ctx.session) == []


def test_a_role_is_granted_once(ctx):
    alice = user_id(ctx, "alice")
    commands.grant_role(ctx, alice, Role.ORGANIZER)
    before = rows(ctx)
    commands.grant_role(ctx, alice, Role.ORGANIZER)
    assert rows(ctx) == before


@pytest.mark.parametrize(
    ("role", "coop", "unit", "code", "fields"),
    [
        (Role.ORGANIZER, None, "U03", "role_not_bounded", ["unit_id"]),
        (Role.FINANCE, None, "U03", "role_not_bounded", ["unit_id"]),
        (Role.PLATFORM_ADMIN, None, "U03", "role_not_bounded", ["unit_id"]),
        (Role.COUNTY_OFFICER, None, "U03", "role_not_bounded", ["unit_id"]),
        (Role.COOP_MANAGER, "C01", "U03", "role_not_bounded", ["unit_id"]),
        (Role.ORGANIZER, "C01", None, "role_not_bounded", ["cooperative_id"]),
        (Role.UNIT_LIAISON, "C01", "U03", "role_not_bounded", ["cooperative_id"]),
        (Role.FINANCE, "C01", "U03", "role_not_bounded", ["cooperative_id", "unit_id"]),
        (Role.COOP_MANAGER, None, None, "cooperative_required", ["cooperative_id"]),
    ],
)
def test_a_bound_that_nobody_heeds_is_refused(ctx, role, coop, unit, code, fields):
    """An organizer "of the school of economics" would read the figures of all schools."""
    before = rows(ctx)
    with pytest.raises(Invalid) as refused:
        commands.grant_role(
            acting(ctx, "ada"),
            user_id(ctx, "alice"),
            role,
            coop and _cooperative(ctx, coop),
            unit and _unit(ctx, unit),
        )
    assert (refused.value.error_code, list(refused.value.fields)) == (code, fields)
    assert (rows(ctx), acting(ctx, "alice").actor.roles) == (before, frozenset())


@pytest.mark.parametrize("role", [Role.UNIT_LIAISON, Role.UNION_BUYER, Role.CANTEEN_BUYER])
def test_who_acts_for_a_unit_is_granted_it(ctx, role):
    unit = _unit(ctx, "U03")
    commands.grant_role(acting(ctx, "ada"), user_id(ctx, "alice"), role, unit_id=unit)
    alice = acting(ctx, "alice").actor
    assert (alice.roles, alice.unit_ids) == ({role}, {unit})


def test_a_bound_of_before_can_still_be_withdrawn(ctx):
    alice, unit = user_id(ctx, "alice"), _unit(ctx, "U03")
    row = {"id": new_id(), "user_id": alice, "role": Role.ORGANIZER, "unit_id": unit}
    ctx.session.execute(insert(GRANTS).values(**row, granted_at=ctx.now))
    commands.withdraw_role(acting(ctx, "ada"), alice, Role.ORGANIZER, unit_id=unit)
    assert acting(ctx, "alice").actor.roles == frozenset()


@pytest.mark.parametrize("name", ["alice", "bob", "olga", "fiona", "uma"])
def test_nobody_gives_what_is_not_theirs_to_give(ctx, name):
    acts, target, before = acting(ctx, name), user_id(ctx, "stan"), rows(ctx)
    for call in (commands.grant_role, commands.withdraw_role):
        with pytest.raises(Forbidden):
            call(acts, target, Role.FINANCE)
    assert rows(ctx) == before


def test_a_role_that_is_withdrawn_is_gone_at_once(ctx):
    bob, coop = acting(ctx, "bob").actor, _cooperative(ctx, "C01")
    commands.withdraw_role(acting(ctx, "ada"), bob.user_id, Role.COOP_MANAGER, coop)
    assert (acting(ctx, "bob").actor.roles, acting(ctx, "bob").actor.cooperative_ids) == (
        frozenset(),
        frozenset(),
    )


def test_a_role_that_nobody_holds_cannot_be_withdrawn(ctx):
    before = rows(ctx)
    with pytest.raises(NotFound):
        commands.withdraw_role(acting(ctx, "ada"), user_id(ctx, "alice"), Role.FINANCE)
    assert rows(ctx) == before


def test_the_last_administrator_stays(ctx):
    ada = acting(ctx, "ada")
    before = rows(ctx)
    with pytest.raises(Conflict) as refused:
        commands.withdraw_role(ada, ada.actor.user_id, Role.PLATFORM_ADMIN)
    assert refused.value.error_code == "last_admin"
    assert rows(ctx) == before


def test_of_two_administrators_one_may_go(ctx):
    ada = acting(ctx, "ada")
    commands.grant_role(ada, user_id(ctx, "olga"), Role.PLATFORM_ADMIN)
    commands.withdraw_role(ada, ada.actor.user_id, Role.PLATFORM_ADMIN)
    assert acting(ctx, "ada").actor.roles == frozenset()


def test_a_person_reads_the_own_memberships(ctx):
    bob, uma = queries.me(acting(ctx, "bob")), queries.me(acting(ctx, "uma"))
    assert bob.memberships == (Membership(Role.COOP_MANAGER, _named(ctx), None),)
    assert (bob.user.roles, bob.addresses) == (["coop_manager"], ())
    assert (uma.user.unit.code, uma.user.roles) == ("U01", ["union_buyer"])


def test_who_is_not_active_is_nobody(ctx):
    token = acting(ctx, "stan").actor
    statement = update(User.__table__).where(User.__table__.c.id == token.user_id)
    ctx.session.execute(statement.values(active=False))
    with pytest.raises(AssertionError):
        acting(ctx, "stan")


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_a_narrow_token_does_what_its_scopes_say(ctx, permission):
    actor = acting(ctx, "alice").actor
    narrow = actor.__class__(user_id=actor.user_id, scopes=frozenset({"catalog.*", "account.read"}))
    expected = permission in {"catalog.read", "account.read", "session.end"}
    assert allowed(narrow, permission) is expected


def _cooperative(ctx, code):
    statement = select(Cooperative.id).where(Cooperative.code == code)
    return ctx.session.execute(statement).scalar_one()


def _unit(ctx, code):
    return ctx.session.execute(select(Unit.id).where(Unit.code == code)).scalar_one()


def _named(ctx):
    statement = select(Cooperative.name, Cooperative.name_en).where(Cooperative.code == "C01")
    return Named("C01", *ctx.session.execute(statement).one())
