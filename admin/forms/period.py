"""Which days a report is about: one of the usual periods, or two days of one's own choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shop.errors import Invalid, Words

CUSTOM = "custom"
MONTHS_A_QUARTER = 3
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open [start, end) Asia/Shanghai days, and under which name they were asked for."""

    preset: str
    start: date
    end: date

    @property
    def last_day(self) -> date:
        """The last day that is inside."""
        return self.end - timedelta(days=1)


def month_start(day: date, months: int = 0) -> date:
    """The first day of the month of `day`, or of the one `months` later (earlier when negative)."""
    years, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    return date(years, month + 1, 1)


def quarter_start(day: date, quarters: int = 0) -> date:
    """The first day of the quarter of `day`, or of the one `quarters` later."""
    passed = (day.month - 1) % MONTHS_A_QUARTER
    return month_start(day, quarters * MONTHS_A_QUARTER - passed)


def year_start(day: date, years: int = 0) -> date:
    """The first day of the year of `day`, or of the one `years` later."""
    return date(day.year + years, 1, 1)


PRESETS: dict[str, Callable[[date], tuple[date, date]]] = {
    "this_month": lambda day: (month_start(day), month_start(day, 1)),
    "last_month": lambda day: (month_start(day, -1), month_start(day)),
    "this_quarter": lambda day: (quarter_start(day), quarter_start(day, 1)),
    "this_year": lambda day: (year_start(day), year_start(day, 1)),
    "last_year": lambda day: (year_start(day, -1), year_start(day)),
}
DEFAULT = "this_year"


def span_of(asked: Mapping[str, str], today: date) -> Span:
    """The period that an address asks for: `from` and `to`, or `period`, or this year.

    Raises:
        Invalid: a day that is none, or an end that is not after the beginning.
    """
    if asked.get("from") or asked.get("to"):
        start, end = _day(asked, "from"), _day(asked, "to")
        if end <= start:
            raise Invalid(
                "结束日须晚于起始日（结束日当天不计入）",
                "The end must come after the beginning (the end itself is not counted)",
                fields={"to": [Words("须晚于起始日", "Must be after the first day")]},
            )
        return Span(named(start, end, today), start, end)
    name = asked.get("period", DEFAULT)
    if name not in PRESETS:
        name = DEFAULT
    start, end = PRESETS[name](today)
    return Span(name, start, end)


def named(start: date, end: date, today: date) -> str:
    """The usual period that two days make up, or `custom`."""
    return next((name for name, days in PRESETS.items() if days(today) == (start, end)), CUSTOM)


def _day(asked: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(asked.get(name, ""))
    except ValueError as error:
        raise Invalid(
            "请填写起始日与结束日",
            "Please give a first day and an end",
            fields={name: [Words("请填写日期", "Please give a day")]},
        ) from error
