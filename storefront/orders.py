"""Orders after checkout: paying, following the parcels, confirming, buying again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from models.orders import OrderState
from models.payments import PaymentState
from shop.cart.commands import set_line
from shop.context import Ctx, Transactions
from shop.errors import Conflict, Invalid, NotFound, ShopError
from shop.fulfilment.queries import parcels_of
from shop.ids import id_in
from shop.orders import queries
from shop.orders.access import order_id_for
from shop.orders.commands import confirm_receipt
from shop.orders.lookup_queries import access_by_phone
from shop.orders.own_queries import Shelf, own_orders
from shop.payments.closing import cancel_unpaid
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.payments.queries import open_reference, payments_of
from shop.payments.refund_queries import refunds_for_buyer
from shop.payments.sync import sync_payment
from shop.web import language
from storefront import guest, payments_shown, receipts, visit
from storefront import transfer as transfers
from storefront.checkout import to_cashier
from storefront.errors import status_of
from storefront.forms import FindOrderForm, Form, read_form
from storefront.labels import listed
from storefront.names import cooperative_names, unit_names
from storefront.page import go, here, pages, show
from storefront.shown import pick
from storefront.texts import _

PER_PAGE = 10

WAITING = {PaymentState.CREATED, PaymentState.PENDING}
"""What became of the newest attempt is not known yet."""

ASKED_AT_MOST = 20
"""Times that the result page asks by itself: a minute, then the buyer may."""


@pages.page("/orders", permission="orders.list_own")
def mine(ctx: Ctx) -> Response:
    """A person's own orders, newest first."""
    state = request.args.get("state", "")
    shelf = Shelf(state) if state in set(Shelf) else None
    found = own_orders(ctx, shelf=shelf, before=_before(), limit=PER_PAGE + 1)
    more = len(found) > PER_PAGE
    return show(
        ctx,
        "orders.html",
        orders=[receipts.listed(row) for row in found[:PER_PAGE]],
        state=state if shelf else "",
        next_url=here(before=str(found[PER_PAGE - 1]["id"])) if more else None,
    )


def _before() -> UUID | None:
    return id_in(request.args.get("before", ""))


@pages.page("/orders/<number>", permission="orders.read_own")
def order(ctx: Ctx, number: str) -> Response:
    """An order: a person's own, or a guest's by its token."""
    if guest.brought():
        return guest.tidied(ctx, number)
    row = queries.order_for(ctx, number, guest.token(number))
    found = _shown(ctx, row, parcels_of(ctx, row["id"]))
    attempts = payments_of(ctx, row["id"])
    return show(
        ctx,
        "order.html",
        order=found,
        refunds=payments_shown.refunds(refunds_for_buyer(ctx, row["id"]), attempts),
        unpaid=payments_shown.why_unpaid(attempts, closed="unpaid" in request.args),
        late=payments_shown.late_money(row, attempts),
        transfer=transfers.shown(ctx, row, attempts),
    )


def _shown(ctx: Ctx, row: queries.Row, parcels: receipts.Parcels) -> receipts.Shown:
    names = cooperative_names(ctx), unit_names(ctx)
    return receipts.opened(row, parcels, ctx.now, *names)


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


@pages.page(
    "/orders/<number>/cancel", permission="orders.change_own", methods=("POST",), phases=True
)
def cancel(opened: Transactions, number: str) -> Response:
    """Cancel before payment; the goods go back at once."""
    try:
        cancel_unpaid(opened, number, guest.token(number))
    except (Conflict, GatewayUnavailable) as error:
        flash(error.message(language()), "error")
    else:
        flash(_("订单已取消"), "success")
    return guest.to_order(opened.actor, number, guest.token(number))


@pages.page("/orders/<number>/confirm-receipt", permission="orders.change_own", methods=("POST",))
def receive(ctx: Ctx, number: str) -> Response:
    """The goods have arrived."""
    if confirm_receipt(ctx, order_id_for(ctx, number, guest.token(number))):
        flash(_("已确认收货，谢谢您支持永平。"), "success")
    return guest.to_order(ctx.actor, number, guest.token(number))


@pages.page("/orders/<number>/again", permission="cart.use", methods=("POST",))
def again(ctx: Ctx, number: str) -> Response:
    """The same goods into the basket once more, as far as they are still sold."""
    row = queries.order_for(ctx, number, guest.token(number))
    owner = visit.basket_owner(ctx, keep=True)
    missing: list[str] = []
    left_out: list[str] = []
    for line in (line for part in row["consignments"] for line in part["lines"]):
        try:
            set_line(ctx, owner, line["sku"], line["quantity"])
        except (Invalid, NotFound, Conflict) as error:
            why = left_out if error.error_code == "cart_full" else missing
            why.append(pick(line["name"], line["name_en"]))
    if missing:
        flash(_("有的商品已不再出售：%(names)s", names=listed(missing)), "warning")
    if left_out:
        flash(_("购物车已满，没有放入：%(names)s", names=listed(left_out)), "warning")
    return go("cart")


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
        order=_shown(ctx, row, {}),
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


@pages.page("/find-order", permission="orders.read_own")
def find_order(ctx: Ctx) -> Response:
    """Ask for an order by number and phone."""
    return show(ctx, "find_order.html", form=Form())


def _find_again(ctx: Ctx, error: ShopError) -> Response:
    return show(ctx, "find_order.html", status_of(error), form=Form.again(error))


@pages.page("/find-order", permission="orders.read_own", methods=("POST",), retry=_find_again)
def look_up(ctx: Ctx) -> Response:
    """Open an order for whoever knows its number and the phone it goes to."""
    asked = read_form(FindOrderForm)
    number = "".join(asked["number"].split())
    guest.keep(number, access_by_phone(ctx, number, asked["phone"]))
    return go("order", number=number)
