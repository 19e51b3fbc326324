from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from models.cart import Cart, CartLine
from models.catalog import Cooperative, ListingState, Product, Sku
from models.inventory import Stock
from shop.cart import commands, queries, rules
from shop.cart.owner import CartOwner, new_token
from shop.errors import Conflict, Invalid, NotFound
from tests.conftest import acting

CARTS, LINES, STOCK = Cart.__table__, CartLine.__table__, Stock.__table__


@pytest.fixture
def alice(ctx):
    return CartOwner(user_id=acting(ctx, "alice").actor.user_id)


@pytest.fixture
def visitor(ctx):
    return CartOwner(token=new_token(ctx.settings.secret_key))


def count(ctx, table):
    return ctx.session.execute(select(func.count()).select_from(table)).scalar_one()


def stock(ctx):
    return ctx.session.execute(select(STOCK).order_by(STOCK.c.sku_id)).all()


def set_stock(ctx, code, on_hand):
    sku_id = select(Sku.id).where(Sku.code == code).scalar_subquery()
    ctx.session.execute(update(STOCK).where(STOCK.c.sku_id == sku_id).values(on_hand=on_hand))


def change_product(ctx, code, **values):
    ctx.session.execute(update(Product.__table__).where(Product.code == code).values(**values))


def test_the_basket_has_what_was_asked_for_last(ctx, alice):
    commands.set_line(ctx, alice, "P01-1", 2)
    commands.set_line(ctx, alice, "P12-1", 1)
    commands.set_line(ctx, alice, "P01-1", 5)
    assert queries.items(ctx, alice) == [("P01-1", 5), ("P12-1", 1)]
    assert queries.pieces(ctx, alice) == 6


def test_who_adds_learns_what_the_basket_holds_and_what_there_is(ctx, alice):
    set_stock(ctx, "P01-1", 5)
    assert commands.add_line(ctx, alice, "P01-1", 5) == rules.Held(5, 5)
    held = commands.add_line(ctx, alice, "P01-1", 1)
    assert (held, held.short) == (rules.Held(6, 5), True)
    assert queries.items(ctx, alice) == [("P01-1", 6)]


def test_a_basket_reserves_nothing(ctx, alice):
    before = stock(ctx)
    commands.set_line(ctx, alice, "P01-1", 9_999)
    assert stock(ctx) == before


def test_reading_makes_no_basket(ctx, alice, visitor):
    for owner in (alice, visitor):
        view = queries.read(ctx, owner)
        assert (view.lines, view.quote.total_fen, view.quote.problems) == ((), 0, ())
    assert count(ctx, CARTS) == 0


def test_of_a_visitor_only_the_hash_of_the_token_is_kept(ctx, visitor):
    commands.set_line(ctx, visitor, "P01-1", 1)
    row = ctx.session.execute(select(CARTS)).one()
    assert (row.user_id, row.token_hash) == (None, visitor.token_hash)
    assert visitor.token not in str(row)


def test_visitors_do_not_see_each_others_baskets(ctx, alice, visitor):
    commands.set_line(ctx, visitor, "P01-1", 1)
    other = CartOwner(token=new_token(ctx.settings.secret_key))
    assert [queries.items(ctx, owner) for owner in (visitor, other, alice)] == [
        [("P01-1", 1)],
        [],
        [],
    ]


def test_a_basket_is_priced_line_by_line(ctx, alice):
    commands.set_line(ctx, alice, "P01-1", 2)
    commands.set_line(ctx, alice, "P12-1", 3)
    view = queries.read(ctx, alice)
    assert [(line.item.code, line.quantity, line.goods_fen) for line in view.lines] == [
        ("P01-1", 2, 9_600),
        ("P12-1", 3, 4_740),
    ]
    assert [part.cooperative_code for part in view.quote.consignments] == ["C01", "C03"]
    assert (view.quote.goods_fen, view.quote.freight_known, view.pieces) == (14_340, False, 5)


def test_with_an_address_there_is_freight(ctx, alice):
    commands.set_line(ctx, alice, "P01-1", 1)
    assert queries.read(ctx, alice, "310110").quote.freight_known is True


def test_more_than_there_is_stays_in_the_basket_with_a_problem(ctx, alice):
    set_stock(ctx, "P01-1", 3)
    commands.set_line(ctx, alice, "P01-1", 5)
    view = queries.read(ctx, alice)
    assert [(line.quantity, line.item.available) for line in view.lines] == [(5, 3)]
    (problem,) = view.quote.problems
    assert (problem.code, problem.sku, problem.available) == ("out_of_stock", "P01-1", 3)


def test_what_left_the_shelf_stays_in_sight_but_out_of_the_sum(ctx, alice):
    commands.set_line(ctx, alice, "P01-1", 2)
    commands.set_line(ctx, alice, "P12-1", 1)
    change_product(ctx, "P01", state=ListingState.UNLISTED)
    view = queries.read(ctx, alice)
    assert [line.item.code for line in view.lines] == ["P01-1", "P12-1"]
    assert [(one.code, one.sku) for one in view.quote.problems] == [("not_listed", "P01-1")]
    assert view.quote.goods_fen == 1_580


@pytest.mark.parametrize("quantity", [0, -1, 10_000])
def test_a_quantity_that_is_refused(ctx, alice, quantity):
    with pytest.raises(Invalid) as refused:
        commands.set_line(ctx, alice, "P01-1", quantity)
    assert list(refused.value.fields) == ["quantity"]
    assert (count(ctx, CARTS), count(ctx, LINES)) == (0, 0)


@pytest.mark.parametrize("code", ["P99-9", "", "p01-1", "P01-1 ", "🍵"])
def test_a_sku_that_is_not_there(ctx, alice, code):
    with pytest.raises(NotFound):
        commands.set_line(ctx, alice, code, 1)
    assert (count(ctx, CARTS), count(ctx, LINES)) == (0, 0)


@pytest.mark.parametrize("state", [ListingState.DRAFT, ListingState.IN_REVIEW])
def test_a_draft_is_not_there_either(ctx, alice, state):
    change_product(ctx, "P01", state=state)
    with pytest.raises(NotFound):
        commands.set_line(ctx, alice, "P01-1", 1)


@pytest.mark.parametrize(
    "leave",
    [
        update(Product).values(state=ListingState.UNLISTED),
        update(Sku).values(active=False),
        update(Cooperative).values(active=False),
    ],
)
def test_what_is_off_the_shelf_cannot_be_added(ctx, alice, leave):
    ctx.session.execute(leave.execution_options(synchronize_session=False))
    with pytest.raises(Conflict) as refused:
        commands.set_line(ctx, alice, "P01-1", 1)
    assert (refused.value.error_code, count(ctx, LINES)) == ("not_listed", 0)


def test_a_full_basket_takes_more_of_what_it_has_but_nothing_else(ctx, alice, monkeypatch):
    monkeypatch.setattr(rules, "MAX_SKUS", 2)
    commands.set_line(ctx, alice, "P01-1", 1)
    commands.set_line(ctx, alice, "P12-1", 1)
    commands.set_line(ctx, alice, "P12-1", 2)
    with pytest.raises(Conflict) as refused:
        commands.set_line(ctx, alice, "P09-1", 1)
    assert refused.value.error_code == "cart_full"
    assert queries.items(ctx, alice) == [("P01-1", 1), ("P12-1", 2)]


def test_adding_counts_on_from_what_the_basket_holds(ctx, alice):
    commands.add_line(ctx, alice, "P01-1", 2)
    commands.add_line(ctx, alice, "P01-1", 3)
    assert queries.items(ctx, alice) == [("P01-1", 5)]
    commands.add_line(ctx, alice, "P01-1", 9_994)
    assert queries.items(ctx, alice) == [("P01-1", 9_999)]


@pytest.mark.parametrize("quantity", [1, 9_999])
def test_no_more_is_added_than_may_be_wished_for(ctx, alice, quantity):
    commands.set_line(ctx, alice, "P01-1", 9_999)
    with pytest.raises(Invalid) as refused:
        commands.add_line(ctx, alice, "P01-1", quantity)
    assert list(refused.value.fields) == ["quantity"]


@pytest.mark.parametrize("quantity", [0, -1])
def test_adding_takes_nothing_out(ctx, alice, quantity):
    commands.set_line(ctx, alice, "P01-1", 5)
    with pytest.raises(Invalid):
        commands.add_line(ctx, alice, "P01-1", quantity)
    assert queries.items(ctx, alice) == [("P01-1", 5)]


def test_at_least_so_many_leaves_a_larger_wish(ctx, alice):
    for quantity, held in ((3, 3), (2, 3), (3, 3), (4, 4)):
        commands.have_line(ctx, alice, "P01-1", quantity)
        assert queries.items(ctx, alice) == [("P01-1", held)]


def test_what_was_bought_is_taken_out_and_no_more(ctx, alice, visitor):
    for owner in (alice, visitor):
        for place, sku in enumerate(("P01-1", "P06-1", "P07-1", "P12-1"), start=1):
            commands.set_line(ctx, owner, sku, place)
    bought = [("P01-1", 1), ("P06-1", 1), ("P07-1", 4), ("P09-1", 2), ("P12-1", 1), ("P12-1", 2)]
    commands.take_out(ctx, alice, bought)
    assert queries.items(ctx, alice) == [("P06-1", 1), ("P12-1", 1)]
    assert queries.pieces(ctx, visitor) == 10


def test_taking_out_is_quiet_about_what_is_not_in(ctx, alice):
    commands.set_line(ctx, alice, "P01-1", 1)
    commands.set_line(ctx, alice, "P12-1", 1)
    for _ in range(2):
        commands.remove_line(ctx, alice, "P01-1")
    commands.remove_line(ctx, alice, "P99-9")
    assert queries.items(ctx, alice) == [("P12-1", 1)]


def test_emptying_a_basket_leaves_the_others_alone(ctx, alice, visitor):
    commands.set_line(ctx, alice, "P01-1", 1)
    commands.set_line(ctx, visitor, "P01-1", 2)
    commands.clear(ctx, alice)
    assert [queries.items(ctx, owner) for owner in (alice, visitor)] == [[], [("P01-1", 2)]]


def test_signing_in_brings_the_visitors_basket_along(ctx, alice, visitor):
    commands.set_line(ctx, alice, "P01-1", 4)
    commands.set_line(ctx, alice, "P12-1", 1)
    commands.set_line(ctx, visitor, "P01-1", 2)
    commands.set_line(ctx, visitor, "P12-1", 3)
    commands.set_line(ctx, visitor, "P09-1", 1)
    commands.merge(ctx, visitor.token, alice.user_id)
    assert sorted(queries.items(ctx, alice)) == [("P01-1", 4), ("P09-1", 1), ("P12-1", 3)]
    assert (queries.items(ctx, visitor), count(ctx, CARTS)) == ([], 1)


def test_signing_in_again_doubles_nothing(ctx, alice, visitor):
    for _ in range(3):
        commands.set_line(ctx, visitor, "P01-1", 2)
        commands.merge(ctx, visitor.token, alice.user_id)
        commands.merge(ctx, visitor.token, alice.user_id)
    assert queries.items(ctx, alice) == [("P01-1", 2)]


def test_a_first_basket_may_come_from_a_visitor(ctx, alice, visitor):
    commands.set_line(ctx, visitor, "P01-1", 2)
    commands.merge(ctx, visitor.token, alice.user_id)
    assert queries.items(ctx, alice) == [("P01-1", 2)]


@pytest.mark.parametrize("token", [None, "", "12345", "x.y", "a" * 500])
def test_an_unknown_token_merges_nothing(ctx, alice, token):
    commands.set_line(ctx, alice, "P01-1", 1)
    commands.merge(ctx, token, alice.user_id)
    assert (queries.items(ctx, alice), count(ctx, CARTS)) == ([("P01-1", 1)], 1)


def test_only_visitors_baskets_are_forgotten(ctx, alice, visitor):
    commands.set_line(ctx, alice, "P01-1", 1)
    commands.set_line(ctx, visitor, "P01-1", 1)
    ctx.now += commands.VISITOR_BASKET_KEPT
    assert commands.forget_old(ctx) == 0
    ctx.now += timedelta(seconds=1)
    assert commands.forget_old(ctx) == 1
    assert [queries.items(ctx, owner) for owner in (alice, visitor)] == [[("P01-1", 1)], []]
