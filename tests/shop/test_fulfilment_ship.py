"""Shipping: own consignments only, never more than ordered, stock and states follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.fulfilment import Parcel, ParcelLine
from models.inventory import MovementCause, Stock, StockMovement
from models.orders import Consignment, OrderEvent
from models.orders import ConsignmentState as C
from models.system import AuditEntry
from shop.context import Ctx
from shop.errors import Conflict, Invalid, NotFound, ShopError
from shop.fulfilment.carriers import CARRIERS
from shop.fulfilment.commands import ParcelFacts, ShipParcel, ship_parcel
from shop.fulfilment.label_commands import correct_label
from shop.fulfilment.queries import (
    consignment_for,
    consignments_for,
    find_consignments,
    parcels_of,
    waiting_consignments,
)
from shop.fulfilment.rules import MOST_PARCELS
from shop.ids import new_id
from shop.orders.commands import confirm_receipt
from tests.conftest import acting, counted
from tests.fulfilment_factories import lines_of, paid, pay, place


def ship(
    ctx: Ctx,
    number: str,
    tracking_no: str = "ZT0001",
    *,
    pieces: int | None = None,
    carrier: str = "zhongtong",
) -> ParcelFacts:
    lines = None if pieces is None else ((lines_of(ctx, number)[0].id, pieces),)
    return ship_parcel(ctx, number, ShipParcel(carrier, tracking_no, lines))


def audited(ctx: Ctx, action: str) -> list[Any]:
    found = select(AuditEntry.__table__).where(AuditEntry.action == action)
    return list(ctx.session.execute(found))


def everything(ctx: Ctx) -> list[Any]:
    counts = [
        ctx.session.execute(select(func.count()).select_from(kind)).scalar_one()
        for kind in (Parcel, ParcelLine, StockMovement, OrderEvent, AuditEntry)
    ]
    states = select(Consignment.state, Consignment.shipped_at).order_by(Consignment.id)
    stock = ctx.session.execute(select(func.sum(Stock.on_hand), func.sum(Stock.reserved))).one()
    return [counts, ctx.session.execute(states).all(), tuple(stock)]


def test_without_lines_everything_is_shipped(ctx: Ctx) -> None:
    number = f"{paid(ctx)}-1"
    parcel = ship(acting(ctx, "bob"), number)
    [line] = lines_of(ctx, number)
    assert (parcel.consignment_state, parcel.carrier_name) == ("shipped", "中通快递")
    assert [(one.line_id, one.quantity) for one in parcel.lines] == [(line.id, 3)]
    assert line.shipped_quantity == 3


def test_shipped_goods_leave_the_shelf(ctx: Ctx) -> None:
    number = f"{paid(ctx)}-1"
    [line] = lines_of(ctx, number)
    stock = select(Stock.on_hand, Stock.reserved).where(Stock.sku_id == line.sku_id)
    on_hand, reserved = ctx.session.execute(stock).one()
    parcel = ship(acting(ctx, "bob"), number, pieces=2)
    assert ctx.session.execute(stock).one() == (on_hand - 2, reserved - 2)
    moved = ctx.session.execute(
        select(StockMovement).where(StockMovement.cause == MovementCause.SHIP)
    ).scalar_one()
    assert (moved.on_hand_delta, moved.reserved_delta, moved.parcel_id) == (-2, -2, parcel.id)


def test_a_consignment_leaves_in_parts(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    states = [ship(bob, number, f"ZT000{count}", pieces=1).consignment_state for count in range(3)]
    assert states == ["partially_shipped", "partially_shipped", "shipped"]
    with pytest.raises(Conflict, match="consignment_shipped"):
        ship(bob, number, "ZT0009")


def test_the_moment_of_shipping_is_that_of_the_last_parcel(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    ship(bob, number, "ZT0001", pieces=1)
    shipped_at = select(Consignment.shipped_at).where(Consignment.number == number)
    assert ctx.session.execute(shipped_at).scalar_one() is None
    later = replace(bob, now=ctx.now + timedelta(days=1))
    ship(later, number, "ZT0002")
    assert ctx.session.execute(shipped_at).scalar_one() == later.now


def test_shipping_is_on_the_timeline_and_in_the_audit(ctx: Ctx) -> None:
    number = f"{paid(ctx)}-1"
    bob = acting(ctx, "bob")
    ship(bob, number)
    event = ctx.session.execute(
        select(OrderEvent).where(OrderEvent.event == "ship_all")
    ).scalar_one()
    [entry] = audited(ctx, "parcel.ship")
    assert (event.to_state, event.why) == ("shipped", "zhongtong ZT0001")
    assert (entry.subject_id, entry.after["state"]) == (number, "shipped")
    assert event.actor_id == entry.actor_id == bob.actor.user_id


def test_the_other_cooperative_s_part_is_untouched(ctx: Ctx) -> None:
    order = paid(ctx)
    ship(acting(ctx, "bob"), f"{order}-1")
    states = ctx.session.execute(select(Consignment.state).order_by(Consignment.number)).scalars()
    assert list(states) == ["shipped", "pending_shipment"]


@pytest.mark.parametrize("name", ["charlie", "alice", "olga", "ada"])
def test_nobody_else_ships(ctx: Ctx, name: str) -> None:
    number = f"{paid(ctx)}-1"
    before = everything(ctx)
    with pytest.raises(NotFound, match="not_found"):
        ship(acting(ctx, name), number)
    assert everything(ctx) == before


@pytest.mark.parametrize(
    ("parcel", "code"),
    [
        (ShipParcel("pigeon", "ZT0001"), "invalid_parcel"),
        (ShipParcel("zhongtong", "ZT1"), "invalid_parcel"),
        (ShipParcel("zhongtong", "ZT" + "0" * 39), "invalid_parcel"),
        (ShipParcel("zhongtong", "单号0001"), "invalid_parcel"),
        (ShipParcel("zhongtong", "ZT0001", ()), "invalid"),
        (ShipParcel("zhongtong", "ZT0001", ((new_id(), 1),)), "invalid"),
    ],
)
def test_a_refused_parcel_changes_nothing(ctx: Ctx, parcel: ShipParcel, code: str) -> None:
    number = f"{paid(ctx)}-1"
    before = everything(ctx)
    with pytest.raises(Invalid) as refused:
        ship_parcel(acting(ctx, "bob"), number, parcel)
    assert refused.value.error_code == code
    assert everything(ctx) == before


@pytest.mark.parametrize(("pieces", "kind"), [(4, Conflict), (0, Invalid), (-1, Invalid)])
def test_never_more_than_is_left(ctx: Ctx, pieces: int, kind: type[ShopError]) -> None:
    number = f"{paid(ctx)}-1"
    before = everything(ctx)
    with pytest.raises(kind):
        ship(acting(ctx, "bob"), number, pieces=pieces)
    assert everything(ctx) == before


def test_over_shipping_names_the_line_and_what_is_left(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    [line] = lines_of(ctx, number)
    ship(bob, number, pieces=1)
    wanted = ShipParcel("ems", "EM0001", ((line.id, 2), (line.id, 1)))
    with pytest.raises(Conflict) as refused:
        ship_parcel(bob, number, wanted)
    assert refused.value.error_code == "over_shipped"
    assert refused.value.extra["lines"] == [{"line_id": str(line.id), "left": 2}]


def test_a_line_of_another_consignment_is_refused(ctx: Ctx) -> None:
    order = paid(ctx)
    [walnuts] = lines_of(ctx, f"{order}-2")
    wanted = ShipParcel("ems", "EM0001", ((walnuts.id, 1),))
    with pytest.raises(Invalid):
        ship_parcel(acting(ctx, "bob"), f"{order}-1", wanted)
    assert ctx.session.execute(select(Parcel)).all() == []


def test_the_same_label_twice_is_refused_whatever_its_case(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    ship(bob, number, "zt0001", pieces=1)
    with pytest.raises(Conflict, match="duplicate_parcel"):
        ship(bob, number, "ZT0001", pieces=1)
    assert ship(bob, number, "ZT0001", pieces=1, carrier="ems").tracking_no == "ZT0001"


def test_one_label_may_serve_two_orders(ctx: Ctx) -> None:
    bob = acting(ctx, "bob")
    for order in (paid(ctx), paid(ctx)):
        assert ship(bob, f"{order}-1").consignment_state == "shipped"


def test_an_order_has_at_most_fifteen_parcels(ctx: Ctx) -> None:
    order, bob = paid(ctx, ("P01-1", 20), ("P06-1", 2)), acting(ctx, "bob")
    for count in range(MOST_PARCELS - 2):
        ship(bob, f"{order}-1", f"ZT{count:04}", pieces=1)
    with pytest.raises(Conflict, match="too_many_parcels"):
        ship(bob, f"{order}-1", "ZT9999", pieces=1)
    with pytest.raises(Conflict, match="too_many_parcels"):
        ship(acting(ctx, "charlie"), f"{order}-2", "ZT9999", pieces=1)
    assert ship(bob, f"{order}-1", "ZT9999").consignment_state == "shipped"
    assert ship(acting(ctx, "charlie"), f"{order}-2", "ZT9999").consignment_state == "shipped"
    assert ctx.session.execute(select(func.count()).select_from(Parcel)).scalar_one() == 15


def test_who_has_sent_everything_leaves_the_room_to_the_others(ctx: Ctx) -> None:
    order, bob = paid(ctx, ("P01-1", 20), ("P06-1", 2)), acting(ctx, "bob")
    ship(acting(ctx, "charlie"), f"{order}-2", "ZT9999")
    for count in range(MOST_PARCELS - 2):
        ship(bob, f"{order}-1", f"ZT{count:04}", pieces=1)
    with pytest.raises(Conflict, match="too_many_parcels"):
        ship(bob, f"{order}-1", "ZT9998", pieces=6)
    assert ship(bob, f"{order}-1", "ZT9998", pieces=7).consignment_state == "shipped"


def test_nothing_leaves_before_it_is_paid(ctx: Ctx) -> None:
    number = f"{place(ctx)}-1"
    before = everything(ctx)
    with pytest.raises(Conflict, match="consignment_pending_payment"):
        ship(acting(ctx, "bob"), number)
    assert everything(ctx) == before


def test_shipping_costs_the_same_for_one_line_and_for_four(ctx: Ctx, worker_database: Any) -> None:
    costs = []
    for lines in ([("P01-1", 1)], [("P01-1", 1), ("P01-2", 1), ("P02-1", 1), ("P03-1", 1)]):
        number, bob = f"{paid(ctx, *lines)}-1", acting(ctx, "bob")
        with counted(worker_database) as issued:
            ship(bob, number)
        # Several stock rows are locked in order by one statement more.
        costs.append(len([one for one in issued if "FOR UPDATE" not in one]))
    assert costs[0] == costs[1]


def test_the_list_is_masked_and_holds_own_consignments_only(ctx: Ctx) -> None:
    order = paid(ctx)
    paid(ctx, ("P06-1", 1))
    [row] = consignments_for(acting(ctx, "bob"))
    assert (row["number"], row["cooperative"]["code"], row["masked"]) == (f"{order}-1", "C01", True)
    assert (row["address"]["recipient"], row["address"]["phone"]) == ("林*", "154****0001")
    assert (row["address"]["detail"], row["note"]) == ("邯郸路****", "")
    assert [(line["sku"], line["left"]) for line in row["lines"]] == [("P01-1", 3)]


def test_the_list_knows_states_and_pages(ctx: Ctx) -> None:
    bob = acting(ctx, "bob")
    numbers = [f"{paid(ctx)}-1" for _ in range(3)]
    ship(bob, numbers[0])
    waiting = consignments_for(bob, "pending_shipment")  # type: ignore[arg-type]
    assert [row["number"] for row in waiting] == [numbers[2], numbers[1]]
    [newest] = consignments_for(bob, limit=1)
    assert [row["number"] for row in consignments_for(bob, None, newest["id"])] == [
        numbers[1],
        numbers[0],
    ]


def test_who_waits_longest_stands_first(ctx: Ctx) -> None:
    bob, waiting = acting(ctx, "bob"), [C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED]
    placed_first = place(replace(ctx, now=ctx.now - timedelta(days=3)), ("P01-1", 1))
    numbers = [f"{paid(replace(ctx, now=ctx.now - timedelta(days=1)), ('P01-1', 2))}-1"]
    pay(ctx, placed_first)
    numbers += [f"{placed_first}-1", f"{paid(ctx)}-1"]
    ship(bob, numbers[0], pieces=1)
    found = waiting_consignments(bob, waiting)
    assert [row["number"] for row in found] == numbers
    for count in range(3):
        rest = waiting_consignments(bob, waiting, found[count]["id"])
        assert [row["number"] for row in rest] == numbers[count + 1 :]
    assert [row["number"] for row in waiting_consignments(bob, waiting, limit=1)] == numbers[:1]
    assert waiting_consignments(bob, [C.SHIPPED]) == []
    assert waiting_consignments(acting(ctx, "alice"), waiting) == []
    assert (found[0]["masked"], found[0]["address"]["recipient"]) == (True, "林*")


def test_what_goes_on_credit_waits_since_it_was_placed(ctx: Ctx) -> None:
    later = paid(ctx, ("P01-1", 1))
    earlier = place(replace(ctx, now=ctx.now - timedelta(hours=1)), ("P01-1", 1))
    ctx.session.execute(
        update(Consignment)
        .where(Consignment.number == f"{earlier}-1")
        .values(state=C.PENDING_SHIPMENT)
    )
    found = waiting_consignments(acting(ctx, "bob"), [C.PENDING_SHIPMENT])
    assert [row["number"] for row in found] == [f"{earlier}-1", f"{later}-1"]


@pytest.mark.parametrize("name", ["charlie", "alice", "olga"])
def test_a_number_finds_nothing_of_others(ctx: Ctx, name: str) -> None:
    number = f"{paid(ctx, ('P01-1', 1))}-1"
    ship(acting(ctx, "bob"), number)
    for text in (number, "zt0001"):
        assert [row["number"] for row in find_consignments(acting(ctx, "bob"), text)] == [number]
        assert find_consignments(acting(ctx, name), text) == []


def label(ctx: Ctx, number: str) -> list[Any]:
    found = (
        select(Parcel.carrier, Parcel.tracking_no)
        .join(Consignment, Consignment.id == Parcel.consignment_id)
        .where(Consignment.number == number)
        .order_by(Parcel.shipped_at, Parcel.id)
    )
    return [tuple(row) for row in ctx.session.execute(found)]


def test_a_label_is_corrected_and_the_first_one_kept_in_the_log(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    parcel = ship(bob, number, "ZT0001", pieces=1)
    before = everything(ctx)
    correct_label(bob, number, parcel.id, "ems", "em0002", " 录错 ")
    assert label(ctx, number) == [("ems", "EM0002")]
    [entry] = audited(ctx, "parcel.correct")
    assert (entry.subject_id, entry.actor_id, entry.reason) == (number, bob.actor.user_id, "录错")
    assert entry.before == {"carrier": "zhongtong", "tracking_no": "ZT0001"}
    assert entry.after == {"carrier": "ems", "tracking_no": "EM0002"}
    before[0][-1] += 1
    assert everything(ctx) == before
    correct_label(bob, number, parcel.id, "ems", "EM0002", "再次提交")
    assert everything(ctx) == before


@pytest.mark.parametrize(
    ("carrier", "tracking_no", "reason", "code"),
    [
        ("pigeon", "EM0002", "录错", "invalid_parcel"),
        ("ems", "单号", "录错", "invalid_parcel"),
        ("ems", "EM0002", "  ", "invalid"),
        ("ems", "EM0002", "错" * 501, "invalid"),
        ("zhongtong", "zt0002", "录错", "duplicate_parcel"),
    ],
)
def test_a_refused_correction_changes_nothing(
    ctx: Ctx, carrier: str, tracking_no: str, reason: str, code: str
) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    parcel = ship(bob, number, "ZT0001", pieces=1)
    ship(bob, number, "ZT0002", pieces=1)
    before = everything(ctx)
    with pytest.raises(ShopError) as refused:
        correct_label(bob, number, parcel.id, carrier, tracking_no, reason)
    assert refused.value.error_code == code
    assert label(ctx, number) == [("zhongtong", "ZT0001"), ("zhongtong", "ZT0002")]
    assert everything(ctx) == before


def test_only_own_parcels_are_corrected_and_none_that_arrived(ctx: Ctx) -> None:
    order, bob, charlie = paid(ctx), acting(ctx, "bob"), acting(ctx, "charlie")
    tea, nuts = ship(bob, f"{order}-1"), ship(charlie, f"{order}-2")
    for who, number, parcel in (
        (charlie, f"{order}-1", tea),
        (acting(ctx, "olga"), f"{order}-1", tea),
        (bob, f"{order}-1", nuts),
    ):
        with pytest.raises(NotFound, match="not_found"):
            correct_label(who, number, parcel.id, "ems", "EM0002", "录错")
    confirm_receipt(ctx, lines_of(ctx, f"{order}-1")[0].order_id)
    with pytest.raises(Conflict, match="consignment_completed"):
        correct_label(bob, f"{order}-1", tea.id, "ems", "EM0002", "录错")
    assert label(ctx, f"{order}-1") == label(ctx, f"{order}-2") == [("zhongtong", "ZT0001")]
    assert audited(ctx, "parcel.correct") == []


def test_whoever_ships_reads_where_to_and_that_is_written_down(ctx: Ctx) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    opened = consignment_for(bob, number)
    assert opened["address"]["phone"] == "+8615400000001"
    assert (opened["address"]["recipient"], opened["note"]) == ("林晓", "请放门卫")
    [entry] = audited(ctx, "personal_data.read")
    assert (entry.subject_id, entry.actor_id) == (number, bob.actor.user_id)
    assert "15400000001" not in str(entry.after)


@pytest.mark.parametrize(("days", "readable"), [(30, True), (31, False)])
def test_thirty_days_after_shipping_the_recipient_is_masked(
    ctx: Ctx, days: int, readable: bool
) -> None:
    number, bob = f"{paid(ctx)}-1", acting(ctx, "bob")
    ship(bob, number)
    later = replace(bob, now=ctx.now + timedelta(days=days))
    opened = consignment_for(later, number)
    assert (opened["masked"], opened["address"]["recipient"] == "林晓") == (not readable, readable)
    assert len(audited(ctx, "personal_data.read")) == readable


def test_before_payment_the_recipient_is_masked(ctx: Ctx) -> None:
    number = f"{place(ctx)}-1"
    opened = consignment_for(acting(ctx, "bob"), number)
    assert (opened["masked"], opened["address"]["recipient"]) == (True, "林*")


@pytest.mark.parametrize("name", ["charlie", "alice", "olga"])
def test_nobody_else_opens_a_consignment(ctx: Ctx, name: str) -> None:
    number = f"{paid(ctx)}-1"
    other = acting(ctx, name)
    with pytest.raises(NotFound, match="not_found"):
        consignment_for(other, number)
    assert number not in [row["number"] for row in consignments_for(other)]
    assert audited(ctx, "personal_data.read") == []


def test_the_buyer_sees_parcels_by_consignment(ctx: Ctx) -> None:
    order, bob = paid(ctx), acting(ctx, "bob")
    ship(bob, f"{order}-1", "ZT0001", pieces=1)
    ship(replace(bob, now=ctx.now + timedelta(hours=1)), f"{order}-1", "ZT0002")
    [line] = lines_of(ctx, f"{order}-1")
    found = parcels_of(ctx, line.order_id)
    assert list(found) == [line.consignment_id]
    assert [(parcel["tracking_no"], parcel["lines"]) for parcel in found[line.consignment_id]] == [
        ("ZT0001", [{"line_id": line.id, "quantity": 1}]),
        ("ZT0002", [{"line_id": line.id, "quantity": 2}]),
    ]


def test_every_carrier_of_the_demonstration_is_known() -> None:
    wanted = {
        "shunfeng",
        "zhongtong",
        "yuantong",
        "shentong",
        "yunda",
        "ems",
        "jd",
        "youzhengguonei",
        "jtexpress",
        "debangkuaidi",
    }
    assert wanted <= CARRIERS.keys()
    assert all(carrier.name and carrier.name_en for carrier in CARRIERS.values())
