"""Proof that the ledger says what payments, refunds, disputes, bank and provider say.

`NOT_PROVED` names what no second source tells; everything else is compared to the fen.
"""

from __future__ import annotations

from collections.abc import Mapping

from shop.context import Ctx
from shop.ledger.proof import Proof
from shop.ledger.proof import prove as prove_ledger

NOT_PROVED: Mapping[str, str] = {
    "platform_fee": "nothing is posted there yet: no fee is agreed with the cooperatives",
}
"""Account -> why the proof does not speak of it."""

OF_PAYMENTS = """
    SELECT payment.id::text AS key, coalesce(said.fen, 0) AS ours, payment.{column} AS expected
    FROM payment LEFT JOIN ({said}) AS said ON said.payment_id = payment.id
    WHERE payment.{column} <> 0 OR said.fen <> 0"""
"""What the postings of a payment say, beside its row."""

CAPTURED = """
    SELECT entry.payment_id, sum(amount_fen) AS fen
    FROM journal_entry AS entry JOIN posting ON entry_id = entry.id
    WHERE subject = 'payment' AND event = 'captured' AND amount_fen > 0
    GROUP BY entry.payment_id"""
REFUNDING = """
    SELECT entry.payment_id, -sum(amount_fen) AS fen
    FROM posting JOIN journal_entry AS entry ON entry.id = entry_id
    WHERE account = 'refunds_in_flight'
    GROUP BY entry.payment_id"""
REFUNDED = """
    SELECT payment_id, sum(CASE WHEN event = 'succeeded' THEN fen WHEN in_flight = 0 THEN -fen END)
        AS fen
    FROM (
        SELECT entry.id, entry.payment_id, event,
            sum(amount_fen) FILTER (WHERE amount_fen > 0) AS fen,
            count(*) FILTER (WHERE account = 'refunds_in_flight') AS in_flight
        FROM journal_entry AS entry JOIN posting ON entry_id = entry.id
        WHERE subject = 'refund' AND event IN ('succeeded', 'failed')
        GROUP BY entry.id
    ) AS ended GROUP BY payment_id"""
DISPUTED = """
    SELECT entry.payment_id, -sum(amount_fen) AS fen
    FROM journal_entry AS entry JOIN posting ON entry_id = entry.id
    WHERE subject = 'dispute' AND account = 'provider_clearing'
    GROUP BY entry.payment_id"""

LOST = """
    SELECT dispute.id, dispute.order_id, dispute.payment_id, dispute.withheld_fen,
        coalesce(sum(line.goods_fen + line.freight_fen), 0) AS covered_fen
    FROM dispute LEFT JOIN dispute_line AS line ON line.dispute_id = dispute.id
    WHERE dispute.state = 'lost' GROUP BY dispute.id"""
"""Lost disputes, and how much of each the lines of the order cover."""

OF_ACCOUNT = """
    SELECT '{account}' AS key,
        {sign} coalesce((SELECT sum(amount_fen) FROM posting WHERE account = '{account}'), 0)
            AS ours,
        {terms} AS expected"""


SUM = "coalesce((SELECT sum({what}) FROM {where}), 0)"


def _sum(what: str, where: str) -> str:
    return SUM.format(what=what, where=where)


AID = """
    SELECT coalesce(aid.order_id, money.order_id)::text AS key,
        coalesce(aid.fen, 0) AS ours, coalesce(money.fen, 0) AS expected
    FROM (
        SELECT order_id, sum(goods_fen + freight_fen) AS fen FROM aid_entry
        WHERE order_line_id IS NOT NULL GROUP BY order_id
    ) AS aid FULL JOIN (
        SELECT order_id, sum(fen) AS fen FROM (
            SELECT order_id, captured_fen AS fen FROM payment WHERE state = 'succeeded'
            UNION ALL
            SELECT order_id, -(goods_fen + freight_fen) FROM refund WHERE state = 'succeeded'
            UNION ALL
            SELECT order_id, -covered_fen FROM ({lost}) AS lost
        ) AS moved GROUP BY order_id
    ) AS money ON money.order_id = aid.order_id"""
"""By order: what the aid record holds of its lines, beside what was kept of their money."""

LINES_READ = "provider_transaction WHERE currency = 'CNY'"

PAID_BY_BANK = _sum(
    "refund.amount_fen",
    "refund JOIN payment ON payment.id = refund.payment_id WHERE method = 'stripe'"
    " AND refund.state = 'succeeded' AND refund.reference LIKE 'bank %'",
)
"""Refunds that failed at the provider and were paid out by transfer: it has their money still."""

PROVIDER = " + ".join(
    (
        _sum("captured_fen - refunded_fen - disputed_fen", "payment WHERE method = 'stripe'"),
        PAID_BY_BANK,
        _sum("-fee_fen", LINES_READ),
        _sum("amount_fen", f"{LINES_READ} AND kind IN ('payout', 'fee', 'other')"),
    )
)
SUSPENSE = " + ".join(
    (
        _sum("amount_fen", "bank_receipt"),
        # Money that no order may keep lies here until its refund has been asked for.
        _sum("captured_fen", "payment WHERE state = 'needs_refund'"),
        _sum("-captured_fen", "payment WHERE method = 'bank_transfer'"),
        _sum("refunded_fen", "payment WHERE method = 'bank_transfer'"),
        PAID_BY_BANK,
        _sum("goods_fen + freight_fen - amount_fen", "refund WHERE state <> 'failed'"),
        _sum("covered_fen - withheld_fen", f"({LOST}) AS lost"),
        _sum("amount_fen", f"{LINES_READ} AND kind IN ('payout', 'other')"),
    )
)

BESIDE_PAYMENTS = """
    SELECT payment.id || ' {what}' AS key, payment.{column} AS ours,
        coalesce(said.fen, 0) AS expected
    FROM payment LEFT JOIN (
        SELECT payment_id, sum({fen}) AS fen FROM {table} WHERE state IN ({states})
        GROUP BY payment_id
    ) AS said ON said.payment_id = payment.id
    WHERE payment.{column} <> 0 OR said.fen <> 0"""
"""What a payment's row says, beside the refunds or disputes that it is the sum of."""

OF_REFUNDS = " UNION ALL ".join(
    BESIDE_PAYMENTS.format(
        what=what, column=f"{what}_fen", fen="amount_fen", table="refund", states=states
    )
    for what, states in (("refunding", "'requested', 'sent'"), ("refunded", "'succeeded'"))
)
OF_DISPUTES = BESIDE_PAYMENTS.format(
    what="disputed",
    column="disputed_fen",
    fen="withheld_fen",
    table="dispute",
    states="'open', 'lost'",
)
LINES_CLAIMED = """
    SELECT line.id::text AS key, line.back_goods_fen + line.back_freight_fen AS ours,
        coalesce(said.fen, 0) AS expected
    FROM order_line AS line LEFT JOIN (
        SELECT order_line_id, sum(fen) AS fen FROM (
            SELECT order_line_id, part.goods_fen + part.freight_fen AS fen
            FROM refund_line AS part JOIN refund ON refund.id = refund_id
            WHERE refund.state <> 'failed'
            UNION ALL
            SELECT order_line_id, part.goods_fen + part.freight_fen
            FROM dispute_line AS part JOIN dispute ON dispute.id = dispute_id
            WHERE dispute.state = 'lost'
        ) AS claims GROUP BY order_line_id
    ) AS said ON said.order_line_id = line.id
    WHERE line.back_goods_fen + line.back_freight_fen <> 0 OR said.fen <> 0"""
BANK_LINES = """
    SELECT coalesce(receipt.id, posted.id)::text AS key, coalesce(posted.fen, 0) AS ours,
        coalesce(receipt.amount_fen, 0) AS expected
    FROM bank_receipt AS receipt FULL JOIN (
        SELECT subject_id AS id, sum(amount_fen) AS fen
        FROM journal_entry AS entry JOIN posting ON entry_id = entry.id AND account = 'bank'
        WHERE subject = 'bank_receipt' GROUP BY subject_id
    ) AS posted ON posted.id = receipt.id"""
BANK_MATCHED = """
    SELECT receipt.id::text AS key, receipt.matched_fen AS ours, coalesce(said.fen, 0) AS expected
    FROM bank_receipt AS receipt LEFT JOIN (
        SELECT receipt_id, sum(amount_fen) AS fen FROM bank_match WHERE state = 'approved'
        GROUP BY receipt_id
    ) AS said ON said.receipt_id = receipt.id
    WHERE receipt.amount_fen > 0"""

CHECKS: Mapping[str, str] = {
    "payments_captured": OF_PAYMENTS.format(column="captured_fen", said=CAPTURED),
    "payments_refunding": OF_PAYMENTS.format(column="refunding_fen", said=REFUNDING),
    "payments_refunded": OF_PAYMENTS.format(column="refunded_fen", said=REFUNDED),
    "payments_disputed": OF_PAYMENTS.format(column="disputed_fen", said=DISPUTED),
    "refunds_of_payments": OF_REFUNDS,
    "disputes_of_payments": OF_DISPUTES,
    "lines_claimed": LINES_CLAIMED,
    "refunds_in_flight": OF_ACCOUNT.format(
        account="refunds_in_flight",
        sign="-",
        terms=_sum("amount_fen", "refund WHERE state IN ('requested', 'sent')"),
    ),
    "disputes_held": OF_ACCOUNT.format(
        account="disputes_held",
        sign="",
        terms=_sum("withheld_fen", "dispute WHERE state = 'open'"),
    ),
    "cooperative_payable": """
        SELECT key, coalesce(sum(ours), 0) AS ours, coalesce(sum(expected), 0) AS expected
        FROM (
            SELECT party AS key, -sum(amount_fen) AS ours, 0 AS expected
            FROM posting WHERE account = 'cooperative_payable' GROUP BY party
            UNION ALL
            SELECT cooperative.code, 0, sum(
                line.goods_fen - line.discount_fen + line.freight_fen
                - line.back_goods_fen - line.back_freight_fen)
            FROM payment
            JOIN order_line AS line ON line.order_id = payment.order_id
            JOIN consignment ON consignment.id = line.consignment_id
            JOIN cooperative ON cooperative.id = consignment.cooperative_id
            WHERE payment.state = 'succeeded' GROUP BY cooperative.code
        ) AS both_sides GROUP BY key""",
    "aid_entries": AID.format(lost=LOST),
    "bank": OF_ACCOUNT.format(account="bank", sign="", terms=_sum("amount_fen", "bank_receipt")),
    "bank_lines": BANK_LINES,
    "bank_matched": BANK_MATCHED,
    "provider_fees": OF_ACCOUNT.format(
        account="provider_fees",
        sign="",
        terms=_sum("fee_fen", LINES_READ)
        + " + "
        + _sum("-amount_fen", f"{LINES_READ} AND kind = 'fee'"),
    ),
    "provider_clearing": OF_ACCOUNT.format(account="provider_clearing", sign="", terms=PROVIDER),
    "suspense": OF_ACCOUNT.format(account="suspense", sign="-", terms=SUSPENSE),
}
"""Name -> rows, see `shop.ledger.proof`."""


def prove(ctx: Ctx) -> Proof:
    """Add everything up again, from zero."""
    return prove_ledger(ctx, CHECKS)
