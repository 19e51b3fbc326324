"""What the keys in the log of staff's doings stand for: looked up to be read, never written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, exists, or_, select, union_all

from models.bank import BankMatch, BankReceipt, BankStatement
from models.catalog import Sku
from models.identity import Role, RoleGrant, User
from models.orders import Consignment, Order
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

Row = dict[str, Any]
Names = dict[str, str]

AT_A_DESK = exists(
    select(GRANTS.c.id).where(
        GRANTS.c.user_id == USERS.c.id, GRANTS.c.role.in_((*STAFF, Role.COOP_MANAGER))
    )
)


def colleagues(ctx: Ctx) -> list[str]:
    """The names of all who may do today what is written down, for a list to choose from."""
    found = ctx.session.execute(select(USERS.c.name).where(AT_A_DESK).distinct())
    return sorted(found.scalars())


def names_of(ctx: Ctx, rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """(subject, its key) -> what it is called, of those rows that hold a key of ours.

    Buyers are masked; a bank's line is its day and amount, without its payer.
    """
    found: dict[tuple[str, str], str] = {}
    for subject, look_up in KINDS.items():
        keys = {key for row in rows if row["subject"] == subject and (key := _key(row))}
        if keys:
            named = look_up(ctx, keys)
            found |= {(subject, key): name for key, name in named.items()}
    return found


def mentioned(ctx: Ctx, text: str) -> list[str]:
    """The keys and numbers under which the log speaks of `text`.

    `text` is such a key or number itself, a SKU's code, a person's name or e-mail address; or an
    order's number, for its consignments, matches, refunds and disputes too.
    """
    here = ORDERS.c.number == text
    found = ctx.session.execute(
        union_all(
            select(cast(SKUS.c.id, Text)).where(SKUS.c.code == text.upper()),
            select(SKUS.c.code).where(SKUS.c.code == text.upper()),
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


def _key(row: Row) -> UUID | None:
    try:
        return UUID(row["subject_id"])
    except ValueError:
        return None


def _skus(ctx: Ctx, keys: set[UUID]) -> Names:
    """For movements written down before SKUs were named by their codes."""
    found = ctx.session.execute(select(SKUS.c.id, SKUS.c.code).where(SKUS.c.id.in_(keys)))
    return {str(row.id): row.code for row in found}


def _people(ctx: Ctx, keys: set[UUID]) -> Names:
    found = ctx.session.execute(
        select(USERS.c.id, USERS.c.name, AT_A_DESK.label("at_a_desk")).where(USERS.c.id.in_(keys))
    )
    return {str(row.id): row.name if row.at_a_desk else phones.mask_name(row.name) for row in found}


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


KINDS: dict[str, Callable[[Ctx, set[UUID]], Names]] = {
    "sku": _skus,
    "user": _people,
    "bank_receipt": _receipts,
    "bank_match": _matches,
    "bank_statement": _statements,
}
