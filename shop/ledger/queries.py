"""Reading the ledger: balances, entries with their postings, what a cooperative is owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select, tuple_

from models.catalog import Cooperative
from models.identity import User
from models.ledger import JournalEntry, Posting
from models.orders import Consignment, Order, OrderLine
from models.refunds import Dispute, DisputeLine, DisputeState
from shop.context import Ctx
from shop.errors import NotFound
from shop.ledger.rules import NAMES, Account

ENTRIES, POSTINGS = JournalEntry.__table__, Posting.__table__
ORDERS, USERS, COOPERATIVES = Order.__table__, User.__table__, Cooperative.__table__
CONSIGNMENTS, LINES = Consignment.__table__, OrderLine.__table__
DISPUTES, DISPUTE_LINES = Dispute.__table__, DisputeLine.__table__

Row = dict[str, Any]

BALANCES = (
    select(
        POSTINGS.c.account,
        POSTINGS.c.party,
        func.sum(POSTINGS.c.amount_fen).label("balance_fen"),
        func.count().label("postings"),
    )
    .group_by(POSTINGS.c.account, POSTINGS.c.party)
    .order_by(POSTINGS.c.account, POSTINGS.c.party)
)
BALANCES_AS_OF = BALANCES.join(ENTRIES, ENTRIES.c.id == POSTINGS.c.entry_id).where(
    ENTRIES.c.day <= bindparam("on")
)
SHOWN = (
    select(
        ENTRIES.c.id,
        ENTRIES.c.day,
        ENTRIES.c.at,
        ENTRIES.c.subject,
        ENTRIES.c.subject_id,
        ENTRIES.c.event,
        ENTRIES.c.note,
        ENTRIES.c.payment_id,
        ENTRIES.c.recorded_at,
        ORDERS.c.number.label("order_number"),
        USERS.c.name.label("actor"),
    )
    .outerjoin(ORDERS, ORDERS.c.id == ENTRIES.c.order_id)
    # Who bought stands on no page of the books, though they have confirmed what they received.
    .outerjoin(
        USERS,
        (USERS.c.id == ENTRIES.c.actor_id) & ORDERS.c.buyer_id.is_distinct_from(USERS.c.id),
    )
)
POSTINGS_OF = (
    select(POSTINGS.c.entry_id, POSTINGS.c.account, POSTINGS.c.party, POSTINGS.c.amount_fen)
    .where(POSTINGS.c.entry_id.in_(bindparam("entries", expanding=True)))
    .order_by(POSTINGS.c.entry_id, POSTINGS.c.position)
)
OWED = select(func.coalesce(func.sum(POSTINGS.c.amount_fen), 0)).where(
    POSTINGS.c.account == Account.COOPERATIVE_PAYABLE, POSTINGS.c.party == bindparam("code")
)
FROZEN = (
    select(func.coalesce(func.sum(DISPUTE_LINES.c.goods_fen + DISPUTE_LINES.c.freight_fen), 0))
    .join(DISPUTES, DISPUTES.c.id == DISPUTE_LINES.c.dispute_id)
    .join(LINES, LINES.c.id == DISPUTE_LINES.c.order_line_id)
    .join(CONSIGNMENTS, CONSIGNMENTS.c.id == LINES.c.consignment_id)
    .join(COOPERATIVES, COOPERATIVES.c.id == CONSIGNMENTS.c.cooperative_id)
    .where(DISPUTES.c.state == DisputeState.OPEN, COOPERATIVES.c.code == bindparam("code"))
)
KNOWN = select(exists().where(COOPERATIVES.c.code == bindparam("code")))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries: those that touch an account (of a party), a subject's, a day's, an order's."""

    account: Account | None = None
    party: str | None = None
    subject: str | None = None
    day: date | None = None
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class Payable:
    """What a cooperative is owed, and how much of that open disputes freeze. Fen."""

    balance_fen: int
    frozen_fen: int


def accounts(ctx: Ctx, on: date | None = None) -> list[Row]:
    """Every account with its balance at the end of `on` (now, without one), in fen.

    Debit is positive. An account that is kept for each cooperative has its `parties`.
    """
    found = ctx.session.execute(BALANCES_AS_OF, {"on": on}) if on else ctx.session.execute(BALANCES)
    by_account: dict[str, list[Any]] = {}
    for row in found:
        by_account.setdefault(row.account, []).append(row)
    return [_account(account, by_account.get(account, [])) for account in Account]


def _account(account: Account, rows: list[Any]) -> Row:
    kind, zh, en = NAMES[account]
    return {
        "code": account.value,
        "kind": kind,
        "name": zh,
        "name_en": en,
        "balance_fen": int(sum(row.balance_fen for row in rows)),
        "postings": sum(row.postings for row in rows),
        "parties": [
            {"party": row.party, "balance_fen": int(row.balance_fen), "postings": row.postings}
            for row in rows
            if row.party
        ],
    }


def entries(
    ctx: Ctx, wanted: EntryFilter, after: tuple[date, UUID] | None = None, limit: int = 24
) -> list[Row]:
    """Journal entries with their postings, the newest day first.

    `after` is the (`day`, `id`) of the last entry already read.
    """
    statement = SHOWN.where(*_conditions(wanted))
    if after is not None:
        statement = statement.where(tuple_(ENTRIES.c.day, ENTRIES.c.id) < tuple_(*after))
    newest = statement.order_by(ENTRIES.c.day.desc(), ENTRIES.c.id.desc()).limit(limit)
    return _with_postings(ctx, newest)


def entry(ctx: Ctx, entry_id: UUID) -> Row:
    """One journal entry with its postings.

    Raises:
        NotFound: there is none with this key.
    """
    found = _with_postings(ctx, SHOWN.where(ENTRIES.c.id == entry_id))
    if not found:
        raise NotFound("没有找到这笔分录", "There is no such entry")
    return found[0]


def payable(ctx: Ctx, code: str) -> Payable:
    """What the cooperative with this code is owed.

    Raises:
        NotFound: there is no such cooperative.
    """
    if not ctx.session.execute(KNOWN, {"code": code}).scalar_one():
        raise NotFound("没有找到这家合作社", "There is no such cooperative")
    owed = ctx.session.execute(OWED, {"code": code}).scalar_one()
    frozen = ctx.session.execute(FROZEN, {"code": code}).scalar_one()
    return Payable(-int(owed), int(frozen))


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    touching = [POSTINGS.c.entry_id == ENTRIES.c.id]
    if wanted.account is not None:
        touching.append(POSTINGS.c.account == wanted.account)
    if wanted.party is not None:
        touching.append(POSTINGS.c.party == wanted.party)
    if len(touching) > 1:
        conditions.append(exists().where(*touching))
    if wanted.subject is not None:
        conditions.append(ENTRIES.c.subject == wanted.subject)
    if wanted.day is not None:
        conditions.append(ENTRIES.c.day == wanted.day)
    if wanted.order_number is not None:
        conditions.append(ORDERS.c.number == wanted.order_number)
    return conditions


def _with_postings(ctx: Ctx, statement: Select[Any]) -> list[Row]:
    rows: list[Row] = [{**row, "postings": []} for row in ctx.session.execute(statement).mappings()]
    by_id: Mapping[UUID, Row] = {row["id"]: row for row in rows}
    if rows:
        for leg in ctx.session.execute(POSTINGS_OF, {"entries": list(by_id)}):
            by_id[leg.entry_id]["postings"].append(
                {"account": leg.account, "party": leg.party, "amount_fen": leg.amount_fen}
            )
    return rows
