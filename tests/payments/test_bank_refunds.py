"""Refunds that the bank sent back, did not carry out, or paid in the provider's place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from models.refunds import Refund
from models.system import AuditEntry
from shop.context import Transactions
from shop.errors import Conflict, Invalid, NotFound
from shop.payments import open_items
from shop.payments.bank_aside import mark_sent
from shop.payments.bank_desk import refunds_to_pay
from shop.payments.bank_refunds import enter_refund, fail_sent
from shop.payments.bank_review import approve_match, reject_match
from shop.payments.proof import prove
from shop.payments.reconcile import reconcile_provider
from shop.payments.refund_queries import refund_counts, refund_on_desk
from shop.payments.refund_rules import RefundWish
from shop.payments.refund_sending import carry
from shop.payments.refunds import request_refund, retry_refund
from shop.payments.sync import sync_payment
from tests.bank_factories import TOTAL, bank_says, match_id, receipt_id, receipts, unit_order
from tests.conftest import actor_of
from tests.jobs import waiting
from tests.payments.books import balances, books

PAYABLE = ("cooperative_payable:C01", "cooperative_payable:C02")


@pytest.fixture
def fiona(transactions) -> Transactions:
    return transactions.acting(actor_of(transactions, "fiona"))


@pytest.fixture
def ada(transactions) -> Transactions:
    return transactions.acting(actor_of(transactions, "ada"))


@pytest.fixture
def by_transfer(transactions, fiona) -> str:
    """The number of a refund of 5.00 of an order that was paid by transfer."""
    placed = unit_order(transactions)
    bank_says(transactions, (TOTAL, placed.number, "和平小学"))
    with fiona.begin() as ctx:
        request_refund(ctx, placed.id, RefundWish(amount_fen=500), "包装破损")
    return f"{placed.number}R1"


@pytest.fixture
def failed(transactions, provider, reference, placed) -> str:
    """The number of a refund of 5.00 that failed at the provider."""
    provider.pay(reference)
    sync_payment(transactions, reference)
    ask(transactions, provider, placed.id, "failed")
    return f"{placed.number}R1"


def ask(transactions: Transactions, provider: Any, order: UUID, outcome: str) -> None:
    provider.refund_outcome = outcome
    with transactions.begin() as ctx:
        refund = request_refund(ctx, order, RefundWish(amount_fen=500), "包装破损")
    carry(transactions, refund)


def line(transactions: Transactions, fen: int, remark: str = "", first: int = 50) -> UUID:
    bank_says(transactions, (fen, remark), first=first)
    with transactions.begin() as ctx:
        return receipt_id(ctx, fen)


def entered(by: Transactions, receipt: UUID, number: str) -> UUID:
    with by.begin() as ctx:
        enter_refund(ctx, receipt, number, "银行来电")
        return match_id(ctx)


def approved(by: Transactions, match: UUID) -> None:
    with by.begin() as ctx:
        assert approve_match(ctx, match) is None


def refused(by: Transactions, call: Any, *arguments: Any) -> str:
    with pytest.raises((Conflict, Invalid, NotFound)) as refusal, by.begin() as ctx:
        call(ctx, *arguments)
    return str(refusal.value.error_code)


def stands(transactions: Transactions) -> tuple[list[tuple[str, str, str]], tuple[int, int]]:
    """(number's end, state, way) of every refund, and what is stuck; the books are proved."""
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []
        numbers = ctx.session.execute(select(Refund.number).order_by(Refund.id)).scalars().all()
        rows = [refund_on_desk(ctx, number) for number in numbers]
        shown = [(row["number"][14:], str(row["state"]), str(row["method"])) for row in rows]
        return shown, refund_counts(ctx)["stuck"]


def test_one_that_the_bank_sent_back_is_owed_again(transactions, by_transfer, fiona, ada):
    bank_says(transactions, (-500, by_transfer), first=2)
    before = balances(transactions)
    assert stands(transactions) == ([("R1", "succeeded", "bank_transfer")], (0, 0))
    back = line(transactions, 500, "退汇 账号已注销")
    match = entered(fiona, back, by_transfer)
    assert refused(fiona, approve_match, match) == "second_person_needed"
    assert stands(transactions)[0] == [("R1", "succeeded", "bank_transfer")]
    approved(ada, match)
    assert stands(transactions) == ([("R1", "failed", "bank_transfer")], (1, 500))
    found = balances(transactions)
    assert (found["bank"], sum(found[one] for one in PAYABLE)) == (TOTAL, -TOTAL)
    assert "suspense" not in found
    assert books(transactions)["aid"] == 12_880
    with transactions.begin() as ctx:
        assert ("matched", 500, 500, "") in receipts(ctx)
        refund = ctx.session.execute(select(Refund)).scalars().one()
        assert refund.failure_code == "returned_by_bank"
        retry_refund(ctx, refund.id)
    with fiona.begin() as ctx:
        assert [row["payer_name"] for row in refunds_to_pay(ctx)] == ["和平小学"]
    bank_says(transactions, (-500, f"{by_transfer[:-1]}2"), first=60)
    assert stands(transactions) == (
        [("R1", "failed", "bank_transfer"), ("R2", "succeeded", "bank_transfer")],
        (0, 0),
    )
    assert balances(transactions) == before


def test_one_that_failed_is_paid_by_the_bank(
    transactions, provider, reference, failed, fiona, ada, time
):
    out = line(transactions, -500, "转账退款")
    approved(ada, entered(fiona, out, failed))
    paid = ([("R1", "failed", "stripe"), ("R2", "succeeded", "bank_transfer")], (0, 0))
    assert stands(transactions) == paid
    found = balances(transactions)
    assert (found["provider_clearing"], found["bank"]) == (TOTAL, -500)
    assert sum(found[one] for one in PAYABLE) == 500 - TOTAL
    assert not {"suspense", "refunds_in_flight"} & found.keys()
    kept = books(transactions)
    assert (kept["payments"], kept["aid"]) == ([("succeeded", TOTAL, 0, 500, 0)], 12_380)
    sent = [one for one in waiting(transactions) if one[0] == "payments.send_refund"]
    time.forward(hours=30)
    assert (len(sent), open_items.settle_refunds(transactions)) == (1, 0), "not sent once more"
    sync_payment(transactions, reference, aftermath=True)
    with transactions.begin() as ctx:
        day = ctx.session.execute(text("SELECT min(day) FROM journal_entry")).scalar_one()
    reconcile_provider(transactions, day)
    found = books(transactions)
    assert (found["refunds"], found["differences"]) == (kept["refunds"], [])


def test_what_the_bank_paid_so_may_come_back_too(transactions, provider, failed, fiona, ada):
    approved(ada, entered(fiona, line(transactions, -500, "转账退款"), failed))
    back = line(transactions, 500, "退汇", first=70)
    approved(ada, entered(fiona, back, f"{failed[:-1]}2"))
    assert stands(transactions) == (
        [("R1", "failed", "stripe"), ("R2", "failed", "bank_transfer")],
        (1, 500),
    )
    found = balances(transactions)
    assert (found["provider_clearing"], sum(found[one] for one in PAYABLE)) == (TOTAL, -TOTAL)
    assert not {"bank", "suspense", "refunds_in_flight"} & found.keys()
    assert books(transactions)["aid"] == 12_880


def test_what_a_line_cannot_say_of_a_refund(transactions, provider, failed, placed, fiona):
    out, back = line(transactions, -500, "转账"), line(transactions, 500, "退汇", first=70)
    other = line(transactions, -499, "转账", first=80)
    before = books(transactions)
    assert refused(fiona, enter_refund, out, failed, " ") == "invalid"
    assert refused(fiona, enter_refund, out, f"{failed}9", "退") == "not_found"
    assert refused(fiona, enter_refund, other, failed, "退") == "refund_amount"
    assert refused(fiona, enter_refund, back, failed, "退") == "refund_failed"
    ask(transactions, provider, placed.id, "succeeded")
    second = f"{failed[:-1]}2"
    assert refused(fiona, enter_refund, back, second, "退") == "refund_not_by_transfer"
    assert refused(fiona, enter_refund, out, second, "退") == "refund_succeeded"
    entered(fiona, out, failed)
    assert refused(fiona, enter_refund, out, failed, "退") == "match_exists"
    assert stands(transactions)[0] == [("R1", "failed", "stripe"), ("R2", "succeeded", "stripe")]
    assert books(transactions)["payments"] == [("succeeded", TOTAL, 0, 500, 0)]
    assert before["payments"] == [("succeeded", TOTAL, 0, 0, 0)]


def test_what_changed_before_the_second_person_came(transactions, provider, failed, fiona, ada):
    """Somebody has tried it again meanwhile: its money is on its way already."""
    match = entered(fiona, line(transactions, -500, "转账"), failed)
    provider.refund_outcome = "succeeded"
    with transactions.begin() as ctx:
        first = ctx.session.execute(select(Refund.id)).scalar_one()
        again = retry_refund(ctx, first)
    carry(transactions, again)
    before = books(transactions), balances(transactions)
    assert refused(ada, approve_match, match) == "refund_retried"
    assert (books(transactions), balances(transactions)) == before
    with ada.begin() as ctx:
        reject_match(ctx, match, "已从渠道退回")
    with transactions.begin() as ctx:
        assert ("open", -500, 0, "no_refund") in receipts(ctx)


def test_a_disputed_payment_is_not_paid_back_by_the_bank_either(
    transactions, provider, reference, failed, fiona, ada
):
    out = line(transactions, -500, "转账")
    match = entered(fiona, out, failed)
    provider.dispute(reference)
    sync_payment(transactions, reference, aftermath=True)
    assert refused(ada, approve_match, match) == "payment_disputed"


def test_one_that_the_bank_did_not_carry_out(transactions, by_transfer, fiona):
    assert refused(fiona, fail_sent, by_transfer, "户名不符") == "refund_requested"
    with fiona.begin() as ctx:
        mark_sent(ctx, by_transfer)
    assert refused(fiona, fail_sent, by_transfer, "") == "invalid"
    assert refused(fiona, fail_sent, f"{by_transfer}9", "户名不符") == "not_found"
    with fiona.begin() as ctx:
        fail_sent(ctx, by_transfer, "户名不符")
    assert stands(transactions) == ([("R1", "failed", "bank_transfer")], (1, 500))
    found = balances(transactions)
    assert (found["bank"], sum(found[one] for one in PAYABLE)) == (TOTAL, -TOTAL)
    assert not {"suspense", "refunds_in_flight"} & found.keys()
    assert refused(fiona, fail_sent, by_transfer, "户名不符") == "refund_failed"
    with transactions.begin() as ctx:
        said = select(AuditEntry.subject_id, AuditEntry.reason).where(
            AuditEntry.action == "refund.fail"
        )
        assert ctx.session.execute(said).all() == [(by_transfer, "户名不符")]


def test_money_that_left_after_all_is_put_to_its_refund(transactions, by_transfer, fiona, ada):
    """The bank had said that it would not pay, and did."""
    with fiona.begin() as ctx:
        mark_sent(ctx, by_transfer)
    with fiona.begin() as ctx:
        fail_sent(ctx, by_transfer, "银行来电")
    out = line(transactions, -500, by_transfer)
    approved(ada, entered(fiona, out, by_transfer))
    assert stands(transactions) == (
        [("R1", "failed", "bank_transfer"), ("R2", "succeeded", "bank_transfer")],
        (0, 0),
    )
    assert balances(transactions)["bank"] == TOTAL - 500
