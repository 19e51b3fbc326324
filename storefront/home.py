"""The start page: what is in season, what many buy, who grew it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import url_for
from werkzeug.wrappers import Response

from shop.catalog import reference_queries
from shop.catalog.filters import ProductFilter, Sort
from shop.catalog.listing_queries import ProductItem, list_products
from shop.context import Ctx, Transactions
from storefront import shown
from storefront.kept import Sheet, show_kept
from storefront.page import pages
from storefront.texts import _

LOOKED_AT = 60
"""Favourites to choose the sections from."""

FAVOURITES = 10
CERTIFIED = 10


@pages.page("/", permission="catalog.read", phases=True)
def home(opened: Transactions) -> Response:
    """The start page."""
    return show_kept(opened, _sheet)


def _sheet(ctx: Ctx) -> Sheet:
    page = list_products(ctx, ProductFilter(sort=Sort.SALES), limit=LOOKED_AT)
    cooperatives = reference_queries.cooperatives(ctx.session)
    values = {
        "categories": [shown.category(row) for row in reference_queries.categories(ctx.session)],
        "cooperatives": [shown.cooperative(row) for row in cooperatives],
        "households": sum(row["member_households"] for row in cooperatives),
        "sections": _sections(page.items),
    }
    return Sheet("home.html", values, page.shows, until=page.until(ctx.now))


def _sections(items: list[ProductItem]) -> list[dict[str, Any]]:
    """Each product stands in one section only; an empty section is left out."""
    left = list(items)

    def take(fits: Callable[[ProductItem], bool], most: int) -> list[dict[str, Any]]:
        chosen = [one for one in left if fits(one)][:most]
        left[:] = [one for one in left if one not in chosen]
        return [shown.card(one) for one in chosen]

    season = take(lambda one: one.on_sale and _seasonal(one), FAVOURITES)
    favourites = take(lambda one: one.on_sale and one.available > 0, FAVOURITES)
    certified = take(lambda one: one.aid_certified and one.on_sale, CERTIFIED)
    sections = [
        {
            "title": _("当季先尝"),
            "text": _("按采收时间发货，过季就没有了"),
            "layout": "scroller",
            "href": url_for("storefront.shelf", slug="fresh"),
            "products": season,
        },
        {
            "title": _("大家常买"),
            "text": _("近三个月卖得最多的"),
            "layout": "scroller",
            "href": url_for("storefront.search", sort="sales"),
            "products": favourites,
        },
        {
            "title": _("帮扶认证"),
            "text": _("经认定的帮扶产品，计入单位的帮扶数"),
            "layout": "grid",
            "href": "",
            "products": certified,
        },
    ]
    return [section for section in sections if section["products"]]


def _seasonal(item: ProductItem) -> bool:
    return item.sale_from is not None or item.sale_until is not None
