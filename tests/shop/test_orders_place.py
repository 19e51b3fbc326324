"""Placing an order: all or nothing, and exactly the sums that the quote said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from models.aid import AidEntry
from models.identity import BuyerKind
from models.inventory import Stock, StockMovement
from models.orders import Consignment, Order, OrderEvent, OrderLine
from models.organization import Purpose
from shop.errors import Conflict, Invalid, NotFound, ShopError
from shop.identity.rules import AddressInput
from shop.orders.commands import place_order
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.orders.queries import order_for
from tests.cast import ADDRESS
from tests.conftest import acting

WISH = PlaceOrder(
    lines=(("P01-1", 2), ("P06-1", 1)),
    address=AddressInput(**ADDRESS),
    buyer=BuyerInput(name="林晓"),
    adult_confirmed=True,
    no_return_confirmed=True,
)


def rows(ctx: Any, model: Any) -> int:
    return ctx.session.execute(select(func.count()).select_from(model)).scalar_one()


def everything(ctx: Any) -> list[int]:
    kinds = (Order, Consignment, OrderLine, OrderEvent, AidEntry, StockMovement)
    held = ctx.session.execute(select(func.sum(Stock.reserved))).scalar_one()
    return [*(rows(ctx, kind) for kind in kinds), held]


def test_two_cooperatives_one_order(ctx):
    placed = place_order(ctx, WISH)
    order = order_for(ctx, placed.number, placed.access_token)
    parts = [
        (p["cooperative"]["code"], p["goods_fen"], p["freight_fen"]) for p in order["consignments"]
    ]
    assert parts == [("C01", 9600, 0), ("C02", 3280, 1100)]
    assert (order["total_fen"], order["status"]) == (13980, "pending_payment")


def test_the_goods_are_reserved_and_nothing_left_the_shelf(ctx):
    place_order(ctx, WISH)
    found = ctx.session.execute(
        select(StockMovement.cause, StockMovement.on_hand_delta, StockMovement.reserved_delta)
        .where(StockMovement.order_id.is_not(None))
        .order_by(StockMovement.reserved_delta)
    ).all()
    assert found == [("reserve", 0, 1), ("reserve", 0, 2)]


def test_two_lines_of_one_sku_are_one_wish(ctx):
    placed = place_order(ctx, replace(WISH, lines=(("P01-1", 2), ("P01-1", 3))))
    lines = order_for(ctx, placed.number, placed.access_token)["consignments"][0]["lines"]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("P01-1", 5)]


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"lines": (("NOPE", 1),)}, NotFound, "unknown_sku"),
        ({"lines": ()}, Invalid, "invalid"),
        ({"lines": (("P01-1", 601),)}, Conflict, "out_of_stock"),
        ({"lines": (("P01-1", 1), ("P03-1", 201))}, Conflict, "out_of_stock"),
        ({"lines": (("P01-1", 0),)}, Invalid, "quantity_invalid"),
        ({"lines": (("P01-1", 1_000_000),)}, Invalid, "quantity_invalid"),
        ({"lines": (("P05-1", 1),)}, Conflict, "out_of_season"),
        ({"no_return_confirmed": False}, Invalid, "no_return_confirmation_required"),
        (
            {"lines": (("P18-1", 1),), "adult_confirmed": False},
            Invalid,
            "adult_confirmation_required",
        ),
        ({"unit": "NOPE"}, Invalid, "unknown_code"),
        ({"note": "长" * 201}, Invalid, "invalid"),
        ({"expected_total_fen": 1}, Conflict, "total_changed"),
    ],
)
def test_a_refused_order_leaves_nothing_behind(ctx, change, kind, code):
    before = everything(ctx)
    with pytest.raises(kind) as refused:
        place_order(ctx, replace(WISH, **change))
    assert (refused.value.error_code, everything(ctx)) == (code, before)


def test_every_short_sku_is_named_with_what_is_left(ctx):
    with pytest.raises(Conflict) as refused:
        place_order(ctx, replace(WISH, lines=(("P01-1", 601), ("P03-1", 201), ("P06-1", 1))))
    assert refused.value.extra["short"] == [
        {"sku": "P01-1", "available": 600},
        {"sku": "P03-1", "available": 200},
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "1380013800a"),
        ("division_code", "999999"),
        ("detail", ""),
        ("recipient", "\x07"),
    ],
)
def test_a_bad_address_names_its_field(ctx, field, value):
    before = everything(ctx)
    with pytest.raises(Invalid) as refused:
        place_order(ctx, replace(WISH, address=AddressInput(**{**ADDRESS, field: value})))
    assert list(refused.value.fields) == [f"address.{field}"]
    assert everything(ctx) == before


UNCONFIRMED = replace(WISH, adult_confirmed=False, no_return_confirmed=False)
ADULT, NO_RETURN = "confirmations.adult", "confirmations.no_return"


@pytest.mark.parametrize("lines", [("P18-1", "P01-1"), ("P01-1", "P18-1")])
def test_both_missing_confirmations_are_told_at_once(ctx, lines):
    before = everything(ctx)
    with pytest.raises(Invalid) as refused:
        place_order(ctx, replace(UNCONFIRMED, lines=tuple((sku, 1) for sku in lines)))
    assert refused.value.error_code == "adult_confirmation_required"
    assert refused.value.field_messages("en") == {
        ADULT: ["Please confirm your age"],
        NO_RETURN: ["Please confirm that opened food cannot be returned without a reason"],
    }
    assert refused.value.extra == {"skus": ["P18-1"]}
    assert everything(ctx) == before


def test_every_fault_of_the_form_is_told_at_once(ctx):
    wish = replace(
        UNCONFIRMED,
        lines=(("P18-1", 1), ("P01-1", 1)),
        address=AddressInput(**{**ADDRESS, "phone": "1", "detail": ""}),
        buyer=BuyerInput(name="\x07", email="lin"),
        note="长" * 201,
        purpose=Purpose.CANTEEN,
        unit="NOPE",
    )
    before = everything(ctx)
    with pytest.raises(Invalid) as refused:
        place_order(ctx, wish)
    address = ["address.phone", "address.detail"]
    named = ["purpose", "note", "buyer.name", "buyer.email", *address, ADULT, NO_RETURN, "unit"]
    assert (list(refused.value.fields), everything(ctx)) == (named, before)


def test_what_the_form_lacks_is_told_before_what_the_shelf_lacks(ctx):
    wish = replace(WISH, lines=(("P01-1", 601),), no_return_confirmed=False)
    with pytest.raises(Invalid) as refused:
        place_order(ctx, wish)
    assert list(refused.value.fields) == [NO_RETURN]
    with pytest.raises(Conflict) as short:
        place_order(ctx, replace(wish, no_return_confirmed=True))
    assert short.value.extra == {"short": [{"sku": "P01-1", "available": 600}]}


def test_where_it_cannot_be_sent_and_what_was_not_confirmed_are_told_at_once(ctx):
    address = AddressInput(**{**ADDRESS, "division_code": "710000"})
    with pytest.raises(Invalid) as refused:
        place_order(ctx, replace(WISH, address=address, no_return_confirmed=False))
    assert refused.value.error_code == "not_deliverable"
    assert list(refused.value.fields) == ["lines", NO_RETURN]


def test_alcohol_is_not_sold_to_students(ctx):
    with pytest.raises(Conflict) as refused:
        place_order(acting(ctx, "stan"), replace(WISH, lines=(("P18-1", 1),)))
    assert refused.value.error_code == "alcohol_not_for_students"


def test_a_guest_cannot_become_a_unit_by_saying_so(ctx):
    buyer = BuyerInput(name="x", buyer_kind=BuyerKind.UNIT_ACCOUNT)
    with pytest.raises(ShopError) as refused:
        place_order(ctx, replace(WISH, buyer=buyer))
    assert refused.value.error_code == "unit_account_required"


def test_xinjiang_pays_the_golden_freight(ctx):
    address = AddressInput(**{**ADDRESS, "division_code": "650102"})
    placed = place_order(ctx, replace(WISH, lines=(("P10-1", 1),), address=address))
    order = order_for(ctx, placed.number, placed.access_token)
    assert (order["goods_fen"], order["freight_fen"], order["total_fen"]) == (5900, 6700, 12600)


def test_emoji_and_right_to_left_names_are_welcome(ctx):
    address = AddressInput(**{**ADDRESS, "recipient": "محمد 🍵"})
    placed = place_order(ctx, replace(WISH, address=address))
    shown = order_for(ctx, placed.number, placed.access_token)["address"]
    assert (shown["recipient"], shown["phone"]) == ("محمد 🍵", "154****0001")


def test_a_stranger_sees_nothing(ctx):
    placed = place_order(ctx, WISH)
    for token in (None, "", "x" * 64):
        with pytest.raises(NotFound):
            order_for(replace(ctx, actor=type(ctx.actor)()), placed.number, token)


def test_line_freight_adds_up_to_the_consignments(ctx):
    place_order(ctx, replace(WISH, lines=(("P06-1", 2), ("P06-2", 0 + 1), ("P18-1", 1))))
    by_part = dict(
        ctx.session.execute(
            select(OrderLine.consignment_id, func.sum(OrderLine.freight_fen)).group_by(
                OrderLine.consignment_id
            )
        ).all()
    )
    parts = dict(ctx.session.execute(select(Consignment.id, Consignment.freight_fen)).all())
    assert by_part == parts
