"""Taking in the bank's lines: all of a file or nothing, each line once, each with its posting."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from models.bank import BankReceipt, BankStatement, ReceiptState
from shop import audit
from shop.clock import business_day, day_start
from shop.context import Ctx
from shop.errors import Conflict, Invalid, Words
from shop.ids import new_id
from shop.jobs.queue import enqueue
from shop.ledger.commands import Cause, post_many
from shop.ledger.rules import Account, legs
from shop.locks import BANK_LINES, lock_chain
from shop.payments.bank_files import read_table
from shop.payments.bank_rules import FIRST_DAY, MAX_FEN, Line, Reading, fingerprints, read_statement

RECEIPTS, STATEMENTS = BankReceipt.__table__, BankStatement.__table__

WRITE = insert(RECEIPTS)
KNOWN = select(RECEIPTS.c.fingerprint).where(
    RECEIPTS.c.fingerprint == bindparam("wanted", type_=ARRAY(Text)).any_()
)

MATCH = "payments.match_receipts"
"""The job that looks for the orders of new lines."""

SLICE = 500
MOST_ERRORS = 100
MAX_FILENAME = 200


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file. `already`: these very bytes were imported before."""

    id: UUID
    filename: str
    rows_read: int
    rows_new: int
    already: bool = False


def preview(ctx: Ctx, data: bytes, mapping: Mapping[str, str]) -> Reading:
    """What a file would bring, with nothing written.

    Raises:
        Invalid: see `read_table` and `read_statement`.
    """
    return read_statement(read_table(data), mapping, business_day(ctx.now))


def import_statement(
    ctx: Ctx, filename: str, data: bytes, mapping: Mapping[str, str] | None = None
) -> Imported:
    """Take in a statement; the same file again, and lines that another file had, change nothing.

    Raises:
        Invalid: `statement_rows_invalid`, with every row at fault in `rows`; or the file or its
            columns, see `read_table` and `read_statement`. Nothing is taken in then.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    lock_chain(ctx.session, BANK_LINES)
    before = _imported(ctx, sha256)
    if before is not None:
        return before
    reading = preview(ctx, data, mapping or {})
    if reading.errors:
        raise rows_invalid(reading)
    statement_id = new_id()
    fresh = _new_lines(ctx, reading.lines)
    ctx.session.execute(
        insert(STATEMENTS).values(
            id=statement_id,
            sha256=sha256,
            filename=filename[:MAX_FILENAME],
            columns=dict(reading.mapping),
            rows_read=len(reading.lines),
            rows_new=len(fresh),
            imported_by=ctx.actor.user_id,
            imported_at=ctx.now,
        )
    )
    _write(ctx, fresh, statement_id)
    new = len(fresh)
    audit.record(
        ctx,
        "bank.import",
        "bank_statement",
        str(statement_id),
        after={"filename": filename[:MAX_FILENAME], "rows": len(reading.lines), "new": new},
    )
    if new:
        enqueue(ctx, MATCH)
    return Imported(statement_id, filename[:MAX_FILENAME], len(reading.lines), new)


def rows_invalid(reading: Reading) -> Invalid:
    """Rows that cannot be read: all are named (the first hundred), and nothing is taken in."""
    first = reading.errors[0]
    return Invalid(
        f"有 {len(reading.errors)} 行无法读取，未导入任何内容。第 {first.row} 行：{first.words}",
        f"{len(reading.errors)} rows cannot be read, nothing was imported. "
        f"Row {first.row}: {first.words.en}",
        code="statement_rows_invalid",
        fields={
            "file": [
                Words(f"第 {one.row} 行：{one.words}", f"Row {one.row}: {one.words.en}")
                for one in reading.errors[:MOST_ERRORS]
            ]
        },
        rows=[
            {"row": one.row, "field": one.field, "problem": one.words.en}
            for one in reading.errors[:MOST_ERRORS]
        ],
    )


def _imported(ctx: Ctx, sha256: str) -> Imported | None:
    row = ctx.session.execute(
        select(STATEMENTS.c.id, STATEMENTS.c.filename, STATEMENTS.c.rows_read).where(
            STATEMENTS.c.sha256 == sha256
        )
    ).one_or_none()
    return row and Imported(row.id, row.filename, row.rows_read, 0, already=True)


def write_lines(ctx: Ctx, lines: Sequence[Line]) -> list[UUID]:
    """Write the lines that are new, and post each: the bank's money, not yet anybody's."""
    lock_chain(ctx.session, BANK_LINES)
    return _write(ctx, _new_lines(ctx, lines), None)


def _new_lines(ctx: Ctx, lines: Sequence[Line]) -> dict[str, Line]:
    """The lines that no file had before, by fingerprint; nobody else writes lines meanwhile."""
    found = dict(zip(fingerprints(lines), lines, strict=True))
    known = ctx.session.execute(KNOWN, {"wanted": list(found)}).scalars()
    for print_ in known:
        del found[print_]
    return found


def _write(ctx: Ctx, lines: Mapping[str, Line], statement_id: UUID | None) -> list[UUID]:
    rows = [_row(ctx, line, print_, statement_id) for print_, line in lines.items()]
    for start in range(0, len(rows), SLICE):
        part = rows[start : start + SLICE]
        ctx.session.execute(WRITE, part)
        post_many(ctx, [(_booked(row), _legs(row["amount_fen"])) for row in part])
    return [row["id"] for row in rows]


def _row(ctx: Ctx, line: Line, print_: str, statement_id: UUID | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "statement_id": statement_id,
        "row_number": line.row if statement_id else None,
        "fingerprint": print_,
        "state": ReceiptState.OPEN,
        "booked_on": line.booked_on,
        "amount_fen": line.amount_fen,
        "matched_fen": 0,
        "payer_name": line.payer_name,
        "payer_account": line.payer_account,
        "remark": line.remark,
        "bank_reference": line.bank_reference,
        "entered_by": ctx.actor.user_id,
        "entered_at": ctx.now,
    }


def _booked(row: Mapping[str, Any]) -> Cause:
    at = day_start(row["booked_on"])
    return Cause(subject="bank_receipt", subject_id=row["id"], event="booked", at=at)


def _legs(amount_fen: int) -> Any:
    return legs((Account.BANK, amount_fen), (Account.SUSPENSE, -amount_fen))


def enter_line(ctx: Ctx, line: Line) -> UUID:
    """Enter one line by hand, as a file would have brought it; its key.

    Raises:
        Invalid: no amount, or a day that has not come yet.
        Conflict: `receipt_known`, the line is here already.
    """
    if not 0 < abs(line.amount_fen) <= MAX_FEN:
        words = Words("金额不能为零，也不能过大", "Not zero and not too large")
        raise Invalid(words, words.en, fields={"amount_fen": [words]})
    if not FIRST_DAY <= line.booked_on <= business_day(ctx.now):
        words = Words("日期不能在今天之后", "Not after today")
        raise Invalid(words, words.en, fields={"booked_on": [words]})
    new = write_lines(ctx, [line])
    if not new:
        raise Conflict(
            "这笔流水已经录入过", "This line of the bank is here already", code="receipt_known"
        )
    audit.record(
        ctx,
        "bank.enter",
        "bank_receipt",
        str(new[0]),
        after={"amount_fen": line.amount_fen, "booked_on": line.booked_on.isoformat()},
    )
    enqueue(ctx, MATCH)
    return new[0]
