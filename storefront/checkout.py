"""From the basket to the cashier: one form, one order, however often the form arrives."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, request
from werkzeug.wrappers import Response

from shop import idempotency
from shop.cart.commands import take_out
from shop.context import Ctx, Transactions
from shop.errors import Conflict, Invalid, NotFound, ShopError
from shop.identity.address_commands import MAX_ADDRESSES, add_address
from shop.orders.commands import place_order
from shop.orders.inputs import Placed, PlaceOrder
from shop.payments.commands import start_payment
from shop.payments.gateway import GatewayRejected, GatewayUnavailable
from shop.web import language
from storefront import draft, guest, visit, wishes
from storefront.errors import status_of
from storefront.forms import Form, told
from storefront.guest import left_unpaid, placed, to_order
from storefront.page import fragment, go, go_to, pages, show
from storefront.texts import _
from storefront.transfer import to_transfer

SCOPE = "storefront.checkout"
MAX_KEY = 64

BY_TRANSFER = frozenset({"transfer", "later"})
"""Ways to pay that lead to no cashier; who pays after delivery mostly transfers."""

SAME = idempotency.fingerprint(SCOPE.encode())
"""A key makes one order, whatever its form says by then; `Made.said` is what it asked for."""


@dataclass(frozen=True, slots=True)
class Made:
    """The order that a form made. `said`: what the form asked for then, see `wishes.said`."""

    number: str
    token: str
    said: str

    @classmethod
    def read(cls, answer: idempotency.Answer) -> Made:
        """What was written down for the form's key."""
        number, token = answer.body.decode().split(" ")
        return cls(number, token, answer.headers.get("said", ""))

    def written(self) -> idempotency.Answer:
        """As it is written down for the form's key."""
        return idempotency.Answer(303, f"{self.number} {self.token}".encode(), {"said": self.said})


@pages.page("/checkout", permission="orders.place")
def checkout(ctx: Ctx) -> Response:
    """The form: where to, in whose name, what must be confirmed, what it costs."""
    lines = draft.items(ctx)
    if not lines:
        return _nothing_to_buy(ctx)
    who = draft.person(ctx)
    values = draft.page(ctx, draft.first(who), lines, who)
    return show(ctx, "checkout.html", left_unpaid=left_unpaid(ctx), **values)


def _nothing_to_buy(ctx: Ctx) -> Response:
    """Back from the cashier the basket is empty: what was in it is in the order that waits."""
    number = left_unpaid(ctx)
    if number is not None:
        return go("order", number=number, unpaid="1")
    if request.method == "POST":
        flash(_("购物车里已经没有商品，没有生成订单。"), "warning")
    return go("cart")


@pages.page("/checkout/region", permission="orders.quote")
def region(ctx: Ctx) -> Response:
    """The selects of the region after one was changed, and what it costs there; for htmx."""
    who = draft.person(ctx)
    form = Form(request.args.to_dict())
    return fragment("_region.html", oob=True, **draft.page(ctx, form, draft.items(ctx), who))


def _again(ctx: Ctx, error: ShopError) -> Response:
    lines = draft.items(ctx)
    if not lines:
        return _nothing_to_buy(ctx)
    values = draft.page(ctx, Form.again(error), lines, draft.person(ctx))
    return show(ctx, "checkout.html", status_of(error), **values)


@pages.page("/checkout", permission="orders.place", methods=("POST",), phases=True, retry=_again)
def place(opened: Transactions) -> Response:
    """Place the order and go on to where it is paid; any other button shows the form again."""
    if request.form.get("step") != "place":
        with opened.begin() as ctx:
            return _changed(ctx)
    key, said = _key(request.form.get("idempotency_key", "")), wishes.said()
    pay_by = request.form.get("pay_by")
    try:
        made = _place_once(opened, key, said)
    except Conflict as error:
        if error.error_code != "idempotency_in_flight":
            raise
        guest.sent(key)
        return go("sent", key=key, said=said, pay_by=pay_by, buy=request.form.getlist("buy"))
    return _onward(opened, made, said, pay_by)


def _changed(ctx: Ctx) -> Response:
    lines = draft.items(ctx)
    if not lines:
        return _nothing_to_buy(ctx)
    leave_out = request.form.get("step") == "rest"
    form, who = Form(request.form.to_dict()), draft.person(ctx)
    values = draft.page(ctx, form, lines, who, without_problems=leave_out)
    return show(ctx, "checkout.html", **values)


@pages.page("/checkout/sent/<key>", permission="orders.place", phases=True)
def sent(opened: Transactions, key: str) -> Response:
    """Where the second of two clicks waits for what the first one made."""
    try:
        found = idempotency.claim(opened.database, SCOPE, _key(key), SAME, opened.clock())
    except Conflict:
        with opened.begin() as ctx:
            return show(ctx, "sent.html")
    if isinstance(found, idempotency.Answer):
        made = Made.read(found)
        if not guest.sent_here(key, made.number):
            raise NotFound
        said = request.args.get("said", made.said)
        return _onward(opened, made, said, request.args.get("pay_by"))
    idempotency.release(opened.database, found)
    flash(_("刚才没有提交成功，请再提交一次。"), "error")
    return go("checkout", buy=request.args.getlist("buy"))


def _onward(opened: Transactions, made: Made, said: str, pay_by: str | None) -> Response:
    """On to where the order is paid; what was changed after it was placed is not in it."""
    placed(made.number, made.token)
    if said != made.said:
        told = _("这张订单已提交，刚才的改动没有生效；要修改地址等信息，请先取消订单再重新下单。")
        flash(told, "warning")
        return _opened(opened, "order", made.number, made.token)
    if pay_by in BY_TRANSFER:
        return to_transfer(opened, made.number, made.token)
    return to_cashier(opened, made.number, made.token)


def to_cashier(opened: Transactions, number: str, token: str | None) -> Response:
    """Open the cashier for an order; where that cannot be, its page says how to go on."""
    try:
        attempt = start_payment(opened, number, token=token)
    except (GatewayUnavailable, GatewayRejected) as error:
        flash(error.message(language()), "error")
    except Conflict as error:
        flash(error.message(language()), "warning")
    else:
        if attempt.processing:
            return _opened(opened, "result", number, token)
        if attempt.redirect_url is not None:
            return go_to(attempt.redirect_url)
    return to_order(opened.actor, number, token)


def _opened(opened: Transactions, page: str, number: str, token: str | None) -> Response:
    with opened.begin() as ctx:
        guest.keep_for_guests(ctx, number, token)
    return go(page, number=number)


def _key(text: str) -> str:
    if not 0 < len(text) <= MAX_KEY:
        raise Invalid(fields={"": [told(["stale"])]})
    return text


def _place_once(opened: Transactions, key: str, said: str) -> Made:
    """This form's order: the one it made before, or a new one.

    Raises:
        Conflict: `idempotency_in_flight`, it is just being made; and whatever `place_order` says.
    """
    claim = idempotency.claim(opened.database, SCOPE, key, SAME, opened.clock())
    if isinstance(claim, idempotency.Answer):
        return Made.read(claim)
    with idempotency.working(opened.database, claim), opened.begin() as ctx:
        order = _place(ctx)
        made = Made(order.number, order.access_token, said)
        idempotency.finish(ctx, claim, made.written())
    return made


def _place(ctx: Ctx) -> Placed:
    lines = draft.items(ctx)
    wish = wishes.wish(ctx, lines)
    order = place_order(ctx, wish)
    take_out(ctx, visit.basket_owner(ctx), lines)
    visit.remember_region(wish.address.division_code)
    _keep_address(ctx, wish)
    return order


def _keep_address(ctx: Ctx, wish: PlaceOrder) -> None:
    wanted = request.form.get("save") and not request.form.get("address_id")
    if wanted and ctx.actor.signed_in and len(draft.person(ctx).addresses) < MAX_ADDRESSES:
        add_address(ctx, wish.address)
