"""How far a year has come towards its targets, beside a straight line from January to December."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models.organization import Target, Unit
from shop.aid.rules import AID_AMOUNT
from shop.clock import business_day
from shop.context import Ctx
from shop.reports.queries import sales
from shop.reports.rules import SalesQuery
from shop.reports.tree import descending, sub_units

TARGETS, UNITS = Target.__table__, Unit.__table__

INDICATORS = ("direct_purchase", "help_sell")
"""The two official indicators; together they are the aid amount."""

MEASURE = {AID_AMOUNT: "aid_amount_fen"} | {name: f"{name}_fen" for name in INDICATORS}


@dataclass(frozen=True, slots=True)
class Progress:
    """A goal, what is reached of it and what a straight line expects by now; all in fen."""

    indicator: str
    unit_code: str | None
    unit_name: str | None
    unit_name_en: str | None
    target_fen: int
    done_fen: int
    expected_fen: int

    @property
    def behind_fen(self) -> int:
        """What is missing to the straight line; negative when the year is ahead of it."""
        return self.expected_fen - self.done_fen


def year_progress(ctx: Ctx, year: int) -> list[Progress]:
    """The targets of a year on the event basis: the organization's first, then the units'.

    What a unit reaches includes all that stands below it. The organization's aid amount is the
    sum of its two indicators, unless it has its own target.
    """
    goals = [dict(row) for row in _targets(ctx, year)]
    if not goals:
        return []
    report = sales(ctx, SalesQuery(date(year, 1, 1), date(year + 1, 1, 1), group_by=("unit",)))
    rows, below = {row["unit"]: row for row in report.rows}, sub_units(ctx)
    today = business_day(ctx.now)
    return [
        _progress(goal, _reached(goal, report.totals, rows, below), year, today)
        for goal in [*_whole(goals), *goals]
    ]


def straight_line(target_fen: int, year: int, today: date) -> int:
    """What a year's target asks for at the end of `today`, in fen: its days share it equally."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    passed = min(max((today - first).days + 1, 0), (last - first).days + 1)
    return target_fen * passed // ((last - first + timedelta(days=1)).days)


def _targets(ctx: Ctx, year: int) -> Sequence[Any]:
    found: Sequence[Any] = (
        ctx.session.execute(
            select(
                TARGETS.c.indicator,
                TARGETS.c.amount_fen,
                UNITS.c.code.label("unit_code"),
                UNITS.c.name.label("unit_name"),
                UNITS.c.name_en.label("unit_name_en"),
            )
            .outerjoin(UNITS, UNITS.c.id == TARGETS.c.unit_id)
            .where(TARGETS.c.year == year, TARGETS.c.indicator.in_(MEASURE))
            .order_by(UNITS.c.code.asc().nulls_first(), TARGETS.c.indicator)
        )
        .mappings()
        .all()
    )
    return found


def _whole(goals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    own = {goal["indicator"]: goal for goal in goals if goal["unit_code"] is None}
    if AID_AMOUNT in own or not all(name in own for name in INDICATORS):
        return []
    amount = sum(own[name]["amount_fen"] for name in INDICATORS)
    return [{**own[INDICATORS[0]], "indicator": AID_AMOUNT, "amount_fen": amount}]


def _reached(
    goal: Mapping[str, Any],
    totals: Mapping[str, int],
    rows: Mapping[str | None, Mapping[str, Any]],
    below: Mapping[str, Sequence[str]],
) -> int:
    measure = MEASURE[goal["indicator"]]
    if goal["unit_code"] is None:
        return totals[measure]
    units = descending(goal["unit_code"], below)
    return sum(rows[unit][measure] for unit in units if unit in rows)


def _progress(goal: Mapping[str, Any], done_fen: int, year: int, today: date) -> Progress:
    return Progress(
        indicator=goal["indicator"],
        unit_code=goal["unit_code"],
        unit_name=goal["unit_name"],
        unit_name_en=goal["unit_name_en"],
        target_fen=goal["amount_fen"],
        done_fen=done_fen,
        expected_fen=straight_line(goal["amount_fen"], year, today),
    )
