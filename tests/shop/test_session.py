"""What `ctx.session` is: one transaction, one statement alone, or reading without either."""

from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest
from sqlalchemy import bindparam, create_engine, func, select, text, update
from sqlalchemy.exc import IntegrityError, InternalError

from models.catalog import Sku
from models.inventory import Stock
from shop.errors import NotFound, TryAgain
from shop.ids import new_id

SKUS, STOCK = Sku.__table__, Stock.__table__

PRICE = update(SKUS).where(SKUS.c.code == "P01-1").values(price_fen=bindparam("fen"))
READ = select(SKUS.c.price_fen).where(SKUS.c.code == "P01-1")
XID = select(func.pg_current_xact_id_if_assigned().label("xid"))
PID = select(func.pg_backend_pid().label("pid"))

TIMES = (1, 2, 3)
"""Built, remembered, prepared: every statement below is sent each way."""


def price(database):
    with database.reading() as session:
        return session.execute(READ).scalar_one()


@pytest.fixture(params=["by SQLAlchemy", "by the driver"])
def known(request, database):
    """Whether the statements have come before."""
    if request.param == "by the driver":
        with database.transaction() as session:
            for statement, values in ((PRICE, {"fen": 1}), (READ, None)) * 2:
                session.execute(statement, values)
            session.rollback()


@pytest.mark.usefixtures("known")
def test_leaving_commits_and_raising_undoes(database):
    with database.transaction() as session:
        session.execute(PRICE, {"fen": 7})
    assert price(database) == 7
    with suppress(ZeroDivisionError), database.transaction() as session:
        session.execute(PRICE, {"fen": 8})
        raise ZeroDivisionError
    assert price(database) == 7


@pytest.mark.usefixtures("known")
def test_both_ways_share_one_transaction(database):
    once = text("UPDATE sku SET price_fen = price_fen + 1 WHERE code = 'P01-1'")
    with database.transaction() as session:
        session.execute(PRICE, {"fen": 7})
        session.execute(once)
        assert session.execute(READ).scalar_one() == 8
        session.rollback()
        session.execute(once)
    assert price(database) != 8


def test_a_statement_alone_is_committed_and_leaves_its_connection_as_it_was(database):
    before = price(database)
    for time in TIMES:
        with database.alone() as session:
            pid = session.execute(PID).scalar_one()
        with database.alone() as session:
            session.execute(PRICE, {"fen": time})
        assert price(database) == time
        with database.transaction() as session:
            assert session.execute(PID).scalar_one() == pid
            session.execute(PRICE, {"fen": before})
            session.rollback()
        assert price(database) == time


def test_alone_there_is_no_second_statement(database):
    for time in TIMES:
        with database.alone() as session:
            session.execute(PRICE, {"fen": time})
            with pytest.raises(RuntimeError, match="second statement"):
                session.execute(PRICE, {"fen": 99})
        assert price(database) == time


def test_a_statement_alone_that_is_refused_says_so(database):
    for _ in TIMES:
        with pytest.raises(IntegrityError), database.alone() as session:
            session.execute(PRICE, {"fen": -1})
    with database.transaction() as session:
        session.execute(PRICE, {"fen": 5})
        session.rollback()
    assert price(database) != 5


def test_nothing_else_opens_inside(database):
    ways = (database.transaction, database.reading, database.snapshot, database.alone)
    for outer, inner in product(ways, ways):
        with outer(), pytest.raises(RuntimeError, match="already open"):
            inner().__enter__()


def test_reading_cannot_write(database):
    before = price(database)
    for _ in TIMES:
        with database.reading() as session, pytest.raises(InternalError, match="read-only"):
            session.execute(PRICE, {"fen": 1})
    assert price(database) == before


def test_reading_opens_no_transaction_and_sees_what_others_commit_meanwhile(database):
    with database.transaction() as session:
        began = session.execute(select(func.now().label("now")))
        assert began.scalar_one() == session.execute(select(func.now())).scalar_one()
    with database.reading() as session:
        first = [session.execute(select(func.now())).scalar_one() for _ in TIMES]
        assert len(set(first)) == len(TIMES)  # each statement began by itself
        assert session.execute(XID).scalar_one() is None


@pytest.mark.usefixtures("known")
def test_a_snapshot_is_of_one_moment_and_leaves_its_connection_as_it_was(database):
    before = price(database)
    for time in TIMES:
        with database.snapshot() as session:
            pid = session.execute(PID).scalar_one()
            assert session.execute(READ).scalar_one() == before
            with database.engine.begin() as line:
                line.execute(PRICE, {"fen": time})
            assert session.execute(READ).scalar_one() == before
            assert session.execute(XID).scalar_one() is None
        with database.reading() as session:
            began = [session.execute(select(func.now())).scalar_one() for _ in TIMES]
            assert (session.execute(PID).scalar_one(), len(set(began))) == (pid, len(TIMES))
        before = time
    assert price(database) == TIMES[-1]


def test_a_snapshot_cannot_write(database):
    before = price(database)
    for _ in TIMES:
        with database.snapshot() as session, pytest.raises(InternalError, match="read-only"):
            session.execute(PRICE, {"fen": 1})
        with pytest.raises(ZeroDivisionError), database.snapshot():
            raise ZeroDivisionError
    assert price(database) == before


def test_what_waits_for_the_commit_is_called_once_it_holds(database):
    called = []
    with database.transaction() as session:
        session.after_commit(lambda: called.append(price_elsewhere(database)))
        session.execute(PRICE, {"fen": 7})
        assert called == []
    assert called == [7]
    with database.transaction() as session:
        session.after_commit(lambda: called.append("never"))
        session.execute(PRICE, {"fen": 8})
        session.rollback()
    assert called == [7]


def price_elsewhere(database):
    with database.engine.connect() as line:
        return line.execute(READ).scalar_one()


LATE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'too late' USING ERRCODE = 'check_violation'; END $$;
    CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON sku DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def test_what_is_refused_at_the_commit_holds_in_no_part(database):
    before = price(database)
    with database.transaction() as session:
        session.execute(text(LATE))
    called = []

    def write():
        with database.transaction() as session:
            session.after_commit(lambda: called.append("never"))
            session.execute(PRICE, {"fen": 7})

    for _ in TIMES:
        with pytest.raises(IntegrityError, match="too late"):
            write()
    assert (price(database), called) == (before, [])


def test_a_connection_that_broke_is_not_used_again(database):
    end, ended = text("SELECT pg_terminate_backend(:pid)"), []

    def break_down():
        with database.transaction() as session:
            ended.append(session.execute(PID).scalar_one())
            with database.engine.connect() as other:
                other.execute(end, {"pid": ended[-1]})
            session.execute(READ)

    for _ in TIMES:
        with pytest.raises(TryAgain):
            break_down()
        with database.transaction() as session:
            assert session.execute(PID).scalar_one() not in ended


def test_a_refusal_stays_one_though_the_connection_broke_meanwhile(database):
    statement = text("SELECT 1 AS one")

    def refuse():
        with database.transaction() as session:
            session.execute(statement)
            end_all(database)
            raise NotFound

    for _ in TIMES:
        with pytest.raises(NotFound):
            refuse()


END_ALL = text(
    "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def end_all(database):
    """Whoever is connected is no more; returns how many those were."""
    elsewhere = create_engine(database.url)
    with elsewhere.connect() as other:
        ended = other.execute(END_ALL).scalar_one()
    elsewhere.dispose()
    return ended


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("way", ["transaction", "reading"])
def test_a_server_that_was_started_anew_costs_an_answer_and_not_one_each_connection(database, way):
    opening = getattr(database, way)
    pool = database.readers if way == "reading" else database.engine
    for line in [pool.connect() for _ in range(4)]:
        line.close()
    assert end_all(database) >= 4
    prices = []
    for _ in range(6):
        with suppress(TryAgain), opening() as session:
            prices.append(session.execute(READ).scalar_one())
    assert len(prices) == 5


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout", "transaction_timeout"])
def test_a_transaction_that_stood_still_can_be_tried_again(database, limit):
    before = price(database)

    def stand_still():
        with database.transaction() as session:
            session.execute(PRICE, {"fen": 7})
            session.execute(text(f"SET LOCAL {limit} = 1"))
            wait_for_the_end_of(database, session)

    for _ in TIMES:
        with pytest.raises(TryAgain):
            stand_still()
    assert price(database) == before


def wait_for_the_end_of(database, session):
    """Until PostgreSQL has ended the transaction of a session, which is not told of it."""
    pid = session.connection().connection.driver_connection.info.backend_pid
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with database.readers.connect() as other:
        while other.execute(alive, {"pid": pid}).scalar_one():
            pass


def test_entities_are_for_who_asks_for_them(database):
    one = Stock(sku_id=new_id(), on_hand=1, reserved=0)
    with suppress(IntegrityError), database.transaction() as session:
        session.orm.add(one)  # written at the commit: there is no such SKU
    with database.reading() as session:
        assert session.execute(select(STOCK).where(STOCK.c.sku_id == one.sku_id)).all() == []
    with database.transaction() as session:
        found = session.execute(select(Stock).limit(1)).scalar_one()
        assert isinstance(found, Stock)
        found.on_hand = 77
    with database.reading() as session:
        level = session.execute(select(STOCK.c.on_hand).where(STOCK.c.sku_id == found.sku_id))
        assert level.scalar_one() == 77
