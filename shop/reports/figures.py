"""The SQL of the figures: cells summed up from all entries, or from a roll-up and what came since.

Money and pieces add up. Orders and buyers do not: an order counts once in a cell however many
lines of it are there, a buyer however many orders. They are counted by order, then by buyer, then
to the cell. What a roll-up lacks of them is found by looking at everybody who came since: their
orders in a cell with and without what is new. That takes as long as they have entries, whatever
the others have, and it is exact also where a correction takes an order out of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from models.aid import AidEntryKind, AidRollup, AidRollupCell
from models.organization import AidClass
from shop.reports.definitions import DIMENSIONS, MEASURES, Coded, Period
from shop.reports.rules import SalesQuery
from shop.reports.statements import ENTRIES, REFUNDS, code, conditions, period_day

ROLLUPS, CELLS = AidRollup.__table__, AidRollupCell.__table__

ADDS = (AidEntryKind.SALE, AidEntryKind.IMPORT, AidEntryKind.REATTRIBUTED_IN)
TAKES_BACK = (AidEntryKind.IMPORT_UNDO, AidEntryKind.REATTRIBUTED_OUT)
"""Corrections of a sale itself; a refund is neither: the sale stays a sale."""

DATE_WIDTH = 10
"""Characters of `2026-03-31`, which stand before a name while the latest one is looked for."""

COUNTED = ("orders", "buyers")
COLUMNS = ("codes", "names", "rule_sets", *MEASURES)
FIRST_MEASURE = COLUMNS.index("orders")
TEXTS: ARRAY[Any] = ARRAY(Text)


@dataclass(frozen=True, slots=True)
class Written:
    """Entries by the transaction that wrote them: from `since` on, `below` excluded."""

    since: ColumnElement[int] | None = None
    below: ColumnElement[int] | None = None


def _moment(name: str) -> ColumnElement[int]:
    # Written into the statement itself, so that it is planned for this very horizon.
    return bindparam(name, type_=BigInteger, literal_execute=True)


SINCE, BELOW = _moment("since"), _moment("below")
WHENEVER = Written()


def from_entries(query: SalesQuery) -> Select[*tuple[Any, ...]]:
    """All figures in one snapshot, sorted: the total (its codes are empty), then the cells.

    The `rule_sets` of the total are lists of codes.
    """
    return _together(query, _parts(query, WHENEVER), func.jsonb_agg)


def from_rollup(query: SalesQuery) -> Select[*tuple[Any, ...]]:
    """The same from the cells of `rollup` and what was written from its horizon, `since`, on.

    The total's `found` is 1 when the roll-up stands there, and 0 when it does not: then there are
    cells missing.
    """
    kept = select(*(CELLS.c[name] for name in COLUMNS), literal(1).label("found"))
    still = and_(ROLLUPS.c.id == bindparam("rollup", type_=Uuid), ROLLUPS.c.horizon == SINCE)
    held = kept.join(ROLLUPS, ROLLUPS.c.id == CELLS.c.rollup_id).where(still)
    return _together(query, [held, *_parts(query, Written(SINCE))], func.jsonb_agg)


def to_add(query: SalesQuery, *, anew: bool) -> Select[*tuple[Any, ...]]:
    """What a roll-up lacks: the cells of what was written in [`since`, `below`), or `anew` all.

    There is the total, and those cells that have changed.
    """
    written = Written(None, BELOW) if anew else Written(SINCE, BELOW)
    return _together(query, _parts(query, written), func.max)


def places(query: SalesQuery) -> range:
    """The dimensions as places in an array: PostgreSQL counts from 1."""
    return range(1, len(query.group_by) + 1)


def _together(
    query: SalesQuery, parts: Sequence[Select[*tuple[Any, ...]]], rule_sets: Any
) -> Select[*tuple[Any, ...]]:
    """Each cell once, out of its parts."""
    part = union_all(*parts).subquery("part").c
    names = [func.max(part.names[place]) for place in places(query)]
    return (
        select(
            part.codes,
            _texts(names).label("names"),
            rule_sets(part.rule_sets).label("rule_sets"),
            *(_whole(part[name]).label(name) for name in MEASURES),
            func.sum(part.found).label("found"),
        )
        .group_by(part.codes)
        .order_by(part.codes)
    )


def _parts(query: SalesQuery, written: Written) -> list[Select[*tuple[Any, ...]]]:
    fresh = _fresh(query, written)
    theirs = fresh if written.since is None else _theirs(query, fresh, written)
    levels = [(), query.group_by] if query.group_by else [()]
    return [
        part
        for names in levels
        for part in (_sums(query, fresh, names), _counts(query, theirs, names, written))
    ]


def _fresh(query: SalesQuery, written: Written) -> FromClause:
    """The entries to add up, as `entry`.

    The planner cannot tell how few stand above a horizon and would rather read them all:
    MATERIALIZED keeps it to the index of writers.
    """
    xid = ENTRIES.c.xid
    below = [] if written.below is None else [xid < written.below]
    if written.since is None:
        return select(ENTRIES).where(conditions(query), *below).subquery("entry")
    since = select(ENTRIES).where(xid >= written.since, *below)
    tail = since.cte("tail").prefix_with("MATERIALIZED")
    return select(tail).where(conditions(query, tail)).subquery("entry")


def _theirs(query: SalesQuery, fresh: FromClause, written: Written) -> FromClause:
    """Everything of the buyers of the fresh entries; OFFSET 0 keeps to the index of buyers."""
    below = [] if written.below is None else [ENTRIES.c.xid < written.below]
    came = select(fresh.c.buyer_key).distinct().subquery("came")
    of_one = select(ENTRIES).where(ENTRIES.c.buyer_key == came.c.buyer_key, *below)
    every = of_one.offset(0).lateral("every")
    found = select(every).select_from(came.join(every, true()))
    return found.where(conditions(query, every)).subquery("entry")


def _sums(query: SalesQuery, fresh: FromClause, names: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """What adds up."""
    entry = fresh.c
    goods, refund = entry.goods_fen, entry.kind.in_(REFUNDS)
    direct, help_sell = AidClass.DIRECT_PURCHASE, AidClass.HELP_SELL
    keys = [_key(query, name, fresh) for name in names]
    codes = select(entry.rule_set_code).distinct().order_by(entry.rule_set_code)
    none = literal(0)
    return select(
        _texts([_spelled(name, key) for name, key in zip(names, keys, strict=True)]).label("codes"),
        _texts([_latest_name(name, fresh) for name in names]).label("names"),
        (_texts([]) if names else func.array(codes.scalar_subquery())).label("rule_sets"),
        none.label("orders"),
        none.label("buyers"),
        _sum(entry.quantity, ~refund).label("units_sold"),
        _sum(goods, ~refund).label("paid_goods_fen"),
        (-_sum(goods, refund)).label("refunded_goods_fen"),
        _sum(goods, entry.aid_class.is_not(None)).label("aid_amount_fen"),
        _sum(goods, entry.aid_class == direct).label("direct_purchase_fen"),
        _sum(goods, entry.aid_class == help_sell).label("help_sell_fen"),
        func.coalesce(func.sum(entry.freight_fen), 0).label("freight_fen"),
        none.label("found"),
    ).group_by(*keys)


def _counts(
    query: SalesQuery, theirs: FromClause, names: Sequence[str], written: Written
) -> Select[*tuple[Any, ...]]:
    """What is counted: orders and buyers, after less before."""
    buyer = _by_buyer(query, theirs, names, written).c
    keys = [buyer[f"by_{name}"] for name in names]
    orders = func.sum(buyer.after) - func.sum(buyer.before)
    buyers = _count(buyer.after > 0) - _count(buyer.before > 0)
    none = literal(0)
    counted = select(
        _texts([_spelled(name, key) for name, key in zip(names, keys, strict=True)]).label("codes"),
        cast(None, TEXTS).label("names"),
        _texts([]).label("rule_sets"),
        orders.label("orders"),
        buyers.label("buyers"),
        *(none.label(name) for name in MEASURES if name not in COUNTED),
        none.label("found"),
    ).group_by(*keys)
    return counted.having(or_(orders != 0, buyers != 0))


def _by_buyer(
    query: SalesQuery, theirs: FromClause, names: Sequence[str], written: Written
) -> FromClause:
    """One row a buyer in each cell: with how many orders, `before` what is new and `after`."""
    entry = theirs.c
    old = false() if written.since is None else entry.xid < written.since
    sold = case((entry.kind.in_(ADDS), 1), else_=-1)
    # Not labelled by the bare name: GROUP BY would take `day` for the column of that name.
    keys = [_key(query, name, theirs).label(f"by_{name}") for name in names]
    order = (
        select(
            *keys,
            entry.buyer_key,
            func.sum(sold).label("after"),
            _sum(sold, old).label("before"),
        )
        .where(entry.kind.in_((*ADDS, *TAKES_BACK)))
        .group_by(*keys, entry.platform_code, entry.order_number, entry.buyer_key)
        .subquery("by_order")
    ).c
    cells = [order[f"by_{name}"] for name in names]
    return (
        select(
            *cells,
            _count(order.after > 0).label("after"),
            _count(order.before > 0).label("before"),
        )
        .group_by(*cells, order.buyer_key)
        .subquery("by_buyer")
    )


def _key(query: SalesQuery, name: str, entries: FromClause) -> ColumnElement[Any]:
    """What cells are told apart by; a period by its first day."""
    if isinstance(DIMENSIONS[name], Period):
        return func.date_trunc(name, cast(period_day(query, entries), DateTime))
    return code(name, entries)


def _spelled(name: str, key: ColumnElement[Any]) -> ColumnElement[Any]:
    """A key as text; spelled periods sort as they follow each other."""
    dimension = DIMENSIONS[name]
    if isinstance(dimension, Period):
        return func.to_char(key, dimension.spelling)
    return cast(key, Text)


def _latest_name(name: str, entries: FromClause) -> ColumnElement[Any]:
    """Of the names that stood beside a code that of the latest sale, after its day."""
    if isinstance(DIMENSIONS[name], Coded):
        return func.max(cast(entries.c.sale_day, Text) + entries.c[f"{name}_name"])
    return null()


def _count(where: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(where)


def _sum(column: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column).filter(where), 0)


def _texts(values: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    return cast(array(values), TEXTS)


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A sum of bigints is numeric in PostgreSQL; money is whole."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
