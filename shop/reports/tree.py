"""The tree of units: an entry bears its own unit alone, what stands below one is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import select

from models.organization import Unit
from shop.context import Ctx
from shop.reports.rules import SalesQuery

UNITS = Unit.__table__
PARENTS = UNITS.alias("parent")
EVERY = select(UNITS.c.code, PARENTS.c.code.label("parent")).outerjoin(
    PARENTS, PARENTS.c.id == UNITS.c.parent_id
)

WITHIN = "within_unit"


def spelled_out(ctx: Ctx, query: SalesQuery) -> SalesQuery:
    """The same query with each unit of `within_unit` followed by all that stands below it.

    What is kept rolled up is the answer to these codes, so it is never one to a tree of yesterday.
    """
    if WITHIN not in query.filters:
        return query
    below = sub_units(ctx)
    codes = {code for unit in query.wanted(WITHIN) for code in descending(unit, below)}
    return replace(query, filters={**query.filters, WITHIN: tuple(sorted(codes))})


def sub_units(ctx: Ctx) -> dict[str, list[str]]:
    """The units right below each that has any, whether they are still active or not."""
    below: dict[str, list[str]] = {}
    for code, parent in ctx.session.execute(EVERY):
        if parent is not None:
            below.setdefault(parent, []).append(code)
    return below


def descending(unit: str, below: Mapping[str, Iterable[str]]) -> list[str]:
    """A unit and everything below it, each once; also where somebody tied the tree to a ring."""
    found, waiting = [], [unit]
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.append(code)
            waiting += below.get(code, ())
    return found
