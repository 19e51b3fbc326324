"""Whatever is done to a few orders, one thing after another: the books of the shop agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from models.fulfilment import Parcel
from models.inventory import MovementCause
from models.orders import Consignment, Order, OrderLine, OrderState, PaymentTerms
from models.payments import PaymentMethod
from shop.context import Ctx
from shop.errors import ShopError
from shop.fulfilment.commands import ShipParcel, ship_parcel
from shop.fulfilment.label_commands import correct_label
from shop.inventory.commands import BY_HAND, adjust
from shop.orders.access import locked_order
from shop.orders.commands import confirm_receipt, place_order
from shop.orders.payment_commands import close_order, reopen_order
from shop.payments import pieces
from shop.payments.receipts import record_receipt
from shop.payments.refund_rules import LineWish, RefundWish
from shop.payments.refunds import request_refund, retry_refund
from tests import refund_factories as fact
from tests.bank_factories import FOR_UNIT
from tests.conftest import acting

GOODS = ("P01-1", "P02-1", "P06-1", "P07-1", "P09-1", "P12-1")
FEW = 4
"""Orders at a time: few enough that much happens to each."""

DISAGREE = {
    "what is reserved is what open orders have still to send": """
        SELECT s.sku_id FROM stock s LEFT JOIN (
            SELECT l.sku_id, sum(l.quantity - l.shipped_quantity - l.withdrawn) AS pieces
            FROM order_line l JOIN customer_order o ON o.id = l.order_id
            WHERE o.state IN ('pending_payment', 'paid') GROUP BY 1
        ) open USING (sku_id) WHERE s.reserved <> coalesce(open.pieces, 0)""",
    "the movements of a SKU sum to its stock": """
        SELECT s.sku_id FROM stock s JOIN (
            SELECT sku_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
            FROM stock_movement GROUP BY 1
        ) m USING (sku_id) WHERE (s.on_hand, s.reserved) <> (m.on_hand, m.reserved)""",
    "what has left lies in parcels": """
        SELECT l.id FROM order_line l LEFT JOIN (
            SELECT order_line_id, sum(quantity) AS pieces FROM parcel_line GROUP BY 1
        ) p ON p.order_line_id = l.id WHERE coalesce(p.pieces, 0) <> l.shipped_quantity""",
    "a consignment stands where its lines say": """
        SELECT c.number FROM consignment c JOIN customer_order o ON o.id = c.order_id JOIN (
            SELECT consignment_id, sum(quantity) AS ordered, sum(shipped_quantity) AS sent,
                sum(withdrawn) AS gone FROM order_line GROUP BY 1
        ) l ON l.consignment_id = c.id WHERE NOT CASE c.state
            WHEN 'pending_payment' THEN o.state = 'pending_payment' AND sent + gone = 0
            WHEN 'pending_shipment' THEN sent = 0 AND gone < ordered AND (
                o.state = 'paid'
                OR o.state = 'pending_payment' AND o.payment_terms = 'pay_after_delivery')
            WHEN 'partially_shipped' THEN sent > 0 AND sent + gone < ordered
            WHEN 'cancelled' THEN sent = 0 AND (o.state = 'cancelled' OR gone = ordered)
            ELSE sent > 0 AND sent + gone = ordered END""",
    "it has the times of where it stands": """
        SELECT number FROM consignment WHERE
            (state IN ('shipped', 'completed')) <> (shipped_at IS NOT NULL)
            OR (state = 'completed') <> (completed_at IS NOT NULL)""",
    "lines know what refunds claim of them": """
        SELECT l.id FROM order_line l LEFT JOIN (
            SELECT rl.order_line_id,
                sum(rl.goods_fen) FILTER (WHERE r.state <> 'failed') AS goods,
                sum(rl.freight_fen) FILTER (WHERE r.state <> 'failed') AS freight,
                sum(rl.withdrawn) AS withdrawn, sum(rl.returned) AS returned
            FROM refund_line rl JOIN refund r ON r.id = rl.refund_id GROUP BY 1
        ) c ON c.order_line_id = l.id
        WHERE (l.back_goods_fen, l.back_freight_fen, l.withdrawn, l.returned) <>
            (coalesce(goods, 0), coalesce(freight, 0),
             coalesce(c.withdrawn, 0), coalesce(c.returned, 0))""",
    "payments know what of them goes back": """
        SELECT p.id FROM payment p LEFT JOIN (
            SELECT payment_id,
                sum(amount_fen) FILTER (WHERE state IN ('requested', 'sent')) AS under_way,
                sum(amount_fen) FILTER (WHERE state = 'succeeded') AS done
            FROM refund GROUP BY 1
        ) r ON r.payment_id = p.id
        WHERE (p.refunding_fen, p.refunded_fen) <> (coalesce(under_way, 0), coalesce(done, 0))""",
    "the aid record is what was paid less what went back": """
        SELECT o.number FROM customer_order o LEFT JOIN (
            SELECT order_id, sum(goods_fen) AS goods, sum(freight_fen) AS freight
            FROM aid_entry GROUP BY 1
        ) a ON a.order_id = o.id LEFT JOIN (
            SELECT order_id, sum(goods_fen) AS goods, sum(freight_fen) AS freight
            FROM refund WHERE state = 'succeeded' GROUP BY 1
        ) r ON r.order_id = o.id
        WHERE (coalesce(a.goods, 0), coalesce(a.freight, 0)) <> (
            CASE WHEN o.state = 'paid'
                THEN o.goods_fen - o.discount_fen - coalesce(r.goods, 0) ELSE 0 END,
            CASE WHEN o.state = 'paid' THEN o.freight_fen - coalesce(r.freight, 0) ELSE 0 END)""",
    "its pieces are between none and all that were bought": """
        SELECT l.id FROM order_line l JOIN (
            SELECT order_line_id, sum(quantity) AS pieces FROM aid_entry GROUP BY 1
        ) a ON a.order_line_id = l.id WHERE a.pieces NOT BETWEEN 0 AND l.quantity""",
    "every journal entry sums to nothing": """
        SELECT entry_id FROM posting GROUP BY 1 HAVING sum(amount_fen) <> 0""",
}
"""What must hold -> the rows for which it does not."""


class Days:
    """A shop in which something happens, chosen by a seed."""

    def __init__(self, ctx: Ctx, seed: int) -> None:
        self.ctx, self.chance = ctx, Random(seed)
        self.orders: list[UUID] = []
        self.refunds: list[UUID] = []
        self.told: list[str] = []

    def go_on(self) -> None:
        """One thing happens, or is refused and leaves nothing behind."""
        self.ctx.now += timedelta(minutes=self.chance.randint(0, 90))
        move = self.chance.choice(OFTEN) if len(self.orders) == FEW else Days.place
        known = len(self.refunds)
        self.ctx.session.execute(text("SAVEPOINT before"))
        try:
            move(self)
        except ShopError as error:
            self.ctx.session.execute(text("ROLLBACK TO SAVEPOINT before"))
            del self.refunds[known:]
            self.told.append(f"{move.__name__}: {error.error_code}")
        else:
            self.told.append(move.__name__)

    def order(self) -> Any:
        """One of the orders, as it stands."""
        wanted = self.chance.choice(self.orders)
        return self.ctx.session.execute(select(Order.__table__).where(Order.id == wanted)).one()

    def rows(self, table: Any, order: Any) -> list[Any]:
        """The consignments or lines of an order, in their order."""
        found = select(table.__table__).where(table.order_id == order.id).order_by(table.id)
        return list(self.ctx.session.execute(found))

    def seller(self, part: Any) -> Ctx:
        """Whoever ships this consignment."""
        bob = acting(self.ctx, "bob")
        mine = frozenset({part.cooperative_id})
        return replace(bob, actor=replace(bob.actor, cooperative_ids=mine))

    def place(self) -> None:
        lines = [
            (self.chance.choice(GOODS), self.chance.randint(1, 5))
            for _ in range(self.chance.randint(1, 4))
        ]
        terms = self.chance.choice(list(PaymentTerms))
        wish = replace(FOR_UNIT, lines=tuple(lines), payment_terms=terms, no_return_confirmed=True)
        self.orders.append(place_order(acting(self.ctx, "uma"), wish).id)

    def pay(self) -> None:
        order = self.order()
        if order.state is OrderState.PENDING_PAYMENT:
            record_receipt(
                self.ctx,
                order.id,
                method=self.chance.choice([PaymentMethod.STRIPE, PaymentMethod.BANK_TRANSFER]),
                amount_fen=order.total_fen,
                received_at=self.ctx.now,
                reference=f"r{self.chance.random()}",
            )

    def close(self) -> None:
        close_order(self.ctx, self.order().id, self.chance.choice(["cancel", "expire"]), "")

    def reopen(self) -> None:
        order = locked_order(self.ctx, self.order().id)
        if order.state is OrderState.CANCELLED:
            reopen_order(self.ctx, order)

    def ship(self) -> None:
        order = self.order()
        part = self.chance.choice(self.rows(Consignment, order))
        lines = [one for one in self.rows(OrderLine, order) if one.consignment_id == part.id]
        some = self.chance.sample(lines, self.chance.randint(1, len(lines)))
        wanted = tuple((line.id, self.chance.randint(1, line.quantity)) for line in some)
        label = f"EM{self.chance.randint(1000, 9999)}"
        parcel = ShipParcel("ems", label, self.chance.choice([None, wanted]))
        ship_parcel(self.seller(part), part.number, parcel)

    def correct(self) -> None:
        part = self.chance.choice(self.rows(Consignment, self.order()))
        found = select(Parcel.id).where(Parcel.consignment_id == part.id).order_by(Parcel.id)
        parcels = list(self.ctx.session.execute(found).scalars())
        if parcels:
            label = f"EM{self.chance.randint(1000, 1003)}"
            parcel = self.chance.choice(parcels)
            correct_label(self.seller(part), part.number, parcel, "ems", label, "录错")

    def refund(self) -> None:
        order = self.order()
        lines = self.rows(OrderLine, order)
        some = tuple(
            LineWish(
                line.id,
                self.chance.choice([None, 1, 2, line.quantity]),
                self.chance.choice([None, None, 0, 100, line.goods_fen]),
            )
            for line in self.chance.sample(lines, self.chance.randint(1, len(lines)))
        )
        amount = self.chance.choice([1, 500, 5_000, order.total_fen])
        wish = self.chance.choice(
            [RefundWish(), RefundWish(amount_fen=amount), *[RefundWish(lines=some)] * 4]
        )
        yes_or_no = [True, False]
        wish = replace(
            wish,
            freight=self.chance.choice(yes_or_no),
            goods_returned=self.chance.choice(yes_or_no),
        )
        self.refunds.append(request_refund(self.ctx, order.id, wish, "包装破损"))

    def end(self) -> None:
        if self.refunds:
            fact.end(self.ctx, self.chance.choice(self.refunds), self.chance.choice(["", "lost"]))

    def retry(self) -> None:
        if self.refunds:
            self.refunds.append(retry_refund(self.ctx, self.chance.choice(self.refunds)))

    def count(self) -> None:
        sku = self.ctx.session.execute(
            text("SELECT id FROM sku WHERE code = :code"), {"code": self.chance.choice(GOODS)}
        ).scalar_one()
        cause: MovementCause = self.chance.choice(sorted(BY_HAND))
        adjust(self.ctx, sku, self.chance.randint(-40, 40), cause, "盘点")

    def confirm(self) -> None:
        confirm_receipt(self.ctx, self.order().id)


OFTEN = [
    *[Days.pay] * 3,
    *[Days.ship] * 6,
    *[Days.refund] * 5,
    *[Days.end] * 4,
    *[Days.retry] * 2,
    Days.confirm,
    Days.close,
    Days.reopen,
    Days.correct,
    Days.count,
]


def walk(ctx: Ctx, seed: int) -> Days:
    """Sixty steps, and after each a look at all the books."""
    days = Days(ctx, seed)
    for _ in range(60):
        days.go_on()
        for what, faulty in DISAGREE.items():
            assert ctx.session.execute(text(faulty)).all() == [], (what, days.told)
    return days


def walks(ctx: Ctx) -> list[Days]:
    return [walk(ctx, seed) for seed in range(6)]


@pytest.mark.parametrize("seed", range(6))
def test_the_books_agree_after_every_step(ctx: Ctx, seed: int) -> None:
    days = walk(ctx, seed)
    assert sum(":" not in told for told in days.told) > 15


def test_every_step_is_taken(ctx: Ctx) -> None:
    taken = {told for days in walks(ctx) for told in days.told}
    assert {"place", *(move.__name__ for move in OFTEN)} <= taken


def test_control_goods_that_are_not_freed_are_noticed(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "release", lambda *_: None)
    with pytest.raises(AssertionError, match="what is reserved is what open orders"):
        walks(ctx)
