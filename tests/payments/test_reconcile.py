"""A day of the provider's beside our ledger: clean, unclean, and how it becomes clean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text

from models.ledger import JournalEntry
from models.reconciliation import Difference, ProviderTransaction, Reconciliation
from shop.clock import SHANGHAI
from shop.context import Transactions
from shop.errors import Invalid
from shop.ledger.queries import accounts
from shop.orders.commands import place_order
from shop.payments.commands import start_payment
from shop.payments.differences import explain
from shop.payments.gateway import BalanceLine, GatewayUnavailable
from shop.payments.proof import prove
from shop.payments.providers import install
from shop.payments.reconcile import reconcile_provider
from shop.payments.refund_rules import RefundWish
from shop.payments.refund_sending import carry as send_refund
from shop.payments.refunds import request_refund
from shop.payments.sync import sync_payment
from tests.conftest import actor_of
from tests.fakes.gateway import FakeGateway
from tests.fakes.gateway_money import fee_of
from tests.shop.test_orders_place import WISH

DAY = date(2026, 11, 23)
TOTAL = 13980
FEE = fee_of(TOTAL)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def buy(transactions: Transactions, provider: FakeGateway):
    """Place, pay and, unless told not to, hear of it; the checkout's reference."""

    def bought(*, heard: bool = True) -> str:
        with transactions.begin() as ctx:
            placed = place_order(ctx, WISH)
        start_payment(transactions, placed.number, token=placed.access_token)
        reference = list(provider.checkouts)[-1]
        provider.pay(reference)
        if heard:
            assert sync_payment(transactions, reference)
        return reference

    return bought


@pytest.fixture
def tomorrow(time):
    """The day is over."""

    def over() -> None:
        time.set("2026-11-24T02:30:00+08:00")

    return over


def run(transactions: Transactions, day: date = DAY) -> Any:
    """Reconcile a day; the run's row."""
    run_id = reconcile_provider(transactions, day)
    with transactions.begin() as ctx:
        return ctx.session.execute(
            select(Reconciliation.__table__).where(Reconciliation.id == run_id)
        ).one()


def differences(transactions: Transactions) -> list[tuple[Any, ...]]:
    """(kind, reference, theirs, ours, state) of every one."""
    with transactions.begin() as ctx:
        found = ctx.session.execute(
            select(
                Difference.kind,
                Difference.reference,
                Difference.theirs_fen,
                Difference.ours_fen,
                Difference.state,
            ).order_by(Difference.id)
        )
        return [tuple(row) for row in found]


def balances(transactions: Transactions) -> dict[str, int]:
    with transactions.begin() as ctx:
        return {one["code"]: one["balance_fen"] for one in accounts(ctx) if one["balance_fen"]}


def refund(transactions: Transactions, wish: RefundWish = RefundWish()) -> str:  # noqa: B008 - a value
    """Refund the only order and carry it to the provider."""
    with transactions.begin() as ctx:
        order = ctx.session.execute(text("SELECT id FROM customer_order")).scalar_one()
        refund_id = request_refund(ctx, order, wish, "破损")
    send_refund(transactions, refund_id)
    return str(refund_id)


def line(reference: str, **values: Any) -> BalanceLine:
    at = datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)
    plain: dict[str, Any] = {"kind": "charge", "amount_fen": 500, "fee_fen": 0, "currency": "CNY"}
    plain |= values
    net = plain["amount_fen"] - plain["fee_fen"]
    return BalanceLine(reference=reference, net_fen=net, **{"created_at": at, **plain})


def test_a_day_without_anything(transactions, provider, tomorrow):
    tomorrow()
    row = run(transactions)
    assert (row.lines, row.theirs_fen, row.ours_fen, row.open_differences) == (0, 0, 0, 0)
    assert row.sums["kinds"] == []


def test_a_clean_day_sums_to_zero_and_its_fees_are_posted(transactions, provider, buy, tomorrow):
    buy()
    buy()
    provider.payout(20_000)
    tomorrow()
    row = run(transactions)
    assert (row.lines, row.theirs_fen - row.ours_fen, row.open_differences) == (3, 0, 0)
    assert row.theirs_fen == 2 * TOTAL - 2 * FEE - 20_000
    assert [(one["kind"], one["lines"], one["theirs_fen"] - one["ours_fen"], one["fee_fen"])
            for one in row.sums["kinds"]] == [("charge", 2, 0, 2 * FEE), ("payout", 1, 0, 0)]  # fmt: skip
    assert row.sums["balance"]["unexplained_fen"] == 0
    assert differences(transactions) == []
    found = balances(transactions)
    assert found["provider_clearing"] == row.theirs_fen
    assert found["provider_fees"] == 2 * FEE
    assert found["suspense"] == 20_000
    with transactions.begin() as ctx:
        assert prove(ctx).proved


def test_a_second_run_posts_nothing_twice(transactions, provider, buy, tomorrow):
    buy()
    provider.payout(1_000)
    tomorrow()
    run(transactions)
    before = balances(transactions)
    with transactions.begin() as ctx:
        entries = ctx.session.execute(select(func.count()).select_from(JournalEntry)).scalar_one()
    run(transactions)
    assert balances(transactions) == before
    with transactions.begin() as ctx:
        again = ctx.session.execute(select(func.count()).select_from(JournalEntry)).scalar_one()
        lines = ctx.session.execute(
            select(func.count()).select_from(ProviderTransaction)
        ).scalar_one()
    assert (again, lines) == (entries, 2)


def test_a_payment_nobody_told_us_of_is_missing_here_until_it_is(
    transactions, provider, buy, tomorrow
):
    reference = buy(heard=False)
    tomorrow()
    row = run(transactions)
    assert (row.open_differences, row.sums["differs_fen"]) == (1, TOTAL)
    assert row.theirs_fen - row.ours_fen == TOTAL
    assert row.sums["balance"]["unexplained_fen"] == 0
    charge = f"ch_{reference}"
    assert differences(transactions) == [("missing_at_ours", charge, TOTAL, None, "open")]
    sync_payment(transactions, reference)
    row = run(transactions)
    assert (row.open_differences, row.theirs_fen - row.ours_fen) == (0, 0)
    assert differences(transactions) == [("missing_at_ours", charge, TOTAL, None, "vanished")]


def test_a_payment_they_do_not_list_is_missing_there_until_it_is(
    transactions, provider, buy, tomorrow
):
    reference = buy()
    kept, provider.lines = provider.lines, []
    tomorrow()
    row = run(transactions)
    assert (row.theirs_fen, row.ours_fen, row.open_differences) == (0, TOTAL, 1)
    assert differences(transactions) == [
        ("missing_at_theirs", f"ch_{reference}", None, TOTAL, "open")
    ]
    provider.lines = kept
    assert run(transactions).open_differences == 0
    assert differences(transactions)[0][4] == "vanished"


def test_another_amount_differs(transactions, provider, buy, tomorrow):
    reference = buy()
    provider.lines = [replace(one, amount_fen=TOTAL - 1, net_fen=TOTAL - 1 - FEE)
                      for one in provider.lines]  # fmt: skip
    tomorrow()
    row = run(transactions)
    assert row.theirs_fen - row.ours_fen == -1
    assert row.sums["balance"]["unexplained_fen"] == 0
    assert differences(transactions) == [
        ("amount_differs", f"ch_{reference}", TOTAL - 1, TOTAL, "open")
    ]


def test_another_currency_is_no_money_of_ours(transactions, provider, tomorrow):
    provider.lines = [line("txn_1", source="ch_usd", currency="USD", amount_fen=900, fee_fen=30)]
    tomorrow()
    row = run(transactions)
    assert (row.lines, row.theirs_fen, row.open_differences) == (1, 0, 1)
    assert differences(transactions) == [("currency", "ch_usd", 900, None, "open")]
    assert balances(transactions) == {}


def test_a_line_of_no_kind_we_know_lies_in_suspense_and_on_the_list(
    transactions, provider, tomorrow
):
    provider.lines = [line("txn_1", kind="other", amount_fen=-70)]
    tomorrow()
    row = run(transactions)
    assert row.theirs_fen - row.ours_fen == 0
    assert differences(transactions) == [("unknown_line", "txn_1", -70, None, "open")]
    assert balances(transactions) == {"provider_clearing": -70, "suspense": 70}
    run(transactions)
    assert differences(transactions)[0][4] == "open"


def test_a_fee_of_its_own(transactions, provider, tomorrow):
    provider.lines = [line("txn_1", kind="fee", amount_fen=-30)]
    tomorrow()
    assert run(transactions).theirs_fen == -30
    assert balances(transactions) == {"provider_clearing": -30, "provider_fees": 30}


def test_refunds_agree_done_failed_and_under_way(transactions, provider, buy, tomorrow):
    buy()
    provider.refund_outcome = "pending"
    refund(transactions, RefundWish(amount_fen=1_000))
    tomorrow()
    row = run(transactions)
    assert (row.sums["under_way_fen"], row.open_differences) == (-1_000, 0)
    assert row.theirs_fen - row.ours_fen == -1_000
    assert row.sums["balance"]["unexplained_fen"] == 0
    provider.settle_refund("re_fake_1", "failed")
    sync_payment(transactions, next(iter(provider.checkouts)), aftermath=True)
    row = run(transactions)
    assert (row.sums["under_way_fen"], row.open_differences) == (0, 0)
    assert row.sums["balance"]["unexplained_fen"] == 0
    assert differences(transactions) == []


def test_a_refund_from_the_dashboard_is_missing_until_we_hear_of_it(
    transactions, provider, buy, tomorrow
):
    checkout = buy()
    refund_reference = provider.refund_at_desk(checkout, 700)
    tomorrow()
    run(transactions)
    assert differences(transactions) == [("missing_at_ours", refund_reference, -700, None, "open")]
    sync_payment(transactions, checkout, aftermath=True)
    assert run(transactions).open_differences == 0
    assert differences(transactions)[0][4] == "vanished"


def test_a_dispute_withheld_and_won_agrees(transactions, provider, buy, time, tomorrow):
    checkout = buy()
    provider.dispute_fee_fen = 1_500
    dispute = provider.dispute(checkout)
    sync_payment(transactions, checkout, aftermath=True)
    tomorrow()
    row = run(transactions)
    assert (row.theirs_fen - row.ours_fen, row.open_differences) == (0, 0)
    provider.close_dispute(dispute, "won")
    sync_payment(transactions, checkout, aftermath=True)
    time.set("2026-11-25T02:30:00+08:00")
    row = run(transactions, date(2026, 11, 24))
    assert (row.theirs_fen, row.ours_fen, row.open_differences) == (TOTAL, TOTAL, 0)
    assert differences(transactions) == []
    assert balances(transactions)["provider_fees"] == FEE + 1_500


@pytest.mark.parametrize(
    ("ours", "theirs", "elsewhere"),
    [("23:59:59", "00:00:00", -TOTAL), ("00:00:00", "23:59:59", TOTAL)],
)
def test_the_border_of_the_day(transactions, provider, buy, time, ours, theirs, elsewhere):
    def moment(clock: str) -> datetime:
        day = 23 if clock.startswith("23") else 24
        return datetime.fromisoformat(f"2026-11-{day}T{clock}+08:00")

    time.now = moment(ours)
    buy()
    provider.lines = [replace(one, created_at=moment(theirs)) for one in provider.lines]
    time.set("2026-11-25T02:30:00+08:00")
    for day, sign in ((DAY, 1), (date(2026, 11, 24), -1)):
        row = run(transactions, day)
        booked = row.ours_fen + (FEE if row.lines else 0)
        assert row.sums["elsewhere_fen"] == sign * elsewhere
        assert row.theirs_fen - row.ours_fen == sign * elsewhere
        assert (row.open_differences, booked) == (0, booked)
    assert differences(transactions) == []


def test_seconds_around_midnight_belong_to_their_own_day(transactions, provider, buy, time):
    time.set("2026-11-23T23:59:59+08:00")
    buy()
    time.set("2026-11-24T00:00:00+08:00")
    buy()
    buy()
    time.set("2026-11-25T02:30:00+08:00")
    assert [run(transactions, day).lines for day in (DAY, date(2026, 11, 24))] == [1, 2]
    assert differences(transactions) == []


def test_what_was_explained_stays_so_until_it_changes(transactions, provider, buy, tomorrow):
    buy(heard=False)
    tomorrow()
    run(transactions)
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE difference SET state = 'explained', explanation = 'x'"))
    run(transactions)
    assert differences(transactions)[0][4] == "explained"
    provider.lines = []
    with transactions.begin() as ctx:
        ctx.session.execute(text("UPDATE difference SET theirs_fen = 1"))
    run(transactions)
    assert differences(transactions)[0][2:] == (TOTAL, None, "open")


def test_what_was_explained_and_then_shows_up_is_a_gap_no_more(
    transactions, provider, buy, time, tomorrow
):
    reference = buy(heard=False)
    tomorrow()
    run(transactions)
    with transactions.acting(actor_of(transactions, "fiona")).begin() as ctx:
        explain(
            ctx, ctx.session.execute(select(Difference.id)).scalar_one(), "事件丢失，已要求重发"
        )
    assert run(transactions).sums["balance"]["unexplained_fen"] == 0
    sync_payment(transactions, reference)
    time.set("2026-11-25T02:30:00+08:00")
    balance = run(transactions, date(2026, 11, 24)).sums["balance"]
    assert (balance["differences_fen"], balance["unexplained_fen"]) == (0, 0)
    assert differences(transactions)[0][4] == "vanished"
    with transactions.begin() as ctx:
        kept = ctx.session.execute(select(Difference.explanation, Difference.closed_by)).one()
    assert (kept.explanation, kept.closed_by is None) == ("事件丢失，已要求重发", False)


def test_an_earlier_day_says_nothing_of_later_differences(transactions, provider, buy, time):
    buy(heard=False)
    time.set("2026-11-27T12:00:00+08:00")
    buy(heard=False)
    time.set("2026-11-28T02:30:00+08:00")
    for day, differs in ((DAY, TOTAL), (date(2026, 11, 27), 2 * TOTAL), (DAY, TOTAL)):
        balance = run(transactions, day).sums["balance"]
        assert (balance["differences_fen"], balance["unexplained_fen"]) == (differs, 0)


def test_a_day_that_is_not_over_is_refused_and_asks_nobody(transactions, provider):
    with pytest.raises(Invalid) as refusal:
        reconcile_provider(transactions, DAY)
    assert (refusal.value.error_code, provider.calls) == ("day_not_over", [])


def test_an_unreachable_provider_leaves_nothing(transactions, provider, tomorrow):
    tomorrow()
    provider.broken = 1
    with pytest.raises(GatewayUnavailable):
        reconcile_provider(transactions, DAY)
    with transactions.begin() as ctx:
        assert ctx.session.execute(select(func.count()).select_from(Reconciliation)).scalar() == 0
    assert run(transactions).lines == 0


def test_more_lines_than_a_slice(transactions, provider, tomorrow):
    provider.lines = [line(f"txn_{n}", source=f"ch_{n}", fee_fen=1) for n in range(1_101)]
    provider.lines += [line("txn_x", source="ch_7", kind="refund", amount_fen=-500)]
    tomorrow()
    row = run(transactions)
    assert (row.lines, row.open_differences, row.sums["differs_fen"]) == (1_102, 1_100, 550_000)
    assert row.theirs_fen - row.ours_fen == 550_000
    assert row.sums["balance"]["unexplained_fen"] == 0
    assert balances(transactions) == {"provider_clearing": -1_101, "provider_fees": 1_101}


@pytest.mark.parametrize("outcome", ["won", "lost"])
@pytest.mark.parametrize("amount", [None, 5_000])
def test_the_books_are_proved_through_a_dispute(
    transactions, provider, buy, tomorrow, outcome, amount
):
    checkout = buy()
    refund(transactions, RefundWish(amount_fen=1_000))
    dispute = provider.dispute(checkout, amount)
    sync_payment(transactions, checkout, aftermath=True)
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []
    provider.close_dispute(dispute, outcome)
    sync_payment(transactions, checkout, aftermath=True)
    tomorrow()
    row = run(transactions)
    assert (row.theirs_fen - row.ours_fen, row.open_differences) == (0, 0)
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []


def test_the_books_are_proved_with_money_that_nobody_may_keep(
    transactions, provider, buy, time, tomorrow
):
    with transactions.begin() as ctx:
        placed = place_order(ctx, WISH)
    start_payment(transactions, placed.number, token=placed.access_token)
    checkout = list(provider.checkouts)[-1]
    provider.arrive(checkout, TOTAL - 1)
    sync_payment(transactions, checkout)
    tomorrow()
    row = run(transactions)
    assert (row.theirs_fen - row.ours_fen, row.sums["differs_fen"]) == (0, 0)
    assert [one[0] for one in differences(transactions)] == ["amount_mismatch"]
    assert balances(transactions)["suspense"] == -(TOTAL - 1)
    with transactions.begin() as ctx:
        assert [check.name for check in prove(ctx).checks if not check.proved] == []
