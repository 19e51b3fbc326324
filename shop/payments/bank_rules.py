"""Reading a bank's lines: which column is what, and what a row says. Pure; money in fen."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from shop.errors import Invalid, Words

NAMES: Mapping[str, tuple[str, ...]] = {
    "booked_on": ("交易日期", "记账日期", "入账日期", "日期", "交易时间", "date"),
    "credit": ("贷方发生额", "贷方金额", "收入金额", "收入", "转入金额", "存入金额", "credit"),
    "debit": ("借方发生额", "借方金额", "支出金额", "支出", "转出金额", "支取金额", "debit"),
    "amount": ("交易金额", "发生额", "金额", "amount"),
    "direction": ("借贷标志", "借贷方向", "收支方向", "收支标志"),
    "payer_name": ("对方户名", "对方名称", "对方账户名称", "对方单位名称", "付款人名称", "payer"),
    "payer_account": ("对方账号", "对方账户", "付款人账号", "payer account"),
    "remark": ("摘要", "附言", "用途", "备注", "交易附言", "remark"),
    "bank_reference": ("流水号", "交易流水号", "银行流水号", "凭证号", "交易序号", "reference"),
}
"""Our name -> what banks call the column. A remark may stand in several; they are joined."""

SEVERAL = "+"
"""Joins the columns of one field in a mapping that a person writes: 摘要+附言."""

HEADER_WITHIN = 30
"""Rows among which the header is looked for; banks write the account's name above it."""

IN, OUT = (
    frozenset({"贷", "收", "收入", "转入", "c", "cr"}),
    frozenset({"借", "支", "支出", "转出", "d", "dr"}),
)
TOTALS = ("合计", "总计", "小计", "本页", "累计")
MAX_NAME, MAX_REMARK = 200, 500
MAX_FEN = 10**13
FIRST_DAY = date(2000, 1, 1)
DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ].*)?")
UNIT = re.compile(r"[(（\[].*?[)）\]]")

Columns = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account: money in positive, money out negative."""

    row: int
    booked_on: date
    amount_fen: int
    payer_name: str = ""
    payer_account: str = ""
    remark: str = ""
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class RowError:
    """What cannot be read: the row as a sheet counts it, the field, and why."""

    row: int
    field: str
    words: Words


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement as it was understood: its header, our names for its columns, and its lines."""

    header: tuple[str, ...]
    mapping: Mapping[str, str]
    lines: tuple[Line, ...]
    errors: tuple[RowError, ...]


def read_statement(
    table: Sequence[Sequence[str]], mapping: Mapping[str, str], today: date
) -> Reading:
    """Understand a table: `mapping` (our name -> the file's header) wins over what we guess.

    Raises:
        Invalid: `columns_unknown`, no row looks like a header with a date and an amount;
            `column_missing`, the mapping names a column that the file has not.
    """
    wanted = {name: text for name, text in mapping.items() if text}
    place, columns = _header(table, wanted)
    header = tuple(table[place])
    lines: list[Line] = []
    errors: list[RowError] = []
    for number, row in enumerate(table[place + 1 :], start=place + 2):
        if not any(row) or _is_total(row, columns):
            continue
        found = _line(number, row, columns, today)
        if isinstance(found, Line):
            lines.append(found)
        else:
            errors.append(found)
    named = {name: SEVERAL.join(header[one] for one in where) for name, where in columns.items()}
    return Reading(header, named, tuple(lines), tuple(errors))


def _header(
    table: Sequence[Sequence[str]], wanted: Mapping[str, str]
) -> tuple[int, dict[str, tuple[int, ...]]]:
    unknown = next((name for name in wanted if name not in NAMES), None)
    if unknown is not None:
        raise _missing(unknown)
    lacking: str | None = None
    for place, row in enumerate(table[:HEADER_WITHIN]):
        plain = [_plain(cell) for cell in row]
        columns = {name: _guessed(name, plain) for name in NAMES}
        if "amount" in wanted:  # said to be signed, so no other column is the amount
            columns |= {"credit": (), "debit": ()}
        given = {name: _named(text, plain) for name, text in wanted.items()}
        lacking = next((wanted[name] for name, where in given.items() if not where), None)
        columns = {name: where for name, where in {**columns, **given}.items() if where}
        if lacking is None and "booked_on" in columns and {"credit", "amount"} & columns.keys():
            return place, columns
    if lacking is not None and wanted:
        raise _missing(lacking)
    raise Invalid(
        "没有找到表头：至少要有交易日期和收入金额两列",
        "There is no header with a date and an amount",
        code="columns_unknown",
        fields={"mapping": [Words("请指定各列的名称", "Say which column is what")]},
    )


def _missing(column: str) -> Invalid:
    return Invalid(
        f"文件中没有“{column}”这一列",
        f"The file has no column {column!r}",
        code="column_missing",
        fields={"mapping": [Words("没有这一列", "There is no such column")]},
    )


def _plain(cell: str) -> str:
    """A header without its unit, blanks and typing habits: `收入 （元）` is 收入."""
    text = unicodedata.normalize("NFKC", cell).casefold()
    return re.sub(r"\s+", " ", UNIT.sub("", text)).strip()


def _guessed(name: str, header: Sequence[str]) -> tuple[int, ...]:
    places = [header.index(one) for one in NAMES[name] if one in header]
    return tuple(sorted(places)) if name == "remark" else tuple(places[:1])


def _named(text: str, header: Sequence[str]) -> tuple[int, ...]:
    columns = [_plain(one) for one in text.split(SEVERAL)]
    if not all(one in header for one in columns):
        return ()
    return tuple(header.index(one) for one in columns)


def _is_total(row: Sequence[str], columns: Columns) -> bool:
    """A sum below the lines has no date, and says that it is one."""
    first = next(cell for cell in row if cell)
    return not _cell(row, columns, "booked_on", DAY) and first.startswith(TOTALS)


def _cell(
    row: Sequence[str], columns: Columns, name: str, pattern: re.Pattern[str] | None = None
) -> str:
    cells = [row[one] for one in columns.get(name, ()) if one < len(row) and row[one]]
    text = " ".join(dict.fromkeys(cells))
    if pattern is not None:
        return text if pattern.fullmatch(_narrow(text)) else ""
    return text


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _line(number: int, row: Sequence[str], columns: Columns, today: date) -> Line | RowError:
    booked_on = day_of(_cell(row, columns, "booked_on"))
    if booked_on is None or not FIRST_DAY <= booked_on <= today:
        return RowError(
            number, "booked_on", Words("日期无法识别或在今天之后", "Not a day, or after today")
        )
    amount = _amount(row, columns)
    if isinstance(amount, Words):
        return RowError(number, "amount", amount)
    return Line(
        row=number,
        booked_on=booked_on,
        amount_fen=amount,
        payer_name=clean(_cell(row, columns, "payer_name"), MAX_NAME),
        payer_account=clean(_cell(row, columns, "payer_account"), MAX_NAME),
        remark=clean(_cell(row, columns, "remark"), MAX_REMARK),
        bank_reference=clean(_cell(row, columns, "bank_reference"), MAX_NAME) or None,
    )


def _amount(row: Sequence[str], columns: Columns) -> int | Words:
    """The signed amount from two columns (in, out), or from one with its direction or sign."""
    cells = {name: _cell(row, columns, name) for name in ("credit", "debit", "amount")}
    fen = {name: fen_of(text) for name, text in cells.items()}
    if any(value is None for value in fen.values()):
        return Words("金额无法识别", "Not an amount")
    credit, debit, amount = (fen[name] or 0 for name in ("credit", "debit", "amount"))
    if "credit" not in columns:
        credit = amount
        direction = _narrow(_cell(row, columns, "direction")).casefold()
        if direction in OUT:
            credit, debit = 0, amount
        elif direction and direction not in IN:
            return Words("借贷方向无法识别", "Not a direction")
    if credit and debit:
        return Words("同一行既有收入又有支出", "Money both in and out")
    signed = credit or -abs(debit)
    if not signed or abs(signed) > MAX_FEN:
        return Words("金额为零或过大", "The amount is zero or too large")
    return signed


def day_of(text: str) -> date | None:
    """A day as banks write it: 2026-11-23, 2026/11/23, 20261123, 2026年11月23日, with a time."""
    found = DAY.fullmatch(_narrow(text))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def fen_of(text: str) -> int | None:
    """An amount as banks write it, in fen: signs, thousands, brackets for minus; empty is 0."""
    plain = re.sub(r"[\s,¥￥元]", "", _narrow(text)).removeprefix("CNY").removeprefix("RMB")
    if plain in {"", "-", "--"}:
        return 0
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    if not re.fullmatch(r"[+-]?\d{1,14}(\.\d{1,10})?", plain, re.ASCII):
        return None
    try:
        fen = Decimal(plain) * 100
    except InvalidOperation:
        return None
    return int(fen) if fen == fen.to_integral_value() else None


def clean(text: str, longest: int) -> str:
    """A text of the bank's in one line, without what no page should show."""
    seen = "".join(one if one.isprintable() else " " for one in _narrow(text))
    return re.sub(r"\s+", " ", seen).strip()[:longest]


def fingerprints(lines: Iterable[Line]) -> list[str]:
    """What makes the same line in two files one: the bank's reference, else all that it says.

    Lines without a reference that are alike are told apart by their order in the file. So are
    lines of one file that share reference, day and amount and are yet of different payers or
    remarks: many banks give a voucher's number, often 0, and each of them is money.
    """
    seen: Counter[str] = Counter()
    sharing: dict[str, dict[str, int]] = {}
    found: list[str] = []
    for line in lines:
        head = f"{line.booked_on.isoformat()}|{line.amount_fen}"
        says = f"{line.payer_name}|{line.payer_account}|{line.remark}"
        if line.bank_reference:
            text = f"reference|{head}|{line.bank_reference}"
            known = sharing.setdefault(text, {})
            place = known.setdefault(says, len(known) + 1)
            text = text if place == 1 else f"{text}|{place}"
        else:
            text = f"line|{head}|{says}"
            seen[text] += 1
            text = f"{text}|{seen[text]}"
        found.append(hashlib.sha256(text.encode()).hexdigest())
    return found
