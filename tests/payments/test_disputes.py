"""Disputes: frozen while open, gone when lost, free when won; never more than is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from models.aid import AidEntry
from models.orders import Consignment, ConsignmentState, OrderLine
from models.payments import Payment
from models.refunds import DisputeLine, Refund
from shop.context import Transactions
from shop.errors import Conflict
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.fulfilment.queries import consignment_for, waiting_consignments
from shop.orders.queries import order_by_id, timeline
from shop.payments.desk import refunds_due
from shop.payments.proof import prove
from shop.payments.refund_queries import refund_counts
from shop.payments.refund_rules import RefundWish
from shop.payments.refund_sending import carry
from shop.payments.refunds import refund_payment, request_refund, retry_refund
from shop.payments.sync import sync_payment
from tests.conftest import acting
from tests.fulfilment_factories import lines_of
from tests.payments.books import balances, books

TOTAL = 13980


@pytest.fixture
def paid(transactions, provider, reference, placed) -> UUID:
    provider.pay(reference)
    sync_payment(transactions, reference)
    return placed.id


def frozen(transactions: Transactions) -> tuple[int, int]:
    with transactions.begin() as ctx:
        row = ctx.session.execute(
            select(
                func.coalesce(func.sum(DisputeLine.goods_fen), 0),
                func.coalesce(func.sum(DisputeLine.freight_fen), 0),
            )
        ).one()
        return int(row[0]), int(row[1])


def owed(transactions: Transactions) -> int:
    found = balances(transactions)
    return -sum(fen for name, fen in found.items() if name.startswith("cooperative_payable"))


def hear(transactions: Transactions, reference: str) -> dict[str, Any]:
    sync_payment(transactions, reference, aftermath=True)
    found = books(transactions)
    sync_payment(transactions, reference, aftermath=True)
    assert books(transactions) == found
    assert sum(balances(transactions).values()) == 0
    return found


def test_an_open_dispute_freezes_what_the_order_brought(transactions, provider, reference, paid):
    before = books(transactions)
    provider.dispute(reference)
    found = hear(transactions, reference)
    assert found == {
        **before,
        "payments": [("succeeded", TOTAL, 0, 0, TOTAL)],
        "disputes": [("open", TOTAL)],
    }
    assert frozen(transactions) == (12880, 1100)
    assert balances(transactions)["disputes_held"] == TOTAL
    assert owed(transactions) == TOTAL, "owed as before, but not to be paid out"


def test_a_disputed_payment_is_not_refunded(transactions, provider, reference, paid):
    provider.dispute(reference)
    hear(transactions, reference)
    before = books(transactions)
    with pytest.raises(Conflict) as refused, transactions.begin() as ctx:
        request_refund(ctx, paid, RefundWish(), "再也不要了")
    assert (refused.value.error_code, books(transactions)) == ("payment_disputed", before)


def test_a_lost_one_leaves_what_is_owed_and_the_aid_record(transactions, provider, reference, paid):
    number = provider.dispute(reference, 4_000)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert (found["disputes"], found["aid"]) == ([("lost", 4_000)], 8_880)
    assert owed(transactions) == TOTAL - 4_000
    assert balances(transactions)["provider_clearing"] == TOTAL - 4_000
    assert "disputes_held" not in balances(transactions)
    with transactions.begin() as ctx:
        kinds = ctx.session.execute(
            select(AidEntry.kind, func.count()).group_by(AidEntry.kind).order_by(AidEntry.kind)
        ).all()
    assert [(str(kind), count) for kind, count in kinds] == [("refund", 2), ("sale", 2)]


def test_a_won_one_leaves_everything_as_it_was(transactions, provider, reference, paid):
    before, money = books(transactions), balances(transactions)
    number = provider.dispute(reference)
    hear(transactions, reference)
    provider.close_dispute(number, "won")
    assert hear(transactions, reference) == {**before, "disputes": [("won", 0)]}
    assert balances(transactions) == money


def test_an_inquiry_takes_no_money(transactions, provider, reference, paid):
    money = balances(transactions)
    provider.dispute(reference, withheld=False)
    assert hear(transactions, reference)["disputes"] == [("open", 0)]
    assert balances(transactions) == money


def test_an_inquiry_is_answered_with_a_refund(transactions, provider, reference, paid):
    number = provider.dispute(reference, withheld=False)
    hear(transactions, reference)
    with transactions.begin() as ctx:
        refund = request_refund(ctx, paid, RefundWish(), "买家不认可")
    carry(transactions, refund)
    provider.close_dispute(number, "won")
    found = hear(transactions, reference)
    assert (found["payments"], found["disputes"]) == (
        [("succeeded", TOTAL, 0, TOTAL, 0)],
        [("won", 0)],
    )
    assert (found["aid"], balances(transactions)) == (0, {})


def test_a_dispute_of_what_refunds_have_left_hangs_on_that(transactions, provider, reference, paid):
    provider.refund_at_desk(reference, 10_000)
    number = provider.dispute(reference)
    hear(transactions, reference)
    assert frozen(transactions) == (2_880, 1_100)
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert (found["aid"], owed(transactions), balances(transactions)) == (0, 0, {})
    with pytest.raises(Conflict) as refused, transactions.begin() as ctx:
        request_refund(ctx, paid, RefundWish(), "没有了")
    assert refused.value.error_code == "nothing_to_refund"


def test_more_than_the_lines_have_left_is_ours_to_bear(transactions, provider, reference, paid):
    """A bank may take back money that has been refunded already."""
    provider.refund_at_desk(reference, 10_000)
    number = provider.dispute(reference, TOTAL)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert (found["aid"], owed(transactions)) == (0, 0)
    assert balances(transactions) == {"provider_clearing": -10_000, "suspense": 10_000}


def test_a_dispute_of_money_that_belongs_to_no_order(
    transactions, provider, reference, placed, time
):
    provider.arrive(reference, TOTAL + 1)
    sync_payment(transactions, reference)
    number = provider.dispute(reference)
    hear(transactions, reference)
    assert frozen(transactions) == (0, 0)
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert (found["orders"], found["disputes"]) == (["pending_payment"], [("lost", TOTAL + 1)])
    assert balances(transactions) == {}
    assert sent_back(transactions) == ((0, 0), "nothing_to_refund")


def sent_back(transactions) -> tuple[tuple[int, int], str]:
    """What the desk says is to go back, and why it refuses to send it."""
    with transactions.begin() as ctx:
        payment = ctx.session.execute(select(Payment.id)).scalar_one()
        with pytest.raises(Conflict) as refusal:
            refund_payment(ctx, payment, "付错金额")
        return refunds_due(ctx), refusal.value.error_code


def test_what_a_dispute_took_is_not_sent_back_once_more(transactions, provider, reference, paid):
    """A refund fails after its payer has had the whole charge back from their bank."""
    provider.refund_outcome = "pending"
    refund = provider.refund_at_desk(reference, 10_000)
    number = provider.dispute(reference, TOTAL)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    provider.settle_refund(refund, "failed")
    found = hear(transactions, reference)
    assert found["payments"] == [("succeeded", TOTAL, 0, 0, TOTAL)]
    with transactions.begin() as ctx:
        failed = ctx.session.execute(select(Refund.id)).scalar_one()
        with pytest.raises(Conflict) as refusal:
            retry_refund(ctx, failed)
        assert (refusal.value.error_code, refusal.value.extra) == (
            "refund_exceeds_paid",
            {"left_fen": 0},
        )
        assert refund_counts(ctx)["stuck"] == (0, 0)
    assert hear(transactions, reference) == found


@pytest.mark.parametrize("outcome", ["pending", "succeeded"])
@pytest.mark.parametrize("refunded", [10_000, 13_500, TOTAL])
@pytest.mark.parametrize("disputed", [TOTAL, 9_000])
def test_what_a_refund_could_not_return_and_a_dispute_took_is_aid_no_more(
    transactions, provider, reference, paid, outcome, refunded, disputed
):
    """The refund held the lines when the dispute was lost; when it fails, the dispute has them."""
    provider.refund_outcome = outcome
    refund = provider.refund_at_desk(reference, refunded)
    number = provider.dispute(reference, disputed)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    hear(transactions, reference)
    provider.settle_refund(refund, "failed")
    found = hear(transactions, reference)
    assert found["payments"] == [("succeeded", TOTAL, 0, 0, disputed)]
    assert (kept(transactions), owed(transactions)) == (TOTAL - disputed, TOTAL - disputed)
    assert balances(transactions).get("suspense", 0) == 0
    assert sum(frozen(transactions)) == disputed
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []


def sent(transactions: Transactions, placed: Any, pieces: int) -> None:
    """Bob hands so many of the two boxes of tea to a carrier."""
    with transactions.begin() as ctx:
        number = f"{placed.number}-1"
        [line] = lines_of(ctx, number)
        box = ShipParcel("shunfeng", "SF10000001", ((line.id, pieces),))
        ship_parcel(acting(ctx, "bob"), number, box)


def goods(transactions: Transactions) -> tuple[list[str], list[tuple[int, int]], list[int]]:
    """The parts' states, (shipped, given up) of each line, and the pieces on the aid record."""
    with transactions.begin() as ctx:
        lines = select(OrderLine.shipped_quantity, OrderLine.withdrawn).order_by(OrderLine.position)
        pieces = (
            select(func.sum(AidEntry.quantity))
            .join(OrderLine, OrderLine.id == AidEntry.order_line_id)
            .group_by(OrderLine.position)
            .order_by(OrderLine.position)
        )
        states = select(Consignment.state).order_by(Consignment.number)
        return (
            [str(state) for state in ctx.session.execute(states).scalars()],
            [tuple(row) for row in ctx.session.execute(lines)],
            [int(count) for count in ctx.session.execute(pieces).scalars()],
        )


def test_an_order_whose_money_a_dispute_took_is_shipped_no_further(
    transactions, provider, reference, paid, placed
):
    before = books(transactions)["stock"]
    number = provider.dispute(reference)
    hear(transactions, reference)
    assert goods(transactions) == (["pending_shipment"] * 2, [(0, 0), (0, 0)], [2, 1])
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert goods(transactions) == (["cancelled"] * 2, [(0, 2), (0, 1)], [0, 0])
    assert found["stock"] == (before[0], before[1] - 3)
    with transactions.begin() as ctx:
        [event] = [row for row in timeline(ctx, paid) if row["to_state"] == "cancelled"][:1]
        status = order_by_id(ctx, paid)["status"]
    assert (event["why"], status) == ("dispute", "refunded")


def test_what_had_left_before_a_dispute_was_lost_has_left(
    transactions, provider, reference, paid, placed
):
    sent(transactions, placed, 1)
    on_hand, reserved = books(transactions)["stock"]
    number = provider.dispute(reference)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    found = hear(transactions, reference)
    assert goods(transactions) == (["shipped", "cancelled"], [(1, 1), (0, 1)], [1, 0])
    assert found["stock"] == (on_hand, reserved - 2)
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []


def test_a_dispute_of_a_part_leaves_the_goods_until_the_rest_has_gone_too(
    transactions, provider, reference, paid
):
    number = provider.dispute(reference, 4_000)
    hear(transactions, reference)
    provider.close_dispute(number, "lost")
    hear(transactions, reference)
    assert goods(transactions)[:2] == (["pending_shipment"] * 2, [(0, 0), (0, 0)])
    provider.refund_at_desk(reference, TOTAL - 4_000)
    hear(transactions, reference)
    assert goods(transactions)[:2] == (["cancelled"] * 2, [(0, 2), (0, 1)])


def test_a_dispute_that_takes_what_refunds_have_left_frees_the_goods(
    transactions, provider, reference, paid
):
    provider.refund_at_desk(reference, TOTAL - 4_000)
    number = provider.dispute(reference, 4_000)
    hear(transactions, reference)
    assert goods(transactions)[0] == ["pending_shipment"] * 2
    provider.close_dispute(number, "lost")
    hear(transactions, reference)
    assert goods(transactions)[:2] == (["cancelled"] * 2, [(0, 2), (0, 1)])


@pytest.mark.parametrize("outcome", ["won", None])
def test_nothing_becomes_of_the_goods_of_one_that_is_won_or_open(
    transactions, provider, reference, paid, placed, outcome
):
    before = books(transactions)["stock"], goods(transactions)
    number = provider.dispute(reference)
    hear(transactions, reference)
    if outcome:
        provider.close_dispute(number, outcome)
    hear(transactions, reference)
    assert (books(transactions)["stock"], goods(transactions)) == before


def test_who_is_about_to_ship_knows_of_an_open_one(transactions, provider, reference, paid, placed):
    def told() -> list[bool]:
        with transactions.begin() as ctx:
            bob = acting(ctx, "bob")
            [listed] = waiting_consignments(bob, [ConsignmentState.PENDING_SHIPMENT])
            return [listed["disputed"], consignment_for(bob, f"{placed.number}-1")["disputed"]]

    assert told() == [False, False]
    number = provider.dispute(reference)
    hear(transactions, reference)
    assert told() == [True, True]
    provider.close_dispute(number, "won")
    hear(transactions, reference)
    assert told() == [False, False]


def kept(transactions: Transactions) -> int:
    """What the aid record holds, goods and freight."""
    with transactions.begin() as ctx:
        return int(
            ctx.session.execute(
                select(func.sum(AidEntry.goods_fen + AidEntry.freight_fen))
            ).scalar_one()
        )
