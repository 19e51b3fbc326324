"""A report prepared for the page: the chart's rows without gaps, tables by size, shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext
from markupsafe import Markup

from admin.forms.period import month_start, year_start
from admin.forms.report import address, within
from shop.formatting import MONTHS
from shop.reports.charts import Series, columns
from shop.reports.definitions import DIMENSIONS, MEASURES, NOT_GIVEN, Choice, Coded, Period
from shop.reports.queries import SalesReport
from shop.reports.rules import SalesQuery

MOST_MONTHS = 36
"""Three years of columns can still be told apart; of a longer period the years are drawn."""

MONTHS_A_YEAR = 12
SERIES = ("direct_purchase_fen", "help_sell_fen")


HEADLINE = (
    "direct_purchase_fen",
    "help_sell_fen",
    "paid_goods_fen",
    "refunded_goods_fen",
    "orders",
    "buyers",
    "units_sold",
    "freight_fen",
)
"""What stands beside the aid amount at the top of a page."""


@dataclass(frozen=True, slots=True)
class Table:
    """A breakdown: the largest rows first (a period: in its order), and how many more there are."""

    dimension: str
    title: str
    rows: list[dict[str, Any]]
    hidden: int
    query: SalesQuery


def measures_in(language: str) -> dict[str, Any]:
    """How figures are called, which of them are money, and how one leads to its entries."""
    return {
        "measures": {name: one.title.in_(language) for name, one in MEASURES.items()},
        "money": {name for name, one in MEASURES.items() if one.money},
        "headline": HEADLINE,
        "address": address,
        "within": within,
    }


def chart_unit(query: SalesQuery) -> str:
    """`month`, or `year` where there are too many months."""
    months = (query.end.year - query.start.year) * MONTHS_A_YEAR + query.end.month
    return "month" if months - query.start.month <= MOST_MONTHS else "year"


def chart(report: SalesReport, unit: str, language: str) -> Markup:
    """Both indicators as columns, an empty place for every month in which nothing happened."""
    found = {row[unit]: row for row in report.rows}
    keys = list(_keys(report.query, unit))
    series = [
        Series(title, tuple(found[key][name] if key in found else 0 for key in keys))
        for name, title in zip(SERIES, (gettext("直接购买"), gettext("帮助销售")), strict=True)
    ]
    labels = [_label(key, unit, len(keys), language) for key in keys]
    title = gettext("各月消费帮扶额") if unit == "month" else gettext("各年消费帮扶额")
    drawn = columns("aid-by-period", title, labels, series, report.definition["period_text"])
    return Markup(drawn)  # noqa: S704 - made of numbers and escaped texts by shop.reports.charts


def table(report: SalesReport, language: str, most: int | None = None) -> Table:
    """The rows of a report by one dimension, at most `most` of them."""
    name = report.query.group_by[0]
    dimension = DIMENSIONS[name]
    rows = report.rows
    if not isinstance(dimension, Period):
        rows = sorted(rows, key=lambda row: -row["aid_amount_fen"])
    shown = rows if most is None else rows[:most]
    return Table(name, dimension.title.in_(language), shown, len(rows) - len(shown), report.query)


def name_in(row: Mapping[str, Any], dimension: str) -> str:
    """What a row is called."""
    return str(row.get(f"{dimension}_name") or row[dimension] or "")


def chips(query: SalesQuery, names: Mapping[str, str], language: str) -> list[tuple[str, str, str]]:
    """The filters in force as (dimension, its title, what is let through)."""
    comma = "、" if language == "zh" else ", "
    return [
        (
            name,
            DIMENSIONS[name].title.in_(language),
            comma.join(_said(name, value, names, language) for value in query.wanted(name)),
        )
        for name in query.filters
    ]


def names_in_rows(rows: Sequence[Mapping[str, Any]], dimension: str) -> dict[str, str]:
    """`dimension:code` -> name of everything that stands in these rows."""
    return {f"{dimension}:{row[dimension] or NOT_GIVEN}": name_in(row, dimension) for row in rows}


def names_in_entries(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The same of a list of entries, for every dimension that has codes."""
    return {
        f"{name}:{entry[f'{name}_code']}": entry[f"{name}_name"]
        for entry in entries
        for name, dimension in DIMENSIONS.items()
        if isinstance(dimension, Coded) and entry[f"{name}_code"]
    }


def _said(name: str, value: str, names: Mapping[str, str], language: str) -> str:
    dimension = DIMENSIONS[name]
    if isinstance(dimension, Choice) and value in dimension.values:
        return dimension.values[value].in_(language)
    if value == NOT_GIVEN and not isinstance(dimension, Period):
        return dimension.empty.in_(language)
    return names.get(f"{name}:{value}", value)


def _keys(query: SalesQuery, unit: str) -> Iterator[str]:
    """Every month (or year) that the period touches, as the report spells it."""
    at = month_start(query.start) if unit == "month" else year_start(query.start)
    while at < query.end:
        yield f"{at:%Y-%m}" if unit == "month" else str(at.year)
        at = month_start(at, 1) if unit == "month" else year_start(at, 1)


def _label(key: str, unit: str, count: int, language: str) -> str:
    if unit == "year":
        return key
    day = date.fromisoformat(f"{key}-01")
    if count > MONTHS_A_YEAR:
        return f"{day:%y-%m}"
    return f"{day.month}月" if language == "zh" else MONTHS[day.month - 1]
