"""Paying by transfer and after delivery: who may, what is shown, what it does to the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.inventory import Stock
from models.orders import Consignment, Order, PaymentTerms
from models.organization import Purpose
from models.payments import Payment, PaymentMethod
from models.system import AuditEntry
from shop.errors import Conflict, NotFound
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.orders.commands import place_order
from shop.orders.payment_commands import close_order
from shop.payments import jobs
from shop.payments.bank_transfer import DEMO, account, extend, start_transfer
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import start_payment
from shop.payments.providers import install
from shop.payments.receipts import record_receipt
from shop.payments.sync import sync_payment
from tests.conftest import NOW, acting, actor_of
from tests.fakes.gateway import FakeGateway
from tests.shop.test_orders_place import WISH

FOR_UNIT = replace(WISH, buyer=None, purpose=Purpose.UNION_GIFT)
ON_CREDIT = replace(FOR_UNIT, payment_terms=PaymentTerms.PAY_AFTER_DELIVERY)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def uma(transactions):
    """The union's buyer."""
    return transactions.acting(actor_of(transactions, "uma"))


@pytest.fixture
def placed(uma) -> Any:
    with uma.begin() as ctx:
        return place_order(ctx, FOR_UNIT)


@pytest.fixture
def on_credit(uma) -> Any:
    with uma.begin() as ctx:
        return place_order(ctx, ON_CREDIT)


def attempts(transactions) -> list[tuple[str, str]]:
    with transactions.begin() as ctx:
        found = ctx.session.execute(select(Payment.method, Payment.state).order_by(Payment.id))
        return [(str(row.method), str(row.state)) for row in found]


def order_of(transactions) -> Any:
    with transactions.begin() as ctx:
        return ctx.session.execute(
            select(Order.state, Order.pay_before, Order.pay_extended_at, Order.paid_at)
        ).one()


def parts(transactions) -> list[str]:
    with transactions.begin() as ctx:
        found = ctx.session.execute(select(Consignment.state).order_by(Consignment.number))
        return [str(state) for state in found.scalars()]


def reserved(transactions) -> int:
    with transactions.begin() as ctx:
        return int(ctx.session.execute(select(func.sum(Stock.reserved))).scalar_one())


def refused(code: str, call: Any, *arguments: Any, **more: Any) -> None:
    with pytest.raises(Conflict) as caught:
        call(*arguments, **more)
    assert caught.value.error_code == code


def test_a_unit_is_told_where_to_transfer(uma, placed):
    found = start_transfer(uma, placed.number)
    assert (found.method, found.state, found.amount_fen) == ("bank_transfer", "pending", 13980)
    assert (found.bank_reference, found.bank_account) == (placed.number, DEMO)
    assert found.expires_at == NOW + timedelta(days=30)


def test_asking_again_is_the_same_attempt(uma, placed):
    assert start_transfer(uma, placed.number) == start_transfer(uma, placed.number)
    assert attempts(uma) == [("bank_transfer", "pending")]


def test_a_person_pays_online(transactions):
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    refused("bank_transfer_not_allowed", start_transfer, transactions, placed.number)
    assert attempts(transactions) == []


def test_somebody_else_finds_nothing(transactions, placed):
    with pytest.raises(NotFound):
        start_transfer(transactions.acting(actor_of(transactions, "alice")), placed.number)
    assert attempts(transactions) == []


def test_an_open_checkout_is_closed_first(uma, placed, provider):
    start_payment(uma, placed.number)
    start_transfer(uma, placed.number)
    assert attempts(uma) == [("stripe", "expired"), ("bank_transfer", "pending")]
    assert provider.calls == ["open", "close"]


def test_and_a_transfer_makes_room_for_a_checkout(uma, placed, provider):
    start_transfer(uma, placed.number)
    start_payment(uma, placed.number)
    assert attempts(uma) == [("bank_transfer", "expired"), ("stripe", "pending")]


def test_a_checkout_that_was_paid_settles_the_order(uma, placed, provider):
    start_payment(uma, placed.number)
    provider.pay(next(iter(provider.checkouts)))
    refused("order_paid", start_transfer, uma, placed.number)
    assert (order_of(uma).state, attempts(uma)) == ("paid", [("stripe", "succeeded")])


def test_money_on_its_way_is_waited_for(uma, placed, provider):
    start_payment(uma, placed.number)
    provider.pend(next(iter(provider.checkouts)))
    refused("payment_processing", start_transfer, uma, placed.number)
    assert attempts(uma) == [("stripe", "pending")]


def test_and_is_so_after_the_end_of_its_page(uma, placed, provider, time):
    """A unit has weeks to pay, a page a day: the money may still come, so no other is begun."""
    start_payment(uma, placed.number)
    reference = next(iter(provider.checkouts))
    provider.pend(reference)
    sync_payment(uma, reference)
    time.forward(hours=25)
    again = start_payment(uma, placed.number)
    assert (again.processing, len(provider.checkouts)) == (True, 1)
    refused("payment_processing", start_transfer, uma, placed.number)
    assert attempts(uma) == [("stripe", "pending")]


def test_production_never_shows_the_demo_account(settings):
    real = replace(settings, environment="production")
    refused("bank_transfer_unavailable", account, real)
    named = replace(
        real, bank_account_name="永平", bank_account_number="5329", bank_name="农行永平支行"
    )
    assert account(named).number == "5329"


def test_the_time_to_pay_is_extended_once(uma, placed, transactions):
    start_transfer(uma, placed.number)
    fiona = transactions.acting(actor_of(transactions, "fiona"))
    with fiona.begin() as ctx:
        assert extend(ctx, placed.number) == NOW + timedelta(days=45)
    with fiona.begin() as ctx:
        refused("already_extended", extend, ctx, placed.number)
    order = order_of(transactions)
    assert (order.pay_before, order.pay_extended_at) == (NOW + timedelta(days=45), NOW)
    with transactions.begin() as ctx:
        run = ctx.session.execute
        assert run(select(Payment.expires_at)).scalar_one() == NOW + timedelta(days=45)
        extended = select(AuditEntry.subject_id).where(AuditEntry.action == "order.extend")
        found = run(extended).scalars().all()
    assert found == [placed.number]


def test_an_extension_keeps_the_timer_away(uma, placed, transactions, time):
    with transactions.begin() as ctx:
        extend(ctx, placed.number)
    time.forward(days=31)
    assert jobs.due(transactions) == []
    time.forward(days=15)
    assert len(jobs.due(transactions)) == 1


def test_a_person_gets_no_extension(ctx):
    placed = place_order(ctx, WISH)
    refused("not_institutional", extend, ctx, placed.number)


def test_nor_does_a_closed_order(ctx):
    placed = place_order(acting(ctx, "uma"), FOR_UNIT)
    close_order(ctx, placed.id, "cancel", "buyer")
    refused("order_cancelled", extend, ctx, placed.number)


def test_an_order_on_credit_goes_to_the_cooperatives_at_once(on_credit, uma):
    assert (order_of(uma).state, parts(uma)) == ("pending_payment", ["pending_shipment"] * 2)
    assert reserved(uma) == 3


@pytest.mark.parametrize(
    ("who", "change"),
    [
        ("carl", {"purpose": Purpose.CANTEEN}),
        ("uma", {"unit": "U02"}),
        ("alice", {"purpose": Purpose.PERSONAL}),
    ],
    ids=["a unit without it", "in another's name", "a person"],
)
def test_credit_is_for_the_units_that_have_it(ctx, who, change):
    refused("terms_not_allowed", place_order, acting(ctx, who), replace(ON_CREDIT, **change))


def test_nobody_chooses_credit_without_signing_in(ctx):
    guest = replace(WISH, payment_terms=PaymentTerms.PAY_AFTER_DELIVERY, unit="U01")
    refused("terms_not_allowed", place_order, ctx, guest)


def test_the_timer_leaves_credit_alone(on_credit, transactions, time):
    time.forward(days=60)
    jobs.expire_unpaid(transactions)
    assert (order_of(transactions).state, reserved(transactions)) == ("pending_payment", 3)


def ship(transactions, number: str) -> None:
    with transactions.acting(actor_of(transactions, "bob")).begin() as ctx:
        ship_parcel(ctx, f"{number}-1", ShipParcel("zhongtong", "ZT1234567890"))


def test_before_anything_left_it_can_be_called_off(on_credit, uma):
    cancel_unpaid(uma, on_credit.number)
    assert (order_of(uma).state, parts(uma)) == ("cancelled", ["cancelled"] * 2)
    assert reserved(uma) == 0


def test_what_has_left_is_not_called_off(on_credit, uma, provider):
    start_payment(uma, on_credit.number)
    ship(uma, on_credit.number)
    refused("order_shipped", cancel_unpaid, uma, on_credit.number)
    assert (order_of(uma).state, parts(uma)) == ("pending_payment", ["shipped", "pending_shipment"])
    assert (attempts(uma), provider.calls) == ([("stripe", "pending")], ["open"])


def test_nor_by_the_timer(on_credit, transactions):
    ship(transactions, on_credit.number)
    with transactions.begin() as ctx:
        refused("order_shipped", close_order, ctx, on_credit.id, "expire", "timer")


def test_money_settles_what_was_shipped(on_credit, transactions, time):
    ship(transactions, on_credit.number)
    time.forward(days=20)
    with transactions.begin() as ctx:
        record_receipt(
            ctx,
            on_credit.id,
            method=PaymentMethod.BANK_TRANSFER,
            amount_fen=13980,
            received_at=ctx.now,
            reference="bank-1",
        )
        paid = ctx.session.execute(select(Consignment.paid_at)).scalars().all()
    assert paid == [time.now] * 2
    assert (order_of(transactions).state, parts(transactions)) == (
        "paid",
        ["shipped", "pending_shipment"],
    )


def test_an_overdue_order_on_credit_can_still_be_paid(on_credit, uma, time):
    time.forward(days=40)
    found = start_transfer(uma, on_credit.number)
    assert found.expires_at == time.now + timedelta(days=30)


def test_a_late_prepaid_order_cannot(placed, uma, time):
    time.forward(days=40)
    refused("order_expired", start_transfer, uma, placed.number)


def test_a_unit_may_lose_it_again(uma, transactions):
    from models.organization import Unit

    with transactions.begin() as ctx:
        ctx.session.execute(update(Unit).values(pay_after_delivery=False))
    with uma.begin() as ctx:
        refused("terms_not_allowed", place_order, ctx, ON_CREDIT)
