"""What stands behind a figure: its entries, and the definition that is printed with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from models.aid import AidEntryKind
from models.organization import RuleSetRow
from shop.context import Ctx
from shop.reports.definitions import DIMENSIONS, MEASURES, NOT_GIVEN
from shop.reports.queries import entries, sales
from shop.reports.rules import SalesQuery
from tests.aid_factories import refund, sell, year_of_everything
from tests.conftest import acting
from tests.fulfilment_factories import paid
from tests.rollup_factories import ENTRIES, copy

YEAR = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize("basis", ["event", "cohort"])
def test_the_entries_behind_every_cell_sum_to_it(ctx: Ctx, basis: str) -> None:
    year_of_everything(ctx)
    for dimension in DIMENSIONS:
        query = replace(YEAR, basis=basis, group_by=(dimension,))
        for row in sales(ctx, query).rows:
            cell = {dimension: row[dimension] or NOT_GIVEN}
            behind = entries(ctx, replace(query, filters=cell), limit=100)
            net = row["paid_goods_fen"] - row["refunded_goods_fen"]
            assert sum(entry["goods_fen"] for entry in behind) == net, (dimension, row)
            aid = [entry["goods_fen"] for entry in behind if entry["aid_class"]]
            assert sum(aid) == row["aid_amount_fen"]
            assert sum(entry["freight_fen"] for entry in behind) == row["freight_fen"]


def test_the_entries_go_page_by_page(ctx: Ctx) -> None:
    year_of_everything(ctx)
    whole = [entry["id"] for entry in entries(ctx, YEAR, limit=100)]
    pages, after = [], None
    while page := entries(ctx, YEAR, after, limit=3):
        pages += [entry["id"] for entry in page]
        after = page[-1]["id"]
    assert (len(whole), pages) == (8, whole)


def test_an_entry_says_what_it_is_and_why_it_counts(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00", unit="U03", number="26020300000011")
    refund(ctx, sold.line, "2026-02-04T10:00:00", 100)
    sale, back = entries(ctx, YEAR)
    assert (sale["kind_name"], back["kind_name"]) == ("销售", "退款")
    assert (sale["order_number"], sale["unit_name"]) == ("26020300000011", "经济学院")
    assert (sale["aid_class_name"], sale["rule_set_code"]) == ("直接购买", "aid2026")
    assert (sale["rule_reason_text"], back["reason"]) == ("按购买者类型归类", "破损")
    assert "buyer_key" not in sale


def test_the_definition_says_what_was_counted(ctx: Ctx) -> None:
    sell(ctx, "2026-02-03T10:00:00")
    query = replace(YEAR, basis="cohort", group_by=("unit",), filters={"channel": "direct"})
    report = sales(ctx, query)
    found = report.definition
    assert (found["basis"], found["zone"], found["half_open"]) == ("cohort", "Asia/Shanghai", True)
    assert (found["from"], found["to"]) == (date(2026, 1, 1), date(2027, 1, 1))
    assert (found["group_by"], found["filters"]) == (["unit"], {"channel": ["direct"]})
    assert list(found["measures"]) == list(MEASURES)
    assert report.as_of == ctx.now


def test_the_definition_prints_the_rule_set(ctx: Ctx) -> None:
    [rules] = sales(ctx, YEAR).definition["rule_sets"]
    assert (rules["code"], rules["product_filter"]) == ("aid2026", "aid_certified_or_origin_532928")
    assert rules["category_map"]["alumni"] == "help_sell"
    before = replace(YEAR, start=date(2025, 1, 1), end=date(2026, 1, 1))
    assert sales(ctx, before).definition["rule_sets"] == []


def test_a_refund_prints_the_rule_set_of_its_sale(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-12-30T10:00:00")
    ctx.session.execute(
        update(RuleSetRow).where(RuleSetRow.code == "aid2026").values(effective_to=YEAR.end)
    )
    refund(ctx, sold.line, "2027-01-05T10:00:00", 100)
    january = SalesQuery(date(2027, 1, 1), date(2027, 2, 1))
    assert [one["code"] for one in sales(ctx, january).definition["rule_sets"]] == ["aid2026"]


def test_who_bought_is_never_named_as_who_acted(ctx: Ctx) -> None:
    """Her own browser may have brought the news of her payment."""
    alice, olga = acting(ctx, "alice"), acting(ctx, "olga")
    paid(alice, ("P01-1", 1))
    entry = ctx.session.execute(select(ENTRIES)).mappings().one()
    for kind, actor in (
        (AidEntryKind.IMPORT, alice.actor),
        (AidEntryKind.REATTRIBUTED_IN, olga.actor),
    ):
        copy(ctx, entry, kind, 1, actor_id=actor.user_id)
    found = {one["kind"]: one["actor"] for one in entries(ctx, YEAR_AND_NEXT)}
    del found["sale"]
    assert found == {"import": None, "reattributed_in": "Olga"}


YEAR_AND_NEXT = replace(YEAR, end=date(2028, 1, 1))
