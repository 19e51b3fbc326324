"""Paying an order, and what became of it: where the cashier sends the buyer back to."""

from __future__ import annotations

from uuid import UUID

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
from storefront.orders import PROCESSING_ASKED, in_full
from storefront.page import ask_again, pages, show

WAITING = {PaymentState.CREATED, PaymentState.PENDING}
"""What became of the newest attempt is not known yet."""

ASKED = {"pending": 20, "processing": PROCESSING_ASKED}
"""Times that the result page asks by itself: a minute or some, then the buyer may."""


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
    outcome = _outcome(row, [attempt["state"] for attempt in attempts])
    return show(
        ctx,
        "result.html",
        order=in_full(ctx, row, {}),
        outcome=outcome,
        refunds=payments_shown.refunds(refunds_for_buyer(ctx, order_id), attempts),
        unpaid=payments_shown.why_unpaid(attempts, closed=False),
        late=payments_shown.late_money(row, attempts),
        poll_url=ask_again(ASKED[outcome]) if outcome in ASKED else None,
    )


def _outcome(order: queries.Row, attempts: list[PaymentState]) -> str:
    """What to say: paid, or that money came in vain, or the order is closed, or wait, or not."""
    if order["state"] is OrderState.PAID:
        return "paid"
    if PaymentState.NEEDS_REFUND in attempts:
        return "refund"
    if order["state"] is OrderState.CANCELLED:
        return "closed"
    if order["payment_processing"]:
        return "processing"
    return "pending" if set(attempts[-1:]) <= WAITING and attempts else "failed"
