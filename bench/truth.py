"""Speed counts for nothing if the books do not agree: asked in SQL after every round."""

from __future__ import annotations

from sqlalchemy import text

from shop.context import Ctx

QUESTIONS = {
    "stock differs from the sum of its movements": """
        SELECT count(*) FROM stock LEFT JOIN (
            SELECT sku_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
            FROM stock_movement GROUP BY sku_id
        ) AS moved USING (sku_id)
        WHERE stock.on_hand <> coalesce(moved.on_hand, 0)
           OR stock.reserved <> coalesce(moved.reserved, 0)""",
    "more is promised than there is": """
        SELECT count(*) FROM stock WHERE reserved < 0 OR reserved > on_hand""",
    "what is promised differs from the open orders": """
        SELECT count(*) FROM stock LEFT JOIN (
            SELECT sku_id, sum(quantity - shipped_quantity - withdrawn) AS reserved
            FROM order_line JOIN consignment ON consignment.id = consignment_id
            WHERE state <> 'cancelled' GROUP BY sku_id
        ) AS sold USING (sku_id)
        WHERE stock.reserved <> coalesce(sold.reserved, 0)""",
    "an order's total differs from its consignments or lines": """
        SELECT count(*) FROM customer_order AS one
        WHERE total_fen <> (SELECT sum(total_fen) FROM consignment WHERE order_id = one.id)
           OR total_fen <> (SELECT sum(goods_fen - discount_fen + freight_fen)
                            FROM order_line WHERE order_id = one.id)""",
    "a paid order has not exactly one payment of its total": """
        SELECT count(*) FROM customer_order AS one
        WHERE state = 'paid' AND total_fen IS DISTINCT FROM (
            SELECT sum(captured_fen) FROM payment
            WHERE order_id = one.id AND state = 'succeeded')""",
    "money of an order that is not paid is neither back nor on its way back": """
        SELECT count(*) FROM payment JOIN customer_order AS one ON one.id = order_id
        WHERE one.state <> 'paid'
          AND captured_fen > refunded_fen + refunding_fen + disputed_fen""",
    "the money that settles orders differs from the sum of the paid orders": """
        SELECT abs(
            coalesce((SELECT sum(captured_fen) FROM payment WHERE state = 'succeeded'), 0)
          - coalesce((SELECT sum(total_fen) FROM customer_order WHERE state = 'paid'), 0))""",
    "a line of a paid order has not exactly its one aid entry": """
        SELECT count(*) FROM order_line AS line JOIN customer_order AS one ON one.id = order_id
        WHERE one.state = 'paid' AND 1 <> (
            SELECT count(*) FROM aid_entry AS entry
            WHERE entry.order_line_id = line.id AND entry.kind = 'sale'
              AND entry.goods_fen = line.goods_fen - line.discount_fen
              AND entry.freight_fen = line.freight_fen AND entry.quantity = line.quantity)""",
    "the sales in the aid total differ from the goods of the paid orders": """
        SELECT abs(coalesce((SELECT sum(goods_fen) FROM aid_entry WHERE kind = 'sale'), 0)
                 - coalesce((SELECT sum(goods_fen - discount_fen) FROM customer_order
                             WHERE state = 'paid'), 0))""",
}
"""What must never be, and the SQL that gives 0 as long as it is not."""


def lies(ctx: Ctx) -> list[str]:
    """The questions with a wrong answer, with the answer."""
    found = {
        question: ctx.session.execute(text(sql)).scalar_one() for question, sql in QUESTIONS.items()
    }
    return [f"{question}: {answer}" for question, answer in found.items() if answer]


SOLD = """
    SELECT coalesce(sum(quantity), 0) FROM order_line
    JOIN customer_order ON customer_order.id = order_id
    JOIN sku ON sku.id = sku_id JOIN product ON product.id = product_id
    WHERE slug = :slug AND customer_order.state <> 'cancelled'"""

PAID = "SELECT count(*) FROM customer_order WHERE state = 'paid'"

WRITTEN = """
    SELECT (SELECT sum(xact_commit) FROM pg_stat_database), pg_current_wal_lsn() - '0/0'"""


def sold(ctx: Ctx, slug: str) -> int:
    """Pieces of a product in orders that are not cancelled."""
    return int(ctx.session.execute(text(SOLD), {"slug": slug}).scalar_one())


def paid_orders(ctx: Ctx) -> int:
    """How many there are."""
    return int(ctx.session.execute(text(PAID)).scalar_one())


def written(ctx: Ctx) -> tuple[int, int]:
    """(transactions committed, bytes of write-ahead log) of the server so far."""
    row = ctx.session.execute(text(WRITTEN)).one()
    return int(row[0]), int(row[1])
