"""Hands in the database: each row that is made to say something else is found by the proof."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from shop.context import Transactions
from shop.payments.proof import prove
from shop.payments.refund_rules import RefundWish
from shop.payments.refund_sending import carry
from shop.payments.refunds import request_refund
from shop.payments.sync import sync_payment
from tests.bank_factories import TOTAL, bank_says, unit_order

LIES: dict[str, set[str]] = {
    "UPDATE payment SET captured_fen = captured_fen + 1 WHERE method = 'stripe'": {
        *("payments_captured", "aid_entries", "provider_clearing"),
    },
    "UPDATE payment SET refunded_fen = refunded_fen + 1 WHERE method = 'bank_transfer'": {
        *("payments_refunded", "refunds_of_payments", "suspense"),
    },
    "UPDATE payment SET state = 'needs_refund' WHERE method = 'stripe'": {
        *("cooperative_payable", "aid_entries", "suspense"),
    },
    "UPDATE refund SET amount_fen = refund.amount_fen + CASE method WHEN 'stripe' THEN 1 ELSE -1 END,"
    " goods_fen = refund.goods_fen + CASE method WHEN 'stripe' THEN 1 ELSE -1 END FROM payment"
    " WHERE payment.id = payment_id AND refund.state = 'requested'": {"refunds_of_payments"},
    "UPDATE refund SET state = 'failed' WHERE state = 'succeeded'": {
        *("refunds_of_payments", "lines_claimed", "aid_entries"),
    },
    "UPDATE refund SET reference = 'bank x' WHERE state = 'succeeded'": {
        *("provider_clearing", "suspense"),
    },
    "UPDATE refund_line SET goods_fen = goods_fen + 1": {"lines_claimed"},
    "DELETE FROM refund_line": {"lines_claimed"},
    "UPDATE order_line SET back_goods_fen = back_goods_fen + 1 WHERE position = 1": {
        *("lines_claimed", "cooperative_payable"),
    },
    "UPDATE dispute SET state = 'won'": {"disputes_of_payments", "lines_claimed", "aid_entries"},
    "UPDATE dispute SET withheld_fen = withheld_fen - 1": {"disputes_of_payments", "suspense"},
    "UPDATE dispute_line SET goods_fen = goods_fen + 1": {
        *("lines_claimed", "aid_entries", "suspense"),
    },
    "UPDATE bank_receipt SET amount_fen = amount_fen + CASE WHEN remark = '利息' THEN 1 ELSE -1 END,"
    " matched_fen = greatest(matched_fen - 1, 0)": {"bank_lines", "bank_matched"},
    "UPDATE bank_receipt SET matched_fen = 0, state = 'open'": {"bank_matched"},
    "UPDATE bank_match SET state = 'rejected'": {"bank_matched"},
    "UPDATE consignment SET cooperative_id = (SELECT id FROM cooperative WHERE code = 'C03')": {
        "cooperative_payable"
    },
    "DELETE FROM posting WHERE account = 'bank'": {
        *("entries_balanced", "ledger_sums_to_zero", "bank_lines", "bank"),
    },
    "UPDATE journal_entry SET subject_id = gen_random_uuid() WHERE subject = 'bank_receipt'": {
        "bank_lines"
    },
}


@pytest.fixture
def lived(transactions, provider, reference, placed) -> Transactions:
    """An order with a refund that arrived, one under way and a lost dispute; one by transfer."""
    provider.pay(reference)
    sync_payment(transactions, reference)
    with transactions.begin() as ctx:
        arrived = request_refund(ctx, placed.id, RefundWish(amount_fen=500), "破损")
    carry(transactions, arrived)
    number = provider.dispute(reference, 4_000)
    sync_payment(transactions, reference, aftermath=True)
    provider.close_dispute(number, "lost")
    sync_payment(transactions, reference, aftermath=True)
    other = unit_order(transactions)
    bank_says(transactions, (TOTAL, other.number), (700, "利息"))
    with transactions.begin() as ctx:
        for order in (placed, other):
            request_refund(ctx, order.id, RefundWish(amount_fen=300), "破损")
    return transactions


def found(transactions: Transactions, lie: str) -> set[str]:
    """The checks that fail once the lie is told; nothing of it stays."""
    with transactions.begin() as ctx:
        # As a superuser may: without the triggers that refuse it.
        ctx.session.execute(text("SET LOCAL session_replication_role = replica"))
        ctx.session.execute(text("SAVEPOINT before"))
        assert not lie or ctx.session.execute(text(lie)).rowcount > 0
        told = {check.name for check in prove(ctx).checks if not check.proved}
        ctx.session.execute(text("ROLLBACK TO SAVEPOINT before"))
        return told


def test_each_lie_is_found_where_it_was_told(lived):
    """One fixture for all: what is told is taken back each time."""
    assert found(lived, "") == set()
    assert {lie: found(lived, lie) for lie in LIES} == LIES
