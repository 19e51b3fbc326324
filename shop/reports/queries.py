"""The one number and everything behind it: figures by any dimension, and the entries they sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, tuple_

from models.aid import AidEntry
from models.identity import User
from models.organization import RuleSetRow
from shop.aid.rules import AID_AMOUNT
from shop.context import Ctx
from shop.errors import Invalid, Words
from shop.reports.definitions import DIMENSIONS, ENTRY_KINDS, MEASURES, REASONS, Period, Text
from shop.reports.rules import SalesQuery, check, describe, name_of
from shop.reports.statements import conditions, figures, period_day

ENTRIES = AidEntry.__table__
RULE_SETS = RuleSetRow.__table__
USERS = User.__table__

MOST_ROWS = 50_000
"""What a spreadsheet still opens with ease; more is a question for a narrower report."""


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
    whole = ctx.session.execute(figures(query, ())).mappings().one()
    totals = {name: whole[name] for name in MEASURES}
    rows: list[dict[str, Any]] = [dict(totals)]
    if query.group_by:
        wanted = figures(query, query.group_by).limit(MOST_ROWS + 1)
        found = ctx.session.execute(wanted).mappings().all()
        if len(found) > MOST_ROWS:
            raise _too_large()
        rows = [_row(row, query.group_by, ctx.language) for row in found]
    rule_sets = _rule_sets(ctx, query, whole["rule_sets"] or [])
    return SalesReport(
        query, ctx.language, describe(query, rule_sets, ctx.language), ctx.now, rows, totals
    )


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
    listed = select(*(ENTRIES.c[name] for name in LISTED), USERS.c.name.label("actor")).outerjoin(
        USERS, USERS.c.id == ENTRIES.c.actor_id
    )
    wanted = [conditions(query)]
    if after is not None:
        reached = select(day).where(ENTRIES.c.id == after).scalar_subquery()
        wanted.append(tuple_(day, ENTRIES.c.id) > tuple_(reached, after))
    rows = ctx.session.execute(
        listed.where(*wanted).order_by(day, ENTRIES.c.id).limit(limit)
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


def _row(row: Any, dimensions: Sequence[str], language: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in dimensions:
        dimension = DIMENSIONS[name]
        code = None if row[name] is None else str(row[name])
        result[name] = code
        if not isinstance(dimension, Period):
            frozen = row.get(f"{name}_name")
            result[f"{name}_name"] = name_of(dimension, code, frozen, language)
    return result | {name: row[name] for name in MEASURES}


def _rule_sets(ctx: Ctx, query: SalesQuery, codes: Sequence[str]) -> list[dict[str, Any]]:
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
