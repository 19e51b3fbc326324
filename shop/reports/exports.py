"""Figures as a file for a spreadsheet program: the definition on top, amounts in yuan.

Amounts and counts are numbers, a day (2026-03-31) is a day in every country's program. A month
would become its first day, and `Mar-26` to read; it is text, as every code and name is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from models.money import yuan_text
from shop.formatting import minute
from shop.reports.definitions import DIMENSIONS, FILTERS, MEASURES, Period, Text
from shop.reports.queries import SalesReport

BOM = "\ufeff"
"""Without it Excel reads UTF-8 as GBK and shows rubbish for every Chinese name."""

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""A text cell that begins so would run as a formula when the file is opened (CWE-1236)."""

LIKE_A_NUMBER = re.compile(r"[0-9][0-9.eE/-]*", re.ASCII)
"""What a spreadsheet program would turn into a number or a day: 26020300000011 into 2.6E+13."""

NUMBERS_THEMSELVES = ("day", "year")
"""Periods that a spreadsheet program understands as they are spelled."""

TITLE = Text("消费帮扶销售统计", "Consumption-aid sales")
TOTAL = Text("合计", "Total")
CODE = Text("代码", " code")
YUAN = Text("（元）", " (yuan)")


def sales_csv(report: SalesReport) -> Iterator[str]:
    """The file in pieces: a line each, UTF-8 with BOM, rows, and totals that were counted anew."""
    yield BOM
    for cells in _lines(report):
        yield _line(cells)


def safe(text: str) -> str:
    """A text cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def kept(text: str) -> str:
    """A number that is a name (an order's, a SKU's, a month) as a cell that keeps all its digits.

    A formula of nothing but that text is what every spreadsheet program shows as the text itself;
    a quotation mark in front would be shown as well.
    """
    return f'="{text}"' if LIKE_A_NUMBER.fullmatch(text) else safe(text)


def _lines(report: SalesReport) -> Iterator[list[Any]]:
    language, names = report.language, report.query.group_by
    yield [TITLE.in_(language)]
    yield from definition(report)
    for measure in MEASURES.values():
        yield [measure.title.in_(language), measure.meaning.in_(language)]
    yield []
    yield [*_headings(names, language), *_measure_headings(language)]
    rows = report.rows if names else ()
    for row in rows:
        yield [*_dimensions(row, names), *_amounts(row)]
    blank = [""] * (len(_headings(names, language)) - 1)
    yield [TOTAL.in_(language), *blank, *_amounts(report.totals)]


def definition(report: SalesReport) -> Iterator[list[str]]:
    """The lines that say what a file is about: period, basis, filters, rules, moment."""
    for label, text in _definition(report):
        yield [label.in_(report.language), safe(text)]


def _definition(report: SalesReport) -> Iterator[tuple[Text, str]]:
    found, language = report.definition, report.language
    colon = Text("：", ": ").in_(language)
    yield Text("统计期间", "Period"), found["period_text"]
    yield Text("统计基准", "Basis"), found["basis_text"]
    filters = [
        f"{FILTERS[name].title.in_(language)}{colon}{text}"
        for name, text in found["filter_texts"].items()
    ]
    english = not language.startswith("zh")
    rules = [
        f"{rules['code']} {(english and rules['name_en']) or rules['name']}"
        for rules in found["rule_sets"]
    ]
    for label, several in (
        (Text("筛选", "Filters"), filters),
        (Text("统计口径", "Rule set"), rules),
    ):
        semicolon = Text("；", "; ").in_(language)
        yield label, semicolon.join(several) or Text("无", "none").in_(language)
    yield Text("金额单位", "Amounts in"), Text("元（人民币）", "yuan (CNY)").in_(language)
    yield Text("数据截至", "As of"), minute(report.as_of, language)


def _headings(names: Iterable[str], language: str) -> list[str]:
    """One column for a period, code and name for everything else; at least one for the total."""
    headings: list[str] = []
    for name in names:
        dimension = DIMENSIONS[name]
        title = dimension.title.in_(language)
        if not isinstance(dimension, Period):
            headings.append(f"{title}{CODE.in_(language)}")
        headings.append(title)
    return headings or [""]


def _measure_headings(language: str) -> list[str]:
    return [
        measure.title.in_(language) + (YUAN.in_(language) if measure.money else "")
        for measure in MEASURES.values()
    ]


def _dimensions(row: dict[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        dimension = DIMENSIONS[name]
        if isinstance(dimension, Period):
            yield row[name] if dimension.name in NUMBERS_THEMSELVES else kept(row[name])
        else:
            yield kept(row[name] or "")
            yield kept(row[f"{name}_name"])


def _amounts(row: dict[str, Any]) -> Iterator[str]:
    """Numbers stay numbers, a negative one too: they are ours and hold no formula."""
    for measure in MEASURES.values():
        yield yuan_text(row[measure.name]) if measure.money else str(row[measure.name])


def _line(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(list(cells))
    return buffer.getvalue()
