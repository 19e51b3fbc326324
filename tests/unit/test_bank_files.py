"""A bank's file as a table of texts, whatever it claims to be."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import openpyxl
import pytest

from shop.errors import Invalid
from shop.payments import bank_files
from shop.payments.bank_files import read_table

TABLE = [["交易日期", "收入"], ["2026-11-20", "1,398.00"]]
CSV = '交易日期,收入\r\n2026-11-20,"1,398.00"\r\n'


def sheet(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def code(data: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read_table(data)
    return caught.value.error_code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_the_encodings_that_banks_use(encoding):
    assert read_table(CSV.encode(encoding)) == TABLE


def test_a_csv_with_tabs():
    assert read_table("交易日期\t收入\n2026-11-20\t1,398.00\n".encode("gb18030")) == TABLE


def test_a_sheet_with_numbers_and_days():
    found = read_table(
        sheet(["交易日期", "收入"], [date(2026, 11, 20), 1398.1], [date(2026, 11, 21), 0.29])
    )
    assert found[1:] == [["2026-11-20 00:00:00", "1398.1"], ["2026-11-21 00:00:00", "0.29"]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "statement_empty"),
        (b"\r\n ,\r\n", "statement_empty"),
        (b"\xd0\xcf\x11\xe0 old excel", "statement_unreadable"),
        (b"PK\x03\x04 no zip", "statement_unreadable"),
        (b"a\0b,c", "statement_unreadable"),
        (b"\xff\xff\xff\xff", "statement_unreadable"),
        (b'"' + b"x" * 200_000, "statement_unreadable"),
        (b"x" * (bank_files.MAX_BYTES + 1), "statement_too_large"),
        (b"a,b\n" * (bank_files.MAX_ROWS + 1), "statement_too_large"),
    ],
)
def test_what_is_no_statement(data, expected):
    assert code(data) == expected


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, part in parts.items():
            pack.writestr(name, part)
    return file.getvalue()


def test_a_zip_bomb_is_not_unpacked():
    bomb = zipped(sheet=b"\0" * (bank_files.MAX_UNPACKED + 1))
    assert len(bomb) < bank_files.MAX_BYTES
    assert code(bomb) == "statement_too_large"


def test_a_zip_with_a_thousand_parts():
    assert code(zipped(**{f"part{n}": b"" for n in range(1000)})) == "statement_too_large"


def test_a_zip_that_is_no_workbook():
    assert code(zipped(hello=b"world")) == "statement_unreadable"


def test_a_sheet_that_lies_about_its_size():
    data = sheet(["交易日期", "收入"], ["2026-11-20", "1"])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.infolist():
            body = old.read(part).replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
            new.writestr(part, body)
    assert read_table(file.getvalue()) == [["交易日期", "收入"], ["2026-11-20", "1"]]


def test_cells_are_cut():
    assert len(read_table(b"x" * 5000)[0][0]) == bank_files.MAX_CELL
