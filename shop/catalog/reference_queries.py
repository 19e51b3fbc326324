"""What forms, filters and reports choose from: shelves, sellers, and the university's side."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from models.catalog import Category, Cooperative, ListingState, Product
from models.organization import Campaign, Channel, Storefront, Unit
from shop.catalog.filters import SOLD_BY_SOMEBODY
from shop.catalog.rules import valid_documents
from shop.clock import business_day
from shop.context import Ctx
from shop.divisions import origin_name
from shop.errors import NotFound
from shop.session import Session

PRODUCTS = Product.__table__
CATEGORIES = Category.__table__
COOPERATIVES = Cooperative.__table__
STOREFRONTS = Storefront.__table__
UNITS = Unit.__table__
CHANNELS = Channel.__table__
CAMPAIGNS = Campaign.__table__

Found = list[dict[str, Any]]


def categories(session: Session) -> Found:
    """The shelves in their order, with how many products stand on each."""
    return _rows(
        session,
        select(
            CATEGORIES.c.code,
            CATEGORIES.c.slug,
            CATEGORIES.c.name,
            CATEGORIES.c.name_en,
            _listed(PRODUCTS.c.category_id == CATEGORIES.c.id),
        ).order_by(CATEGORIES.c.position),
    )


def cooperatives(session: Session) -> Found:
    """The sellers by code, with how many products each has on the shelves."""
    found = _rows(
        session,
        select(
            COOPERATIVES.c.code,
            COOPERATIVES.c.name,
            COOPERATIVES.c.name_en,
            COOPERATIVES.c.township_code,
            COOPERATIVES.c.member_households,
            COOPERATIVES.c.lifted_households,
            COOPERATIVES.c.image.label("image_url"),
            COOPERATIVES.c.demo,
            _listed(PRODUCTS.c.cooperative_id == COOPERATIVES.c.id),
        )
        .where(COOPERATIVES.c.active)
        .order_by(COOPERATIVES.c.code),
    )
    return [{**row, "township": origin_name(row["township_code"])} for row in found]


def cooperative(ctx: Ctx, code: str) -> dict[str, Any]:
    """One seller with its own words and the documents that are valid today.

    Raises:
        NotFound: there is none, or it sells no more.
    """
    found = _rows(
        ctx.session,
        select(
            COOPERATIVES,
            COOPERATIVES.c.image.label("image_url"),
            _listed(PRODUCTS.c.cooperative_id == COOPERATIVES.c.id),
        ).where(COOPERATIVES.c.code == code, COOPERATIVES.c.active),
    )
    if not found:
        raise NotFound
    row = found[0]
    return {
        **row,
        "township": origin_name(row["township_code"]),
        "documents": valid_documents(row["documents"], business_day(ctx.now)),
    }


def storefronts(session: Session) -> Found:
    """Our own malls."""
    return _rows(
        session,
        select(STOREFRONTS.c.code, STOREFRONTS.c.name, STOREFRONTS.c.name_en)
        .where(STOREFRONTS.c.active)
        .order_by(STOREFRONTS.c.id),
    )


def units(session: Session) -> Found:
    """Faculties, departments, alumni associations; `parent` is a code where there is one."""
    parents = UNITS.alias("parent")
    return _rows(
        session,
        select(
            UNITS.c.code,
            UNITS.c.name,
            UNITS.c.name_en,
            UNITS.c.kind,
            parents.c.code.label("parent"),
        )
        .outerjoin(parents, parents.c.id == UNITS.c.parent_id)
        .where(UNITS.c.active)
        .order_by(UNITS.c.code),
    )


def channels(session: Session) -> Found:
    """The ways that buyers come."""
    return _rows(
        session,
        select(
            CHANNELS.c.code,
            CHANNELS.c.name,
            CHANNELS.c.name_en,
            CHANNELS.c.kind,
            CHANNELS.c.medium,
        )
        .where(CHANNELS.c.active)
        .order_by(CHANNELS.c.id),
    )


def campaigns(ctx: Ctx) -> Found:
    """The promotions in their order; `running` says which are on now."""
    found = _rows(
        ctx.session,
        select(
            CAMPAIGNS.c.code,
            CAMPAIGNS.c.name,
            CAMPAIGNS.c.name_en,
            CAMPAIGNS.c.kind,
            CAMPAIGNS.c.starts_at,
            CAMPAIGNS.c.ends_at,
            CAMPAIGNS.c.channels,
            CAMPAIGNS.c.goal_fen,
        ).order_by(CAMPAIGNS.c.starts_at, CAMPAIGNS.c.code),
    )
    return [{**row, "running": row["starts_at"] <= ctx.now < row["ends_at"]} for row in found]


def _listed(of: ColumnElement[bool]) -> ColumnElement[int]:
    return (
        select(func.count())
        .where(of, PRODUCTS.c.state == ListingState.LISTED, SOLD_BY_SOMEBODY)
        .scalar_subquery()
        .label("products")
    )


def _rows(session: Session, statement: Select[Any]) -> Found:
    return [dict(row) for row in session.execute(statement).mappings()]
