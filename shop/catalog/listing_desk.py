"""What is on sale and what is not, for whoever may change that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from models.catalog import Cooperative, ListingState, Product, Sku
from models.identity import User
from models.inventory import Stock
from models.system import AuditEntry
from shop.context import Ctx
from shop.identity.policy import REVIEWERS

PRODUCTS, SKUS, STOCK = Product.__table__, Sku.__table__, Stock.__table__
COOPERATIVES, AUDIT, USERS = Cooperative.__table__, AuditEntry.__table__, User.__table__

PRODUCT_STEP = "product.%"
"""The actions of the audit chain that moved a product."""


def listings(
    ctx: Ctx, state: ListingState | None, *, limit: int, after: UUID | None = None
) -> list[dict[str, Any]]:
    """The products that the actor may put on sale or take off it, and how each came to stand there.

    Each with its cooperative, prices in fen from `from_fen` to `to_fen`, the pieces `available` of
    all its sizes, and the `last` step: `at`, `by`, `action` and `reason`; None when none was made.
    Those of one `state`, or all.
    """
    statement = (
        select(
            PRODUCTS.c.id,
            PRODUCTS.c.slug,
            PRODUCTS.c.code,
            PRODUCTS.c.name,
            PRODUCTS.c.name_en,
            PRODUCTS.c.state,
            PRODUCTS.c.cooperative_id,
            COOPERATIVES.c.name.label("cooperative"),
            COOPERATIVES.c.name_en.label("cooperative_en"),
            *_of_its_sizes(),
        )
        .join(COOPERATIVES, COOPERATIVES.c.id == PRODUCTS.c.cooperative_id)
        .outerjoin(SKUS, (SKUS.c.product_id == PRODUCTS.c.id) & SKUS.c.active)
        .outerjoin(STOCK, STOCK.c.sku_id == SKUS.c.id)
        .where(_in_reach(ctx))
        .group_by(PRODUCTS.c.id, COOPERATIVES.c.id)
        .order_by(PRODUCTS.c.id)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(PRODUCTS.c.state == state)
    if after is not None:
        statement = statement.where(PRODUCTS.c.id > after)
    rows = ctx.session.execute(statement).mappings().all()
    steps = _last_steps(ctx, [row["slug"] for row in rows])
    return [{**row, "last": steps.get(row["slug"])} for row in rows]


def listing_counts(ctx: Ctx) -> dict[ListingState, int]:
    """How many of those products stand where."""
    rows = ctx.session.execute(
        select(PRODUCTS.c.state, func.count()).where(_in_reach(ctx)).group_by(PRODUCTS.c.state)
    ).all()
    return {**dict.fromkeys(ListingState, 0), **{row[0]: row[1] for row in rows}}


def _of_its_sizes() -> list[ColumnElement[Any]]:
    return [
        func.min(SKUS.c.price_fen).label("from_fen"),
        func.max(SKUS.c.price_fen).label("to_fen"),
        func.coalesce(func.sum(STOCK.c.on_hand - STOCK.c.reserved), 0).label("available"),
    ]


def _in_reach(ctx: Ctx) -> ColumnElement[bool]:
    """Who reviews sees everybody's goods, a manager the own cooperatives'."""
    if ctx.actor.has(*REVIEWERS):
        return true()
    return PRODUCTS.c.cooperative_id.in_(ctx.actor.cooperative_ids)


def _last_steps(ctx: Ctx, slugs: list[str]) -> dict[str, dict[str, Any]]:
    newest = (
        select(
            AUDIT.c.subject_id,
            AUDIT.c.at,
            AUDIT.c.action,
            AUDIT.c.reason,
            USERS.c.name.label("by"),
        )
        .ext(distinct_on(AUDIT.c.subject_id))
        .outerjoin(USERS, USERS.c.id == AUDIT.c.actor_id)
        .where(
            AUDIT.c.subject == "product",
            AUDIT.c.subject_id.in_(slugs),
            AUDIT.c.action.like(PRODUCT_STEP),
        )
        .order_by(AUDIT.c.subject_id, AUDIT.c.sequence.desc())
    )
    return {row["subject_id"]: dict(row) for row in ctx.session.execute(newest).mappings()}
