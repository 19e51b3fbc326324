"""A cooperative's own goods: prices and stock, each change with its reason."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import words
from admin.forms.fields import fen_of, id_of, number_of, text_of
from admin.forms.stock import CAUSES, Adjustment, adjustment_of
from admin.once import once
from admin.page import again, back_to, pages, show
from models.money import yuan_text
from shop.catalog.commands import change_price
from shop.catalog.desk import sku_on_desk
from shop.catalog.queries import managed_products, managed_sku
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.formatting import yuan
from shop.inventory.commands import adjust
from shop.inventory.queries import BY_BUYERS, movements

PAGE = 24
LOW = 10
"""Pieces below which the list warns; about what one bulk order takes."""


@pages.page("/goods", permission="stock.read")
def goods(ctx: Ctx) -> str:
    """Own products with their sizes, prices and stock."""
    products, more = managed_products(
        ctx.session, ctx.actor, limit=PAGE, after=id_of(request.args.get("after"))
    )
    return show(
        "goods.html",
        family="goods",
        products=products,
        more=more,
        low=LOW,
        listing=words.LISTING_STATES,
        tones=words.TONES,
    )


@pages.page("/goods/<code>", permission="stock.read")
def sku(ctx: Ctx, code: str) -> str:
    """One size: its price, its stock and every movement of it."""
    return _detail(ctx, code=code)


def _detail(ctx: Ctx, *, code: str, form: Any = None, error: ShopError | None = None) -> str:
    found = sku_on_desk(ctx, code)
    # A list behind a refused form begins at the top.
    before = id_of(request.args.get("before")) if error is None else None
    rows, more = movements(ctx.session, found["id"], limit=PAGE, before=before)
    return show(
        "sku.html",
        family="goods",
        sku=found,
        rows=rows,
        more=more,
        form=form or {},
        error=error,
        causes=CAUSES,
        cause_words=words.CAUSES,
        by_buyers=BY_BUYERS,
        listing=words.LISTING_STATES,
        tones=words.TONES,
        price=yuan_text(found["price_fen"]),
    )


@pages.page(
    "/goods/<code>/price",
    permission="skus.change",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def price(opened: Transactions, code: str) -> Any:
    """Set the price, unless somebody else did since this page was read."""
    fen = fen_of(request.form, "price")
    reason = text_of(request.form, "reason", "请填写调价原因", "Please give a reason")
    version = number_of(request.form, "version")
    once(opened, lambda ctx: _set_price(ctx, code, fen, reason, version))
    # Of two clicks the second is shown, and the price is what it says.
    flash(gettext("价格已改为 %(price)s", price=yuan(fen)), "success")
    return back_to("admin.sku", code=code)


def _set_price(ctx: Ctx, code: str, fen: int, reason: str, version: int) -> None:
    change_price(ctx, code, fen, reason, version)


@pages.page(
    "/goods/<code>/stock",
    permission="stock.change",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def stock(opened: Transactions, code: str) -> Any:
    """Add pieces or take some away."""
    change = adjustment_of(request.form)
    if once(opened, lambda ctx: _adjust(ctx, code, change)):
        flash(gettext("库存已调整：%(delta)s 件", delta=f"{change.delta:+d}"), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.sku", code=code)


def _adjust(ctx: Ctx, code: str, change: Adjustment) -> None:
    found = managed_sku(ctx.session, ctx.actor, code)
    adjust(ctx, found.id, change.delta, change.cause, change.note)
