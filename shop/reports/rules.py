"""What is asked of a report, checked, and put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from shop.errors import Invalid, Words
from shop.reports.definitions import (
    BASES,
    DIMENSIONS,
    FILTERS,
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_PERIOD_DAYS,
    MEASURES,
    MOST_DIMENSIONS,
    NOT_GIVEN,
    Choice,
    Dimension,
    Filter,
    Part,
    Period,
    Text,
)

Filters = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class SalesQuery:
    """Which entries, and how to group them. The period is [start, end) in Asia/Shanghai days.

    `filters` maps one of `FILTERS` to the one or several values it may have; `none` asks for the
    entries where a dimension is empty.
    """

    start: date
    end: date
    group_by: tuple[str, ...] = ()
    basis: str = "event"
    filters: Filters = field(default_factory=dict)

    def wanted(self, name: str) -> tuple[str, ...]:
        """The values that a filter lets through."""
        values = self.filters[name]
        return (values,) if isinstance(values, str) else tuple(values)


def asked(query: SalesQuery) -> str:
    """A query in one line: two that ask the same are equal."""
    return orjson.dumps(question(query), option=orjson.OPT_SORT_KEYS).decode()


def question(query: SalesQuery) -> dict[str, Any]:
    """A query as JSON values; two that ask the same are equal."""
    filters = {name: sorted(set(query.wanted(name))) for name in query.filters}
    return {
        "from": query.start.isoformat(),
        "to": query.end.isoformat(),
        "group_by": list(query.group_by),
        "basis": query.basis,
        "filters": filters,
    }


def query_of(values: Mapping[str, Any]) -> SalesQuery:
    """The query that was put into `question`."""
    return SalesQuery(
        start=date.fromisoformat(values["from"]),
        end=date.fromisoformat(values["to"]),
        group_by=tuple(values["group_by"]),
        basis=values["basis"],
        filters=values["filters"],
    )


def check(query: SalesQuery) -> None:
    """Let pass what a report can answer.

    Raises:
        Invalid: `invalid_report`, with every field at fault: unknown names, too many dimensions,
            an empty or endless period, years that nobody means, values that a dimension never has.
    """
    faults = _period_faults(query)
    unknown = [name for name in query.group_by if name not in DIMENSIONS]
    if unknown:
        faults["group_by"] = [Words(f"没有维度 {one}", f"No dimension {one}") for one in unknown]
    elif len(set(query.group_by)) != len(query.group_by):
        faults["group_by"] = [Words("维度重复", "A dimension stands twice")]
    elif len(query.group_by) > MOST_DIMENSIONS:
        faults["group_by"] = [
            Words(f"最多 {MOST_DIMENSIONS} 个维度", f"At most {MOST_DIMENSIONS} dimensions")
        ]
    if query.basis not in BASES:
        faults["basis"] = [Words("须为 event 或 cohort", "Either event or cohort")]
    faults.update(_filter_faults(query))
    if faults:
        raise Invalid(
            "报表条件有误", "This report cannot be made", code="invalid_report", fields=faults
        )


def _period_faults(query: SalesQuery) -> dict[str, list[str]]:
    years = Words(
        f"年份须在 {FIRST_YEAR} 至 {LAST_YEAR} 之间", f"A year from {FIRST_YEAR} to {LAST_YEAR}"
    )
    if query.end <= query.start:
        return {"to": [Words("结束日期须晚于开始日期", "The end must come after the start")]}
    if (query.end - query.start).days > LONGEST_PERIOD_DAYS:
        return {"to": [Words("统计期间最长二十年", "At most twenty years")]}
    if not FIRST_YEAR <= query.start.year <= LAST_YEAR:
        return {"from": [years]}
    return {"to": [years]} if query.end > date(LAST_YEAR + 1, 1, 1) else {}


def _filter_faults(query: SalesQuery) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for name in query.filters:
        found = FILTERS.get(name)
        if found is None:
            faults[name] = [Words("没有这个筛选条件", "There is no such filter")]
        elif bad := [value for value in query.wanted(name) if not _possible(found, value)]:
            faults[name] = [Words(f"没有这个值：{one}", f"No such value: {one}") for one in bad]
    return faults


def _possible(one: Filter, value: str) -> bool:
    if isinstance(one, Period):
        return one.shape.fullmatch(value) is not None
    if isinstance(one, Part):
        return value in one.values
    if isinstance(one, Choice):
        return value in one.values or value == NOT_GIVEN
    return value != ""


def describe(
    query: SalesQuery,
    rule_sets: Sequence[Mapping[str, Any]],
    filter_texts: Mapping[str, str],
    language: str,
) -> dict[str, Any]:
    """The definition that goes into every answer: what was counted, when, by which rules.

    `filter_texts` say what each filter lets through, in the names of today.
    """
    period = Text(
        f"{query.start} 起（含）至 {query.end} 止（不含），北京时间",
        f"from {query.start} up to, not including, {query.end}, Asia/Shanghai days",
    )
    return {
        "basis": query.basis,
        "basis_text": BASES[query.basis].in_(language),
        "zone": "Asia/Shanghai",
        "from": query.start,
        "to": query.end,
        "half_open": True,
        "period_text": period.in_(language),
        "currency": "CNY",
        "group_by": list(query.group_by),
        "filters": {name: list(query.wanted(name)) for name in query.filters},
        "filter_texts": dict(filter_texts),
        "rule_sets": list(rule_sets),
        "measures": {
            measure.name: f"{measure.title.in_(language)}: {measure.meaning.in_(language)}"
            if not language.startswith("zh")
            else f"{measure.title.zh}：{measure.meaning.zh}"
            for measure in MEASURES.values()
        },
    }


def name_of(dimension: Dimension, code: str | None, name: str | None, language: str) -> str:
    """What stands beside a code: the frozen name, our word for a choice, or that it is empty."""
    if isinstance(dimension, Period):
        return code or ""
    if code is None:
        return dimension.empty.in_(language)
    if isinstance(dimension, Choice):
        return dimension.values[code].in_(language)
    return name or code
