"""Finding an order without signing in: by its number and the phone it goes to."""

from __future__ import annotations

from werkzeug.wrappers import Response

from shop.context import Ctx
from shop.errors import ShopError
from shop.orders.lookup_queries import access_by_phone
from storefront import guest
from storefront.errors import status_of
from storefront.forms import FindOrderForm, Form, read_form
from storefront.page import go, pages, show


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
