"""What an address asks of a report, and the address that asks for a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from admin.forms.period import Span, span_of
from shop.reports.definitions import BASES, FILTERS, NOT_GIVEN
from shop.reports.rules import SalesQuery

COUNTED = ("direct_purchase", "help_sell")
"""The aid classes that together are the aid amount."""

SOLD, REFUNDED = ("side", ("sold",)), ("side", ("refunded",))

BEHIND: dict[str, tuple[str, tuple[str, ...]]] = {
    "aid_amount_fen": ("aid_class", COUNTED),
    "direct_purchase_fen": ("aid_class", COUNTED[:1]),
    "help_sell_fen": ("aid_class", COUNTED[1:]),
    "paid_goods_fen": SOLD,
    "refunded_goods_fen": REFUNDED,
    "orders": SOLD,
    "buyers": SOLD,
    "units_sold": SOLD,
}
"""The filter that leaves of a cell's entries those that a figure sums; freight sums them all."""


def query_of(asked: MultiDict[str, str], today: date) -> tuple[Span, SalesQuery]:
    """The period and the query of an address; what it does not know is passed over.

    Raises:
        Invalid: see `span_of`.
    """
    span = span_of(asked, today)
    basis = asked.get("basis", "event")
    filters = {name: values for name in FILTERS if (values := _values(asked, name))}
    return span, SalesQuery(
        start=span.start,
        end=span.end,
        basis=basis if basis in BASES else "event",
        filters=filters,
    )


def address(endpoint: str, query: SalesQuery, **more: Any) -> str:
    """The address of a page about `query`; `more` adds to it, None takes away."""
    asked: dict[str, Any] = {
        "from": query.start.isoformat(),
        "to": query.end.isoformat(),
        "basis": query.basis,
        **{name: list(query.wanted(name)) for name in query.filters},
        **more,
    }
    return url_for(endpoint, **{name: value for name, value in asked.items() if value is not None})


def within(query: SalesQuery, row: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that lead from a row of a report to what it is about."""
    return {name: row[name] or NOT_GIVEN for name in query.group_by}


def about(query: SalesQuery, row: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a look at the row itself: a unit is looked at with all that stands below it."""
    asked = within(query, row)
    if asked.get("unit", NOT_GIVEN) != NOT_GIVEN:
        asked["within_unit"] = asked.pop("unit")
    return asked


def behind(query: SalesQuery, row: Mapping[str, Any], measure: str) -> dict[str, Any] | None:
    """The filters that lead from a figure to the entries that it sums, and to no other.

    None where the filters in force let through none of them: the figure is 0, and an address
    cannot ask for nothing.
    """
    asked = within(query, row)
    if measure not in BEHIND:
        return asked
    name, wanted = BEHIND[measure]
    allowed = query.wanted(name) if name in query.filters else wanted
    if name in asked:
        allowed = (asked[name],)
    picked = [value for value in wanted if value in allowed]
    return {**asked, name: picked} if picked else None


def opens(query: SalesQuery, row: Mapping[str, Any], measure: str) -> str | None:
    """The address of the list behind a figure, where it can be told exactly."""
    asked = behind(query, row, measure)
    return None if asked is None else address("admin.entries", query, **asked)


def grouped(query: SalesQuery, *names: str) -> SalesQuery:
    """The same entries in rows by other dimensions."""
    return replace(query, group_by=names)


def _values(asked: MultiDict[str, str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in asked.getlist(name) if value))
