import pytest
from sqlalchemy import select

from models.catalog import CatalogVersion, ListingState, Product, Sku
from models.system import AuditEntry
from shop.catalog.commands import change_price, set_listing
from shop.catalog.states import LISTING, Step
from shop.errors import Conflict, Invalid, NotFound
from tests.conftest import acting


def version(ctx):
    return ctx.session.execute(select(CatalogVersion.version)).scalar_one()


def sku(ctx, code):
    return ctx.session.execute(select(Sku.price_fen, Sku.version).where(Sku.code == code)).one()


def audited(ctx):
    return ctx.session.execute(
        select(
            AuditEntry.action,
            AuditEntry.subject_id,
            AuditEntry.before,
            AuditEntry.after,
            AuditEntry.reason,
        )
        .order_by(AuditEntry.sequence.desc())
        .limit(1)
    ).one()


def test_a_manager_changes_a_price(ctx):
    before = version(ctx)
    assert change_price(acting(ctx, "bob"), "P01-1", 5200, "春茶涨价", 1) == 2
    assert (sku(ctx, "P01-1"), version(ctx)) == ((5200, 2), before + 1)
    assert audited(ctx) == (
        "sku.price",
        "P01-1",
        {"price_fen": 4800},
        {"price_fen": 5200},
        "春茶涨价",
    )


@pytest.mark.parametrize("price", [0, -1, 100_000_001])
def test_a_price_is_positive_and_not_absurd(ctx, price):
    with pytest.raises(Invalid) as refused:
        change_price(acting(ctx, "bob"), "P01-1", price, "春茶涨价", 1)
    assert list(refused.value.fields) == ["price_fen"]
    assert sku(ctx, "P01-1") == (4800, 1)


@pytest.mark.parametrize(
    ("who", "code"),
    [("charlie", "P01-1"), ("bob", "P06-1"), ("olga", "P01-1"), ("alice", "P01-1"), ("bob", "X")],
)
def test_the_goods_of_others_are_not_there(ctx, who, code):
    before = version(ctx)
    with pytest.raises(NotFound):
        change_price(acting(ctx, who), code, 5200, "春茶涨价", 1)
    assert (sku(ctx, "P01-1"), version(ctx)) == ((4800, 1), before)


def test_who_has_read_an_older_state_must_read_again(ctx):
    change_price(acting(ctx, "bob"), "P01-1", 5200, "春茶涨价", 1)
    with pytest.raises(Conflict) as refused:
        change_price(acting(ctx, "bob"), "P01-1", 5300, "春茶涨价", 1)
    assert refused.value.error_code == "precondition_failed"
    assert sku(ctx, "P01-1") == (5200, 2)


def state(ctx, slug):
    return ctx.session.execute(select(Product.state).where(Product.slug == slug)).scalar_one()


def test_a_product_is_withdrawn_and_comes_back_by_review(ctx):
    bob, olga, slug = acting(ctx, "bob"), acting(ctx, "olga"), "high-mountain-green-tea"
    steps = [
        (bob, Step.WITHDRAW),
        (bob, Step.SUBMIT),
        (olga, Step.REJECT),
        (bob, Step.SUBMIT),
        (olga, Step.APPROVE),
    ]
    assert [set_listing(who, slug, step) for who, step in steps] == [
        ListingState.UNLISTED,
        ListingState.IN_REVIEW,
        ListingState.DRAFT,
        ListingState.IN_REVIEW,
        ListingState.LISTED,
    ]
    assert audited(ctx)[:2] == ("product.approve", slug)


def test_a_step_twice_changes_nothing_more(ctx):
    set_listing(acting(ctx, "bob"), "high-mountain-green-tea", Step.WITHDRAW)
    before = version(ctx)
    set_listing(acting(ctx, "bob"), "high-mountain-green-tea", Step.WITHDRAW)
    assert version(ctx) == before


def test_nobody_withdraws_the_goods_of_others(ctx):
    with pytest.raises(NotFound):
        set_listing(acting(ctx, "charlie"), "high-mountain-green-tea", Step.WITHDRAW)
    assert state(ctx, "high-mountain-green-tea") is ListingState.LISTED


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("start", list(ListingState))
def test_every_step_from_every_state(ctx, start, step):
    product = ctx.session.orm.scalars(select(Product).where(Product.code == "P01")).one()
    product.state = start
    leads_to = LISTING.transitions.get((start, step))
    if leads_to is None and start not in LISTING.targets(step):
        with pytest.raises(Conflict):
            set_listing(acting(ctx, "bob"), product.slug, step)
    else:
        assert set_listing(acting(ctx, "bob"), product.slug, step) == (leads_to or start)
