"""Reading a bank's lines: columns, days, amounts, fingerprints."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.errors import Invalid
from shop.payments.bank_rules import Line, clean, day_of, fen_of, fingerprints, read_statement

TODAY = date(2026, 11, 23)
HEADER = [
    "交易日期",
    "贷方发生额（元）",
    "借方发生额（元）",
    "对方户名",
    "对方账号",
    "摘要",
    "附言",
    "流水号",
]
ROW = ["2026-11-20", "1,398.00", "", "永平大学工会", "6222", "转账", "订单 26112312345678", "A1"]


def read(*rows: list[str], header: list[str] = HEADER, **mapping: str):
    return read_statement([header, *rows], mapping, TODAY)


def code(*rows: list[str], header: list[str] = HEADER, **mapping: str) -> str:
    with pytest.raises(Invalid) as caught:
        read(*rows, header=header, **mapping)
    return caught.value.error_code


def test_a_line_as_banks_write_it():
    assert read(ROW).lines == (
        Line(
            row=2,
            booked_on=date(2026, 11, 20),
            amount_fen=139800,
            payer_name="永平大学工会",
            payer_account="6222",
            remark="转账 订单 26112312345678",
            bank_reference="A1",
        ),
    )


def test_what_the_columns_were_taken_for():
    assert read(ROW).mapping == {
        "booked_on": "交易日期",
        "credit": "贷方发生额（元）",
        "debit": "借方发生额（元）",
        "payer_name": "对方户名",
        "payer_account": "对方账号",
        "remark": "摘要+附言",
        "bank_reference": "流水号",
    }


def test_lines_above_the_header_and_sums_below_are_passed_over():
    table = [["账户名称", "永平助农商城"], [], HEADER, ROW, ["合计", "1,398.00"], [""] * 8]
    found = read_statement(table, {}, TODAY)
    assert ([line.row for line in found.lines], found.errors) == ([4], ())


def test_money_out_is_negative():
    assert read([*ROW[:1], "", "88.00", *ROW[3:]]).lines[0].amount_fen == -8800
    assert read([*ROW[:1], "0.00", "-88.00", *ROW[3:]]).lines[0].amount_fen == -8800


@pytest.mark.parametrize(
    ("direction", "amount", "fen"),
    [("贷", "5.00", 500), ("借", "5.00", -500), ("收入", "5", 500), ("", "-5.00", -500)],
)
def test_one_amount_with_its_direction(direction, amount, fen):
    found = read(["2026-11-20", amount, direction], header=["记账日期", "交易金额", "借贷标志"])
    assert [line.amount_fen for line in found.lines] == [fen]


def test_a_mapping_that_a_person_gives_wins():
    header = ["日期", "收入", "金额", "说明", "流水"]
    found = read(
        ["2026-11-20", "1.00", "-2.00", "甲", "乙"],
        header=header,
        amount="金额",
        remark="说明+流水",
    )
    assert [(line.amount_fen, line.remark) for line in found.lines] == [(-200, "甲 乙")]


def test_a_column_that_is_not_there():
    assert code(ROW, remark="没有") == "column_missing"
    assert code(ROW, nonsense="摘要") == "column_missing"


def test_a_table_without_a_header():
    assert code(["甲", "乙"], header=["丙", "丁"]) == "columns_unknown"


@pytest.mark.parametrize(
    ("place", "text", "field"),
    [
        (0, "昨天", "booked_on"),
        (0, "2026-02-30", "booked_on"),
        (0, "2026-11-24", "booked_on"),
        (0, "1970-01-01", "booked_on"),
        (1, "十元", "amount"),
        (1, "1.005", "amount"),
        (1, "0.00", "amount"),
        (1, "99999999999999", "amount"),
        (2, "1.00", "amount"),
    ],
)
def test_each_row_at_fault_is_named(place, text, field):
    bad = [*ROW[:place], text, *ROW[place + 1 :]]
    found = read(ROW, bad, ROW)
    assert [(one.row, one.field) for one in found.errors] == [(3, field)]
    assert len(found.lines) == 2


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03",
        "2026/11/3",
        "20261103",
        "2026年11月3日",
        "2026.11.03 10:22:01",
        "２０２６-11-03",
    ],
)
def test_days(text):
    assert day_of(text) == date(2026, 11, 3)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,234.56", 123456),
        ("¥ 12.3", 1230),
        ("１２．３０", 1230),
        ("(5.00)", -500),
        ("+7", 700),
        ("-", 0),
        ("", 0),
        ("1.200", 120),
        ("1e3", None),
        ("١٢", None),
        ("--5", None),
        ("1.234", None),
    ],
)
def test_amounts(text, fen):
    assert fen_of(text) == fen


@given(st.integers(-(10**12), 10**12))
def test_every_amount_comes_back(fen):
    sign = "-" if fen < 0 else ""
    assert fen_of(f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02}") == fen


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text):
    day_of(text)
    fen_of(text)
    assert clean(text, 20).isprintable()
    assert len(clean(text, 20)) <= 20


LINE = Line(2, TODAY, 100, "甲", "1", "乙", "R1")


def test_a_reference_makes_a_line_the_same_wherever_it_stands():
    [one] = fingerprints([LINE])
    assert fingerprints([replace(LINE, row=9, remark="丙", payer_name="丁")]) == [one]
    assert fingerprints([LINE, replace(LINE, row=9)]) == [one, one]
    assert one != fingerprints([replace(LINE, amount_fen=101)])[0]
    assert one != fingerprints([replace(LINE, booked_on=date(2026, 11, 22))])[0]


def test_a_number_that_several_payers_share_makes_no_line_of_two():
    """As where a bank gives 0 for every voucher: the same sum of two units is not one."""
    mine, yours = LINE, replace(LINE, row=3, payer_name="丁")
    both = fingerprints([mine, yours])
    assert len(set(both)) == 2
    assert both[:1] == fingerprints([mine]), "a file that ends before the second"
    assert set(fingerprints([yours, mine])) == set(both), "a file that lists the newest first"


def test_without_one_equal_lines_are_told_apart_by_their_order():
    plain = replace(LINE, bank_reference=None)
    assert len(set(fingerprints([plain, plain, plain]))) == 3
    assert fingerprints([plain, plain])[:1] == fingerprints([replace(plain, row=7)])
