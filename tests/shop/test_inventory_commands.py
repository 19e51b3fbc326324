import pytest
from sqlalchemy import func, select, text

from models.catalog import Sku
from models.inventory import MovementCause, Stock, StockMovement
from models.system import AuditEntry
from shop.errors import Conflict, Invalid, NotFound
from shop.ids import new_id
from shop.inventory import queries
from shop.inventory.commands import StockLevel, adjust, open_stock, release, reserve, ship
from tests.conftest import NOW, acting, counted


def sku_id(ctx, code):
    return ctx.session.execute(select(Sku.id).where(Sku.code == code)).scalar_one()


def level(ctx, code):
    found = queries.level(ctx.session, sku_id(ctx, code))
    return found.on_hand, found.reserved


def movements_of(ctx, code):
    return ctx.session.execute(
        select(StockMovement.on_hand_delta, StockMovement.reserved_delta, StockMovement.cause)
        .where(StockMovement.sku_id == sku_id(ctx, code))
        .order_by(StockMovement.id)
    ).all()


def assert_sums(ctx):
    """What the movements of every SKU add up to is its stock."""
    summed = (
        select(
            StockMovement.sku_id,
            func.sum(StockMovement.on_hand_delta).label("on_hand"),
            func.sum(StockMovement.reserved_delta).label("reserved"),
        )
        .group_by(StockMovement.sku_id)
        .subquery()
    )
    wrong = (
        select(Stock.sku_id)
        .outerjoin(summed, summed.c.sku_id == Stock.sku_id)
        .where(
            (func.coalesce(summed.c.on_hand, 0) != Stock.on_hand)
            | (func.coalesce(summed.c.reserved, 0) != Stock.reserved)
        )
    )
    assert ctx.session.execute(wrong).all() == []


def test_reserving_promises_without_taking(ctx):
    reserve(ctx, new_id(), {sku_id(ctx, "P01-1"): 3, sku_id(ctx, "P06-2"): 5})
    assert (level(ctx, "P01-1"), level(ctx, "P06-2")) == ((600, 3), (900, 5))
    assert movements_of(ctx, "P01-1")[-1] == (0, 3, MovementCause.RESERVE)
    assert_sums(ctx)


def test_the_last_piece_can_be_had_and_no_more(ctx):
    reserve(ctx, new_id(), {sku_id(ctx, "P05-1"): 150})
    with pytest.raises(Conflict) as refused:
        reserve(ctx, new_id(), {sku_id(ctx, "P05-1"): 1})
    assert refused.value.error_code == "out_of_stock"
    assert refused.value.extra["short"] == [{"sku": "P05-1", "available": 0}]


def test_a_refusal_names_every_sku_that_lacks_and_only_those(ctx):
    wanted = {sku_id(ctx, "P25-1"): 161, sku_id(ctx, "P01-1"): 1, sku_id(ctx, "P18-2"): 999}
    with pytest.raises(Conflict) as refused:
        reserve(ctx, new_id(), wanted)
    assert refused.value.extra["short"] == [
        {"sku": "P18-2", "available": 200},
        {"sku": "P25-1", "available": 160},
    ]
    assert "竹酒 42%vol 500ml×2礼盒（剩 200 件）" in refused.value.zh
    assert "Fresh blueberries P25-1 (160 left)" in refused.value.en


def test_all_or_nothing(transactions):
    with transactions.begin() as ctx:
        wanted = {sku_id(ctx, "P01-1"): 1, sku_id(ctx, "P18-2"): 999}
    with pytest.raises(Conflict), transactions.begin() as ctx:
        reserve(ctx, new_id(), wanted)
    with transactions.begin() as ctx:
        assert level(ctx, "P01-1") == (600, 0)
        assert len(movements_of(ctx, "P01-1")) == 1


def test_a_sku_that_keeps_no_stock_is_out_of_stock(ctx):
    with pytest.raises(Conflict, match="out_of_stock"):
        reserve(ctx, new_id(), {new_id(): 1})


@pytest.mark.parametrize("quantity", [0, -1])
def test_only_positive_quantities_move(ctx, quantity):
    with pytest.raises(Invalid, match="quantity_invalid"):
        reserve(ctx, new_id(), {sku_id(ctx, "P01-1"): quantity})


def test_releasing_gives_back(ctx):
    order = new_id()
    reserve(ctx, order, {sku_id(ctx, "P01-1"): 3})
    release(ctx, order, {sku_id(ctx, "P01-1"): 3})
    assert level(ctx, "P01-1") == (600, 0)
    assert movements_of(ctx, "P01-1")[-1] == (0, -3, MovementCause.RELEASE)
    assert_sums(ctx)


def test_shipping_takes_the_promised_off_the_shelf(ctx):
    order, parcel = new_id(), new_id()
    reserve(ctx, order, {sku_id(ctx, "P01-1"): 3})
    ship(ctx, order, parcel, {sku_id(ctx, "P01-1"): 2})
    assert level(ctx, "P01-1") == (598, 1)
    last = ctx.session.execute(select(StockMovement).order_by(StockMovement.id.desc())).scalar()
    assert (last.order_id, last.parcel_id, last.at) == (order, parcel, NOW)
    assert_sums(ctx)


@pytest.mark.parametrize(
    "take",
    [
        lambda ctx, wanted: release(ctx, new_id(), wanted),
        lambda ctx, wanted: ship(ctx, new_id(), new_id(), wanted),
    ],
)
def test_what_is_not_reserved_can_neither_be_released_nor_shipped(ctx, take):
    reserve(ctx, new_id(), {sku_id(ctx, "P01-1"): 1})
    with pytest.raises(RuntimeError, match="not reserved"):
        take(ctx, {sku_id(ctx, "P01-1"): 2})


def test_reserving_is_one_statement_for_one_sku_and_two_for_many(transactions):
    with transactions.begin() as ctx:
        skus = ctx.session.orm.scalars(select(Sku.id).order_by(Sku.code)).all()
    for wanted, statements in ((1, 1), (2, 2), (12, 2)):
        with transactions.begin() as ctx, counted(transactions.database) as issued:
            reserve(ctx, new_id(), dict.fromkeys(skus[:wanted], 1))
        assert len(issued) == statements, wanted


def test_a_manager_adds_and_takes_away_with_a_note(ctx):
    bob = acting(ctx, "bob")
    assert adjust(bob, sku_id(ctx, "P01-1"), 40, MovementCause.HARVEST, "秋茶入库") == StockLevel(
        640, 0
    )
    assert adjust(bob, sku_id(ctx, "P01-1"), -15, MovementCause.DAMAGE, "受潮").available == 625
    assert [row[0] for row in movements_of(ctx, "P01-1")] == [600, 40, -15]
    assert_sums(ctx)


def test_an_adjustment_is_audited(ctx):
    adjust(acting(ctx, "bob"), sku_id(ctx, "P01-1"), -1, MovementCause.COUNT, "盘点")
    entry = ctx.session.orm.scalars(select(AuditEntry).order_by(AuditEntry.sequence.desc())).first()
    assert (entry.action, entry.reason, entry.before) == ("stock.adjust", "盘点", {"on_hand": 600})
    assert (entry.subject, entry.subject_id) == ("sku", "P01-1")
    assert entry.after == {"on_hand": 599, "cause": "count"}


def test_stock_never_falls_below_what_is_promised(ctx):
    reserve(ctx, new_id(), {sku_id(ctx, "P01-1"): 590})
    adjust(ctx, sku_id(ctx, "P01-1"), -10, MovementCause.COUNT, "盘点")
    with pytest.raises(Conflict) as refused:
        adjust(ctx, sku_id(ctx, "P01-1"), -1, MovementCause.COUNT, "盘点")
    assert refused.value.error_code == "below_reserved"
    assert refused.value.extra == {"on_hand": 590, "reserved": 590}
    assert level(ctx, "P01-1") == (590, 590)


@pytest.mark.parametrize(
    ("delta", "cause", "note", "field"),
    [
        (0, MovementCause.COUNT, "盘点", "delta"),
        (1, MovementCause.COUNT, "  ", "note"),
        (1, MovementCause.RESERVE, "盘点", "cause"),
        (1, MovementCause.INITIAL, "盘点", "cause"),
        (10**9, MovementCause.HARVEST, "丰收", "delta"),
        (-1, MovementCause.HARVEST, "丰收", "delta"),
        (-1, MovementCause.PURCHASE, "采购", "delta"),
        (-1, MovementCause.RETURN, "退货", "delta"),
        (1, MovementCause.DAMAGE, "受潮", "delta"),
    ],
)
def test_an_adjustment_that_means_nothing_is_refused(ctx, delta, cause, note, field):
    with pytest.raises(Invalid) as refused:
        adjust(ctx, sku_id(ctx, "P01-1"), delta, cause, note)
    assert list(refused.value.fields) == [field]
    assert level(ctx, "P01-1") == (600, 0)
    assert len(movements_of(ctx, "P01-1")) == 1


def test_only_what_keeps_stock_can_be_adjusted(ctx):
    with pytest.raises(NotFound):
        adjust(ctx, new_id(), 1, MovementCause.COUNT, "盘点")


def test_the_books_of_a_new_sku_may_begin_at_zero(ctx):
    ctx.session.execute(text("UPDATE sku SET active = false"))
    fresh = new_id()
    ctx.session.execute(
        text(
            "INSERT INTO sku SELECT :id, 'P01-9', product_id, name, net_content, unit, price_fen,"
            " weight_g, gtin, 9, active, version FROM sku WHERE code = 'P01-1'"
        ),
        {"id": fresh},
    )
    open_stock(ctx, {fresh: 0})
    assert (level(ctx, "P01-9"), movements_of(ctx, "P01-9")) == ((0, 0), [])
    assert_sums(ctx)
