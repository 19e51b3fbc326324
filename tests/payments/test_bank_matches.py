"""From a line of the bank's to a paid order: by rule, by two people, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from models.aid import AidEntry
from models.bank import BankMatch, BankReceipt
from models.orders import Order
from models.payments import Payment, PaymentMethod
from models.reconciliation import ProviderTransaction
from models.refunds import Refund
from shop.clock import SHANGHAI
from shop.errors import Conflict, Invalid, NotFound
from shop.ids import new_id
from shop.orders.payment_commands import close_order
from shop.payments import jobs
from shop.payments.bank_aside import mark_sent, reopen, set_aside
from shop.payments.bank_jobs import close_given_up, match_receipts
from shop.payments.bank_review import approve_match, enter_match, reject_match
from shop.payments.bank_transfer import start_transfer
from shop.payments.commands import start_payment
from shop.payments.proof import prove
from shop.payments.providers import install
from shop.payments.receipts import record_receipt
from shop.payments.refund_rules import RefundWish
from shop.payments.refunds import request_refund
from tests.bank_factories import (
    FOR_UNIT,
    TOTAL,
    balances,
    bank_says,
    match_id,
    matches,
    receipt_id,
    receipts,
    states,
    unit_order,
)
from tests.conftest import NOW, actor_of
from tests.fakes.gateway import FakeGateway
from tests.jobs import waiting

TODAY_STARTS = datetime(2026, 11, 23, tzinfo=SHANGHAI)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def placed(transactions):
    return unit_order(transactions)


@pytest.fixture
def fiona(transactions):
    return transactions.acting(actor_of(transactions, "fiona"))


@pytest.fixture
def ada(transactions):
    return transactions.acting(actor_of(transactions, "ada"))


def refused(transactions, code, call, *arguments, **more) -> None:
    with transactions.begin() as ctx, pytest.raises(Conflict) as caught:
        call(ctx, *arguments, **more)
    assert caught.value.error_code == code


def seen(transactions):
    with transactions.begin() as ctx:
        assert prove(ctx).proved
        return states(ctx), receipts(ctx), matches(ctx)


def paid_at(transactions):
    with transactions.begin() as ctx:
        return ctx.session.execute(select(Order.paid_at)).scalar_one()


def attempts(transactions):
    with transactions.begin() as ctx:
        rows = ctx.session.execute(
            select(Payment.method, Payment.state, Payment.captured_fen).order_by(Payment.id)
        )
        return [(str(row.method), str(row.state), row.captured_fen) for row in rows]


def test_number_and_amount_pay_the_order(transactions, placed):
    bank_says(transactions, (TOTAL, f"货款 {placed.number[:6]} {placed.number[6:]}"))
    assert seen(transactions) == (
        {placed.number: "paid"},
        [("matched", TOTAL, TOTAL, "")],
        [("approved", TOTAL, "number_and_amount")],
    )
    assert attempts(transactions) == [("bank_transfer", "succeeded", TOTAL)]
    with transactions.begin() as ctx:
        assert balances(ctx, ("bank", "suspense", "cooperative_payable")) == {
            "bank": TOTAL,
            "suspense": 0,
            "cooperative_payable": -TOTAL,
        }
        goods = ctx.session.execute(select(AidEntry.goods_fen).order_by(AidEntry.goods_fen))
        assert goods.scalars().all() == [3280, 9600]


def test_it_is_paid_on_the_day_that_the_bank_booked_it(transactions, placed, time):
    time.forward(days=5)
    bank_says(transactions, (TOTAL, placed.number), day="2026-11-25")
    assert paid_at(transactions) == datetime(2026, 11, 25, tzinfo=SHANGHAI)


def test_but_never_before_it_was_placed(transactions, placed):
    bank_says(transactions, (TOTAL, placed.number))
    assert paid_at(transactions) == NOW > TODAY_STARTS


def test_the_live_attempt_is_the_one_that_is_paid(transactions, placed):
    uma = transactions.acting(actor_of(transactions, "uma"))
    started = start_transfer(uma, placed.number)
    bank_says(transactions, (TOTAL, placed.number))
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(Payment.id)).scalar_one() == started.id


def test_an_open_checkout_is_given_up(transactions, placed, provider):
    uma = transactions.acting(actor_of(transactions, "uma"))
    start_payment(uma, placed.number)
    bank_says(transactions, (TOTAL, placed.number))
    assert attempts(transactions) == [
        ("stripe", "expired", 0),
        ("bank_transfer", "succeeded", TOTAL),
    ]
    reference = next(iter(provider.checkouts))
    assert ("payments.close_checkout", {"reference": reference}) in waiting(transactions)
    close_given_up(transactions, reference)
    assert provider.calls == ["open", "close"]


def test_running_again_changes_nothing(transactions, placed):
    bank_says(transactions, (TOTAL, placed.number))
    before = seen(transactions)
    match_receipts(transactions)
    assert seen(transactions) == before


@pytest.mark.parametrize(
    ("off", "matched", "reason"), [(-1, TOTAL - 1, "underpaid"), (1, TOTAL, "overpaid")]
)
def test_an_amount_that_is_off_is_proposed(transactions, placed, off, matched, reason):
    bank_says(transactions, (TOTAL + off, placed.number))
    assert seen(transactions) == (
        {placed.number: "pending_payment"},
        [("open", TOTAL + off, 0, reason)],
        [("proposed", matched, reason)],
    )


def test_several_lines_add_up(transactions, placed):
    bank_says(transactions, (10000, placed.number), (TOTAL - 10000, placed.number))
    assert seen(transactions) == (
        {placed.number: "paid"},
        [("matched", 3980, 3980, ""), ("matched", 10000, 10000, "")],
        [("approved", 3980, "adds_up"), ("approved", 10000, "adds_up")],
    )


def test_also_when_the_second_comes_days_later(transactions, placed, time):
    bank_says(transactions, (10000, placed.number))
    time.forward(days=3)
    bank_says(transactions, (3980, placed.number), day="2026-11-26")
    assert seen(transactions)[0] == {placed.number: "paid"}
    assert paid_at(transactions) == datetime(2026, 11, 26, tzinfo=SHANGHAI)


def test_one_line_for_two_orders(transactions, placed):
    other = unit_order(transactions)
    bank_says(transactions, (2 * TOTAL, f"{placed.number}、{other.number}"))
    assert seen(transactions) == (
        {placed.number: "paid", other.number: "paid"},
        [("matched", 2 * TOTAL, 2 * TOTAL, "")],
        [("approved", TOTAL, "sums_up")] * 2,
    )


def test_one_line_for_two_orders_that_does_not_sum(transactions, placed):
    other = unit_order(transactions)
    bank_says(transactions, (2 * TOTAL - 1, f"{placed.number}、{other.number}"))
    assert seen(transactions) == (
        {placed.number: "pending_payment", other.number: "pending_payment"},
        [("open", 2 * TOTAL - 1, 0, "several_do_not_sum")],
        [],
    )


def test_a_mistyped_number_is_proposed(transactions, placed):
    wrong = placed.number[:-1] + str((int(placed.number[-1]) + 1) % 10)
    bank_says(transactions, (TOTAL, f"货款{wrong}"))
    assert seen(transactions)[1:] == (
        [("open", TOTAL, 0, "near_number")],
        [("proposed", TOTAL, "near_number")],
    )


def test_amount_and_payer_are_proposed(transactions, placed):
    bank_says(transactions, (TOTAL, "慰问品货款", "永平大学校工会委员会"))
    assert seen(transactions)[2] == [("proposed", TOTAL, "payer_and_amount")]


def test_money_of_nobody_stays_open(transactions, placed):
    bank_says(transactions, (TOTAL, "货款", "路人甲"))
    assert seen(transactions) == (
        {placed.number: "pending_payment"},
        [("open", TOTAL, 0, "no_order")],
        [],
    )


def test_money_for_a_closed_order_is_never_dropped(transactions, placed):
    with transactions.begin() as ctx:
        close_order(ctx, placed.id, "cancel", "buyer")
    bank_says(transactions, (TOTAL, placed.number))
    assert seen(transactions) == (
        {placed.number: "cancelled"},
        [("open", TOTAL, 0, "order_cancelled")],
        [],
    )


def test_money_that_comes_twice_stays_open(transactions, placed):
    bank_says(transactions, (TOTAL, placed.number))
    bank_says(transactions, (TOTAL, placed.number), first=2)
    assert seen(transactions)[1] == [
        ("matched", TOTAL, TOTAL, ""),
        ("open", TOTAL, 0, "order_paid"),
    ]


# Two people


def entered(fiona, amount: int = TOTAL, remark: str = "货款", wish: int | None = None):
    """A line of nobody's that Fiona says is for the order; the match."""

    def enter(number: str):
        bank_says(fiona, (amount, remark, "路人甲"))
        with fiona.begin() as ctx:
            return enter_match(ctx, receipt_id(ctx, amount), number, wish, "电话确认")

    return enter


def test_one_enters_another_approves(transactions, placed, fiona, ada):
    match = entered(fiona)(placed.number)
    assert seen(transactions) == (
        {placed.number: "pending_payment"},
        [("open", TOTAL, 0, "no_order")],
        [("entered", TOTAL, "person")],
    )
    with ada.begin() as ctx:
        assert approve_match(ctx, match) is not None
    assert seen(transactions) == (
        {placed.number: "paid"},
        [("matched", TOTAL, TOTAL, "")],
        [("approved", TOTAL, "person")],
    )


def test_nobody_approves_their_own(transactions, placed, fiona):
    match = entered(fiona)(placed.number)
    refused(fiona, "second_person_needed", approve_match, match)
    refused(transactions, "second_person_needed", approve_match, match)
    assert seen(transactions)[2] == [("entered", TOTAL, "person")]


def test_the_database_wants_two_people_too(transactions, placed, fiona):
    from sqlalchemy.exc import IntegrityError

    entered(fiona)(placed.number)
    with pytest.raises(IntegrityError, match="two_people"), transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE bank_match SET approved_by = entered_by"))


def test_a_proposal_is_taken_up(transactions, placed, fiona, ada):
    bank_says(transactions, (TOTAL + 20, placed.number))
    with fiona.begin() as ctx:
        match = enter_match(ctx, receipt_id(ctx, TOTAL + 20), placed.number, None, "")
    with ada.begin() as ctx:
        approve_match(ctx, match)
    assert seen(transactions) == (
        {placed.number: "paid"},
        [("open", TOTAL + 20, TOTAL, "overpaid")],
        [("approved", TOTAL, "overpaid")],
    )
    with transactions.begin() as ctx:
        assert balances(ctx) == {"bank": TOTAL + 20, "suspense": -20}


def test_a_part_waits_for_the_rest(transactions, placed, fiona, ada):
    match = entered(fiona, 10000)(placed.number)
    with ada.begin() as ctx:
        assert approve_match(ctx, match) is None
    assert seen(transactions)[0] == {placed.number: "pending_payment"}
    bank_says(transactions, (3980, placed.number), first=2)
    assert seen(transactions) == (
        {placed.number: "paid"},
        [("matched", 3980, 3980, ""), ("matched", 10000, 10000, "")],
        [("approved", 3980, "number_and_amount"), ("approved", 10000, "person")],
    )


def test_a_part_that_has_come_keeps_the_cashier_closed(transactions, placed, fiona, ada):
    match = entered(fiona, 10000)(placed.number)
    with ada.begin() as ctx:
        approve_match(ctx, match)
    uma = transactions.acting(actor_of(transactions, "uma"))
    with pytest.raises(Conflict) as caught:
        start_payment(uma, placed.number)
    assert caught.value.error_code == "transfer_partly_received"


def test_a_part_of_an_order_that_is_closed_is_free_again(transactions, placed, fiona, ada, time):
    match = entered(fiona, 10000)(placed.number)
    with ada.begin() as ctx:
        approve_match(ctx, match)
    time.forward(days=31)
    jobs.expire_unpaid(transactions)
    assert seen(transactions) == (
        {placed.number: "cancelled"},
        [("open", 10000, 0, "order_cancelled")],
        [("rejected", 10000, "person")],
    )


def test_and_nothing_is_aside_of_a_line_that_is_open_again(transactions, placed, fiona, ada):
    """A part was for the order, and the rest had been explained: now all of it waits."""
    match = entered(fiona, TOTAL, wish=5000)(placed.number)
    with ada.begin() as ctx:
        approve_match(ctx, match)
        set_aside(ctx, receipt_id(ctx, TOTAL), "押金")
    with transactions.begin() as ctx:
        close_order(ctx, placed.id, "cancel", "buyer")
    match_receipts(transactions)
    assert seen(transactions)[1] == [("open", TOTAL, 0, "no_order")]
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(BankReceipt.set_aside_reason)).scalar_one() is None


def test_and_of_one_that_was_closed_elsewhere_by_the_job(transactions, placed, fiona):
    entered(fiona, 10000)(placed.number)
    with transactions.begin() as ctx:
        close_order(ctx, placed.id, "cancel", "buyer")
    match_receipts(transactions)
    assert seen(transactions)[2] == [("rejected", 10000, "person")]


def test_a_rejected_proposal_does_not_come_back(transactions, placed, fiona):
    bank_says(transactions, (TOTAL + 1, placed.number))
    with fiona.begin() as ctx:
        reject_match(ctx, match_id(ctx), "不是这一单")
    match_receipts(transactions)
    assert seen(transactions)[2] == [("rejected", TOTAL, "overpaid")]


def test_nor_is_it_matched_by_the_rest_of_the_money(transactions, placed, fiona):
    """Two lines that add up are certain, but for a person who has said that one is another's."""
    bank_says(transactions, (5000, placed.number))
    with fiona.begin() as ctx:
        reject_match(ctx, match_id(ctx), "是另一单的定金")
    bank_says(transactions, (TOTAL - 5000, placed.number), first=2)
    assert seen(transactions) == (
        {placed.number: "pending_payment"},
        [("open", 5000, 0, "match_rejected"), ("open", TOTAL - 5000, 0, "underpaid")],
        [("rejected", 5000, "underpaid"), ("proposed", TOTAL - 5000, "underpaid")],
    )


def test_nor_when_it_is_what_the_order_lacks(transactions, placed, fiona, ada):
    bank_says(transactions, (5000, placed.number))
    with fiona.begin() as ctx:
        reject_match(ctx, match_id(ctx), "是另一单的定金")
    match = entered(fiona, TOTAL - 5000)(placed.number)
    with ada.begin() as ctx:
        approve_match(ctx, match)
    match_receipts(transactions)
    assert seen(transactions)[:2] == (
        {placed.number: "pending_payment"},
        [("open", 5000, 0, "match_rejected"), ("matched", TOTAL - 5000, TOTAL - 5000, "")],
    )


def test_what_was_only_set_aside_is_proposed_again(transactions, placed, fiona):
    bank_says(transactions, (TOTAL + 1, placed.number))
    with fiona.begin() as ctx:
        receipt = receipt_id(ctx, TOTAL + 1)
        set_aside(ctx, receipt, "看错了")
        reopen(ctx, receipt)
    match_receipts(transactions)
    assert seen(transactions)[2] == [
        ("rejected", TOTAL, "overpaid"),
        ("proposed", TOTAL, "overpaid"),
    ]


def test_what_is_approved_is_not_rejected(transactions, placed, fiona):
    bank_says(transactions, (TOTAL, placed.number))
    with transactions.begin() as ctx:
        match = match_id(ctx)
    refused(fiona, "bank_match_approved", reject_match, match, "")


@pytest.mark.parametrize("amount", [TOTAL + 1, 2 * TOTAL])
def test_no_more_than_the_order_lacks(transactions, placed, fiona, amount):
    bank_says(transactions, (3 * TOTAL, "货款"))
    with transactions.begin() as ctx:
        line = receipt_id(ctx, 3 * TOTAL)
    refused(fiona, "match_exceeds", enter_match, line, placed.number, amount, "")


def test_nor_than_the_line_has(transactions, placed, fiona):
    bank_says(transactions, (500, "货款"))
    with transactions.begin() as ctx:
        line = receipt_id(ctx, 500)
    refused(fiona, "match_exceeds", enter_match, line, placed.number, 501, "")
    with fiona.begin() as ctx, pytest.raises(Invalid):
        enter_match(ctx, line, placed.number, 0, "")


def test_twice_is_once(placed, fiona):
    entered(fiona)(placed.number)
    with fiona.begin() as ctx:
        line = receipt_id(ctx, TOTAL)
    refused(fiona, "match_exists", enter_match, line, placed.number, None, "")


def test_what_is_not_there(transactions, placed, fiona):
    bank_says(transactions, (500, "货款"))
    with fiona.begin() as ctx:
        with pytest.raises(NotFound):
            enter_match(ctx, new_id(), placed.number, None, "")
        with pytest.raises(NotFound):
            enter_match(ctx, receipt_id(ctx, 500), "26112300000000", None, "")
        with pytest.raises(NotFound):
            approve_match(ctx, new_id())


def test_a_match_that_was_overtaken_is_not_approved(transactions, placed, fiona, ada):
    match = entered(fiona)(placed.number)
    bank_says(transactions, (TOTAL, placed.number), first=2)
    assert seen(transactions)[0] == {placed.number: "paid"}
    refused(ada, "bank_match_rejected", approve_match, match)


# Aside


def aside(transactions):
    with transactions.begin() as ctx:
        return ctx.session.execute(select(BankReceipt.state, BankReceipt.set_aside_reason)).one()


def test_a_person_explains_a_line(transactions, fiona):
    bank_says(transactions, (500, "利息"))
    with fiona.begin() as ctx:
        set_aside(ctx, receipt_id(ctx, 500), "活期利息")
    assert aside(transactions) == ("set_aside", "活期利息")
    match_receipts(transactions)
    assert aside(transactions) == ("set_aside", "活期利息")
    with fiona.begin() as ctx:
        reopen(ctx, receipt_id(ctx, 500))
    assert aside(transactions) == ("open", None)


def test_not_while_a_match_waits(transactions, placed, fiona):
    entered(fiona)(placed.number)
    with fiona.begin() as ctx:
        line = receipt_id(ctx, TOTAL)
    refused(fiona, "match_waiting", set_aside, line, "利息")


def test_not_without_a_reason(transactions, fiona):
    bank_says(transactions, (500, "利息"))
    with fiona.begin() as ctx, pytest.raises(Invalid):
        set_aside(ctx, receipt_id(ctx, 500), " ")


def test_what_is_matched_stays_matched(transactions, placed, fiona):
    bank_says(transactions, (TOTAL, placed.number))
    with fiona.begin() as ctx:
        line = receipt_id(ctx, TOTAL)
    refused(fiona, "bank_receipt_matched", set_aside, line, "利息")


@pytest.mark.parametrize(("fen", "expected"), [(900, "set_aside"), (901, "open")])
def test_a_payout_of_the_provider_is_set_aside(transactions, fen, expected):
    with transactions.begin() as ctx:
        ctx.session.orm.add(
            ProviderTransaction(
                id=new_id(),
                reference="txn_1",
                kind="payout",
                amount_fen=-900,
                fee_fen=0,
                net_fen=-900,
                currency="CNY",
                source="po_1A2b",
                intent_reference=None,
                day=date(2026, 11, 22),
                at=NOW - timedelta(days=1),
                fetched_at=NOW,
            )
        )
    bank_says(transactions, (fen, "STRIPE PO 1A2B"), (7, "STRIPE PO 1A2B"))
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(BankReceipt.state).where(BankReceipt.amount_fen == fen)
        ).scalar_one()
    assert found == expected


# Refunds by transfer


@pytest.fixture
def refund(transactions, placed, fiona):
    with transactions.begin() as ctx:
        record_receipt(
            ctx,
            placed.id,
            method=PaymentMethod.BANK_TRANSFER,
            amount_fen=TOTAL,
            received_at=ctx.now,
            reference="bank-1",
        )
    with fiona.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=500), "包装破损")
    return f"{placed.number}R1"


def refund_state(transactions):
    with transactions.begin() as ctx:
        assert prove(ctx).proved
        return str(ctx.session.execute(select(Refund.state)).scalar_one())


def test_a_refund_ends_with_its_line(transactions, refund, fiona):
    with fiona.begin() as ctx:
        mark_sent(ctx, refund)
    assert refund_state(transactions) == "sent"
    bank_says(transactions, (-500, f"退款 {refund}"))
    assert refund_state(transactions) == "succeeded"
    with transactions.begin() as ctx:
        assert balances(ctx, ("bank", "suspense", "refunds_in_flight")) == {
            "bank": TOTAL - 500,
            "suspense": 0,
            "refunds_in_flight": 0,
        }
        assert receipts(ctx)[0] == ("matched", -500, 0, "")


@pytest.mark.parametrize("fen", [-499, -501])
def test_a_line_with_another_amount_does_not_end_it(transactions, refund, fen):
    bank_says(transactions, (fen, f"退款 {refund}"))
    assert refund_state(transactions) == "requested"
    with transactions.begin() as ctx:
        assert receipts(ctx)[0] == ("open", fen, 0, "no_refund")


def test_the_same_line_ends_one_refund_only(transactions, refund):
    bank_says(transactions, (-500, f"退款 {refund}"))
    bank_says(transactions, (-500, f"退款 {refund}"), first=2)
    with transactions.begin() as ctx:
        assert [row[0] for row in receipts(ctx)] == ["matched", "open", "matched"]


def test_only_refunds_by_transfer_are_sent_by_hand(transactions, refund, fiona):
    bank_says(transactions, (-500, f"退款 {refund}"))
    refused(fiona, "refund_succeeded", mark_sent, refund)
    with fiona.begin() as ctx, pytest.raises(NotFound):
        mark_sent(ctx, f"{refund}9")


def test_a_person_cannot_pay_an_order_with_money_that_left(transactions, placed, fiona):
    bank_says(transactions, (-500, "手续费"))
    with fiona.begin() as ctx:
        line = receipt_id(ctx, -500)
    refused(fiona, "receipt_outgoing", enter_match, line, placed.number, None, "")


def test_an_order_on_credit_is_settled_too(transactions):
    from models.orders import PaymentTerms

    wish = replace(FOR_UNIT, payment_terms=PaymentTerms.PAY_AFTER_DELIVERY)
    placed = unit_order(transactions, wish)
    bank_says(transactions, (TOTAL, placed.number))
    assert seen(transactions)[0] == {placed.number: "paid"}


def test_who_matched_is_on_the_timeline(transactions, placed):
    from models.orders import OrderEvent

    bank_says(transactions, (TOTAL, placed.number))
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(OrderEvent.event, OrderEvent.why).where(OrderEvent.subject == "bank_match")
        ).all()
        payment = ctx.session.execute(select(BankMatch.payment_id)).scalar_one()
    assert found == [("approve", "number_and_amount")]
    assert payment is not None
