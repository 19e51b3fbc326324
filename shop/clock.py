"""The only place that asks the machine what time it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

SHANGHAI: tzinfo = ZoneInfo("Asia/Shanghai")
"""A business day is an Asia/Shanghai day (design, section 7)."""

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def business_day(moment: datetime) -> date:
    """The Asia/Shanghai day on which `moment` falls."""
    return moment.astimezone(SHANGHAI).date()


def day_start(day: date) -> datetime:
    """The first moment of an Asia/Shanghai day."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def frozen(moment: datetime) -> Clock:
    """A clock that stands at `moment`: for replaying history in the seed and in tests."""
    return lambda: moment


def minutes(count: int) -> timedelta:
    """`count` minutes as a span."""
    return timedelta(minutes=count)
