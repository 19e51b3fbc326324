"""The reads of the back office that nothing else needs."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select

from models.orders import ConsignmentState, Order, OrderState
from models.organization import Target
from models.payments import Payment, PaymentMethod, PaymentState
from shop import audit
from shop.catalog.desk import sku_on_desk
from shop.errors import Invalid, NotFound
from shop.fulfilment.desk import counts_by_state
from shop.ids import new_id
from shop.orders.desk import order_on_desk, orders_on_desk
from shop.payments.desk import needing_refund, refunds_due
from shop.reports import entry_file
from shop.reports.progress import straight_line, year_progress
from shop.reports.rules import SalesQuery
from shop.reports.trail import audit_log, entries_of_order
from tests.aid_factories import TEA, WALNUT, part, refund, sell
from tests.conftest import acting
from tests.fulfilment_factories import place

C = ConsignmentState


def test_every_state_is_counted_for_the_own_cooperative(ctx):
    place(ctx)
    place(ctx, ("P01-1", 1))
    assert counts_by_state(acting(ctx, "bob")) == dict.fromkeys(C, 0) | {C.PENDING_PAYMENT: 2}
    assert counts_by_state(acting(ctx, "charlie"))[C.PENDING_PAYMENT] == 1
    assert sum(counts_by_state(acting(ctx, "alice")).values()) == 0


def test_a_sku_with_its_product_is_its_managers(ctx):
    found = sku_on_desk(acting(ctx, "bob"), "P01-1")
    assert (found["code"], found["on_hand"], found["available"]) == ("P01-1", 600, 600)
    assert found["product"]["name_en"] == "High-mountain green tea"
    with pytest.raises(NotFound):
        sku_on_desk(acting(ctx, "charlie"), "P01-1")


def test_orders_are_found_by_the_beginning_of_their_number(ctx):
    numbers = [place(ctx, ("P01-1", 1)) for _ in range(3)]
    found = orders_on_desk(ctx, number=numbers[1])
    assert [(row["number"], row["status"]) for row in found] == [(numbers[1], "pending_payment")]
    assert [row["number"] for row in orders_on_desk(ctx)] == numbers[::-1]
    assert orders_on_desk(ctx, number="%") == []
    assert orders_on_desk(ctx, state=OrderState.PAID) == []


def test_orders_go_on_where_the_page_ended(ctx):
    numbers = [place(ctx, ("P01-1", 1)) for _ in range(3)]
    first = orders_on_desk(ctx, limit=2)
    rest = orders_on_desk(ctx, before=first[-1]["id"])
    assert [row["number"] for row in [*first, *rest]] == numbers[::-1]


def test_an_order_on_the_desk_names_nobody(ctx):
    found = order_on_desk(acting(ctx, "olga"), place(ctx))
    assert found["address"] | {"division": ""} == {
        "recipient": "林*",
        "phone": "154****0001",
        "division_code": "310110",
        "division": "",
        "detail": "邯郸路****",
    }
    assert found["has_note"] is True
    assert not {"林晓", "请放门卫"} & {str(value) for value in found.values()}
    assert not found.keys() & {"note", "buyer_email", "recipient", "access_token", "buyer_key"}


def test_an_order_that_is_not_there(ctx):
    with pytest.raises(NotFound):
        order_on_desk(acting(ctx, "olga"), "26112300000000")


def test_money_to_return_is_counted(ctx):
    number = place(ctx, ("P01-1", 1))
    order_id = ctx.session.execute(select(Order.id).where(Order.number == number)).scalar_one()
    for state, fen in ((PaymentState.NEEDS_REFUND, 4700), (PaymentState.FAILED, 0)):
        ctx.session.execute(
            insert(Payment.__table__).values(
                id=new_id(),
                order_id=order_id,
                method=PaymentMethod.STRIPE,
                state=state,
                amount_fen=4800,
                captured_fen=fen,
                currency="CNY",
                failure_code="amount_mismatch",
                created_at=ctx.now,
                expires_at=ctx.now + timedelta(hours=1),
            )
        )
    (row,) = needing_refund(ctx)
    assert (row["order_number"], row["captured_fen"], row["why"]) == (
        number,
        4700,
        "amount_mismatch",
    )
    assert refunds_due(ctx) == (1, 4700)
    assert needing_refund(ctx, before=row["id"]) == []


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 12, 31), 0),
        (date(2026, 1, 1), 100),
        (date(2026, 7, 2), 18_300),
        (date(2026, 12, 31), 36_500),
        (date(2027, 3, 1), 36_500),
    ],
)
def test_a_straight_line_gives_every_day_its_share(today, expected):
    assert straight_line(36_500, 2026, today) == expected


def test_a_leap_year_has_a_day_more():
    assert straight_line(36_600, 2024, date(2024, 2, 29)) == 6000


def test_progress_of_the_organization_and_of_a_unit(ctx):
    sell(ctx, "2026-03-01T10:00:00", part(fen=10_000), unit="U03")
    found = {(one.indicator, one.unit_code): one for one in year_progress(ctx, 2026)}
    whole, unit = found["aid_amount", None], found["aid_amount", "U03"]
    assert (whole.target_fen, whole.done_fen) == (700_000_000, 10_000)
    assert (unit.target_fen, unit.done_fen, unit.unit_name) == (4_000_000, 10_000, "经济学院")
    assert found["help_sell", None].done_fen == 0
    assert whole.behind_fen == 700_000_000 * 327 // 365 - 10_000


def test_an_own_target_for_the_whole_is_not_summed(ctx):
    ctx.session.execute(
        insert(Target).values(
            id=new_id(), year=2026, indicator="aid_amount", unit_id=None, amount_fen=5
        )
    )
    found = [
        one.target_fen
        for one in year_progress(ctx, 2026)
        if (one.indicator, one.unit_code) == ("aid_amount", None)
    ]
    assert found == [5]


def test_a_year_without_targets(ctx):
    assert year_progress(ctx, 2031) == []


def test_an_order_knows_its_entries(ctx):
    sold = sell(ctx, "2026-03-01T10:00:00", part(TEA, 4800), part(WALNUT, 3280), number="N1")
    sell(ctx, "2026-03-01T10:00:00", number="N2")
    refund(ctx, sold.line, "2026-04-01T10:00:00", 4800)
    found = entries_of_order(ctx, "N1")
    assert [(row["kind_name"], row["goods_fen"]) for row in found] == [
        ("销售", 4800),
        ("销售", 3280),
        ("退款", -4800),
    ]
    assert {row["aid_class_name"] for row in found} == {"直接购买"}


def test_the_log_is_read_from_its_end(ctx):
    bob = acting(ctx, "bob")
    for number in range(3):
        audit.record(bob, "sku.price", "sku", f"P0{number}", reason="x")
    audit.record(ctx, "role.grant", "user", "1")
    found = audit_log(ctx, limit=2)
    assert [(row["subject_id"], row["actor"]) for row in found] == [("1", None), ("P02", "Bob")]
    rest = audit_log(ctx, before=found[-1]["sequence"], action="sku.price")
    assert [row["subject_id"] for row in rest] == ["P01", "P00"]


def test_a_file_of_entries_has_an_end(ctx, monkeypatch):
    year = SalesQuery(date(2026, 1, 1), date(2027, 1, 1))
    for _ in range(3):
        sell(ctx, "2026-03-01T10:00:00")
    monkeypatch.setattr(entry_file, "SLICE", 2)
    _, table = entry_file.entries_csv(ctx, year).split("\r\n\r\n")
    assert len(table.splitlines()) == 5  # headings, entries, total
    monkeypatch.setattr(entry_file, "MOST", 2)
    with pytest.raises(Invalid) as refused:
        entry_file.entries_csv(ctx, year)
    assert refused.value.error_code == "too_many_entries"


def test_a_file_of_entries_holds_no_formula(ctx):
    sell(ctx, "2026-03-01T10:00:00", number="=1+1")
    text = entry_file.entries_csv(ctx, SalesQuery(date(2026, 1, 1), date(2027, 1, 1)))
    assert ",'=1+1," in text
    assert ",48.00," in text
