"""The basket: by cooperative, with what stands in the way of ordering told at each line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from shop.cart import commands, queries
from shop.cart.rules import Held
from shop.context import Ctx
from shop.divisions import children
from shop.errors import ShopError
from storefront import baskets, visit
from storefront.catalog import product_again
from storefront.forms import BuyForm, QuantityForm, faults_of, read_form
from storefront.names import cooperative_names
from storefront.page import by_htmx, fragment, go, pages, show
from storefront.texts import _


@pages.page("/cart", permission="cart.use")
def cart(ctx: Ctx) -> Response:
    """The basket; `?province=` works out the freight to a province from now on."""
    visit.remember_region(request.args.get("province", ""))
    return _cart(ctx)


def _add_again(ctx: Ctx, error: ShopError) -> Response:
    return product_again(ctx, request.form.get("slug", ""), error)


@pages.page("/cart/lines", permission="cart.use", methods=("POST",), retry=_add_again)
def add(ctx: Ctx) -> Response:
    """Put so many more into the basket, or buy just these at once."""
    wanted = read_form(BuyForm)
    sku, quantity = wanted["sku"], wanted["quantity"]
    if wanted["then"] == "checkout":
        return go("checkout", buy=f"{sku}:{quantity}")
    owner = visit.basket_owner(ctx, keep=True)
    held = commands.add_line(ctx, owner, sku, quantity)
    flash(_short(held) if held.short else _("已放进购物车"), "warning" if held.short else "success")
    slug = request.form.get("slug")
    return go("product", slug=slug, sku=sku) if slug else go("cart")


def _short(held: Held) -> str:
    if held.available <= 0:
        return _("已放进购物车，但这个规格刚刚售罄，补货后才能下单。")
    wished = {"n": held.available, "m": held.quantity}
    return _("已放进购物车，但现在只有 %(n)s 件，车里是 %(m)s 件，下单前请改一下数量。", **wished)


def _line_again(ctx: Ctx, error: ShopError, sku: str) -> Response:
    told = [text for texts in faults_of(error).values() for text in texts]
    return _cart(ctx, 422, faults={sku: " ".join(told)})


@pages.page("/cart/lines/<sku>", permission="cart.use", methods=("POST",), retry=_line_again)
def set_line(ctx: Ctx, sku: str) -> Response:
    """Have so many of a size, or one more or less; none is as good as taking it out."""
    wanted = read_form(QuantityForm)
    quantity = wanted["quantity"] + wanted["step"]
    owner = visit.basket_owner(ctx, keep=True)
    if quantity == 0:
        commands.remove_line(ctx, owner, sku)
    else:
        commands.set_line(ctx, owner, sku, quantity)
    return _changed(ctx)


@pages.page("/cart/lines/<sku>/remove", permission="cart.use", methods=("POST",))
def remove_line(ctx: Ctx, sku: str) -> Response:
    """Take a size out."""
    commands.remove_line(ctx, visit.basket_owner(ctx), sku)
    return _changed(ctx)


def _changed(ctx: Ctx) -> Response:
    return _cart(ctx) if by_htmx() else go("cart")


def _cart(ctx: Ctx, status: int = 200, faults: Mapping[str, str] | None = None) -> Response:
    region = visit.region()
    view = queries.read(ctx, visit.basket_owner(ctx), region.code if region else None)
    values: dict[str, Any] = {
        "cart": baskets.cart(
            view, region.name if region else "", faults or {}, cooperative_names(ctx)
        ),
        "provinces": [(one.code, one.name) for one in children()],
        "province": f"{region.code[:2]}0000" if region else "",
    }
    if by_htmx():
        return fragment("_cart.html", status, **values)
    return show(ctx, "cart.html", status, **values)
