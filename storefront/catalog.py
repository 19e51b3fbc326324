"""Shelves, search, a product, a cooperative."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from shop.catalog import reference_queries
from shop.catalog.detail_queries import product_detail
from shop.catalog.filters import ProductFilter, Sort
from shop.catalog.listing_queries import Key, ProductPage, list_products
from shop.context import Ctx
from shop.errors import NotFound, ShopError
from storefront import shown
from storefront.forms import Form, SearchForm, read_query
from storefront.page import here, pages, show

PER_PAGE = 24
RELATED = 6
BIGGEST = 2**63 - 1


@pages.page("/categories", permission="catalog.read")
def shelves(ctx: Ctx) -> Response:
    """Everything on the shelves."""
    return _shelf(ctx, None)


@pages.page("/c/<slug>", permission="catalog.read")
def shelf(ctx: Ctx, slug: str) -> Response:
    """One shelf."""
    return _shelf(ctx, slug)


def _shelf(ctx: Ctx, slug: str | None) -> Response:
    asked = read_query(SearchForm)
    categories = [shown.category(row) for row in reference_queries.categories(ctx.session)]
    chosen = next((one for one in categories if one["slug"] == slug), None)
    if slug is not None and chosen is None:
        raise NotFound
    page = _found(ctx, ProductFilter(category=slug, sort=_sort(asked)))
    return show(
        ctx,
        "category.html",
        categories=categories,
        category=chosen,
        total=_total(page, chosen["code"] if chosen else None),
        sort=asked.get("sort"),
        **_listed(page),
    )


@pages.page("/search", permission="catalog.read")
def search(ctx: Ctx) -> Response:
    """Goods by words or pinyin, narrowed down by shelf, cooperative, price and stock."""
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
    return show(
        ctx,
        "search.html",
        q=wanted.q,
        form=Form(request.args.to_dict()),
        facets={name: shown.choices(found) for name, found in page.facets.items()},
        filtered=narrowed,
        total=_total(page, wanted.category),
        **_listed(page),
    )


@pages.page("/p/<slug>", permission="catalog.read")
def product(ctx: Ctx, slug: str) -> Response:
    """One product: sizes to choose, where it is from, what the label says."""
    return product_page(ctx, slug)


def product_page(ctx: Ctx, slug: str, error: ShopError | None = None) -> Response:
    """The page of a product; with `error` again, what was entered kept."""
    detail = product_detail(ctx, slug)
    row = reference_queries.cooperative(ctx, detail.cooperative["code"])
    others = list_products(ctx, ProductFilter(cooperative=row["code"]), limit=RELATED + 1).items
    form = Form.again(error) if error else Form(request.args.to_dict())
    wanted = form.data.get("sku")
    codes = [offer.code for offer in detail.skus if offer.available > 0]
    return show(
        ctx,
        "product.html",
        422 if error else 200,
        product=shown.product(detail, row),
        selected_sku=wanted if wanted in codes else next(iter(codes), None),
        related=[shown.card(one) for one in others if one.slug != slug][:RELATED],
        form=form,
    )


@pages.page("/coop/<code>", permission="catalog.read")
def coop(ctx: Ctx, code: str) -> Response:
    """A cooperative: its people, its goods, its licences."""
    row = reference_queries.cooperative(ctx, code.upper())
    page = _found(ctx, ProductFilter(cooperative=row["code"]))
    return show(
        ctx,
        "coop.html",
        cooperative=shown.cooperative(row),
        documents=shown.documents(row["documents"]),
        **_listed(page),
    )


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
