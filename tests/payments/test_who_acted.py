"""Whoever asked, the provider said it: what a payment brings has no person as its actor."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from models.ledger import JournalEntry
from models.orders import Order, OrderEvent
from shop.context import Transactions
from shop.errors import Conflict
from shop.ledger import queries
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, legs
from shop.orders.commands import place_order
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import start_payment
from shop.payments.sync import sync_payment
from tests.conftest import acting, actor_of
from tests.shop.test_orders_place import WISH


@pytest.fixture
def alice(transactions) -> Transactions:
    return transactions.acting(actor_of(transactions, "alice"))


@pytest.fixture
def number(alice) -> str:
    """An order of Alice's that waits for its money."""
    with alice.begin() as ctx:
        return place_order(ctx, WISH).number


@pytest.fixture
def reference(alice, provider, number) -> str:
    start_payment(alice, number)
    return next(iter(provider.checkouts))


def actors(transactions) -> tuple[set[UUID | None], dict[str, bool]]:
    """Whose the journal entries are, and which transitions are somebody's."""
    with transactions.begin() as ctx:
        entries = ctx.session.execute(select(JournalEntry.actor_id)).scalars()
        events = ctx.session.execute(
            select(OrderEvent.subject, OrderEvent.event, OrderEvent.actor_id)
        )
        return set(entries), {f"{row[0]} {row[1]}": row[2] is not None for row in events}


BY_ALICE = {
    "order place": True,
    "payment start": True,
    "payment open": True,
    "payment succeed": False,
    "order pay": False,
    "consignment pay": False,
}


def test_the_buyer_who_comes_back_from_the_cashier_books_nothing(alice, provider, reference):
    provider.pay(reference)
    sync_payment(alice, reference)
    assert actors(alice) == ({None}, BY_ALICE)


def test_nor_who_cancels_what_is_paid_already(alice, provider, number, reference):
    provider.pay(reference)
    with pytest.raises(Conflict):
        cancel_unpaid(alice, number)
    assert actors(alice) == ({None}, BY_ALICE)


@pytest.mark.parametrize(("who", "shown"), [("alice", None), ("fiona", "Fiona")])
def test_the_books_name_staff_and_not_the_buyer(alice, number, who, shown):
    with alice.begin() as ctx:
        order_id = ctx.session.execute(select(Order.id)).scalar_one()
        cause = Cause(
            subject="order", subject_id=order_id, event="test", at=ctx.now, order_id=order_id
        )
        post(acting(ctx, who), cause, legs((Account.BANK, 5), (Account.SUSPENSE, -5)))
        [entry] = queries.entries(ctx, queries.EntryFilter(order_number=number))
    assert entry["actor"] == shown
