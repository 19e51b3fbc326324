from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.catalog import Sku
from models.inventory import MovementCause
from shop.catalog import cache as module
from shop.catalog import feed_queries
from shop.catalog.cache import Built, CatalogueCache, cached
from shop.catalog.commands import change_price, set_listing
from shop.catalog.detail_queries import product_detail
from shop.catalog.feed_queries import SKEW, Position
from shop.catalog.filters import ProductFilter
from shop.catalog.listing_queries import list_products
from shop.catalog.states import Step
from shop.ids import MAX_CLOCK_OVERLAP, new_id
from shop.inventory.commands import adjust, release, reserve
from shop.prepared import PreparedStatements
from shop.session import Session
from tests.conftest import NOW, actor_of, counted


class Reader:
    """A web process: its own cache over the test's database, and how often it had to build."""

    def __init__(self, transactions):
        self.transactions = transactions
        self.seconds = 1000.0
        self.cache = CatalogueCache(lambda: self.seconds)
        self.built = 0

    def quarter_second_passes(self):
        self.seconds += 0.25

    def ask(self, key, build):
        def counting(ctx):
            self.built += 1
            return build(ctx)

        opened = self.transactions
        return self.cache.answer(opened.begin, opened.clock(), key, counting).body

    def detail(self, slug="high-mountain-green-tea"):
        def build(ctx):
            found = product_detail(ctx, slug)
            text = repr([(sku.code, sku.price_fen, sku.available) for sku in found.skus])
            return Built(text.encode(), found.shows, until=found.until(ctx.now))

        return self.ask(("detail", slug), build).decode()

    def shelf(self, **wanted):
        def build(ctx):
            page = list_products(ctx, ProductFilter(**wanted), limit=100)
            text = " ".join(f"{one.code}:{one.availability}" for one in page.items)
            return Built(text.encode(), page.shows, any_tag=bool(wanted), until=page.until(ctx.now))

        return self.ask(("shelf", *wanted), build).decode()


@pytest.fixture
def reader(transactions):
    return Reader(transactions)


@pytest.fixture
def bob(transactions):
    return transactions.acting(actor_of(transactions, "bob"))


def sku_id(ctx, code):
    return ctx.session.execute(select(Sku.id).where(Sku.code == code)).scalar_one()


def take(transactions, code, pieces):
    order = new_id()
    with transactions.begin() as ctx:
        reserve(ctx, order, {sku_id(ctx, code): pieces})
    return order


def test_a_second_reader_is_answered_without_the_database(reader, database):
    reader.detail()
    with counted(database) as issued:
        assert reader.detail() == "[('P01-1', 4800, 600), ('P01-2', 9800, 400)]"
    assert (issued, reader.built) == ([], 1)


def test_one_small_question_every_quarter_of_a_second(reader, database):
    reader.detail()
    reader.quarter_second_passes()
    with counted(database) as issued:
        reader.detail()
        reader.shelf()
    assert len([one for one in issued if "pg_current_snapshot" in one]) == 1


def test_a_price_of_another_process_shows_after_the_next_question(reader, bob):
    reader.detail()
    with bob.begin() as ctx:
        change_price(ctx, "P01-1", 5200, "春茶涨价", 1)
    assert "4800" in reader.detail()
    reader.quarter_second_passes()
    assert "('P01-1', 5200, 600)" in reader.detail()


def test_a_withdrawn_product_leaves_the_shelf(reader, bob):
    assert "P01:" in reader.shelf()
    with bob.begin() as ctx:
        set_listing(ctx, "high-mountain-green-tea", Step.WITHDRAW)
    reader.quarter_second_passes()
    assert "P01:" not in reader.shelf()


def test_an_order_changes_the_page_of_its_goods_and_no_other(reader, transactions):
    reader.detail()
    reader.detail("walnut-kernels")
    take(transactions, "P01-1", 7)
    reader.quarter_second_passes()
    assert "('P01-1', 4800, 593)" in reader.detail()
    reader.detail("walnut-kernels")
    assert reader.built == 3


def test_a_shelf_stays_while_its_tags_do(reader, transactions):
    reader.shelf()
    take(transactions, "P03-1", 189)
    reader.quarter_second_passes()
    assert "P03:in_stock" in reader.shelf()
    assert reader.built == 1
    take(transactions, "P03-1", 1)
    reader.quarter_second_passes()
    assert "P03:low" in reader.shelf()


def test_what_sells_out_leaves_the_shelf_of_what_is_in_stock_and_comes_back(reader, transactions):
    assert "P03:in_stock" in reader.shelf(in_stock=True)
    order = take(transactions, "P03-1", 200)
    reader.quarter_second_passes()
    assert "P03:" not in reader.shelf(in_stock=True)
    with transactions.begin() as ctx:
        release(ctx, order, {sku_id(ctx, "P03-1"): 200})
    reader.quarter_second_passes()
    assert "P03:in_stock" in reader.shelf(in_stock=True)


def test_one_size_that_sells_out_leaves_the_shelf_of_its_price(reader, transactions):
    """The large tin, in stock before and after, is too dear for this shelf."""
    cheap = {"in_stock": True, "max_price_fen": 5_000}
    assert "P01:in_stock" in reader.shelf(**cheap)
    order = take(transactions, "P01-1", 600)
    reader.quarter_second_passes()
    assert "P01:" not in reader.shelf(**cheap)
    with transactions.begin() as ctx:
        release(ctx, order, {sku_id(ctx, "P01-1"): 600})
    reader.quarter_second_passes()
    assert "P01:in_stock" in reader.shelf(**cheap)


@pytest.fixture
def slow(transactions, database, monkeypatch):
    """A transaction that has reserved nine tins of tea and takes its time to commit."""
    monkeypatch.setattr(feed_queries, "SKEW", timedelta())
    with transactions.begin() as ctx:
        begun = replace(
            ctx, session=Session(database.engine, PreparedStatements(database.engine.dialect))
        )
    yield begun
    begun.session.close()


def test_a_transaction_that_took_its_time_is_not_missed(reader, slow):
    """Its movement's key is older than several questions by the time that it commits."""
    reader.detail()
    reserve(slow, new_id(), {sku_id(slow, "P01-1"): 9})
    for _ in range(3):
        reader.quarter_second_passes()
        reader.detail()
    slow.session.commit()
    reader.quarter_second_passes()
    assert "('P01-1', 4800, 591)" in reader.detail()


def test_the_floor_waits_for_the_slow_and_then_moves_on():
    at = [NOW + timedelta(seconds=10 * number) for number in range(5)]
    first = feed_queries._next(None, at[0], 100, 100)
    assert first == Position(at[0] - MAX_CLOCK_OVERLAP, at[0], 100)
    assert feed_queries._next(first, at[1], 99, 110) == first
    second = feed_queries._next(first, at[2], 100, 120)
    assert second == Position(at[0] - SKEW, at[2], 120)
    assert feed_queries._next(second, at[3], 119, 130) == second
    assert feed_queries._next(second, at[4], 125, 140).floor == at[2] - SKEW


def test_time_alone_opens_and_closes_a_sale(reader, time):
    time.set("2026-03-25T23:59:59+08:00")
    assert "P05:in_stock" in reader.shelf()
    time.forward(seconds=1)
    assert "P05:sold_out" in reader.shelf()


def test_nothing_is_older_than_half_a_minute(reader, time):
    reader.detail()
    time.forward(seconds=29)
    reader.detail()
    assert reader.built == 1
    time.forward(seconds=1)
    reader.detail()
    assert reader.built == 2


def test_what_was_overtaken_while_it_was_made_is_not_kept(reader, transactions):
    def slowly(ctx):
        found = product_detail(ctx, "high-mountain-green-tea")
        reader.cache._polls += 1
        return Built(b"old", found.shows)

    assert reader.ask("key", slowly) == b"old"
    assert reader.ask("key", lambda _: Built(b"new")) == b"new"


def test_an_error_is_nobody_elses_answer(reader):
    with pytest.raises(ZeroDivisionError):
        reader.ask("key", lambda _: Built(bytes(1 // 0)))
    assert reader.ask("key", lambda _: Built(b"fine")) == b"fine"


def test_the_least_recently_used_goes_first(reader, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 2 * module.OVERHEAD + 10)
    for key in ("a", "b", "a", "c"):
        reader.ask(key, lambda _: Built(b"1234"))
    reader.ask("a", lambda _: Built(b"1234"))
    assert (reader.built, list(reader.cache._entries)) == (3, ["c", "a"])
    assert reader.cache._bytes == 2 * module.OVERHEAD + 8


def test_questions_that_nothing_is_found_for_do_not_fill_the_memory(reader, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 10 * module.OVERHEAD)
    for key in range(50):
        reader.ask(key, lambda _: Built(b""))
    assert len(reader.cache._entries) == 10


def test_in_the_process_that_wrote_it_a_change_shows_at_once(bob):
    def build(ctx):
        found = product_detail(ctx, "high-mountain-green-tea")
        return Built(repr([(s.price_fen, s.available) for s in found.skus]).encode(), found.shows)

    assert cached(bob, "key", build).body == b"[(4800, 600), (9800, 400)]"
    with bob.begin() as ctx:
        change_price(ctx, "P01-1", 5200, "春茶涨价", 1)
    assert cached(bob, "key", build).body == b"[(5200, 600), (9800, 400)]"
    with bob.begin() as ctx:
        adjust(ctx, sku_id(ctx, "P01-2"), 5, MovementCause.COUNT, "盘点")
    assert cached(bob, "key", build).body == b"[(5200, 600), (9800, 405)]"


def test_a_page_may_ask_inside_its_own_transaction(transactions, database):
    with transactions.begin() as ctx:
        assert cached(ctx, "fragment", lambda _: Built(b"<li>")).body == b"<li>"
    with transactions.begin() as ctx, counted(database) as issued:
        assert cached(ctx, "fragment", lambda _: Built(b"other")).body == b"<li>"
    assert issued == []


def test_the_same_bytes_have_the_same_tag_everywhere(reader, transactions):
    first = cached(transactions, "x", lambda _: Built(b"bytes")).etag
    assert (
        first == reader.cache.answer(transactions.begin, NOW, "y", lambda _: Built(b"bytes")).etag
    )
    assert first != cached(transactions, "z", lambda _: Built(b"other")).etag


def test_a_clock_that_went_back_is_no_reason_to_keep_an_answer(reader, time):
    reader.detail()
    time.now -= timedelta(seconds=1)
    reader.detail()
    assert reader.built == 2
