"""Statements that come again: they are sent another way and must mean the same."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import (
    BigInteger,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError

from models.catalog import ListingState, Product, Sku
from models.identity import User
from models.inventory import Stock
from shop.errors import TryAgain
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


def test_what_goes_either_way_is_committed_together_or_not_at_all(database):
    price = update(SKUS).values(price_fen=SKUS.c.price_fen + 1)
    stop = RuntimeError("stop")

    def prices():
        with database.transaction() as session:
            return session.execute(select(SKUS.c.price_fen).order_by(SKUS.c.code)).scalars().all()

    def change(*, fail):
        with database.transaction() as session:
            session.execute(price)
            session.execute(update(SKUS).values(price_fen=SKUS.c.price_fen + 10))
            if fail:
                raise stop

    change(fail=False)
    before = prices()
    with pytest.raises(RuntimeError):
        change(fail=True)
    assert prices() == before
    change(fail=False)
    assert prices() == [one + 11 for one in before]


def test_a_transaction_of_prepared_statements_alone_rolls_back(database):
    price = update(SKUS).values(price_fen=SKUS.c.price_fen + 1)
    read = select(SKUS.c.price_fen).order_by(SKUS.c.code)
    with database.transaction() as session:
        before, _, _ = three_times(session, read)
        session.execute(price)
        session.rollback()
        for _ in range(2):
            assert session.execute(price).rowcount == len(before)
            session.rollback()
    with database.transaction() as session:
        assert session.execute(read).mappings().all() == before


def test_a_session_that_has_begun_by_itself_commits_the_rest(database):
    price = update(SKUS).values(price_fen=7)
    with database.transaction() as session:
        session.execute(price)
    with database.transaction() as session:
        session.begin()
        session.execute(price.returning(SKUS.c.id))
        session.execute(price)
    with database.transaction() as session:
        assert set(session.execute(select(SKUS.c.price_fen)).scalars()) == {7}


def test_many_rows_go_at_once_and_refuse_at_once(database):
    write = insert(STOCK)
    with database.transaction() as session:
        rows = [dict(row) for row in session.execute(select(STOCK).limit(3)).mappings()]
        gone = session.execute(
            delete(STOCK).where(STOCK.c.sku_id.in_([row["sku_id"] for row in rows]))
        )
        assert gone.rowcount == 3
        session.execute(write, rows[0])
        assert session.execute(write, rows[1:]).rowcount == 2
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(write, rows)
        assert session.execute(select(func.count()).select_from(STOCK)).scalar_one() >= 3


def test_numbers_of_every_size_are_one_statement(database):
    wanted = select(literal(1).label("one")).where(bindparam("number", type_=BigInteger) >= 0)
    with database.transaction() as session:
        for number in (0, 0, 1, 2**15, 2**31, 2**40, None):
            session.execute(wanted, {"number": number}).all()
        count = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE :what")
        assert session.execute(count, {"what": "%AS one%"}).scalar_one() == 1


ME = text("SELECT pg_backend_pid() AS me")


def hang_up(database, session):
    """Have the server end the connection of a session; who it was."""
    session.execute(ME)
    pid = session.execute(ME).scalar_one()
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    return pid


def ask(database):
    with database.transaction() as session:
        return session.execute(ME).scalar_one()


def test_a_connection_lost_in_a_transaction_is_replaced(database):
    def lose():
        with database.transaction() as session:
            lost.append(hang_up(database, session))
            session.execute(ME)

    lost = []
    with pytest.raises(TryAgain):
        lose()
    assert ask(database) != lost[0]


def test_a_connection_lost_between_two_transactions_is_replaced(database):
    with database.transaction() as session:
        session.execute(ME)
        lost = session.execute(ME).scalar_one()
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
    with pytest.raises(TryAgain):
        ask(database)
    assert ask(database) != lost


def test_several_reads_go_by_one_trip_and_bring_each_its_own(database):
    skus = select(SKUS.c.code).order_by(SKUS.c.code).limit(bindparam("count", type_=BigInteger))
    states = select(PRODUCTS.c.code, PRODUCTS.c.state).where(PRODUCTS.c.code == bindparam("code"))
    with database.transaction() as session:
        for _ in range(3):
            two, one, none = session.execute_all(
                (skus, {"count": 2}), (states, {"code": "P01"}), (states, {"code": "none"})
            )
            assert two.scalars().all() == ["P01-1", "P01-2"]
            assert one.one() == ("P01", ListingState.LISTED)
            assert none.all() == []


def test_a_read_among_several_that_fails_fails_them_all(database):
    fine, bad = text("SELECT 1 AS fine"), text("SELECT 1 / CAST(:by AS integer) AS bad")

    def ask(by):
        with database.transaction() as session:
            session.execute_all((fine, {}), (bad, {"by": by}), (fine, {}))

    for _ in range(3):
        ask(1)
    with pytest.raises(DataError):
        ask(0)
    ask(1)


def test_a_statement_alone_is_committed_at_once(database):
    price = update(SKUS).values(price_fen=SKUS.c.price_fen + 1)
    read = select(SKUS.c.price_fen).order_by(SKUS.c.code).limit(1)
    with database.transaction() as session:
        before = session.execute(read).scalar_one()
    for count in (1, 2, 3):
        with database.transaction() as session:
            session.execute_alone(price, {})
            session.rollback()
        with database.transaction() as session:
            assert session.execute(read).scalar_one() == before + count
            with pytest.raises(RuntimeError):
                session.execute_alone(price, {})


def test_what_was_to_follow_a_commit_follows_no_rollback(database):
    called = []
    with database.transaction() as session:
        session.after_commit(lambda: called.append("never"))
        session.rollback()
        session.after_commit(lambda: called.append("once"))
    with database.transaction():
        pass
    assert called == ["once"]


def later(database):
    """A write that can wait and a read, both known."""
    price = update(SKUS).where(SKUS.c.code == "P01-1").values(price_fen=bindparam("fen"))
    read = select(SKUS.c.price_fen).where(SKUS.c.code == "P01-1")
    with database.transaction() as session:
        for fen in (1, 2, 3):
            session.execute(price, {"fen": fen})
            session.execute(read)
    return price, read


def test_what_waits_is_there_for_the_next_statement_of_either_way(database):
    price, read = later(database)
    with database.transaction() as session:
        session.execute_later(price, {"fen": 4})
        assert session.execute(read).scalar_one() == 4
        session.execute_later(price, [{"fen": 5}, {"fen": 6}])
        built = select(SKUS.c.price_fen).where(SKUS.c.code == "P01-1")
        assert session.execute(built).scalar_one() == 6
        session.execute_later(price, {"fen": 7})
        assert [one.scalar_one() for one in session.execute_all((read, {}), (read, {}))] == [7, 7]


def test_what_waits_is_committed_with_the_rest_or_dropped_with_it(database):
    price, read = later(database)
    with database.transaction() as session:
        session.execute_later(price, {"fen": 4})
    with database.transaction() as session:
        assert session.execute(read).scalar_one() == 4
        session.execute_later(price, {"fen": 5})
        session.rollback()
        assert session.execute(read).scalar_one() == 4
        session.execute_later(price, {"fen": 6})
        session.begin()
    with database.transaction() as session:
        assert session.execute(read).scalar_one() == 6
        session.execute_later(price, {"fen": 7})
        session.close()
        assert session.execute(read).scalar_one() == 6


def test_a_savepoint_holds_what_was_to_wait_inside_it(database):
    price, read = later(database)
    with database.transaction() as session:
        session.execute_later(price, {"fen": 4})
        with session.begin_nested() as savepoint:
            session.execute_later(price, {"fen": 5})
            savepoint.rollback()
        assert session.execute(read).scalar_one() == 4
        with session.begin_nested():
            session.execute_later(price, {"fen": 6})
        assert session.execute(read).scalar_one() == 6


def test_what_waits_is_refused_with_the_commit_at_the_latest(database):
    price, read = later(database)

    def change():
        with database.transaction() as session:
            session.execute_later(price, {"fen": -1})

    with pytest.raises(IntegrityError):
        change()
    with database.transaction() as session:
        assert session.execute(read).scalar_one() == 3
