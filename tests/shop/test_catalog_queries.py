import pytest
from sqlalchemy import text

from shop.catalog import reference_queries
from shop.catalog.detail_queries import product_detail
from shop.catalog.filters import ProductFilter, Sort
from shop.catalog.listing_queries import list_products
from shop.catalog.queries import managed_products
from shop.errors import NotFound
from tests.aid_factories import WALNUT, part, refund, sell
from tests.conftest import acting, counted


def codes(ctx, *, limit=100, **wanted):
    return [item.code for item in list_products(ctx, ProductFilter(**wanted), limit=limit).items]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"q": "茶"},
        {"in_stock": True, "category": "tea", "min_price_fen": 1},
        {"sort": Sort.SALES},
        {"sort": Sort.PRICE},
    ],
)
def test_a_page_is_two_statements_for_one_product_and_for_all(ctx, worker_database, wanted):
    for limit in (1, 25):
        with counted(worker_database) as issued:
            list_products(ctx, ProductFilter(**wanted), limit=limit)
        assert len(issued) == 2, issued


def test_a_product_is_two_statements(ctx, worker_database):
    with counted(worker_database) as issued:
        product_detail(ctx, "high-mountain-green-tea")
    assert len(issued) == 2


def test_what_is_not_listed_is_not_there(ctx):
    ctx.session.execute(text("UPDATE product SET state = 'draft' WHERE code = 'P01'"))
    assert "P01" not in codes(ctx)
    with pytest.raises(NotFound):
        product_detail(ctx, "high-mountain-green-tea")


def test_a_product_without_a_size_to_buy_is_not_shown(ctx):
    ctx.session.execute(text("UPDATE sku SET active = false WHERE code LIKE 'P01-%'"))
    assert "P01" not in codes(ctx)
    with pytest.raises(NotFound):
        product_detail(ctx, "high-mountain-green-tea")


def test_what_a_cooperative_sold_goes_with_it(ctx):
    """Nobody is shown what the basket would refuse (`not_listed`)."""
    before = {row["code"]: row["products"] for row in reference_queries.categories(ctx.session)}
    ctx.session.execute(text("UPDATE cooperative SET active = false WHERE code = 'C01'"))
    found = list_products(ctx, ProductFilter(), limit=100)
    assert {item.cooperative["code"] for item in found.items} == {f"C0{n}" for n in range(2, 6)}
    assert "C01" not in [facet.code for facet in found.facets["cooperative"]]
    assert codes(ctx, cooperative="C01") == codes(ctx, q="绿茶") == []
    with pytest.raises(NotFound):
        product_detail(ctx, "high-mountain-green-tea")
    after = {row["code"]: row["products"] for row in reference_queries.categories(ctx.session)}
    assert after == before | {"tea": 0}


def test_what_is_in_stock_at_a_price_is_one_size(ctx):
    """The small tin costs 48 and the large one 98 yuan."""
    cheap = {"category": "tea", "max_price_fen": 5_000, "q": "高山绿茶"}
    assert codes(ctx, **cheap) == codes(ctx, **cheap, in_stock=True) == ["P01"]
    ctx.session.execute(
        text("UPDATE stock SET on_hand = 0 FROM sku WHERE sku.id = sku_id AND code = 'P01-1'")
    )
    assert (codes(ctx, **cheap), codes(ctx, **cheap, in_stock=True)) == (["P01"], [])
    dear = cheap | {"max_price_fen": 9_800}
    assert codes(ctx, **dear, in_stock=True) == ["P01", "P04"]
    assert codes(ctx, **dear, in_stock=True, min_price_fen=9_800) == ["P01"]


def test_traditional_characters_find_the_same(ctx):
    assert codes(ctx, q="茶葉") == codes(ctx, q="茶叶")
    assert codes(ctx, q="冷榨核桃油 青嶺") == ["P09"]


def test_a_size_that_is_not_offered_counts_for_nothing(ctx):
    ctx.session.execute(text("UPDATE sku SET active = false WHERE code = 'P01-1'"))
    tea = list_products(ctx, ProductFilter(category="tea"), limit=1).items[0]
    assert (tea.price_fen, tea.price_max_fen, tea.available) == (9800, 9800, 400)
    assert [sku.code for sku in product_detail(ctx, tea.slug).skus] == ["P01-2"]


def test_the_newest_come_first(ctx):
    ctx.session.execute(
        text("UPDATE product SET created_at = created_at + interval '1 day' WHERE code = 'P07'")
    )
    assert codes(ctx, sort=Sort.NEWEST, limit=2) == ["P07", "P01"]


def test_what_sold_best_this_season_comes_first(ctx):
    sell(ctx, "2026-11-20T10:00:00", part(quantity=4))
    walnuts = sell(ctx, "2026-11-20T10:00:00", part(WALNUT, quantity=5))
    sell(ctx, "2026-08-25T23:59:59", part(quantity=100))
    assert codes(ctx, sort=Sort.SALES, limit=3) == ["P07", "P01", "P02"]
    refund(ctx, walnuts.line, "2026-11-21T10:00:00", 100, quantity=2)
    assert codes(ctx, sort=Sort.SALES, limit=3) == ["P01", "P07", "P02"]


def test_a_manager_sees_own_goods_in_every_state_with_stock(ctx, worker_database):
    ctx.session.execute(text("UPDATE product SET state = 'draft' WHERE code = 'P03'"))
    bob = acting(ctx, "bob").actor
    with counted(worker_database) as issued:
        first, last = managed_products(ctx.session, bob, limit=3)
        rest, end = managed_products(ctx.session, bob, limit=3, after=last)
    assert [one["code"] for one in [*first, *rest]] == ["P01", "P02", "P03", "P04", "P05"]
    assert (first[2]["state"], first[0]["skus"][1]["available"], end) == ("draft", 400, None)
    assert len(issued) == 4


def test_who_manages_nothing_has_no_goods(ctx):
    assert managed_products(ctx.session, acting(ctx, "olga").actor, limit=3) == ([], None)
