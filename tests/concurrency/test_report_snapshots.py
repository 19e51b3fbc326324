"""What one page or file says agrees with itself, whatever is sold while it is being made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from models.identity import TokenKind
from shop import db
from shop.context import Transactions
from shop.db import Database
from shop.reports import rollups
from shop.reports.queries import sales
from tests import cast
from tests.aid_factories import part, sell
from tests.concurrency.test_receipt_races import WAITING, Racer
from tests.rollup_factories import ENTRIES, ROLLUPS, SHEET, roll_up, told

pytestmark = pytest.mark.race

YEAR = "from=2026-01-01&to=2027-01-01"
BEFORE, AFTER = "48.00", "48.07"
"""What stands in the report before and after the sale of 7 fen."""


@pytest.fixture
def fiona(app: Any) -> Any:
    """A browser in which the finance office is signed in: a report page holds no buyer's name."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["sid"] = f"{TokenKind.SESSION}:{cast.secret('fiona')}"
    return client


@pytest.fixture
def sold(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=4800), unit="U03")


def sale(transactions: Transactions) -> None:
    with transactions.begin() as ctx:
        sell(ctx, "2026-03-10T10:00:00", part(fen=7), unit="U03")


@contextmanager
def selling_meanwhile(transactions: Transactions) -> Iterator[list[str]]:
    """Another order is paid once the first figures have been read, before the second are."""
    asked: list[str] = []

    def meanwhile(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM aid_entry" in statement and threading.current_thread() is reader:
            asked.append(statement)
            if len(asked) == 2:
                other = threading.Thread(target=sale, args=(transactions,))
                other.start()
                other.join(20)

    reader = threading.current_thread()
    engines = (transactions.database.engine, transactions.database.readers)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", meanwhile)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", meanwhile)


def said(client: Any, transactions: Transactions, path: str) -> tuple[bool, bool]:
    """Whether a page on which somebody sells meanwhile says the figure of before, and of after."""
    with selling_meanwhile(transactions) as asked:
        answer = client.get(path)
    shown = answer.get_data(as_text=True)
    assert (answer.status_code, len(asked) >= 2) == (200, True)
    return BEFORE in shown, AFTER in shown


def later(client: Any, path: str) -> tuple[bool, bool]:
    shown = client.get(path).get_data(as_text=True)
    return BEFORE in shown, AFTER in shown


@pytest.fixture(params=["from the entries", "from the cells"])
def asked_before(request: Any, transactions: Transactions, fiona: Any, sold: None) -> None:
    """Whether the page's questions are rolled up."""
    if request.param == "from the cells":
        fiona.get(f"/admin/reports?{YEAR}")
        roll_up(transactions)


@pytest.mark.usefixtures("asked_before")
def test_the_tables_of_a_page_agree_with_its_headline(fiona, transactions):
    path = f"/admin/reports?{YEAR}"
    assert said(fiona, transactions, path) == (True, False)
    assert later(fiona, path) == (False, True)


@pytest.mark.usefixtures("asked_before")
def test_control_statement_by_statement_they_do_not(fiona, transactions, monkeypatch):
    monkeypatch.setattr(Database, "snapshot", Database.reading)
    assert said(fiona, transactions, f"/admin/reports?{YEAR}") == (True, True)


def amounts(client: Any, transactions: Transactions) -> tuple[int, int]:
    """(entries in the file, entries that the list's figure sums) of a list made meanwhile."""
    with selling_meanwhile(transactions):
        shown = client.get(f"/admin/entries?{YEAR}").get_data(as_text=True)
    return shown.count("高山绿茶"), 2 if AFTER in shown else 1


@pytest.mark.usefixtures("sold")
def test_a_list_of_entries_sums_to_the_figure_above_it(fiona, transactions):
    assert amounts(fiona, transactions) == (1, 1)


@pytest.mark.usefixtures("sold")
def test_control_statement_by_statement_one_is_too_many(fiona, transactions, monkeypatch):
    monkeypatch.setattr(Database, "snapshot", Database.reading)
    assert amounts(fiona, transactions) == (2, 1)


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize(
    "path", ["/api/v1/reports/sales", "/api/v1/reports/sales.csv", "/admin/reports/by/unit.csv"]
)
def test_every_report_is_of_one_moment(path, fiona, api, transactions):
    """All it reads, who asks included, is read in one transaction that cannot write."""
    modes = []

    def mode(conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "aid_entry" in statement:
            modes.append((conn.get_isolation_level(), conn.connection.driver_connection.autocommit))

    event.listen(transactions.database.readers, "before_cursor_execute", mode)
    if path.startswith("/admin"):
        assert fiona.get(f"{path}?{YEAR}").status_code == 200
    else:
        asked = f"{path.removeprefix('/api/v1')}?{YEAR}&group_by=unit"
        assert api.get(asked, as_="fiona").status_code == 200
    event.remove(transactions.database.readers, "before_cursor_execute", mode)
    assert set(modes) == {("REPEATABLE READ", False)}
    assert len(modes) == 2  # the table is held, then read


def noted(transactions: Transactions) -> list[Any]:
    with transactions.begin() as ctx:
        found = select(ROLLUPS.c.question["group_by"], ROLLUPS.c.asked_at)
        return ctx.session.execute(found).all()


def ask(transactions: Transactions) -> Any:
    with transactions.snapshot() as ctx:
        return told(sales(ctx, SHEET))


def test_who_ask_the_same_new_question_at_once_are_all_answered(transactions, together, sold):
    first, *others = together(*[partial(ask, transactions)] * 4)
    assert first[1]["paid_goods_fen"] == 4800
    assert others == [first] * 3
    assert len(noted(transactions)) == 1


def test_that_it_was_asked_is_noted_when_the_snapshot_is_over(transactions, time):
    ask(transactions)
    roll_up(transactions)
    [(_, first)] = noted(transactions)
    time.forward(minutes=11)
    with transactions.snapshot() as ctx:
        sales(ctx, SHEET)
        assert len(ctx.afterwards) == 1
    [(_, last)] = noted(transactions)
    assert ((last - first).total_seconds(), last) == (660, time.now)


def test_an_answer_does_not_depend_on_its_note(transactions, sold):
    """Somebody notes the same question and does not get done with it."""
    written, done = threading.Event(), threading.Event()

    def slow() -> None:
        with transactions.begin() as ctx:
            rollups.note(ctx, SHEET)
            written.set()
            done.wait(20)

    other = threading.Thread(target=slow)
    other.start()
    assert written.wait(20)
    assert ask(transactions)[1]["paid_goods_fen"] == 4800
    done.set()
    other.join(20)
    assert len(noted(transactions)) == 1


def somebody_waits(transactions: Transactions) -> bool:
    """Looked at from outside: within a transaction PostgreSQL tells it once and for all."""
    with transactions.database.engine.connect() as line:
        return line.execute(text(WAITING)).scalar_one() > 0


def rebuilt_meanwhile(transactions: Transactions) -> tuple[int, int]:
    """The figure, and the entries there are, of who came while the record was written anew."""
    with transactions.begin() as ctx:
        ctx.session.execute(
            text("ALTER TABLE aid_entry ALTER COLUMN xid TYPE bigint USING 4000000000000")
        )
    seen: list[int] = []

    def read() -> None:
        with transactions.snapshot() as ctx:
            ctx.session.execute(select(func.count()).select_from(ROLLUPS))  # who asks, for one
            seen.append(sales(ctx, SHEET).totals["paid_goods_fen"])

    with transactions.begin() as ctx:
        rollups.start_over(ctx)
        reader = Racer(read)
        while not somebody_waits(transactions):
            assert reader.is_alive()
    reader.join(20)
    with transactions.begin() as ctx:
        return seen[0], ctx.session.execute(select(func.count()).select_from(ENTRIES)).scalar_one()


def test_who_comes_while_the_record_is_written_anew_reads_all_of_it(transactions, sold):
    assert rebuilt_meanwhile(transactions) == (4800, 1)


def test_control_not_held_before_the_snapshot_the_record_is_empty(transactions, sold, monkeypatch):
    monkeypatch.setattr(db, "HELD", text("SELECT 1"))
    assert rebuilt_meanwhile(transactions) == (0, 1)


def test_while_a_report_is_read_the_record_is_not_written_anew(transactions, sold):
    def rebuild() -> None:
        with transactions.begin() as ctx:
            ctx.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            ctx.session.execute(
                text("ALTER TABLE aid_entry ALTER COLUMN xid TYPE bigint USING 4000000000000")
            )

    def during(call: Callable[[], None]) -> str:
        racer = Racer(call)
        racer.join(20)
        return racer.ended

    with transactions.snapshot() as ctx:
        assert during(rebuild) == "try_again"
        assert sales(ctx, SHEET).totals["paid_goods_fen"] == 4800
    assert during(rebuild) == "done"
