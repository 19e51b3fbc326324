"""Shelves, search, a product, a cooperative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import g, render_template, request
from werkzeug.wrappers import Response

from shop.catalog import reference_queries
from shop.catalog.detail_queries import product_detail
from shop.catalog.filters import ProductFilter, Sort
from shop.catalog.listing_queries import Key, ProductPage, list_products
from shop.catalog.rules import next_turn
from shop.context import Ctx, Transactions
from shop.errors import NotFound, ShopError
from shop.pricing.hints import product_hint_to
from storefront import shown, visit
from storefront.errors import status_of
from storefront.forms import Form, SearchForm, read_query
from storefront.kept import Sheet, show_kept
from storefront.page import here, pages, show

PER_PAGE = 24
RELATED = 6
BIGGEST = 2**63 - 1


@pages.page("/categories", permission="catalog.read", phases=True)
def shelves(opened: Transactions) -> Response:
    """Everything on the shelves."""
    return show_kept(opened, lambda ctx: _shelf(ctx, None))


@pages.page("/c/<slug>", permission="catalog.read", phases=True)
def shelf(opened: Transactions, slug: str) -> Response:
    """One shelf."""
    return show_kept(opened, lambda ctx: _shelf(ctx, slug))


def _shelf(ctx: Ctx, slug: str | None) -> Sheet:
    asked = read_query(SearchForm)
    categories = [shown.category(row) for row in reference_queries.categories(ctx.session)]
    chosen = next((one for one in categories if one["slug"] == slug), None)
    if slug is not None and chosen is None:
        raise NotFound
    page = _found(ctx, ProductFilter(category=slug, sort=_sort(asked)))
    values = {
        "categories": categories,
        "category": chosen,
        "total": _total(page, chosen["code"] if chosen else None),
        "sort": asked.get("sort"),
        **_listed(page),
    }
    return Sheet("category.html", values, page.shows, until=page.until(ctx.now))


@pages.page("/search", permission="catalog.read", phases=True)
def search(opened: Transactions) -> Response:
    """Goods by words or pinyin, narrowed down by shelf, cooperative, price and stock."""
    return show_kept(opened, _search)


def _search(ctx: Ctx) -> Sheet:
    asked = read_query(SearchForm)
    wanted = ProductFilter(
        q=asked.get("q") or "",
        category=asked.get("category"),
        cooperative=asked.get("cooperative"),
        in_stock=bool(asked.get("in_stock")),
        min_price_fen=asked.get("least"),
        max_price_fen=asked.get("most"),
        sort=_sort(asked),
    )
    page = _found(ctx, wanted)
    narrowed = replace(wanted, q="", sort=Sort.RELEVANCE) != ProductFilter()
    values = {
        "q": wanted.q,
        "form": Form(request.args.to_dict()),
        "facets": {name: shown.choices(found) for name, found in page.facets.items()},
        "filtered": narrowed,
        "total": _total(page, wanted.category),
        **_listed(page),
    }
    until = page.until(ctx.now)
    return Sheet("search.html", values, page.shows, any_tag=wanted.in_stock, until=until)


@pages.page("/p/<slug>", permission="catalog.read", phases=True)
def product(opened: Transactions, slug: str) -> Response:
    """One product: sizes to choose, where it is from, what the label says."""
    form = Form(request.args.to_dict())
    return show_kept(
        opened,
        lambda ctx: _product(ctx, slug, form),
        for_region=lambda ctx, region: _freight_to(ctx, slug, region),
    )


def _freight_to(ctx: Ctx, slug: str, region: visit.Region) -> str:
    """What it costs to send a product there, or that it is not sent there at all."""
    found = product_hint_to(ctx, slug, region.province_code)
    told = shown.hint(found) if found is not None else ""
    return render_template("storefront/_freight_to.html", hint=told, province=region.province)


def product_again(ctx: Ctx, slug: str, error: ShopError) -> Response:
    """The page of a product after its form was refused, what was entered kept."""
    sheet = _product(ctx, slug, Form.again(error))
    region = visit.region()
    g.region_piece = _freight_to(ctx, slug, region) if region else ""
    return show(ctx, sheet.template, status_of(error), **sheet.values)


def _product(ctx: Ctx, slug: str, form: Form) -> Sheet:
    detail = product_detail(ctx, slug)
    row = reference_queries.cooperative(ctx, detail.cooperative["code"])
    others = list_products(ctx, ProductFilter(cooperative=row["code"]), limit=RELATED + 1)
    wanted = form.data.get("sku")
    codes = [offer.code for offer in detail.skus if offer.available > 0]
    values = {
        "product": shown.product(detail, row),
        "selected_sku": wanted if wanted in codes else next(iter(codes), None),
        "related": [shown.card(one) for one in others.items if one.slug != slug][:RELATED],
        "form": form,
    }
    turns = next_turn(ctx.now, detail.until(ctx.now), others.until(ctx.now))
    return Sheet("product.html", values, {**others.shows, **detail.shows}, until=turns)


@pages.page("/coop/<code>", permission="catalog.read", phases=True)
def coop(opened: Transactions, code: str) -> Response:
    """A cooperative: its people, its goods, its licences."""
    return show_kept(opened, lambda ctx: _coop(ctx, code))


def _coop(ctx: Ctx, code: str) -> Sheet:
    row = reference_queries.cooperative(ctx, code.upper())
    page = _found(ctx, ProductFilter(cooperative=row["code"]))
    values = {
        "cooperative": shown.cooperative(row),
        "documents": shown.documents(row["documents"]),
        **_listed(page),
    }
    return Sheet("coop.html", values, page.shows, until=page.until(ctx.now))


def _found(ctx: Ctx, wanted: ProductFilter) -> ProductPage:
    return list_products(ctx, wanted, limit=PER_PAGE, after=_after(request.args.get("after")))


def _listed(page: ProductPage) -> dict[str, Any]:
    return {"products": [shown.card(item) for item in page.items], "next_url": _next(page)}


def _next(page: ProductPage) -> str | None:
    """This page's address with the place where it ended."""
    if page.next_key is None:
        return None
    number, product_id = page.next_key
    return here(after=f"{number}_{product_id}")


def _after(text: str | None) -> Key | None:
    """Where the page before ended; the first page for what is none of ours."""
    number, _, product_id = (text or "").partition("_")
    try:
        key = int(number), UUID(product_id)
    except ValueError:
        return None
    return key if abs(key[0]) <= BIGGEST else None


def _sort(asked: dict[str, Any]) -> Sort:
    return asked.get("sort") or Sort.RELEVANCE


def _total(page: ProductPage, category: str | None) -> int:
    """How many products all pages hold; each stands on exactly one shelf."""
    counts = {one.code: one.count for one in page.facets["category"]}
    return sum(counts.values()) if category is None else counts.get(category, len(page.items))
