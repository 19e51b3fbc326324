"""Statements that come again: they are sent another way and must mean the same."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from models.catalog import ListingState, Product, Sku
from models.identity import User
from models.inventory import Stock
from shop.prepared import CountedResult
from tests.conftest import counted

PRODUCTS, STOCK, SKUS = Product.__table__, Stock.__table__, Sku.__table__

CODES = ["P01", "P02"]


def three_times(session, statement, values=None):
    """The answers to the same statement object: built, remembered, prepared."""
    answers = [session.execute(statement, values) for _ in range(3)]
    assert [isinstance(one, CountedResult) for one in answers] == [False, True, True]
    return [one.mappings().all() for one in answers]


def test_a_prepared_statement_brings_the_same_rows(database):
    wanted = select(PRODUCTS).where(PRODUCTS.c.code == bindparam("code"))
    with database.transaction() as session:
        first, second, third = three_times(session, wanted, {"code": "P01"})
    assert [dict(row) for row in first] == [dict(row) for row in second]
    assert third[0]["state"] is ListingState.LISTED


def test_values_in_the_statement_itself_stay_what_they_are(database):
    listed = (
        select(PRODUCTS.c.code)
        .where(PRODUCTS.c.state.in_([ListingState.LISTED]), PRODUCTS.c.code.in_(CODES))
        .order_by(PRODUCTS.c.code)
    )
    with database.transaction() as session:
        assert [[row["code"] for row in one] for one in three_times(session, listed)] == [CODES] * 3


def test_an_expression_without_a_name_goes_the_usual_way(database):
    stock = select(STOCK.c.on_hand - STOCK.c.reserved).order_by(STOCK.c.sku_id).limit(1)
    with database.transaction() as session:
        first, second, third = [session.execute(stock).scalar_one() for _ in range(3)]
    assert first == second == third


def test_a_statement_made_from_another_is_another(database):
    every = select(PRODUCTS.c.code).order_by(PRODUCTS.c.code)
    with database.transaction() as session:
        three_times(session, every)
        one = every.where(PRODUCTS.c.code == "P02")
        assert [session.execute(one).scalars().all() for _ in range(3)] == [["P02"]] * 3


def test_other_names_make_another_text(database):
    change = update(STOCK).where(STOCK.c.sku_id == bindparam("one"))
    with database.transaction() as session:
        one = session.execute(select(STOCK.c.sku_id)).scalars().first()
        for values in ({"on_hand": 7}, {"on_hand": 8}, {"on_hand": 9, "reserved": 1}):
            assert session.execute(change, {"one": one, **values}).rowcount == 1
        found = session.execute(select(STOCK).where(STOCK.c.sku_id == one)).one()
    assert (found.on_hand, found.reserved) == (9, 1)


def test_lists_that_the_caller_passes_to_in_may_grow(database):
    wanted = select(PRODUCTS.c.code).where(PRODUCTS.c.code.in_(bindparam("codes", expanding=True)))
    with database.transaction() as session:
        lengths = [len(session.execute(wanted, {"codes": CODES[:n]}).all()) for n in (1, 2, 1)]
    assert lengths == [1, 2, 1]


def test_orm_entities_come_as_objects(database):
    everybody = select(User)
    with database.transaction() as session:
        for _ in range(3):
            assert isinstance(session.execute(everybody).scalars().first(), User)


def test_refusals_are_the_same_errors(database):
    again = insert(STOCK)
    with database.transaction() as session:
        row = dict(session.execute(select(STOCK)).mappings().first())
        for _ in range(3):
            with pytest.raises(IntegrityError), session.begin_nested():
                session.execute(again, row)


def test_a_new_transaction_takes_a_new_connection(database):
    one = text("SELECT 1")
    with database.transaction() as session:
        for _ in range(3):
            assert session.execute(one).scalar_one() == 1
            session.rollback()


def test_who_listens_hears_prepared_statements_too(database):
    one = text("SELECT 1")
    with database.transaction() as session:
        three_times(session, one)
        with counted(database) as issued:
            session.execute(one)
    assert issued == ["SELECT 1"]


def test_a_savepoint_holds_what_goes_straight_to_the_driver(database):
    price = update(SKUS).values(price_fen=SKUS.c.price_fen + 1)
    read = select(SKUS.c.price_fen).order_by(SKUS.c.code)
    with database.transaction() as session:
        for _ in range(2):
            session.execute(price)
        before = session.execute(read).scalars().all()
        with session.begin_nested() as savepoint:
            session.execute(price)
            savepoint.rollback()
        assert session.execute(read).scalars().all() == before


def test_columns_that_nobody_names_get_their_defaults(database):
    write = insert(STOCK).returning(STOCK.c.reserved)
    with database.transaction() as session:
        one = session.execute(select(STOCK.c.sku_id)).scalars().first()
        for known in (False, True, True):
            session.execute(delete(STOCK).where(STOCK.c.sku_id == one))
            result = session.execute(write, {"sku_id": one, "on_hand": 3})
            assert isinstance(result, CountedResult) is known
            assert result.scalar_one() == 0
