"""The one number and everything behind it: figures by any dimension, and the entries they sum."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, and_, or_, select, tuple_

from models.aid import AidEntry
from models.identity import User
from models.orders import Order
from models.organization import RuleSetRow
from shop.aid.rules import AID_AMOUNT
from shop.context import Ctx
from shop.errors import Invalid, Words
from shop.reports import rollups
from shop.reports.definitions import DIMENSIONS, ENTRY_KINDS, MEASURES, REASONS, Period, Text
from shop.reports.figures import DATE_WIDTH, FIRST_MEASURE, from_entries, from_rollup
from shop.reports.names import filter_texts
from shop.reports.rules import SalesQuery, asked, check, describe, name_of, query_of
from shop.reports.statements import conditions, period_day
from shop.reports.tree import spelled_out

ENTRIES = AidEntry.__table__
ORDERS = Order.__table__
RULE_SETS = RuleSetRow.__table__
USERS = User.__table__

MOST_ROWS = 50_000
"""What a spreadsheet still opens with ease; more is a question for a narrower report."""


ATTEMPTS = 3
"""A roll-up may be brought up between finding and reading it; it moves at most every minute."""


@dataclass(frozen=True, slots=True)
class SalesReport:
    """Figures with their definition; `totals` are counted anew, not summed from the rows.

    A row holds its dimensions (`unit`, `unit_name`, …), then the measures.
    """

    query: SalesQuery
    language: str
    definition: dict[str, Any]
    as_of: datetime
    rows: list[dict[str, Any]]
    totals: dict[str, int]


def sales(ctx: Ctx, query: SalesQuery) -> SalesReport:
    """The figures of a period by up to three dimensions, sorted by them, and their totals.

    Raises:
        Invalid: see `check`; `report_too_large`, more rows than anybody reads.
    """
    check(query)
    whole, *cells = _figures(ctx, spelled_out(ctx, query))
    if len(cells) > MOST_ROWS:
        raise _too_large()
    totals = _measures(whole)
    rows = [_row(cell, query.group_by, ctx.language) for cell in cells]
    rule_sets = _rule_sets(ctx, query, {code for part in whole.rule_sets for code in part})
    return SalesReport(
        query=query,
        language=ctx.language,
        definition=describe(query, rule_sets, filter_texts(ctx, query), ctx.language),
        as_of=ctx.now,
        rows=rows if query.group_by else [dict(totals)],
        totals=totals,
    )


def _figures(ctx: Ctx, query: SalesQuery) -> Sequence[Any]:
    """The total, then the cells: from the roll-up and what came since, or else from all entries."""
    for _ in range(ATTEMPTS):
        stand = rollups.find(ctx, query)
        if stand is None:
            break
        values = {"rollup": stand.rollup, "since": stand.horizon}
        found: Sequence[Any] = ctx.session.execute(
            _statement(asked(query), rolled_up=True), values
        ).all()
        if found[0].found:
            return found
    rollups.take_time(ctx)
    found = ctx.session.execute(_statement(asked(query), rolled_up=False)).all()
    rollups.note(ctx, query)
    return found


@lru_cache(maxsize=64)
def _statement(asked: str, *, rolled_up: bool) -> Select[*tuple[Any, ...]]:
    """Building it takes longer than running it."""
    query = query_of(orjson.loads(asked))
    made = from_rollup(query) if rolled_up else from_entries(query)
    return made.limit(MOST_ROWS + 2)


def _too_large() -> Invalid:
    return Invalid(
        "报表行数过多，请缩小期间或减少维度",
        "Too many rows: ask for a shorter period or fewer dimensions",
        code="report_too_large",
        fields={"group_by": [Words(f"最多 {MOST_ROWS} 行", f"At most {MOST_ROWS} rows")]},
    )


def entries(
    ctx: Ctx, query: SalesQuery, after: UUID | None = None, limit: int = 24
) -> list[dict[str, Any]]:
    """The entries behind a figure, by day; summed, they are that figure.

    `after` is the `id` of the last entry already read. The query's `group_by` plays no part.

    Raises:
        Invalid: see `check`.
    """
    check(query)
    day = period_day(query)
    wanted = [conditions(spelled_out(ctx, query))]
    if after is not None:
        reached = select(day).where(ENTRIES.c.id == after).scalar_subquery()
        wanted.append(tuple_(day, ENTRIES.c.id) > tuple_(reached, after))
    rows = ctx.session.execute(
        LISTING.where(*wanted).order_by(day, ENTRIES.c.id).limit(limit)
    ).mappings()
    return [_entry(row, ctx.language) for row in rows]


LISTED = (
    "id",
    "kind",
    "at",
    "day",
    "sale_day",
    "order_number",
    "order_line_id",
    "external_reference",
    "platform_code",
    "platform_name",
    "storefront_code",
    "storefront_name",
    "channel_code",
    "channel_name",
    "campaign_code",
    "campaign_name",
    "unit_code",
    "unit_name",
    "buyer_kind",
    "purpose",
    "cooperative_code",
    "cooperative_name",
    "category_code",
    "category_name",
    "product_code",
    "product_name",
    "sku_code",
    "sku_name",
    "aid_certified",
    "quantity",
    "weight_g",
    "goods_fen",
    "freight_fen",
    "aid_class",
    "rule_set_code",
    "rule_reason",
    "reason",
    "recorded_at",
)
"""What the list shows of an entry: everything but who bought."""

LISTING = (
    select(*(ENTRIES.c[name] for name in LISTED), USERS.c.name.label("actor"))
    .outerjoin(ORDERS, ORDERS.c.id == ENTRIES.c.order_id)
    .outerjoin(
        # Whose browser fetched the news of a payment acts in it, and is the one who bought.
        USERS,
        and_(
            USERS.c.id == ENTRIES.c.actor_id,
            ENTRIES.c.actor_id.is_distinct_from(ORDERS.c.buyer_id),
        ),
    )
)


def _entry(row: Any, language: str) -> dict[str, Any]:
    """An entry with its own words for kind, class, kind of buyer and reason."""
    choices = {
        f"{name}_name": name_of(DIMENSIONS[name], row[name], None, language)
        for name in ("buyer_kind", "purpose", "aid_class")
    }
    reason = REASONS.get(row["rule_reason"], Text(row["rule_reason"], row["rule_reason"]))
    return {
        **row,
        **choices,
        "kind_name": ENTRY_KINDS[row["kind"]].in_(language),
        "rule_reason_text": reason.in_(language),
    }


def _row(cell: Any, dimensions: Sequence[str], language: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, code, dated in zip(dimensions, cell.codes, cell.names, strict=True):
        dimension = DIMENSIONS[name]
        result[name] = code
        if not isinstance(dimension, Period):
            frozen = None if dated is None else dated[DATE_WIDTH:]
            result[f"{name}_name"] = name_of(dimension, code, frozen, language)
    return result | _measures(cell)


def _measures(cell: Any) -> dict[str, int]:
    return dict(zip(MEASURES, cell[FIRST_MEASURE:], strict=False))


def _rule_sets(ctx: Ctx, query: SalesQuery, codes: Collection[str]) -> list[dict[str, Any]]:
    """The rule sets that decided about the entries, and those in force in the period."""
    in_force = and_(
        RULE_SETS.c.effective_from < query.end,
        or_(RULE_SETS.c.effective_to.is_(None), RULE_SETS.c.effective_to > query.start),
    )
    rows = ctx.session.execute(
        select(RULE_SETS)
        .where(RULE_SETS.c.measure == AID_AMOUNT, or_(RULE_SETS.c.code.in_(codes), in_force))
        .order_by(RULE_SETS.c.effective_from, RULE_SETS.c.code)
    ).mappings()
    return [
        {
            "code": row["code"],
            "name": row["name"],
            "name_en": row["name_en"],
            "effective_from": row["effective_from"],
            "effective_to": row["effective_to"],
            **{key: row["definition"].get(key) for key in PRINTED_RULES},
        }
        for row in rows
    ]


PRINTED_RULES = (
    "include_platforms",
    "product_filter",
    "amount_basis",
    "include_freight",
    "include_platform_subsidy",
    "include_unit_subsidy",
    "category_map",
)
"""What of a rule set every report prints."""
