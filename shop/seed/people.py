"""The demonstration's accounts: one for each kind of person, all with the same password."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from models.catalog import Cooperative
from models.identity import BuyerKind, Role
from models.organization import Unit
from shop.context import Ctx
from shop.identity.commands import create_user, grant_role


@dataclass(frozen=True, slots=True)
class Person:
    """A demo account; `role` is bounded to the cooperative where there is one, else to the unit."""

    email: str
    name: str
    buyer_kind: BuyerKind
    unit: str | None = None
    role: Role | None = None
    cooperative: str | None = None


PEOPLE = (
    Person("buyer@demo.example", "校友乙(演示)", BuyerKind.ALUMNI, unit="U13"),
    Person(
        "coop@demo.example",
        "茶叶合作社店长(演示)",
        BuyerKind.PUBLIC,
        role=Role.COOP_MANAGER,
        cooperative="C01",
    ),
    Person(
        "coop2@demo.example",
        "核桃合作社店长(演示)",
        BuyerKind.PUBLIC,
        role=Role.COOP_MANAGER,
        cooperative="C02",
    ),
    Person("organizer@demo.example", "校帮扶办(演示)", BuyerKind.STAFF, role=Role.ORGANIZER),
    Person("finance@demo.example", "财务处(演示)", BuyerKind.STAFF, role=Role.FINANCE),
    Person("admin@demo.example", "平台管理员(演示)", BuyerKind.STAFF, role=Role.PLATFORM_ADMIN),
    Person(
        "union@demo.example",
        "校工会采购员(演示)",
        BuyerKind.UNIT_ACCOUNT,
        unit="U01",
        role=Role.UNION_BUYER,
    ),
    Person(
        "canteen@demo.example",
        "食堂采购员(演示)",
        BuyerKind.UNIT_ACCOUNT,
        unit="U02",
        role=Role.CANTEEN_BUYER,
    ),
)


def load_people(ctx: Ctx, password: str) -> None:
    """Create the demo accounts; the cooperatives and units must be there already."""
    cooperatives = _keys(ctx, Cooperative)
    units = _keys(ctx, Unit)
    for person in PEOPLE:
        unit_id = units[person.unit] if person.unit else None
        user_id = create_user(ctx, person.email, password, person.name, person.buyer_kind, unit_id)
        if person.cooperative:
            grant_role(
                ctx, user_id, Role.COOP_MANAGER, cooperative_id=cooperatives[person.cooperative]
            )
        elif person.role:
            grant_role(ctx, user_id, person.role, unit_id=unit_id)


def _keys(ctx: Ctx, kind: type[Cooperative | Unit]) -> dict[str, UUID]:
    rows = ctx.session.execute(select(kind.code, kind.id))
    return {row.code: row.id for row in rows}
