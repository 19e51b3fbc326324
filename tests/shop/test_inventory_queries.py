from sqlalchemy import select

from models.catalog import Sku
from models.inventory import MovementCause
from shop.ids import new_id
from shop.inventory import queries
from shop.inventory.commands import StockLevel, adjust, reserve
from tests.conftest import acting


def sku_id(ctx, code):
    return ctx.session.execute(select(Sku.id).where(Sku.code == code)).scalar_one()


def test_the_level_of_what_keeps_no_stock_is_nothing(ctx):
    assert queries.level(ctx.session, new_id()) == StockLevel(0, 0)


def test_what_is_reserved_is_still_on_hand(ctx):
    tea, nuts = sku_id(ctx, "P01-1"), sku_id(ctx, "P06-1")
    reserve(ctx, new_id(), {tea: 100})
    assert queries.level(ctx.session, tea) == StockLevel(600, 100)
    assert queries.level(ctx.session, nuts) == StockLevel(1500, 0)


def test_movements_come_latest_first_page_by_page(ctx):
    tea, bob = sku_id(ctx, "P01-1"), acting(ctx, "bob")
    for number in range(1, 5):
        adjust(bob, tea, number, MovementCause.HARVEST, f"第{number}批")
    first, last = queries.movements(ctx.session, tea, limit=3)
    rest, end = queries.movements(ctx.session, tea, limit=3, before=last)
    assert [row.on_hand_delta for row in [*first, *rest]] == [4, 3, 2, 1, 600]
    assert (first[0].actor, rest[1].actor, end) == ("Bob", None, None)
