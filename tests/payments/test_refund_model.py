"""Money goes back once: refunds and disputes of one payment, in every order that chance finds.

A person, the worker, the clock, the dashboard, the payer's bank and answers that are lost act on one
payment. Whatever they did, in the end both books say the same, and nothing went back twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from models.inventory import Stock
from models.payments import Payment
from models.refunds import Refund
from shop.errors import Conflict, TryAgain
from shop.orders.commands import place_order
from shop.payments import closing, open_items, refund_sending
from shop.payments.aftermath import apply_aftermath
from shop.payments.commands import start_payment
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.payments.proof import prove
from shop.payments.refund_queries import refunds_of
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import refund_payment, request_refund, retry_refund
from shop.payments.sync import sync_payment
from tests.fakes.gateway import FakeGateway
from tests.shop.test_orders_place import WISH

TOTAL = 13980
AMOUNTS = (4_000, 9_980, 1, TOTAL)
OUTCOMES = ("pending", "succeeded", "failed")
REFUNDS, PAYMENTS = Refund.__table__, Payment.__table__


class Answerless(FakeGateway):
    """The fake, whose next refunds are made and, while `lost`, not answered."""

    lost = False

    def send_refund(self, request: Any) -> Any:
        made = super().send_refund(request)
        if self.lost:
            raise GatewayUnavailable
        return made


class OnePayment:
    """A payment that settles an order or (`late`) may not be kept, and what can happen to it.

    Each move takes a number that chooses among what it can do.
    """

    def __init__(self, transactions, provider, time, *, late: bool) -> None:
        self.transactions, self.provider, self.time = transactions, provider, time
        provider.refund_outcome = "succeeded"
        with transactions.begin() as ctx:
            ctx.session.execute(update(Stock).values(on_hand=1_000_000))
            placed = place_order(ctx, WISH)
        start_payment(transactions, placed.number, token=placed.access_token)
        self.reference = list(provider.checkouts)[-1]
        self.intent = f"pi_{self.reference}"
        self.order_id = placed.id
        self.read_before: list[Any] = []
        if late:
            closing.cancel_unpaid(transactions, placed.number, placed.access_token)
            provider.arrive(self.reference, TOTAL)
        provider.pay(self.reference)
        sync_payment(transactions, self.reference)

    # What people and machines do

    def ask(self, n: int) -> None:
        with self.transactions.begin() as ctx, suppress(Conflict):
            request_refund(ctx, self.order_id, RefundWish(amount_fen=_of(AMOUNTS, n)), "破损")

    def send_back(self, _n: int) -> None:
        payment = self.payment()
        with self.transactions.begin() as ctx, suppress(Conflict):
            refund_payment(ctx, payment.id, "退回")

    def carry(self, n: int) -> None:
        for row in self.rows()[-1 - n % 2 :][:1]:
            with suppress(TryAgain):
                refund_sending.carry(self.transactions, row.id)

    def carry_in_vain(self, n: int) -> None:
        self.provider.broken = 1
        self.carry(n)
        self.provider.broken = 0

    def carry_unanswered(self, n: int) -> None:
        self.provider.lost = True
        self.carry(n)
        self.provider.lost = False

    def clock(self, _n: int) -> None:
        self.time.forward(minutes=6)
        open_items.settle_refunds(self.transactions)

    def retry(self, n: int) -> None:
        with self.transactions.begin() as ctx, suppress(Conflict):
            offered = [one["id"] for one in refunds_of(ctx, self.order_id) if one["can_retry"]]
            if offered:
                retry_refund(ctx, _of(offered, n))

    def look(self, n: int) -> None:
        sync_payment(self.transactions, self.reference, aftermath=n % 2 == 1)

    def read(self, _n: int) -> None:
        self.read_before.append(self.provider.fetch_aftermath(self.intent))

    def write_what_was_read(self, _n: int) -> None:
        payment = self.payment()
        for seen in self.read_before[:1]:
            with self.transactions.begin() as ctx:
                apply_aftermath(ctx, payment.id, seen)
        del self.read_before[:1]

    # What happens at the provider

    def outcome(self, n: int) -> None:
        self.provider.refund_outcome = _of(OUTCOMES, n)

    def dashboard(self, n: int) -> None:
        if not any(one.withheld for one in self.disputes()):
            with suppress(GatewayRejected):
                self.provider.refund_at_desk(self.reference, _of(AMOUNTS, n))

    def settle(self, n: int) -> None:
        for one in self.theirs()[-1 - n % 2 :][:1]:
            self.provider.settle_refund(one.reference, _of(OUTCOMES[1:], n // 2))

    def dispute(self, n: int) -> None:
        taken = sum(one.amount_fen for one in self.disputes() if one.withheld)
        left = self.provider.left_of(self.provider.checkouts[self.reference]) - taken
        if 0 < _of(AMOUNTS, n) <= left:
            self.provider.dispute(self.reference, _of(AMOUNTS, n), withheld=n % 8 < 4)

    def close(self, n: int) -> None:
        for one in self.disputes():
            if one.withheld or n % 2:
                self.provider.close_dispute(one.reference, "won" if n % 2 else "lost")

    # What must be true

    def end(self) -> None:
        """Everybody has looked at everything, and the books agree."""
        for _ in range(3):
            self.clock(0)
            self.look(1)
        alive = [one for one in self.theirs() if one.state != "failed"]
        self.paid_once(alive)
        done = sum(one.amount_fen for one in alive if one.state == "succeeded")
        held = sum(one.amount_fen for one in self.disputes() if one.withheld)
        sent = sum(one.amount_fen for one in alive)
        payment = self.payment()
        assert (payment.refunded_fen, payment.refunding_fen) == (done, sent - done)
        assert payment.disputed_fen == held
        assert sent + held <= TOTAL
        with self.transactions.begin() as ctx:
            assert [check.name for check in prove(ctx).checks if not check.proved] == []

    def paid_once(self, alive: Sequence[Any]) -> None:
        """Of each refund and its repetitions there is one at the provider at most, as we say."""
        rows = self.rows()
        first: dict[Any, Any] = {}
        for row in rows:
            first[row.id] = first.get(row.retry_of, row.id)
        paid = []
        for one in alive:
            ours = [row for row in rows if one.reference == row.reference]
            ours = ours or [row for row in rows if one.refund_id == row.id]
            assert [(_theirs(row.state), row.amount_fen) for row in ours] == [
                (one.state, one.amount_fen)
            ]
            paid.append(first[ours[0].id])
        assert len(paid) == len(set(paid))

    def rows(self) -> list[Any]:
        wanted = select(REFUNDS).where(REFUNDS.c.order_id == self.order_id).order_by(REFUNDS.c.id)
        with self.transactions.begin() as ctx:
            return list(ctx.session.execute(wanted))

    def payment(self) -> Any:
        wanted = select(PAYMENTS).where(PAYMENTS.c.order_id == self.order_id)
        with self.transactions.begin() as ctx:
            return ctx.session.execute(wanted).one()

    def theirs(self) -> Sequence[Any]:
        return self.provider.fetch_aftermath(self.intent).refunds

    def disputes(self) -> Sequence[Any]:
        return self.provider.fetch_aftermath(self.intent).disputes


MOVES = (
    OnePayment.ask,
    OnePayment.send_back,
    OnePayment.carry,
    OnePayment.carry_in_vain,
    OnePayment.carry_unanswered,
    OnePayment.clock,
    OnePayment.retry,
    OnePayment.look,
    OnePayment.read,
    OnePayment.write_what_was_read,
    OnePayment.outcome,
    OnePayment.dashboard,
    OnePayment.settle,
    OnePayment.dispute,
    OnePayment.close,
)


def _of(things: Sequence[Any], n: int) -> Any:
    return things[n % len(things)]


def _theirs(state: str) -> str:
    return "pending" if state == "sent" else str(state)


@pytest.fixture
def answerless(provider) -> FakeGateway:
    provider.__class__ = Answerless
    return provider


@pytest.mark.parametrize("late", [False, True])
@settings(
    max_examples=10,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 15)), min_size=12, max_size=24)
)
def test_money_goes_back_once(transactions, answerless, time, late, moves):
    one = OnePayment(transactions, answerless, time, late=late)
    for move, n in moves:
        move(one, n)
    one.end()
