"""What the keys in the log of staff's doings stand for: looked up to be read, never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, exists, or_, select, union_all

from models.bank import BankMatch, BankReceipt, BankStatement
from models.catalog import Cooperative, Product, Sku
from models.identity import Role, RoleGrant, User
from models.orders import Consignment, Order
from models.organization import Unit
from models.refunds import Dispute, Refund
from shop import phones
from shop.context import Ctx
from shop.formatting import yuan
from shop.identity.policy import STAFF

USERS, GRANTS, SKUS = User.__table__, RoleGrant.__table__, Sku.__table__
ORDERS, CONSIGNMENTS = Order.__table__, Consignment.__table__
REFUNDS, DISPUTES = Refund.__table__, Dispute.__table__
RECEIPTS, MATCHES = BankReceipt.__table__, BankMatch.__table__
STATEMENTS = BankStatement.__table__
COOPERATIVES, UNITS = Cooperative.__table__, Unit.__table__
PRODUCTS = Product.__table__

Row = dict[str, Any]
Names = dict[str, str]

AT_A_DESK = exists(
    select(GRANTS.c.id).where(
        GRANTS.c.user_id == USERS.c.id, GRANTS.c.role.in_((*STAFF, Role.COOP_MANAGER))
    )
)


HAS_A_ROLE = exists(select(GRANTS.c.id).where(GRANTS.c.user_id == USERS.c.id))


def colleagues(ctx: Ctx) -> list[str]:
    """The names of all who may do today what is written down, for a list to choose from."""
    found = ctx.session.execute(select(USERS.c.name).where(AT_A_DESK).distinct())
    return sorted(found.scalars())


def names_of(ctx: Ctx, rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """(subject, its key) -> what it is called, of those rows that hold a key of ours.

    So are the units and cooperatives that a role is bounded to, and the products, which the log
    knows by their slugs. Who has no role is a buyer and masked; a bank's line is its day and
    amount, without its payer.
    """
    wanted: dict[str, set[UUID]] = {kind: set() for kind in KINDS}
    for kind, text in _mentions(rows):
        if kind in wanted and (key := _key(text)):
            wanted[kind].add(key)
    slugs = {row["subject_id"] for row in rows if row["subject"] == "product"}
    products = _products(ctx, slugs) if slugs else {}
    return {("product", slug): name for slug, name in products.items()} | {
        (kind, key): name
        for kind, keys in wanted.items()
        if keys
        for key, name in KINDS[kind](ctx, keys).items()
    }


def _mentions(rows: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    for row in rows:
        yield row["subject"], row["subject_id"]
        for facts in (row["before"], row["after"]):
            yield from (facts or {}).items()


def mentioned(ctx: Ctx, text: str) -> list[str]:
    """The keys and numbers under which the log speaks of `text`.

    `text` is such a key or number itself, a SKU's code, a product's name, a person's name or e-mail
    address; or an order's number, for its consignments, matches, refunds and disputes too.
    """
    here = ORDERS.c.number == text
    found = ctx.session.execute(
        union_all(
            select(cast(SKUS.c.id, Text)).where(SKUS.c.code == text.upper()),
            select(SKUS.c.code).where(SKUS.c.code == text.upper()),
            select(PRODUCTS.c.slug).where(or_(PRODUCTS.c.name == text, PRODUCTS.c.name_en == text)),
            select(cast(USERS.c.id, Text)).where(
                or_(USERS.c.name == text, USERS.c.email == text.lower())
            ),
            select(CONSIGNMENTS.c.number).join_from(CONSIGNMENTS, ORDERS).where(here),
            select(cast(MATCHES.c.id, Text)).join_from(MATCHES, ORDERS).where(here),
            select(REFUNDS.c.number).join_from(REFUNDS, ORDERS).where(here),
            select(DISPUTES.c.reference).join_from(DISPUTES, ORDERS).where(here),
        )
    )
    return [text, *found.scalars()]


def _key(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _skus(ctx: Ctx, keys: set[UUID]) -> Names:
    """For movements written down before SKUs were named by their codes."""
    found = ctx.session.execute(select(SKUS.c.id, SKUS.c.code).where(SKUS.c.id.in_(keys)))
    return {str(row.id): row.code for row in found}


def _products(ctx: Ctx, slugs: set[str]) -> Names:
    here = ctx.language.startswith("zh")
    found = ctx.session.execute(
        select(PRODUCTS.c.slug, PRODUCTS.c.name, PRODUCTS.c.name_en).where(
            PRODUCTS.c.slug.in_(slugs)
        )
    )
    return {row.slug: row.name if here else row.name_en or row.name for row in found}


def _people(ctx: Ctx, keys: set[UUID]) -> Names:
    found = ctx.session.execute(
        select(USERS.c.id, USERS.c.name, HAS_A_ROLE.label("known")).where(USERS.c.id.in_(keys))
    )
    return {str(row.id): row.name if row.known else phones.mask_name(row.name) for row in found}


def _receipts(ctx: Ctx, keys: set[UUID]) -> Names:
    found = ctx.session.execute(
        select(RECEIPTS.c.id, RECEIPTS.c.booked_on, RECEIPTS.c.amount_fen).where(
            RECEIPTS.c.id.in_(keys)
        )
    )
    return {str(row.id): f"{row.booked_on} {yuan(row.amount_fen)}" for row in found}


def _matches(ctx: Ctx, keys: set[UUID]) -> Names:
    found = ctx.session.execute(
        select(MATCHES.c.id, ORDERS.c.number)
        .join_from(MATCHES, ORDERS)
        .where(MATCHES.c.id.in_(keys))
    )
    return {str(row.id): row.number for row in found}


def _statements(ctx: Ctx, keys: set[UUID]) -> Names:
    found = ctx.session.execute(
        select(STATEMENTS.c.id, STATEMENTS.c.filename).where(STATEMENTS.c.id.in_(keys))
    )
    return {str(row.id): row.filename for row in found}


def _cooperatives(ctx: Ctx, keys: set[UUID]) -> Names:
    return _called(ctx, COOPERATIVES, keys)


def _units(ctx: Ctx, keys: set[UUID]) -> Names:
    return _called(ctx, UNITS, keys)


def _called(ctx: Ctx, table: Any, keys: set[UUID]) -> Names:
    here = ctx.language.startswith("zh")
    found = ctx.session.execute(
        select(table.c.id, table.c.name, table.c.name_en).where(table.c.id.in_(keys))
    )
    return {str(row.id): row.name if here else row.name_en or row.name for row in found}


KINDS: dict[str, Callable[[Ctx, set[UUID]], Names]] = {
    "sku": _skus,
    "user": _people,
    "bank_receipt": _receipts,
    "bank_match": _matches,
    "bank_statement": _statements,
    "cooperative_id": _cooperatives,
    "unit_id": _units,
}
