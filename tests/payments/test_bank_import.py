"""A statement comes in whole or not at all, each line once, each with its posting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from models.bank import BankReceipt, BankStatement
from models.ledger import JournalEntry
from shop.errors import Conflict, Invalid
from shop.payments.bank_import import enter_line, import_statement, preview
from shop.payments.bank_rules import Line
from tests.bank_factories import balances, csv, receipts
from tests.conftest import acting
from tests.jobs import waiting

LINE = Line(0, date(2026, 11, 23), 500, "某单位", "6222", "货款", "X1")


@pytest.fixture
def fiona(ctx):
    return acting(ctx, "fiona")


def rows(ctx, model) -> int:
    return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_each_line_is_posted(fiona):
    found = import_statement(fiona, "十一月.csv", csv((500, "甲"), (-200, "乙")))
    assert (found.rows_read, found.rows_new, found.already) == (2, 2, False)
    assert receipts(fiona) == [("open", -200, 0, ""), ("open", 500, 0, "")]
    assert balances(fiona) == {"bank": 300, "suspense": -300}
    days = fiona.session.execute(select(JournalEntry.day).distinct()).scalars().all()
    assert days == [date(2026, 11, 23)]


def test_the_same_file_again_is_harmless(fiona):
    data = csv((500, "甲"))
    first = import_statement(fiona, "a.csv", data)
    again = import_statement(fiona, "b.csv", data)
    assert (again.id, again.rows_new, again.already) == (first.id, 0, True)
    assert (rows(fiona, BankStatement), rows(fiona, BankReceipt)) == (1, 1)


def test_a_line_in_two_files_is_one_line(fiona):
    import_statement(fiona, "a.csv", csv((500, "甲"), (600, "乙")))
    found = import_statement(fiona, "b.csv", csv((500, "甲"), (600, "乙"), (700, "丙")))
    assert (found.rows_read, found.rows_new) == (3, 1)
    assert balances(fiona) == {"bank": 1800, "suspense": -1800}


def test_two_payers_of_one_sum_under_one_voucher_are_two(fiona):
    rows_ = [f"2026-11-23,5.00,,{payer},谢谢,0" for payer in ("甲厂", "乙厂")]
    data = "\n".join(["交易日期,贷方发生额,借方发生额,对方户名,附言,凭证号", *rows_]).encode()
    found = import_statement(fiona, "a.csv", data)
    assert (found.rows_read, found.rows_new, balances(fiona)["bank"]) == (2, 2, 1000)
    assert import_statement(fiona, "b.csv", data + b"\n").rows_new == 0
    assert balances(fiona) == {"bank": 1000, "suspense": -1000}


def test_one_row_that_cannot_be_read_stops_all(fiona):
    bad = csv((500, "甲"), (600, "乙")).replace(b"6.00", b"six")
    with pytest.raises(Invalid) as caught:
        import_statement(fiona, "a.csv", bad)
    assert caught.value.error_code == "statement_rows_invalid"
    assert caught.value.extra["rows"] == [{"row": 3, "field": "amount", "problem": "Not an amount"}]
    assert (rows(fiona, BankStatement), rows(fiona, BankReceipt)) == (0, 0)


def test_a_preview_writes_nothing(fiona):
    found = preview(fiona, csv((500, "甲")), {})
    assert ([line.amount_fen for line in found.lines], rows(fiona, BankReceipt)) == ([500], 0)


def test_a_long_statement(fiona):
    lines = [(number, f"第 {number} 笔") for number in range(1, 1201)]
    found = import_statement(fiona, "a.csv", csv(*lines))
    assert (found.rows_new, rows(fiona, JournalEntry)) == (1200, 1200)


def test_the_rules_look_at_what_is_new(transactions):
    with transactions.begin() as ctx:
        import_statement(ctx, "a.csv", csv((500, "甲")))
        import_statement(ctx, "b.csv", csv((500, "甲")) + b"\n")
    assert waiting(transactions) == [("payments.match_receipts", {})]


def test_a_line_by_hand(fiona):
    enter_line(fiona, LINE)
    assert (receipts(fiona), balances(fiona)["bank"]) == ([("open", 500, 0, "")], 500)


def test_a_line_by_hand_twice(fiona):
    enter_line(fiona, LINE)
    with pytest.raises(Conflict) as caught:
        enter_line(fiona, LINE)
    assert (caught.value.error_code, rows(fiona, BankReceipt)) == ("receipt_known", 1)


@pytest.mark.parametrize(
    "change", [{"amount_fen": 0}, {"booked_on": date(2026, 11, 24)}, {"amount_fen": 10**14}]
)
def test_what_cannot_be_entered(fiona, change):
    with pytest.raises(Invalid):
        enter_line(fiona, replace(LINE, **change))
    assert rows(fiona, BankReceipt) == 0
