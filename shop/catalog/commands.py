"""What managers and organizers change about the catalogue. Each change counts its version up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from models.catalog import CatalogVersion, Category, Cooperative, ListingState, Product, Sku
from shop import audit
from shop.catalog.cache import refresh_after_commit
from shop.catalog.queries import managed_product, managed_sku
from shop.catalog.rules import Mark
from shop.catalog.search_tokens import index_tokens
from shop.catalog.states import LISTING, REVIEW, Step
from shop.context import SYSTEM, Ctx
from shop.divisions import origin_name
from shop.errors import Conflict, Invalid, Words
from shop.identity.policy import REVIEWERS
from shop.machine import decide

SKUS = Sku.__table__
PRODUCTS = Product.__table__
CATEGORIES = Category.__table__
COOPERATIVES = Cooperative.__table__
VERSION = CatalogVersion.__table__

MAX_PRICE_FEN = 100_000_000
"""A million yuan, as the database has it too."""


def change_price(
    ctx: Ctx, sku_code: str, price_fen: int, reason: str, expected_version: int
) -> int:
    """Set the price of one SKU of the actor's own cooperative, in fen; its new version.

    Raises:
        NotFound: there is no such SKU in the actor's cooperatives.
        Invalid: not a positive price of at most a million yuan, or no reason.
        Conflict: `precondition_failed`, somebody changed the SKU since it was read.
    """
    if not 0 < price_fen <= MAX_PRICE_FEN:
        raise Invalid(
            "价格须大于零且不超过一百万元",
            "The price must be positive and at most a million yuan",
            fields={
                "price_fen": [Words("须为 1 至 100000000 之间的整数（分）", "1 to 100000000 fen")]
            },
        )
    if not reason.strip():
        raise Invalid(
            "请填写调价原因",
            "Please give a reason",
            fields={"reason": [Words("不能为空", "Say why")]},
        )
    sku = managed_sku(ctx.session, ctx.actor, sku_code)
    version = ctx.session.execute(
        update(SKUS)
        .where(SKUS.c.id == sku.id, SKUS.c.version == expected_version)
        .values(price_fen=price_fen, version=SKUS.c.version + 1)
        .returning(SKUS.c.version)
    ).scalar_one_or_none()
    if version is None:
        raise Conflict(
            "内容已被他人修改，请刷新后重试",
            "Somebody changed this since you read it; read it again first",
            code="precondition_failed",
        )
    audit.record(
        ctx,
        "sku.price",
        "sku",
        sku_code,
        before={"price_fen": sku.price_fen},
        after={"price_fen": price_fen},
        reason=reason.strip(),
    )
    bump_version(ctx)
    return int(version)


def set_listing(
    ctx: Ctx, slug: str, step: Step, reason: str = "", *, seen: ListingState | None = None
) -> ListingState:
    """Take a product a step on its way to the shelf or off it; where it stands then.

    Approving and rejecting is an organizer's business with anybody's goods: the surface has made
    sure of that by its permission. The other steps are for the actor's own cooperative, and for who
    reviews. `seen` is where the product stood when the actor decided; the same decision twice is
    quiet.

    Raises:
        NotFound: there is no such product that the actor may manage.
        Conflict: that step does not lead on from where the product stands; `precondition_failed`,
            it stood elsewhere when the actor decided.
    """
    reviewing = step in REVIEW or ctx.actor.has(*REVIEWERS)
    product = managed_product(
        ctx.session, SYSTEM if reviewing else ctx.actor, slug, for_update=True
    )
    if seen not in {None, product.state} and product.state != LISTING.transitions.get((seen, step)):
        raise Conflict(
            "商品状态刚被他人改过，请按最新状态操作",
            "Somebody has just moved this product on; decide again by where it stands now",
            code="precondition_failed",
        )
    state = ListingState(decide(LISTING, product.state, step))
    if state == product.state:
        return state
    ctx.session.execute(
        update(PRODUCTS)
        .where(PRODUCTS.c.id == product.id)
        .values(state=state, version=PRODUCTS.c.version + 1)
    )
    audit.record(
        ctx,
        f"product.{step.value}",
        "product",
        slug,
        before={"state": product.state.value},
        after={"state": state.value},
        reason=reason,
    )
    bump_version(ctx)
    return state


def index_product(ctx: Ctx, product_id: UUID) -> None:
    """Write anew what a product can be found by; each word also with the mark of its place."""
    row = ctx.session.execute(
        select(
            PRODUCTS.c.name,
            PRODUCTS.c.name_en,
            PRODUCTS.c.description,
            PRODUCTS.c.description_en,
            PRODUCTS.c.origin_division,
            PRODUCTS.c.label,
            PRODUCTS.c.label_en,
            CATEGORIES.c.name.label("category"),
            CATEGORIES.c.name_en.label("category_en"),
            COOPERATIVES.c.name.label("cooperative"),
            COOPERATIVES.c.name_en.label("cooperative_en"),
        )
        .join(CATEGORIES, CATEGORIES.c.id == PRODUCTS.c.category_id)
        .join(COOPERATIVES, COOPERATIVES.c.id == PRODUCTS.c.cooperative_id)
        .where(PRODUCTS.c.id == product_id)
    ).one()
    tokens = index_tokens([row.description, row.description_en], pinyin=False)
    found_in = {
        Mark.NAME: [row.name, row.name_en],
        Mark.CATEGORY: [row.category, row.category_en],
        Mark.SOURCE: [
            row.cooperative,
            row.cooperative_en,
            origin_name(row.origin_division),
            *row.label.get("ingredients", []),
            *row.label_en.get("ingredients", []),
        ],
    }
    for mark, texts in found_in.items():
        plain = index_tokens(texts, initials=mark is not Mark.SOURCE)
        tokens += [*plain, *(mark.on(token) for token in plain)]
    ctx.session.execute(
        update(PRODUCTS)
        .where(PRODUCTS.c.id == product_id)
        .values(search=func.array_to_tsvector(cast(sorted(set(tokens)), ARRAY(Text))))
    )


def index_all(ctx: Ctx) -> int:
    """Write anew what every product can be found by; how many there are.

    Needed after an update that changes the rules of `search_tokens`; shoppers go on meanwhile.
    """
    found = ctx.session.execute(select(PRODUCTS.c.id).order_by(PRODUCTS.c.id)).scalars().all()
    for product_id in found:
        index_product(ctx, product_id)
    bump_version(ctx)
    return len(found)


def bump_version(ctx: Ctx) -> None:
    """Count the catalogue's version up: what is kept of older ones is not shown again."""
    ctx.session.execute(update(VERSION).values(version=VERSION.c.version + 1))
    refresh_after_commit(ctx.session)
