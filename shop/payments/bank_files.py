"""A bank's file as a table of texts: csv in UTF-8 or GB18030, or xlsx. Pure."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from shop.errors import Invalid, Words

MAX_BYTES = 5_000_000
MAX_ROWS = 20_000
"""More lines than an account of this size has in a year."""

MAX_COLUMNS = 60
MAX_CELL = 2_000
MAX_UNPACKED = 25_000_000
"""What an xlsx of 20,000 rows unpacks to is half of this; a zip bomb is a thousandfold."""

MAX_PARTS = 500
ENCODINGS = ("utf-8-sig", "gb18030")
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

Table = list[list[str]]


def read_table(data: bytes) -> Table:
    """The rows of a statement as trimmed texts; what it is shows in its bytes, not in its name.

    Raises:
        Invalid: `statement_too_large`, `statement_unreadable`, `statement_empty`.
    """
    if len(data) > MAX_BYTES:
        raise too_large()
    if data.startswith(OLD_EXCEL):
        raise _unreadable(
            "旧版 xls 无法读取，请另存为 xlsx 或 csv", "Save the old xls as xlsx or csv"
        )
    rows = _xlsx(data) if data.startswith(ZIP) else _csv(data)
    found = [_row(row) for row in islice(rows, MAX_ROWS + 1)]
    if len(found) > MAX_ROWS:
        raise too_large()
    if not any(any(row) for row in found):
        raise Invalid("文件是空的", "The file is empty", code="statement_empty")
    return found


def too_large() -> Invalid:
    """Nobody's account moves so much, or the file is not what it says."""
    return Invalid(
        f"文件过大：最多 {MAX_BYTES // 1_000_000} MB、{MAX_ROWS} 行",
        f"The file is too large: {MAX_BYTES // 1_000_000} MB and {MAX_ROWS} rows at most",
        code="statement_too_large",
        fields={"file": [Words("文件过大", "Too large")]},
    )


def _unreadable(zh: str = "无法读取此文件", en: str = "This file cannot be read") -> Invalid:
    return Invalid(zh, en, code="statement_unreadable", fields={"file": [Words(zh, en)]})


def _csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    delimiter = "\t" if text.count("\t") > text.count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise _unreadable() from error


def _decoded(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _unreadable("文件编码须为 UTF-8 或 GB18030", "The file must be UTF-8 or GB18030")


def _xlsx(data: bytes) -> Iterator[Iterable[Any]]:
    # Slow to import, and needed here only.
    import openpyxl

    _refuse_bombs(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # The size that the sheet says it has is often wrong, or a lie.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)
    except Invalid:
        raise
    except Exception as error:  # a broken workbook raises whatever its first broken part does
        raise _unreadable() from error


def _refuse_bombs(data: bytes) -> None:
    """A zip tells what its parts unpack to, and no more than that is ever read of them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            parts = pack.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _unreadable() from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise too_large()


def _row(row: Iterable[Any]) -> list[str]:
    cells = [_text(cell) for cell in islice(row, MAX_COLUMNS)]
    while cells and not cells[-1]:
        cells.pop()
    return [cell[:MAX_CELL] for cell in cells]


def _text(cell: Any) -> str:
    """A cell as its reader sees it; money that a sheet keeps as a number to the last digit."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{Decimal(repr(cell)):f}" if cell == cell else ""  # noqa: PLR0124 - not a number
    return str(cell).strip()
