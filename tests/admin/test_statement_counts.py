"""A page of the back office costs the same number of SQL statements, however much it lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import insert, select, update

import admin
from models.identity import TokenKind
from models.inventory import MovementCause
from models.ledger import JournalEntry
from models.payments import EventOutcome, ProviderEvent
from models.refunds import Dispute
from shop.catalog.cache import cache_of
from shop.context import Ctx
from shop.embedded_postgres import EmbeddedPostgres
from shop.ids import new_id
from shop.inventory.commands import adjust
from shop.payments.differences import open_difference
from shop.payments.reconcile import reconcile_provider
from shop.payments.webhooks import note
from tests import cast
from tests import refund_factories as fact
from tests.admin.conftest import Desk
from tests.api.mall import Mall, opened
from tests.bank_factories import bank_says
from tests.conftest import counted
from tests.jobs import fail_job

YEAR = "from=2026-01-01&to=2027-01-01"
LISTS = [
    ("/audit", "olga"),
    ("/audit?verify=1", "olga"),
    ("/bank", "fiona"),
    ("/consignments", "bob"),
    ("/consignments/picking", "bob"),
    ("/differences", "fiona"),
    ("/disputes", "fiona"),
    (f"/entries?{YEAR}", "olga"),
    (f"/entries.csv?{YEAR}", "olga"),
    ("/goods/P01-1", "bob"),
    ("/jobs", "ada"),
    ("/ledger/entries", "fiona"),
    ("/orders", "olga"),
    ("/payments", "olga"),
    ("/provider-events", "fiona"),
    ("/reconciliations", "fiona"),
    ("/refunds", "fiona"),
    (f"/reports/by/sku?{YEAR}", "olga"),
    (f"/reports/by/sku.csv?{YEAR}", "olga"),
]
"""Path and who opens it; each is longer the more has happened."""
FIGURES = [
    ("/", "bob"),
    ("/", "olga"),
    ("/", "fiona"),
    ("/goods", "bob"),
    ("/ledger", "fiona"),
    ("/listings", "bob"),
    ("/listings", "olga"),
    ("/ledger/proof", "fiona"),
    (f"/reports?{YEAR}", "olga"),
]
"""Path and who opens it; they say more, but not on more lines."""

DETAILS = [
    ("/consignments/{number}-1", "bob"),
    ("/consignments/{number}-1/slip", "bob"),
    ("/ledger/entries/{entry}", "fiona"),
    ("/orders/{number}", "olga"),
    ("/orders/{number}/refund", "fiona"),
    ("/refunds/{refund}", "fiona"),
]
"""Path and who opens it; of an order of one line, and of one of many lines and sellers."""
ONE_THING = {
    "admin.bank_line",
    "admin.difference",
    "admin.dispute",
    "admin.dispute_sheet",
    "admin.password",
    "admin.provider_event",
    "admin.reconciliation",
    "admin.sign_in",
}
"""Pages that list nothing."""
MOST = 48
"""No page needs more; of the overview each figure is asked for by itself."""

SMALL = [("P01-1", 2)]
LARGE = [(sku, 2) for sku in ("P01-1", "P01-2", "P02-1", "P03-1", "P06-1", "P12-1", "P21-1")]

Page = tuple[str, str]
Cost = tuple[int, int]


def browser(mall: Mall, name: str) -> Desk:
    client = mall.app.test_client()
    with client.session_transaction() as session:
        session["sid"] = f"{TokenKind.SESSION}:{cast.secret(name)}"
    return Desk(client)


def cost(mall: Mall, path: str, name: str) -> Cost:
    """(statements, bytes of the page), when nothing of it is kept from before."""
    desk = browser(mall, name)
    cache = cache_of(mall.database.engine)
    cache._clear()
    cache.expire()
    with counted(mall.database) as issued:
        answer = desk.get(path)
    assert answer.status_code == 200, desk.text
    return len(issued), len(answer.data)


def happen(mall: Mall, number: int, lines: list[tuple[str, int]]) -> dict[str, str]:
    """One more of everything that a page lists; the variables of the pages about it."""
    with mall.transactions.begin() as ctx:
        order = fact.bought(ctx, *lines)
        wishes = [fact.of(ctx, order, place, 1) for place in range(1, len(lines) + 1)]
        refund = fact.ask(ctx, order, *wishes)
        fact.end(ctx, refund)
        dispute = fact.disputed(ctx, fact.bought(ctx))
        ctx.session.execute(
            update(Dispute).where(Dispute.id == dispute).values(reference=f"dp_{number}_")
        )
        open_difference(ctx, "unknown_line", f"txn_{number}", day_of=ctx.now, theirs_fen=1)
        hear(ctx, f"evt_{number}")
        fail_job(ctx, "payments.send_refund", refund=str(refund))
        adjust(ctx, fact.lines_of(ctx, order)[0].sku_id, 1, MovementCause.HARVEST, "新采")
    bank_says(mall.transactions, (number, "利息"), first=number)
    reconcile_provider(mall.transactions, date(2026, 11, number % 20 + 1))
    with mall.transactions.begin() as ctx:
        entries = select(JournalEntry.id).where(JournalEntry.order_id == order)
        return {
            "number": fact.number_of(ctx, order),
            "refund": fact.refund_of(ctx, refund).number,
            "entry": str(ctx.session.execute(entries.order_by(JournalEntry.id)).scalars().first()),
        }


def hear(ctx: Ctx, name: str) -> None:
    """The provider told something that could not be applied."""
    row = {
        "id": new_id(),
        "provider": "stripe",
        "event_id": name,
        "type": "payout.paid",
        "body": "{}",
        "received_at": ctx.now,
    }
    ctx.session.execute(insert(ProviderEvent.__table__).values(row))
    note(ctx, row["id"], EventOutcome.FAILED, "payment_provider_unavailable")


@dataclass(frozen=True)
class Costs:
    """Page -> (statements, bytes of it), before and after more has happened."""

    before: dict[Page, Cost]
    after: dict[Page, Cost]


@pytest.fixture(scope="module")
def costs(postgres: EmbeddedPostgres) -> Iterator[Costs]:
    """Every page, opened after one and after seven of everything; details of a small, a large."""
    with opened(postgres) as mall:
        small = happen(mall, 1, SMALL)
        before = opened_by_all(mall, small)
        for number in range(2, 7):
            happen(mall, number, SMALL)
        large = happen(mall, 7, LARGE)
        yield Costs(before, opened_by_all(mall, large))


def opened_by_all(mall: Mall, variables: dict[str, str]) -> dict[Page, Cost]:
    return {
        (path, who): cost(mall, path.format(**variables), who)
        for path, who in (*LISTS, *FIGURES, *DETAILS)
    }


@pytest.mark.parametrize("page", [*LISTS, *DETAILS], ids=" ".join)
def test_a_page_that_says_more_asks_no_more(costs, page):
    (few, short), (many, long) = costs.before[page], costs.after[page]
    assert long > short
    assert few == many <= MOST


@pytest.mark.parametrize("page", FIGURES, ids=" ".join)
def test_figures_ask_no_more_the_more_there_is(costs, page):
    assert costs.before[page][0] == costs.after[page][0] <= MOST


def test_goods_are_read_together(costs):
    """Bob's cooperative has seven sizes of five products, from the start."""
    assert costs.after["/goods", "bob"][0] == 3


def test_every_page_that_lists_something_is_counted_here(app):
    address = app.url_map.bind("localhost")
    here = {
        address.match(f"/admin{path.partition('?')[0]}")[0]
        for path, _ in (*LISTS, *FIGURES, *DETAILS)
    }
    pages = {
        f"admin.{page.view.__name__}" for page in admin.page.pages.declared if "GET" in page.methods
    }
    assert pages - here == ONE_THING
