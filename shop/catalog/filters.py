"""What a visitor looks for, as conditions and as an order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    and_,
    cast,
    exists,
    extract,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from models.aid import AidEntry
from models.catalog import Category, Cooperative, ListingState, Product, Sku
from models.inventory import Stock
from models.organization import Campaign, Storefront
from shop.catalog.rules import Mark
from shop.catalog.search_tokens import query_tsquery
from shop.clock import business_day
from shop.context import Ctx

P = Product.__table__.c
S = Sku.__table__.c
C = Category.__table__.c
W = Cooperative.__table__.c
STOCK = Stock.__table__.c
ENTRIES = AidEntry.__table__.c

SOLD_BY_SOMEBODY = P.cooperative_id.not_in(select(W.id).where(~W.active))
"""Its cooperative still sells. Said by those that do not, who are few: it is asked of every row."""

SALES_DAYS = timedelta(days=90)
"""What `sales` counts: a season. Older favourites make room for what people buy now."""

REPEATED = 8
"""Even a word that half of the products have looks rarer than one in a hundred then."""


class Sort(StrEnum):
    """The orders a shelf can be read in. Relevance without words is the order of listing."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DOWN = "-price"
    SALES = "sales"


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """What is looked for. Categories by code or slug, everything else by code; prices in fen."""

    q: str = ""
    category: str | None = None
    cooperative: str | None = None
    campaign: str | None = None
    storefront: str | None = None
    in_stock: bool = False
    min_price_fen: int | None = None
    max_price_fen: int | None = None
    sort: Sort = Sort.RELEVANCE


@dataclass(frozen=True, slots=True)
class Ranking:
    """A whole number to sort by, the smallest first, and the figures by product it comes from."""

    key: ColumnElement[int]
    figures: Subquery | None = None


def conditions(ctx: Ctx, wanted: ProductFilter) -> Iterator[ColumnElement[bool]]:
    """Which rows of `product` are on the shelf and fit."""
    yield P.state == ListingState.LISTED
    yield _some_sku(S.active)
    yield SOLD_BY_SOMEBODY
    if wanted.q.strip():
        words = query_tsquery(wanted.q)
        yield _matches(P.search, words) if words else false()
    if wanted.category is not None:
        yield P.category_id.in_(
            select(C.id).where(or_(C.code == wanted.category, C.slug == wanted.category))
        )
    if wanted.cooperative is not None:
        yield P.cooperative_id.in_(select(W.id).where(W.code == wanted.cooperative))
    # Every campaign and storefront sells the whole catalogue; one that does not exist, nothing.
    if wanted.campaign is not None:
        yield exists(select(Campaign.id).where(Campaign.code == wanted.campaign))
    if wanted.storefront is not None:
        yield exists(select(Storefront.id).where(Storefront.code == wanted.storefront))
    yield from _price_and_stock(ctx, wanted)


def _price_and_stock(ctx: Ctx, wanted: ProductFilter) -> Iterator[ColumnElement[bool]]:
    """One size must fit both: a cheap one that is sold out makes no dear one cheap."""
    fits: list[ColumnElement[bool]] = [S.active]
    if wanted.min_price_fen is not None:
        fits.append(S.price_fen >= wanted.min_price_fen)
    if wanted.max_price_fen is not None:
        fits.append(S.price_fen <= wanted.max_price_fen)
    if wanted.in_stock:
        yield or_(P.sale_from.is_(None), P.sale_from <= ctx.now)
        yield or_(P.sale_until.is_(None), P.sale_until > ctx.now)
        yield exists(
            select(S.id)
            .join(Stock.__table__, STOCK.sku_id == S.id)
            .where(S.product_id == P.id, STOCK.on_hand > STOCK.reserved, *fits)
        )
    elif len(fits) > 1:
        yield _some_sku(*fits)


def _some_sku(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(S.id).where(S.product_id == P.id, and_(*conditions)))


def ranking(ctx: Ctx, wanted: ProductFilter) -> Ranking:
    """What the rows are sorted by; equal ones by their key, which is their age."""
    return RANKINGS[wanted.sort](ctx, wanted)


def _relevance(_: Ctx, wanted: ProductFilter) -> Ranking:
    """Found in the name before found in the category, the cooperative, the description."""
    words = query_tsquery(wanted.q)
    if not words:
        return Ranking(literal(0, BigInteger))
    # Asked of the index once for each tier: looking into the matching rows would unpack them all.
    asked = union_all(
        *(
            select(P.id.label("product_id"), literal(tier, BigInteger).label("tier")).where(
                _matches(P.search, mark.query(words))
            )
            for tier, mark in enumerate(Mark)
        )
    ).subquery()
    found = (
        select(asked.c.product_id, func.min(asked.c.tier).label("tier"))
        .group_by(asked.c.product_id)
        .subquery("found")
    )
    return Ranking(func.coalesce(found.c.tier, literal(len(Mark), BigInteger)), found)


def _matches(search: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """Whether a product has these words; found by the index however many products have them.

    The planner prices a look into `search` as if the column were not stored compressed and apart,
    and would rather read the whole table for a word that one product in ten has (20 times slower,
    measured with 50,000 SKUs). Asking for the words several times over is the same question, and
    makes them look rare.
    """
    return search.bool_op("@@")(cast(" & ".join([f"({words})"] * REPEATED), TSQUERY))


def _newest(_: Ctx, __: ProductFilter) -> Ranking:
    return Ranking(-cast(extract("epoch", P.created_at) * 1_000_000, BigInteger))


def _price(_: Ctx, __: ProductFilter) -> Ranking:
    lowest = (
        select(S.product_id, func.min(S.price_fen).label("fen"))
        .where(S.active)
        .group_by(S.product_id)
        .subquery("lowest")
    )
    return Ranking(lowest.c.fen, lowest)


def _price_down(ctx: Ctx, wanted: ProductFilter) -> Ranking:
    up = _price(ctx, wanted)
    return Ranking(-up.key, up.figures)


def _sales(ctx: Ctx, _: ProductFilter) -> Ranking:
    """Pieces sold in the last season less those refunded, own mall and platforms together."""
    sold = (
        select(P.id.label("product_id"), func.sum(ENTRIES.quantity).label("pieces"))
        .join(AidEntry.__table__, ENTRIES.product_code == P.code)
        .where(ENTRIES.day > business_day(ctx.now) - SALES_DAYS)
        .group_by(P.id)
        .subquery("sold")
    )
    return Ranking(-cast(func.coalesce(sold.c.pieces, 0), BigInteger), sold)


RANKINGS: dict[Sort, Callable[[Ctx, ProductFilter], Ranking]] = {
    Sort.RELEVANCE: _relevance,
    Sort.NEWEST: _newest,
    Sort.PRICE: _price,
    Sort.PRICE_DOWN: _price_down,
    Sort.SALES: _sales,
}
