"""Orders after checkout: following the parcels, cancelling, confirming, buying again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from shop.cart.commands import have_line
from shop.context import Ctx, Transactions
from shop.errors import Conflict, Invalid, NotFound
from shop.fulfilment.queries import parcels_of
from shop.ids import id_in
from shop.orders import queries
from shop.orders.access import order_id_for
from shop.orders.commands import confirm_receipt
from shop.orders.own_queries import Shelf, own_orders
from shop.orders.processing import is_processing
from shop.payments.closing import cancel_unpaid
from shop.payments.gateway import GatewayUnavailable
from shop.payments.queries import payments_of
from shop.payments.refund_queries import refunds_for_buyer
from shop.web import language
from storefront import guest, payments_shown, receipts, visit
from storefront import transfer as transfers
from storefront.labels import listed
from storefront.names import cooperative_names, unit_names
from storefront.page import ask_again, by_htmx, fragment, go, here, pages, show
from storefront.shown import pick
from storefront.texts import _

PER_PAGE = 10

PROCESSING_ASKED = 60
"""Times, every 8 seconds, that a page looks by itself whether a payment has gone through."""


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
    if by_htmx():
        return _news(ctx, order_id_for(ctx, number, guest.token(number)))
    row = queries.order_for(ctx, number, guest.token(number))
    found = in_full(ctx, row, parcels_of(ctx, row["id"]))
    attempts = payments_of(ctx, row["id"])
    return show(
        ctx,
        "order.html",
        order=found,
        refunds=payments_shown.refunds(refunds_for_buyer(ctx, row["id"]), attempts),
        unpaid=payments_shown.why_unpaid(attempts, closed="unpaid" in request.args),
        late=payments_shown.late_money(row, attempts),
        transfer=transfers.shown(ctx, row, attempts),
        poll_url=ask_again(PROCESSING_ASKED),
    )


def _news(ctx: Ctx, order_id: UUID) -> Response:
    """Asked by an order's page while a payment is processed: the page anew once it is decided."""
    if is_processing(ctx, order_id):
        return fragment("_look.html", poll_url=ask_again(PROCESSING_ASKED))
    decided = fragment("_look.html", poll_url=None)
    decided.headers["HX-Refresh"] = "true"
    return decided


def in_full(ctx: Ctx, row: queries.Row, parcels: receipts.Parcels) -> receipts.Shown:
    """An order as its pages show it, names in the visitor's language."""
    names = cooperative_names(ctx), unit_names(ctx)
    return receipts.opened(row, parcels, ctx.now, *names)


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
            have_line(ctx, owner, line["sku"], line["quantity"])
        except (Invalid, NotFound, Conflict) as error:
            why = left_out if error.error_code == "cart_full" else missing
            why.append(pick(line["name"], line["name_en"]))
    if missing:
        flash(_("有的商品已不再出售：%(names)s", names=listed(missing)), "warning")
    if left_out:
        flash(_("购物车已满，没有放入：%(names)s", names=listed(left_out)), "warning")
    return go("cart")
