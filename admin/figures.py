"""A report prepared for the page: the chart's rows without gaps, tables by size, shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext
from markupsafe import Markup

from admin.forms.period import month_start, year_start
from admin.forms.report import about, address, opens
from shop.formatting import MONTHS
from shop.reports.charts import Series, columns
from shop.reports.definitions import DIMENSIONS, FILTERS, MEASURES, Period
from shop.reports.progress import MEASURE, Progress
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

FIRST = "aid_amount_fen"
"""Of a row on a narrow screen one figure is seen; the others are scrolled to."""


@dataclass(frozen=True, slots=True)
class Table:
    """A breakdown: the largest rows first (a period: in its order), and how many more there are.

    `then` is the dimension within the first, if there is one.
    """

    dimension: str
    then: str | None
    title: str
    rows: list[dict[str, Any]]
    hidden: int
    query: SalesQuery


def measures_in(language: str) -> dict[str, Any]:
    """How figures are called, which of them are money, and how one leads to its entries."""
    names = (FIRST, *(name for name in MEASURES if name != FIRST))
    return {
        "measures": {name: MEASURES[name].title.in_(language) for name in names},
        "money": {name for name, one in MEASURES.items() if one.money},
        "headline": HEADLINE,
        "address": address,
        "about": about,
        "opens": opens,
        "reached": reached,
    }


def reached(goal: Progress, year: int) -> str | None:
    """The address of the list behind what is reached of a year's target."""
    unit = {"within_unit": goal.unit_code} if goal.unit_code else {}
    query = SalesQuery(date(year, 1, 1), date(year + 1, 1, 1), filters=unit)
    return opens(query, {}, MEASURE[goal.indicator])


def chart_unit(query: SalesQuery) -> str:
    """`month`, or `year` where there are too many months."""
    months = (query.end.year - query.start.year) * MONTHS_A_YEAR + query.end.month
    return "month" if months - query.start.month <= MOST_MONTHS else "year"


def chart(report: SalesReport, unit: str, language: str) -> Markup:
    """Both indicators as columns, an empty place for every month in which nothing happened."""
    found = {row[unit]: row for row in report.rows}
    keys = list(_keys(report.query, unit))
    series = [
        Series(
            title,
            tuple(found[key][name] if key in found else 0 for key in keys),
            tuple(opens(report.query, found[key], name) if key in found else None for key in keys),
        )
        for name, title in zip(SERIES, (gettext("直接购买"), gettext("帮助销售")), strict=True)
    ]
    labels = [_label(key, unit, len(keys), language) for key in keys]
    title = gettext("各月消费帮扶额") if unit == "month" else gettext("各年消费帮扶额")
    drawn = columns("aid-by-period", title, labels, series, report.definition["period_text"])
    return Markup(drawn)  # noqa: S704 - made of numbers and escaped texts by shop.reports.charts


def table(report: SalesReport, language: str, most: int | None = None) -> Table:
    """The rows of a report by one dimension or two, at most `most` of them."""
    names = report.query.group_by
    title = " / ".join(DIMENSIONS[name].title.in_(language) for name in names)
    rows = _by_size(report)
    shown = rows if most is None else rows[:most]
    then = names[1] if len(names) > 1 else None
    return Table(names[0], then, title, shown, len(rows) - len(shown), report.query)


def _by_size(report: SalesReport) -> list[dict[str, Any]]:
    """The largest first, and within each the largest; periods as they follow each other."""
    first, last = report.query.group_by[0], report.query.group_by[-1]
    sums = Counter[str | None]()
    for row in report.rows:
        sums[row[first]] += row[FIRST]

    def place(row: Mapping[str, Any]) -> tuple[int, str, int]:
        size = 0 if isinstance(DIMENSIONS[first], Period) else -sums[row[first]]
        return size, row[first] or "", 0 if isinstance(DIMENSIONS[last], Period) else -row[FIRST]

    return sorted(report.rows, key=place)


def name_in(row: Mapping[str, Any], dimension: str) -> str:
    """What a row is called."""
    return str(row.get(f"{dimension}_name") or row[dimension] or "")


def chips(definition: Mapping[str, Any], language: str) -> list[tuple[str, str, str]]:
    """The filters in force as (filter, its title, what is let through)."""
    return [
        (name, FILTERS[name].title.in_(language), text)
        for name, text in definition["filter_texts"].items()
    ]


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
