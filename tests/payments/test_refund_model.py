"""Money goes back once: refunds and disputes of one payment, in every order that chance finds.

A person, the worker, the clock, the dashboard, the payer's bank and answers that are lost act on one
payment. Whatever they did, in the end both books say the same, and nothing went back twice.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
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
AMOUNTS = st.sampled_from([1, 4_000, 9_980, TOTAL])
REFUNDS, PAYMENTS = Refund.__table__, Payment.__table__


class Answerless(FakeGateway):
    """The fake, whose next `lost` refunds are made and not answered."""

    lost = 0

    def send_refund(self, request: Any) -> Any:
        made = super().send_refund(request)
        if self.lost:
            self.lost -= 1
            raise GatewayUnavailable
        return made


class OnePayment(RuleBasedStateMachine):
    def __init__(self, transactions, provider, time, kind: str) -> None:
        super().__init__()
        self.transactions, self.provider, self.time = transactions, provider, time
        provider.refund_outcome, provider.lost, provider.broken = "succeeded", 0, 0
        with transactions.begin() as ctx:
            ctx.session.execute(update(Stock).values(on_hand=1_000_000))
            placed = place_order(ctx, WISH)
        start_payment(transactions, placed.number, token=placed.access_token)
        self.reference = list(provider.checkouts)[-1]
        self.intent = f"pi_{self.reference}"
        self.order_id, self.old = placed.id, []
        if kind == "late":
            closing.cancel_unpaid(transactions, placed.number, placed.access_token)
            provider._become(self.reference, state="open")
        provider.pay(self.reference)
        sync_payment(transactions, self.reference)

    # What people and machines do

    @rule(fen=AMOUNTS)
    def ask(self, fen):
        with self.transactions.begin() as ctx, contextlib.suppress(Conflict):
            request_refund(ctx, self.order_id, RefundWish(amount_fen=fen), "破损")

    @rule()
    def send_back(self):
        payment = self.payment()
        with self.transactions.begin() as ctx, contextlib.suppress(Conflict):
            refund_payment(ctx, payment.id, "退回")

    @rule(data=st.data(), trouble=st.sampled_from(["", "", "before", "lost"]))
    def carry(self, data, trouble):
        rows = self.rows()
        if not rows:
            return
        row = data.draw(st.sampled_from(rows), label="refund")
        self.provider.broken = trouble == "before"
        self.provider.lost = trouble == "lost"
        with contextlib.suppress(TryAgain):
            refund_sending.carry(self.transactions, row.id)
        self.provider.broken = self.provider.lost = 0

    @rule()
    def clock(self):
        self.time.forward(minutes=6)
        open_items.settle_refunds(self.transactions)

    @rule(data=st.data())
    def retry(self, data):
        with self.transactions.begin() as ctx:
            stuck = [one["id"] for one in refunds_of(ctx, self.order_id) if one["can_retry"]]
            if stuck:
                with contextlib.suppress(Conflict):
                    retry_refund(ctx, data.draw(st.sampled_from(stuck), label="retried"))

    @rule(aftermath=st.booleans())
    def look(self, aftermath):
        sync_payment(self.transactions, self.reference, aftermath=aftermath)

    @rule()
    def read(self):
        self.old.append(self.provider.fetch_aftermath(self.intent))

    @precondition(lambda self: self.old)
    @rule()
    def write_what_was_read(self):
        payment = self.payment()
        with self.transactions.begin() as ctx:
            apply_aftermath(ctx, payment.id, self.old.pop(0))

    # What happens at the provider

    @rule(outcome=st.sampled_from(["pending", "succeeded", "failed"]))
    def outcome(self, outcome):
        self.provider.refund_outcome = outcome

    @rule(fen=AMOUNTS)
    def dashboard(self, fen):
        if not any(one.withheld for one in self.disputes()):
            with contextlib.suppress(GatewayRejected):
                self.provider.refund_at_desk(self.reference, fen)

    @rule(data=st.data(), end=st.sampled_from(["succeeded", "failed"]))
    def settle(self, data, end):
        names = [one.reference for one in self.theirs()]
        if names:
            self.provider.settle_refund(data.draw(st.sampled_from(names)), end)

    @rule(fen=AMOUNTS, withheld=st.booleans())
    def dispute(self, fen, withheld):
        taken = sum(one.amount_fen for one in self.disputes() if one.withheld)
        left = self.provider.left_of(self.provider.checkouts[self.reference]) - taken
        if 0 < fen <= left and len(self.disputes()) < 2:
            self.provider.dispute(self.reference, fen, withheld=withheld)

    @rule(end=st.sampled_from(["won", "lost"]))
    def close(self, end):
        for one in self.disputes():
            if one.withheld or end == "won":
                self.provider.close_dispute(one.reference, end)

    # What must be true

    def rows(self):
        with self.transactions.begin() as ctx:
            return ctx.session.execute(
                select(REFUNDS).where(REFUNDS.c.order_id == self.order_id).order_by(REFUNDS.c.id)
            ).all()

    def payment(self):
        with self.transactions.begin() as ctx:
            return ctx.session.execute(
                select(PAYMENTS).where(PAYMENTS.c.order_id == self.order_id)
            ).one()

    def theirs(self):
        return self.provider.fetch_aftermath(self.intent).refunds

    def disputes(self):
        return self.provider.fetch_aftermath(self.intent).disputes

    def teardown(self):
        self.old.clear()
        for _ in range(3):
            self.clock()
            sync_payment(self.transactions, self.reference, aftermath=True)
        rows, payment, theirs = self.rows(), self.payment(), self.theirs()
        alive = [one for one in theirs if one.state != "failed"]
        first = {row.id: row.id for row in rows}
        for row in rows:
            first[row.id] = first.get(row.retry_of, row.id)
        of = {}
        for one in alive:
            row = next(r for r in rows if r.id == one.refund_id or r.reference == one.reference)
            assert first[row.id] not in of, "one debt was paid twice"
            of[first[row.id]] = one
            assert (str(row.state), row.amount_fen) == (
                {"pending": "sent"}.get(one.state, one.state),
                one.amount_fen,
            )
        done = sum(one.amount_fen for one in alive if one.state == "succeeded")
        assert (payment.refunded_fen, payment.refunding_fen) == (
            done,
            sum(one.amount_fen for one in alive) - done,
        )
        held = sum(one.amount_fen for one in self.disputes() if one.withheld)
        assert payment.disputed_fen == held
        assert sum(one.amount_fen for one in alive) + held <= TOTAL
        with self.transactions.begin() as ctx:
            proof = prove(ctx)
            assert [one for one in proof.checks if not one.proved] == []


@pytest.mark.parametrize("kind", ["settled", "late"])
def test_money_goes_back_once(transactions, provider, time, kind):
    provider.__class__ = Answerless
    run_state_machine_as_test(
        lambda: OnePayment(transactions, provider, time, kind),
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
