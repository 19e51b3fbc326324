"""docs/money.md is so: each example is played out, and every account beside what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.aid import AidEntry
from models.bank import BankMatch, MatchState
from models.money import parse_yuan, yuan_text
from models.orders import Order, OrderLine
from models.organization import Purpose
from models.payments import Payment, PaymentState
from shop.clock import business_day
from shop.context import Transactions
from shop.orders.commands import place_order
from shop.payments import bank_jobs, jobs
from shop.payments.bank_import import enter_line
from shop.payments.bank_review import approve_match, enter_match
from shop.payments.bank_rules import Line
from shop.payments.bank_transfer import start_transfer
from shop.payments.closing import cancel_unpaid
from shop.payments.commands import start_payment
from shop.payments.providers import install
from shop.payments.reconcile import reconcile_provider
from shop.payments.refund_rules import LineWish, RefundWish
from shop.payments.refund_writing import SEND
from shop.payments.refunds import request_refund
from shop.payments.sync import sync_payment
from tests.conftest import ROOT, Time, actor_of
from tests.fakes.gateway import FakeGateway
from tests.jobs import waiting
from tests.payments.books import balances
from tests.shop.test_orders_place import WISH

PAGE = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```money\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ACCOUNT = re.compile(r"(\w+)(?: (C\d\d))?\s+(-?\d+\.\d\d)")
STANDING = re.compile(r"= order (\w+), aid (-?\d+\.\d\d)")


class Play:
    """One example: the words of the page as things that happen."""

    def __init__(self, transactions: Transactions, provider: FakeGateway, time: Time) -> None:
        self.transactions, self.provider, self.time = transactions, provider, time
        self.placed: Any = None
        self.sent: set[str] = set()

    @property
    def checkout(self) -> str:
        return list(self.provider.checkouts)[-1]

    def happen(self, line: str) -> None:
        words = line.split()
        known: dict[str, Callable[..., None]] = {
            "order": self.order,
            "unit": self.unit_order,
            "pay": self.pay,
            "arrives": self.arrives,
            "expire": self.expire,
            "cancel": self.cancel,
            "refund": self.refund,
            "send": self.send,
            "dashboard": self.dashboard,
            "dispute": self.dispute,
            "won": lambda: self.close("won"),
            "lost": lambda: self.close("lost"),
            "payout": self.payout,
            "night": self.night,
            "bank": self.bank,
            "two": self.two_people_agree,
        }
        known[words[0]](*words[1:])

    def order(self) -> None:
        with self.transactions.begin() as ctx:
            self.placed = place_order(ctx, WISH)
        start_payment(self.transactions, self.placed.number, token=self.placed.access_token)

    def unit_order(self, _order: str) -> None:
        uma = self.transactions.acting(actor_of(self.transactions, "uma"))
        with uma.begin() as ctx:
            self.placed = place_order(ctx, replace(WISH, buyer=None, purpose=Purpose.UNION_GIFT))
        start_transfer(uma, self.placed.number)

    def pay(self) -> None:
        self.arrives("139.80")

    def arrives(self, yuan: str) -> None:
        if self.provider.checkouts[self.checkout].state == "open":
            self.provider.pay(self.checkout)
        if yuan != "139.80" or self.provider.checkouts[self.checkout].state != "paid":
            self.provider.arrive(self.checkout, parse_yuan(yuan))
        self.look()

    def look(self) -> None:
        sync_payment(self.transactions, self.checkout, aftermath=True)

    def expire(self) -> None:
        self.time.forward(minutes=32)
        jobs.expire_unpaid(self.transactions)

    def cancel(self) -> None:
        cancel_unpaid(self.transactions, self.placed.number, self.placed.access_token)

    def refund(self, *words: str) -> None:
        if words == ("fails",):
            self.provider.settle_refund(list(self.provider.refunds)[-1], "failed")
            self.look()
            return
        with self.transactions.begin() as ctx:
            request_refund(ctx, self.placed.id, self.wish(ctx, words), "破损")

    def wish(self, ctx: Any, words: tuple[str, ...]) -> RefundWish:
        if words == ("everything",):
            return RefundWish()
        if len(words) == 1:
            return RefundWish(amount_fen=parse_yuan(words[0]), freight=False)
        pieces, _of, sku = words
        line = ctx.session.execute(
            select(OrderLine.id).where(OrderLine.snapshot["sku_code"].astext == sku)
        ).scalar_one()
        return RefundWish(lines=(LineWish(line, int(pieces)),))

    def send(self) -> None:
        for task, arguments in waiting(self.transactions):
            if task == SEND and arguments["refund"] not in self.sent:
                self.sent.add(arguments["refund"])
                jobs.send_refund(self.transactions, **arguments)

    def dashboard(self, _refund: str, yuan: str) -> None:
        self.provider.refund_at_desk(self.checkout, parse_yuan(yuan))
        self.look()

    def dispute(self, yuan: str = "") -> None:
        self.provider.dispute(self.checkout, parse_yuan(yuan) if yuan else None)
        self.look()

    def close(self, outcome: str) -> None:
        self.provider.close_dispute(list(self.provider.disputes)[-1], outcome)
        self.look()

    def payout(self, yuan: str) -> None:
        self.provider.payout(parse_yuan(yuan))

    def night(self) -> None:
        day: date = business_day(self.time())
        self.time.forward(days=1)
        reconcile_provider(self.transactions, day)

    def bank(self, yuan: str, remark: str) -> None:
        text = {
            "order": self.placed.number,
            "payout": next((one.source or "" for one in self.provider.lines[-1:]), ""),
        }.get(remark, remark)
        with self.transactions.begin() as ctx:
            day = business_day(ctx.now)
            enter_line(ctx, Line(1, day, parse_yuan(yuan), payer_name="某某", remark=text))
        bank_jobs.match_receipts(self.transactions)

    def two_people_agree(self, *_: str) -> None:
        with self.transactions.acting(actor_of(self.transactions, "fiona")).begin() as ctx:
            receipt = ctx.session.execute(select(BankMatch.receipt_id)).scalar_one()
            enter_match(ctx, receipt, self.placed.number, None, "多付的退回")
        with self.transactions.acting(actor_of(self.transactions, "ada")).begin() as ctx:
            entered = select(BankMatch.id).where(BankMatch.state == MatchState.ENTERED)
            approve_match(ctx, ctx.session.execute(entered).scalar_one())

    def standing(self) -> tuple[str, str]:
        with self.transactions.begin() as ctx:
            state = ctx.session.execute(
                select(Order.state).where(Order.id == self.placed.id)
            ).scalar_one()
            aid = ctx.session.execute(
                select(func.coalesce(func.sum(AidEntry.goods_fen), 0))
            ).scalar_one()
        return str(state), yuan_text(int(aid))


def accounts(transactions: Transactions) -> dict[str, str]:
    found = balances(transactions)
    return {name.replace(":", " "): yuan_text(fen) for name, fen in found.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_example_is_so(transactions, settings, time, example):
    provider = FakeGateway(clock=time)
    install(settings, provider)
    play = Play(transactions, provider, time)
    meant: dict[str, str] | None = None
    for line in [*example.splitlines(), ""]:
        if line.startswith("    "):
            account, party, yuan = ACCOUNT.fullmatch(line.strip()).groups()
            meant = (meant or {}) | {f"{account} {party}" if party else account: yuan}
            continue
        if meant is not None:
            assert accounts(transactions) == meant
            meant = None
        if line.startswith("="):
            assert play.standing() == STANDING.fullmatch(line).groups()
        elif line:
            play.happen(line)


def test_there_are_examples_of_every_section_about_money_that_moves():
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    without = [part.splitlines()[0] for part in sections if "```money" not in part]
    assert without == ["Three rules", "The accounts", "The proof"]


def test_a_commit_that_changes_money_without_an_entry_fails(transactions, provider_paid):
    with pytest.raises(Exception, match="changed without a journal entry"):  # noqa: SIM117
        with transactions.begin() as ctx:
            ctx.session.execute(
                update(Payment)
                .where(Payment.state == PaymentState.SUCCEEDED)
                .values(refunded_fen=1)
            )
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(Payment.refunded_fen)).scalar_one() == 0


@pytest.fixture
def provider_paid(transactions, settings, time) -> Play:
    provider = FakeGateway(clock=time)
    install(settings, provider)
    play = Play(transactions, provider, time)
    play.happen("order")
    play.happen("pay")
    return play
