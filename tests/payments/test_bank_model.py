"""Transfers, people and cards on one unit's order, in every order that chance finds.

Whatever they did, each fen of the bank's is claimed once, and the order is paid with its total once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from models.bank import BankMatch, BankReceipt, MatchState
from models.inventory import Stock
from models.orders import Order
from models.payments import Payment, PaymentState
from models.refunds import Refund
from shop.context import Transactions
from shop.errors import Conflict, ShopError
from shop.payments import jobs, open_items
from shop.payments.bank_aside import mark_sent, reopen, set_aside
from shop.payments.bank_import import import_statement
from shop.payments.bank_jobs import close_given_up, match_receipts
from shop.payments.bank_review import approve_match, enter_match, reject_match
from shop.payments.bank_transfer import start_transfer
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import CLOSE, start_payment
from shop.payments.proof import prove
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund
from shop.payments.sync import sync_payment
from tests.bank_factories import TOTAL, csv, unit_order
from tests.conftest import actor_of
from tests.fakes.gateway import FakeGateway
from tests.jobs import waiting

AMOUNTS = (TOTAL, 5_000, TOTAL - 5_000, TOTAL + 1_000)
MATCHES, RECEIPTS, PAYMENTS = BankMatch.__table__, BankReceipt.__table__, Payment.__table__


class OneOrder:
    """A unit's order, and what can happen to it; a number chooses among what a move can do."""

    def __init__(self, transactions: Transactions, provider: FakeGateway, time: Any) -> None:
        self.provider, self.time, self.system = provider, time, transactions
        self.uma, self.fiona, self.ada = (
            transactions.acting(actor_of(transactions, name)) for name in ("uma", "fiona", "ada")
        )
        with transactions.begin() as ctx:
            ctx.session.execute(update(Stock).values(on_hand=1_000_000))
        self.placed = unit_order(transactions)
        self.lines = 0

    # The bank and its desk

    def says(self, fen: int, remark: str) -> None:
        self.lines += 1
        number = int(self.placed.number[-9:]) * 100 + self.lines
        with self.fiona.begin() as ctx:
            import_statement(ctx, "a.csv", csv((fen, remark), first=number))

    def transfer(self, n: int) -> None:
        remark = ("货款", self.placed.number)[n // 4 % 2]
        self.says(_of(AMOUNTS, n), remark)

    def match(self, _n: int) -> None:
        match_receipts(self.system)

    def enter(self, n: int) -> None:
        for receipt in self.receipts()[-1 - n % 2 :][:1]:
            with self.fiona.begin() as ctx, suppress(Conflict):
                fen = _of((None, 3_000), n // 2)
                enter_match(ctx, receipt.id, self.placed.number, fen, "电话确认")

    def approve(self, n: int) -> None:
        for found in self.matches()[-1 - n % 2 :][:1]:
            with suppress(Conflict), self.ada.begin() as ctx:
                approve_match(ctx, found.id)

    def reject(self, n: int) -> None:
        for found in self.matches()[-1 - n % 2 :][:1]:
            with suppress(Conflict), self.ada.begin() as ctx:
                reject_match(ctx, found.id, "不是这一单")

    def aside(self, n: int) -> None:
        for receipt in self.receipts()[-1 - n % 2 :][:1]:
            with suppress(Conflict), self.fiona.begin() as ctx:
                set_aside(ctx, receipt.id, "押金")

    def again(self, n: int) -> None:
        for receipt in self.receipts()[-1 - n % 2 :][:1]:
            with suppress(Conflict), self.fiona.begin() as ctx:
                reopen(ctx, receipt.id)

    # The buyer

    def wish_transfer(self, _n: int) -> None:
        with suppress(Conflict):
            start_transfer(self.uma, self.placed.number)

    def wish_card(self, _n: int) -> None:
        with suppress(Conflict):
            start_payment(self.uma, self.placed.number)

    def card(self, n: int) -> None:
        for reference in self.checkouts()[-1 - n % 2 :][:1]:
            _of((self.provider.pay, self.provider.pend, self.provider.decline), n // 2)(reference)

    def cancel(self, n: int) -> None:
        if n < 4:
            with suppress(Conflict):
                cancel_unpaid(self.uma, self.placed.number)

    # The clock, and money that goes back

    def look(self, _n: int) -> None:
        for reference in self.checkouts():
            sync_payment(self.system, reference)

    def clock(self, n: int) -> None:
        self.time.forward(minutes=40, days=31 * (n == 0))
        jobs.expire_unpaid(self.system)
        open_items.settle_attempts(self.system)

    def give_back(self, n: int) -> None:
        with suppress(Conflict), self.fiona.begin() as ctx:
            fen = _of((5_000, TOTAL), n)
            request_refund(ctx, self.placed.id, RefundWish(amount_fen=fen), "少发")

    def pay_back(self, n: int) -> None:
        for refund in self.refunds()[-1 - n % 2 :][:1]:
            with suppress(ShopError), self.fiona.begin() as ctx:
                mark_sent(ctx, refund.number)
            self.says(-refund.amount_fen, refund.number)

    # What must be true

    def end(self) -> None:
        for _ in range(3):
            match_receipts(self.system)
            for reference in self.checkouts():
                if self.provider.checkouts[reference].state == "processing":
                    self.provider.pay(reference)
            for task, arguments in waiting(self.system):
                if task == CLOSE and arguments["reference"] in self.checkouts():
                    close_given_up(self.system, **arguments)
            self.look(0)
            open_items.settle_refunds(self.system)
            self.time.forward(minutes=6)
        self.agree()

    def agree(self) -> None:
        receipts, matches = self.receipts(), self.matches()
        for row in receipts:
            mine = [one for one in matches if one.receipt_id == row.id]
            taken = sum(one.amount_fen for one in mine if one.state is MatchState.APPROVED)
            if row.amount_fen > 0:
                assert row.matched_fen == taken
                assert (row.state == "matched") == (taken == row.amount_fen)
            else:
                assert (row.matched_fen, taken) in {(0, 0), (0, -row.amount_fen)}
            assert (row.set_aside_reason is not None) == (row.state == "set_aside")
        with self.system.begin() as ctx:
            order = ctx.session.execute(select(Order.state).where(Order.id == self.placed.id))
            state = order.scalar_one()
            rows = ctx.session.execute(
                select(PAYMENTS).where(PAYMENTS.c.order_id == self.placed.id)
            ).all()
            assert [check.name for check in prove(ctx).checks if not check.proved] == []
        settled = [one for one in rows if one.state is PaymentState.SUCCEEDED]
        assert len(settled) == (state == "paid")
        incoming = {row.id for row in receipts if row.amount_fen > 0}
        for one in settled:
            if one.method == "bank_transfer":
                of = [m for m in matches if m.payment_id == one.id and m.receipt_id in incoming]
                assert sum(m.amount_fen for m in of) == TOTAL
        loose = [
            one for one in matches if one.state is MatchState.APPROVED and one.payment_id is None
        ]
        assert state == "pending_payment" or not loose
        assert state != "pending_payment" or sum(m.amount_fen for m in loose) < TOTAL
        card = sum(self.provider.left_of(self.provider.checkouts[one]) for one in self.checkouts())
        kept = sum(o.captured_fen - o.refunded_fen for o in rows if o.method == "stripe")
        assert card == kept

    def receipts(self) -> list[Any]:
        with self.system.begin() as ctx:
            rows = ctx.session.execute(select(RECEIPTS).order_by(RECEIPTS.c.id)).all()
        return rows[-self.lines :] if self.lines else []

    def matches(self) -> list[Any]:
        wanted = select(MATCHES).where(MATCHES.c.order_id == self.placed.id).order_by(MATCHES.c.id)
        with self.system.begin() as ctx:
            return list(ctx.session.execute(wanted))

    def refunds(self) -> list[Any]:
        wanted = select(Refund.number, Refund.amount_fen).where(Refund.order_id == self.placed.id)
        with self.system.begin() as ctx:
            return list(ctx.session.execute(wanted.order_by(Refund.id)))

    def checkouts(self) -> Sequence[str]:
        return [
            reference
            for reference, one in self.provider.checkouts.items()
            if one.order_number == self.placed.number
        ]


MOVES = (
    OneOrder.transfer,
    OneOrder.transfer,
    OneOrder.match,
    OneOrder.enter,
    OneOrder.approve,
    OneOrder.reject,
    OneOrder.aside,
    OneOrder.again,
    OneOrder.wish_transfer,
    OneOrder.wish_card,
    OneOrder.card,
    OneOrder.cancel,
    OneOrder.look,
    OneOrder.clock,
    OneOrder.give_back,
    OneOrder.pay_back,
)


def _of(things: Sequence[Any], n: int) -> Any:
    return things[n % len(things)]


@settings(
    max_examples=6,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    moves=st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 15)), min_size=12, max_size=24)
)
def test_each_fen_is_claimed_once(transactions, provider, time, moves):
    one = OneOrder(transactions, provider, time)
    for move, n in moves:
        move(one, n)
    one.end()
