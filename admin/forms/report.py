"""What an address asks of a report, and the address that asks for a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from admin.forms.period import Span, span_of
from shop.reports.definitions import BASES, DIMENSIONS, NOT_GIVEN
from shop.reports.rules import SalesQuery

COUNTED = ("direct_purchase", "help_sell")
"""The aid classes that together are the aid amount."""


def query_of(asked: MultiDict[str, str], today: date) -> tuple[Span, SalesQuery]:
    """The period and the query of an address; what it does not know is passed over.

    Raises:
        Invalid: see `span_of`.
    """
    span = span_of(asked, today)
    basis = asked.get("basis", "event")
    filters = {name: values for name in DIMENSIONS if (values := _values(asked, name))}
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


def within(query: SalesQuery, row: Mapping[str, Any], measure: str = "") -> dict[str, Any]:
    """The filters that lead from a row of a report to the entries that one figure sums."""
    asked: dict[str, Any] = {name: row[name] or NOT_GIVEN for name in query.group_by}
    classes = {
        "aid_amount_fen": COUNTED,
        "direct_purchase_fen": COUNTED[:1],
        "help_sell_fen": COUNTED[1:],
    }.get(measure)
    if classes and "aid_class" not in asked:
        picked = [name for name in _allowed(query) if name in classes]
        asked |= {"aid_class": picked} if picked else {}
    return asked


def grouped(query: SalesQuery, *names: str) -> SalesQuery:
    """The same entries in rows by other dimensions."""
    return replace(query, group_by=names)


def _allowed(query: SalesQuery) -> Sequence[str]:
    return query.wanted("aid_class") if "aid_class" in query.filters else COUNTED


def _values(asked: MultiDict[str, str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in asked.getlist(name) if value))
