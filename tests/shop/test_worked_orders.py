"""The eight worked orders give the totals that the definitions imply, to the fen."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from models.identity import Role
from models.inventory import Stock, StockMovement
from models.refunds import Refund
from shop.context import Actor
from shop.orders.desk import order_on_desk
from shop.payments.proof import prove
from shop.reports.queries import SalesQuery, sales
from shop.seed.orders import place_scenarios

MONTHS = {
    # month: (aid amount, paid goods, refunded goods) on the event basis
    "2026-02": (11180, 11180, 0),
    "2026-03": (16180 + 4990, 16180 + 4990, 0),
    "2026-04": (4990 - 6800, 4990, 6800),
    "2026-05": (3_000_000, 3_005_900, 5900),
    "2026-09": (3_960_000, 3_960_000, 0),
}


@pytest.fixture
def lived(transactions):
    numbers = place_scenarios(transactions)
    return transactions.acting(Actor(roles=frozenset({Role.ORGANIZER}))), numbers


def report(transactions, *group_by, basis="event", **filters):
    with transactions.begin() as ctx:
        return sales(
            ctx,
            SalesQuery(
                start=date(2026, 1, 1),
                end=date(2027, 1, 1),
                group_by=group_by,
                basis=basis,
                filters=filters,
            ),
        )


def test_by_month_on_the_event_basis(lived):
    found = {
        row["month"]: (row["aid_amount_fen"], row["paid_goods_fen"], row["refunded_goods_fen"])
        for row in report(lived[0], "month").rows
    }
    assert found == MONTHS


def test_by_month_on_the_cohort_basis(lived):
    found = {
        row["month"]: row["aid_amount_fen"]
        for row in report(lived[0], "month", basis="cohort").rows
    }
    assert found == {
        "2026-02": 11180,
        "2026-03": 16180 - 6800 + 4990,
        "2026-04": 4990,
        "2026-05": 3_000_000,
        "2026-09": 3_960_000,
    }


def test_seconds_apart_and_quarters_apart(lived):
    found = {
        (row["quarter"], row["unit"]): row["aid_amount_fen"]
        for row in report(lived[0], "quarter", "unit").rows
    }
    assert (found["2026-Q1", "U06"], found["2026-Q2", "U14"]) == (4990, 4990)


def test_every_dimension_adds_up_to_the_same_total(lived):
    total = sum(month[0] for month in MONTHS.values())
    for dimension in (
        "unit",
        "channel",
        "cooperative",
        "category",
        "platform",
        "buyer_kind",
        "purpose",
        "campaign",
        "product",
        "sku",
        "aid_class",
        "storefront",
    ):
        rows = report(lived[0], dimension).rows
        assert sum(row["aid_amount_fen"] for row in rows) == total, dimension


def test_the_two_indicators(lived):
    totals = report(lived[0]).totals
    assert totals["direct_purchase_fen"] == 11180 + 4990 + 3_000_000 + 3_960_000
    assert totals["help_sell_fen"] == 16180 - 6800 + 4990
    assert totals["aid_amount_fen"] == totals["direct_purchase_fen"] + totals["help_sell_fen"]


def test_freight_is_never_aid_and_a_whole_refund_leaves_nothing(lived):
    rows = report(lived[0], channel=("livestream",)).totals
    assert (
        rows["paid_goods_fen"],
        rows["refunded_goods_fen"],
        rows["aid_amount_fen"],
        rows["freight_fen"],
    ) == (5900, 5900, 0, 0)


def test_stock_is_what_its_movements_add_up_to(lived):
    with lived[0].begin() as ctx:
        moved = ctx.session.execute(
            select(
                StockMovement.sku_id,
                func.sum(StockMovement.on_hand_delta),
                func.sum(StockMovement.reserved_delta),
            ).group_by(StockMovement.sku_id)
        ).all()
        held = ctx.session.execute(select(Stock.sku_id, Stock.on_hand, Stock.reserved)).all()
    assert sorted(map(tuple, moved)) == sorted(map(tuple, held))
    assert sum(row.reserved for row in held) == 0


def test_their_refunds_are_refunds_like_any_other(lived):
    transactions, numbers = lived
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(Refund.number, Refund.state, Refund.goods_fen, Refund.freight_fen).order_by(
                Refund.number
            )
        ).all()
        whole = order_on_desk(ctx, numbers["S06"])
    assert found == [
        (f"{numbers['S02']}R1", "succeeded", 6_800, 0),
        (f"{numbers['S06']}R1", "succeeded", 5_900, 6_700),
    ]
    assert (whole["status"], whole["refunded_fen"]) == ("refunded", 12_600)


def test_the_ledger_proves_what_they_left(lived):
    with lived[0].begin() as ctx:
        found = prove(ctx)
    assert [check for check in found.checks if not check.proved] == []
