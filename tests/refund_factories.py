"""Orders that are paid, what a refund did to them, and how one ends at the provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from models.aid import AidEntry
from models.inventory import Stock, StockMovement
from models.ledger import JournalEntry, Posting
from models.orders import Consignment, Order, OrderLine
from models.payments import Payment, PaymentMethod, PaymentState
from models.refunds import Dispute, DisputeLine, DisputeState, Refund
from shop.context import Ctx
from shop.ids import new_id
from shop.ledger.commands import Cause, post
from shop.ledger.rules import Account, legs
from shop.orders.access import access_token, locked_order
from shop.orders.payment_commands import close_order
from shop.payments import refund_effects, refund_rows
from shop.payments.receipts import record_receipt
from shop.payments.refund_rules import LineWish, RefundWish
from shop.payments.refunds import request_refund
from tests.fulfilment_factories import place

ORDERS, LINES, PAYMENTS = Order.__table__, OrderLine.__table__, Payment.__table__
REFUNDS = Refund.__table__


def bought(ctx: Ctx, *lines: tuple[str, int], method: PaymentMethod = PaymentMethod.STRIPE) -> UUID:
    """A paid order: by default 3 tea of C01 for 144.00, 2 walnuts of C02 for 65.60, freight 14.00."""
    number = place(ctx, *lines)
    order = ctx.session.execute(
        select(ORDERS.c.id, ORDERS.c.total_fen).where(ORDERS.c.number == number)
    ).one()
    record_receipt(
        ctx,
        order.id,
        method=method,
        amount_fen=order.total_fen,
        received_at=ctx.now,
        reference=f"cs_{number}",
    )
    return order.id


def of(ctx: Ctx, order_id: UUID, place: int, pieces: int | None = None, fen: int | None = None):
    """A wish for a line, by its place in the order from 1."""
    return LineWish(lines_of(ctx, order_id)[place - 1].id, pieces, fen)


def ask(ctx: Ctx, order_id: UUID, *lines: LineWish, **wish: Any) -> UUID:
    """A refund that a person asks for."""
    return request_refund(ctx, order_id, RefundWish(lines=lines, **wish), "包装破损")


def end(ctx: Ctx, refund_id: UUID, failure: str = "") -> bool:
    """The provider's last word: the money is with the buyer, or the code of why not."""
    order_id = ctx.session.execute(
        select(REFUNDS.c.order_id).where(REFUNDS.c.id == refund_id)
    ).scalar_one()
    locked_order(ctx, order_id)
    refund = ctx.session.execute(refund_rows.REFUND_LOCKED, {"wanted": refund_id}).one()
    payment = ctx.session.execute(refund_rows.PAYMENT_LOCKED, {"wanted": refund.payment_id}).one()
    if failure:
        return refund_effects.fail(ctx, refund, payment, code=failure)
    return refund_effects.succeed(
        ctx, refund, payment, reference=f"re_{refund.number}", settled_at=ctx.now
    )


def lines_of(ctx: Ctx, order_id: UUID) -> list[Any]:
    found = ctx.session.execute(
        select(LINES).where(LINES.c.order_id == order_id).order_by(LINES.c.position)
    )
    return list(found)


def refund_of(ctx: Ctx, refund_id: UUID) -> Any:
    return ctx.session.execute(select(REFUNDS).where(REFUNDS.c.id == refund_id)).one()


def money(ctx: Ctx, order_id: UUID) -> tuple[int, int, int]:
    """(captured, on its way back, back) of all payments of an order."""
    row = ctx.session.execute(
        select(
            func.sum(PAYMENTS.c.captured_fen),
            func.sum(PAYMENTS.c.refunding_fen),
            func.sum(PAYMENTS.c.refunded_fen),
        ).where(PAYMENTS.c.order_id == order_id)
    ).one()
    return tuple(map(int, row))  # type: ignore[return-value]


def gone(ctx: Ctx, order_id: UUID) -> list[tuple[int, int, int, int]]:
    """(goods, freight, withdrawn, returned) that refunds claim of each line."""
    return [
        (line.back_goods_fen, line.back_freight_fen, line.withdrawn, line.returned)
        for line in lines_of(ctx, order_id)
    ]


def ledger(ctx: Ctx, order_id: UUID) -> Mapping[str, int]:
    """Account, with the cooperative where one is kept for each -> its balance from this order."""
    found = ctx.session.execute(
        select(Posting.account, Posting.party, func.sum(Posting.amount_fen))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.order_id == order_id)
        .group_by(Posting.account, Posting.party)
    )
    return {f"{account} {party}".strip(): int(fen) for account, party, fen in found if fen}


def aid(ctx: Ctx, order_id: UUID) -> list[tuple[str, int, int, int]]:
    """(kind, pieces, goods, freight) of everything in the aid record, in its order."""
    found = ctx.session.execute(
        select(AidEntry.kind, AidEntry.quantity, AidEntry.goods_fen, AidEntry.freight_fen)
        .where(AidEntry.order_id == order_id)
        .order_by(AidEntry.id)
    )
    return [tuple(row) for row in found]


def stock(ctx: Ctx) -> tuple[int, int]:
    """(on hand, reserved) of everything together."""
    row = ctx.session.execute(select(func.sum(Stock.on_hand), func.sum(Stock.reserved))).one()
    return int(row[0]), int(row[1])


def moved(ctx: Ctx, cause: str) -> list[tuple[int, int, str]]:
    """(on hand, reserved, note) of the movements of one cause."""
    found = ctx.session.execute(
        select(StockMovement.on_hand_delta, StockMovement.reserved_delta, StockMovement.note)
        .where(StockMovement.cause == cause)
        .order_by(StockMovement.on_hand_delta, StockMovement.reserved_delta)
    )
    return [tuple(row) for row in found]


def parts(ctx: Ctx, order_id: UUID) -> list[str]:
    """The states of the consignments, by number."""
    found = ctx.session.execute(
        select(Consignment.state)
        .where(Consignment.order_id == order_id)
        .order_by(Consignment.number)
    )
    return [str(state) for state in found.scalars()]


def disputed(ctx: Ctx, order: UUID) -> UUID:
    """The payer's bank asks about the tea; the dispute's key."""
    payment = ctx.session.execute(
        select(Payment.id).where(Payment.order_id == order, Payment.state == "succeeded")
    ).scalar_one()
    dispute = new_id()
    ctx.session.execute(
        insert(Dispute.__table__).values(
            id=dispute,
            reference="dp_1",
            order_id=order,
            payment_id=payment,
            state=DisputeState.OPEN,
            amount_fen=14_400,
            withheld_fen=14_400,
            reason="product_not_received",
            evidence_due_at=ctx.now + timedelta(days=9),
            opened_at=ctx.now,
        )
    )
    ctx.session.execute(
        insert(DisputeLine.__table__).values(
            dispute_id=dispute,
            order_line_id=lines_of(ctx, order)[0].id,
            goods_fen=14_400,
            freight_fen=0,
        )
    )
    return dispute


def unwanted(ctx: Ctx, order: UUID, fen: int = 5_000, why: str = "amount_mismatch") -> UUID:
    """A payment whose money may not be kept; it lies in suspense."""
    payment_id = new_id()
    cause = Cause(
        subject="payment",
        subject_id=payment_id,
        event="captured",
        at=ctx.now,
        payment_id=payment_id,
        order_id=order,
    )
    if fen:
        post(ctx, cause, legs((Account.PROVIDER_CLEARING, fen), (Account.SUSPENSE, -fen)))
    ctx.session.execute(
        insert(PAYMENTS).values(
            id=payment_id,
            order_id=order,
            method=PaymentMethod.STRIPE,
            state=PaymentState.NEEDS_REFUND,
            amount_fen=5_000,
            captured_fen=fen,
            currency="CNY",
            failure_code=why,
            created_at=ctx.now,
            settled_at=ctx.now,
            expires_at=ctx.now,
        )
    )
    return payment_id


def number_of(ctx: Ctx, order: UUID) -> str:
    return str(
        ctx.session.execute(select(ORDERS.c.number).where(ORDERS.c.id == order)).scalar_one()
    )


def token_of(ctx: Ctx, order: UUID) -> str:
    return access_token(ctx.settings, order)


def refund_numbered(ctx: Ctx, number: str) -> Any:
    return ctx.session.execute(select(REFUNDS).where(REFUNDS.c.number == number)).one()


def close(ctx: Ctx, order: UUID) -> None:
    """The timer closes an unpaid order."""
    close_order(ctx, order, "expire", "timer")
