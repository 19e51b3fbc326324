"""A cooperative takes its request back while the organizer approves it, both at once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from models.catalog import ListingState, Product
from models.system import AuditEntry
from shop.catalog.commands import set_listing
from shop.catalog.states import Step
from shop.context import Transactions
from shop.errors import ShopError
from tests.concurrency.conftest import ROW_LOCKS
from tests.conftest import actor_of

pytestmark = pytest.mark.race

TEA = "high-mountain-green-tea"
PRODUCTS = Product.__table__


def decided(transactions: Transactions, together: Any) -> tuple[list[str], int]:
    """What came of both, and how many steps the log has of it."""
    with transactions.begin() as ctx:
        waits = update(PRODUCTS).where(PRODUCTS.c.slug == TEA)
        ctx.session.execute(waits.values(state=ListingState.IN_REVIEW))

    def decide(name: str, step: Step) -> Any:
        acting = transactions.acting(actor_of(transactions, name))

        def go() -> str:
            with acting.begin() as ctx:
                return set_listing(ctx, TEA, step, seen=ListingState.IN_REVIEW).value

        return go

    results = together(decide("bob", Step.WITHDRAW), decide("olga", Step.APPROVE))
    with transactions.begin() as ctx:
        steps = select(AuditEntry.sequence).where(AuditEntry.subject_id == TEA)
        logged = len(ctx.session.execute(steps).all())
    return sorted(one.error_code if isinstance(one, ShopError) else one for one in results), logged


def test_one_of_both_is_too_late_and_told_so(transactions, together):
    results, logged = decided(transactions, together)
    assert results in (["draft", "precondition_failed"], ["listed", "precondition_failed"])
    assert logged == 1


def test_control_without_the_lock_both_think_that_they_decided(transactions, together, loose):
    loose.without(ROW_LOCKS)
    loose.meet(after="FROM product")
    assert decided(transactions, together) == (["draft", "listed"], 2)
