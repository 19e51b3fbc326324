"""Paying an order, and what became of it: where the cashier sends the buyer back to."""

from __future__ import annotations

from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from models.orders import OrderState
from models.payments import PaymentState
from shop.context import Ctx, Transactions
from shop.orders import queries
from shop.orders.access import order_id_for
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.payments.queries import open_reference, payments_of
from shop.payments.refund_queries import refunds_for_buyer
from shop.payments.sync import sync_payment
from storefront import guest, payments_shown
from storefront import transfer as transfers
from storefront.checkout import to_cashier
from storefront.orders import in_full
from storefront.page import here, pages, show

WAITING = {PaymentState.CREATED, PaymentState.PENDING}
"""What became of the newest attempt is not known yet."""

ASKED_AT_MOST = 20
"""Times that the result page asks by itself: a minute, then the buyer may."""


@pages.page("/orders/<number>/pay", permission="payments.start", methods=("POST",), phases=True)
def pay(opened: Transactions, number: str) -> Response:
    """On to the cashier: the page that is open already, or a new attempt."""
    return to_cashier(opened, number, guest.token(number))


@pages.page(
    "/orders/<number>/transfer", permission="payments.start", methods=("POST",), phases=True
)
def transfer(opened: Transactions, number: str) -> Response:
    """A unit pays by bank transfer; the order's page says where to."""
    return transfers.to_transfer(opened, number, guest.token(number))


@pages.page("/orders/<number>/result", permission="orders.read_own", phases=True)
def result(opened: Transactions, number: str) -> Response:
    """Where the cashier sends the buyer back to: asks the provider what became of it."""
    with opened.begin() as ctx:
        if guest.brought():
            return guest.tidied(ctx, number)
        order_id = order_id_for(ctx, number, guest.token(number))
        waits = queries.state_of(ctx, order_id) is OrderState.PENDING_PAYMENT
        reference = open_reference(ctx, order_id) if waits else None
    if reference is not None:
        _ask(opened, reference)
    with opened.begin() as ctx:
        return _result(ctx, order_id)


def _ask(opened: Transactions, reference: str) -> None:
    """A provider that is silent now is asked again by the next look, and by the worker."""
    try:
        sync_payment(opened, reference)
    except (GatewayUnavailable, GatewayRejected):
        return


def _result(ctx: Ctx, order_id: UUID) -> Response:
    row = queries.order_by_id(ctx, order_id)
    attempts = payments_of(ctx, order_id)
    asked = _asked() + 1
    return show(
        ctx,
        "result.html",
        order=in_full(ctx, row, {}),
        outcome=_outcome(row["state"], [attempt["state"] for attempt in attempts]),
        refunds=payments_shown.refunds(refunds_for_buyer(ctx, order_id), attempts),
        unpaid=payments_shown.why_unpaid(attempts, closed=False),
        late=payments_shown.late_money(row, attempts),
        poll_url=here(asked=str(asked)) if asked <= ASKED_AT_MOST else None,
    )


def _outcome(order: OrderState, attempts: list[PaymentState]) -> str:
    """What to say: paid, or that money came in vain, or the order is closed, or wait, or not."""
    if order is OrderState.PAID:
        return "paid"
    if PaymentState.NEEDS_REFUND in attempts:
        return "refund"
    if order is OrderState.CANCELLED:
        return "closed"
    return "pending" if set(attempts[-1:]) <= WAITING and attempts else "failed"


def _asked() -> int:
    text = request.args.get("asked", "0")
    return int(text) if text.isdecimal() and len(text) < 4 else 0  # noqa: PLR2004
