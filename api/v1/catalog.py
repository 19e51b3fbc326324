"""The catalogue, and the lists that forms choose from; open to everybody, kept by ETag."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api.caching import conditional, fresh
from api.endpoint import Ctx, Reply, Transactions, endpoint
from api.pagination import decode_cursor, encode_cursor, refusal
from api.schemas import catalog as shapes
from api.serializer import dumps
from shop.catalog import reference_queries
from shop.catalog.cache import Built, cached
from shop.catalog.detail_queries import product_detail
from shop.catalog.filters import ProductFilter, Sort
from shop.catalog.listing_queries import Key, list_products
from shop.divisions import children

TAG = "Catalogue"
BIGGEST = 2**63 - 1


@endpoint(
    "GET",
    "/products",
    permission="catalog.read",
    tag=TAG,
    query=shapes.ProductQuery,
    answer=shapes.ProductPageAnswer,
    phases=True,
)
def products(opened: Transactions, query: dict[str, Any]) -> Reply:
    """Products on the shelf by words or pinyin, filtered and sorted, with counts to go on by."""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    wanted = ProductFilter(**query)
    after = _after(wanted.sort, cursor)

    def build(ctx: Ctx) -> Built:
        page = list_products(ctx, wanted, limit=limit, after=after)
        key = page.next_key
        value = {
            "items": page.items,
            "next_cursor": encode_cursor(wanted.sort, key[0], str(key[1])) if key else None,
            "facets": page.facets,
        }
        body = dumps(shapes.ProductPageAnswer, value)
        return Built(body, page.shows, any_tag=wanted.in_stock, until=page.until(ctx.now))

    return conditional(cached(opened, ("api", "products", wanted, limit, cursor), build))


@endpoint(
    "GET",
    "/products/<slug>",
    permission="catalog.read",
    tag=TAG,
    answer=shapes.ProductAnswer,
    phases=True,
)
def product(opened: Transactions, slug: str) -> Reply:
    """One product: sizes, origin, label, certificates, who benefits, freight in a sentence."""

    def build(ctx: Ctx) -> Built:
        detail = product_detail(ctx, slug)
        body = dumps(shapes.ProductAnswer, detail)
        return Built(body, detail.shows, until=detail.until(ctx.now))

    return conditional(cached(opened, ("api", "product", slug), build))


@endpoint("GET", "/categories", permission="reference.read", tag=TAG, answer=shapes.CategoryList)
def categories(ctx: Ctx) -> Reply:
    """The shelves of the mall."""
    return fresh(shapes.CategoryList, _all(reference_queries.categories(ctx.session)))


@endpoint(
    "GET", "/cooperatives", permission="reference.read", tag=TAG, answer=shapes.CooperativeList
)
def cooperatives(ctx: Ctx) -> Reply:
    """The cooperatives that sell here."""
    return fresh(shapes.CooperativeList, _all(reference_queries.cooperatives(ctx.session)))


@endpoint(
    "GET",
    "/cooperatives/<code>",
    permission="reference.read",
    tag=TAG,
    answer=shapes.CooperativeAnswer,
)
def cooperative(ctx: Ctx, code: str) -> Reply:
    """One cooperative with its documents."""
    return fresh(shapes.CooperativeAnswer, reference_queries.cooperative(ctx, code))


@endpoint("GET", "/storefronts", permission="reference.read", tag=TAG, answer=shapes.StorefrontList)
def storefronts(ctx: Ctx) -> Reply:
    """Our own malls."""
    return fresh(shapes.StorefrontList, _all(reference_queries.storefronts(ctx.session)))


@endpoint("GET", "/units", permission="reference.read", tag=TAG, answer=shapes.UnitList)
def units(ctx: Ctx) -> Reply:
    """The university's units and alumni associations."""
    return fresh(shapes.UnitList, _all(reference_queries.units(ctx.session)))


@endpoint("GET", "/channels", permission="reference.read", tag=TAG, answer=shapes.ChannelList)
def channels(ctx: Ctx) -> Reply:
    """The ways that buyers come."""
    return fresh(shapes.ChannelList, _all(reference_queries.channels(ctx.session)))


@endpoint("GET", "/campaigns", permission="reference.read", tag=TAG, answer=shapes.CampaignList)
def campaigns(ctx: Ctx) -> Reply:
    """The promotions and when they run."""
    return fresh(shapes.CampaignList, _all(reference_queries.campaigns(ctx)))


@endpoint(
    "GET",
    "/divisions",
    permission="reference.read",
    tag=TAG,
    query=shapes.DivisionQuery,
    answer=shapes.DivisionList,
)
def divisions(_: Ctx, query: dict[str, Any]) -> Reply:
    """What lies directly below a division; the provinces without `parent`."""
    return fresh(shapes.DivisionList, _all(children(query["parent"] or None)))


def _all(items: Any) -> dict[str, Any]:
    return {"items": items, "next_cursor": None}


def _after(sort: Sort, cursor: str | None) -> Key | None:
    """Where the page before ended.

    Raises:
        Invalid: the cursor is not one of ours, or of another order.
    """
    parts = decode_cursor(cursor)
    if not parts:
        return None
    try:
        of, number, product_id = parts
        key = int(number), UUID(product_id)
    except ValueError as error:
        raise refusal() from error
    if of != sort or abs(key[0]) > BIGGEST:
        raise refusal()
    return key
