"""What staff and buyers read of refunds and disputes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from models.payments import Payment
from models.reconciliation import Difference
from models.refunds import DisputeState, Refund, RefundCause, RefundState
from shop.context import Ctx
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.desk import finance_counts, needing_refund, refunds_due
from shop.payments.differences import open_difference
from shop.payments.dispute_queries import dispute_with_evidence, disputes_of, disputes_on_desk
from shop.payments.refund_queries import (
    RefundFilter,
    refund_counts,
    refund_on_desk,
    refunds_for_buyer,
    refunds_of,
    refunds_on_desk,
)
from shop.payments.refunds import refund_payment, retry_refund
from shop.readiness import gauges
from shop.reports.trail import audit_log
from tests.conftest import acting
from tests.refund_factories import ask, bought, disputed, end, of, unwanted


@pytest.fixture
def order(ctx):
    return bought(ctx)


def numbers(rows) -> list[str]:
    """The ends of the numbers: R1, R2, …"""
    return [row["number"][14:] for row in rows]


def test_the_list_is_filtered_and_goes_on(ctx, order):
    done = ask(ctx, order, amount_fen=100)
    end(ctx, done)
    failed = ask(ctx, order, amount_fen=200)
    end(ctx, failed, "declined")
    ask(ctx, order, amount_fen=300)
    other = bought(ctx, ("P12-1", 1))
    refund_payment(ctx, unwanted(ctx, other), "付错金额")
    every = refunds_on_desk(ctx)
    assert numbers(every) == ["R1", "R3", "R2", "R1"]
    first = refunds_on_desk(ctx, limit=2)
    assert refunds_on_desk(ctx, before=first[-1]["id"]) == every[2:]
    for wanted, expected in (
        (RefundFilter(state=RefundState.REQUESTED), ["R1", "R3"]),
        (RefundFilter(cause=RefundCause.AMOUNT_MISMATCH), ["R1"]),
        (RefundFilter(order=every[-1]["order_number"]), ["R3", "R2", "R1"]),
        (RefundFilter(order="%"), []),
        (RefundFilter(stuck=True), ["R2"]),
        (RefundFilter(slow=True), []),
    ):
        assert numbers(refunds_on_desk(ctx, wanted)) == expected


def test_one_tells_its_lines_and_who_asked(ctx, order):
    ask(acting(ctx, "fiona"), order, of(ctx, order, 1, 2))
    [listed] = refunds_of(ctx, order)
    found = refund_on_desk(ctx, listed["number"])
    assert {**listed, "lines": found["lines"]} == found
    assert (found["requested_by"], found["method"], found["reason"]) == (
        "Fiona",
        "stripe",
        "包装破损",
    )
    [line] = found["lines"]
    assert (line["sku"], line["cooperative_code"]) == ("P01-1", "C01")
    assert (line["goods_fen"], line["freight_fen"]) == (9_600, 0)
    assert (line["withdrawn"], line["returned"]) == (2, 0)
    with pytest.raises(NotFound):
        refund_on_desk(ctx, "26112300000000R9")


def test_a_retry_takes_the_place_of_what_failed(ctx, order):
    failed = ask(ctx, order)
    end(ctx, failed, "declined")
    assert refund_counts(ctx) == {"stuck": (1, 22_360), "slow": (0, 0)}
    retry_refund(ctx, failed)
    first, second = refunds_of(ctx, order)
    assert (first["retried_as"], second["retry_of"]) == (second["number"], first["number"])
    assert (first["can_retry"], second["can_retry"]) == (False, False)
    assert refund_counts(ctx)["stuck"] == (0, 0)
    [shown] = refunds_for_buyer(ctx, order)
    assert (shown["number"], shown["state"]) == (second["number"], "requested")
    assert not shown.keys() & {"reason", "requested_by", "cause", "failure_code"}


def stuck(ctx: Ctx, order: UUID) -> tuple[tuple[int, int], int, tuple[bool, int]]:
    """The desk's count, the gauge, and what the first refund offers."""
    first = refunds_of(ctx, order)[0]
    gauge = gauges(ctx)["refunds_failed"][1]
    return refund_counts(ctx)["stuck"], gauge, (first["can_retry"], first["retry_fen"])


def test_a_failed_one_is_nobodys_work_once_the_money_went_back_otherwise(ctx, order):
    failed = ask(ctx, order)
    end(ctx, failed, "declined")
    assert stuck(ctx, order) == ((1, 22_360), 1, (True, 22_360))
    ask(ctx, order, amount_fen=10_000)
    assert stuck(ctx, order) == ((1, 12_360), 1, (True, 12_360)), "the rest is owed as before"
    ask(ctx, order, amount_fen=12_360)
    assert stuck(ctx, order) == ((0, 0), 0, (False, 0))


def test_of_a_line_that_was_given_back_otherwise_nothing_is_left_to_try(ctx, order):
    """The order has more money than the failed refund wanted, but it is the other line's."""
    failed = ask(ctx, order, of(ctx, order, 2))
    end(ctx, failed, "declined")
    ask(ctx, order, of(ctx, order, 2, fen=6_500))
    assert stuck(ctx, order) == ((1, 1_460), 1, (True, 1_460))
    ask(ctx, order, of(ctx, order, 2))
    assert stuck(ctx, order) == ((0, 0), 0, (False, 0))


def test_what_belongs_to_no_order_and_went_back_in_part(ctx, order):
    payment = unwanted(ctx, order)
    end(ctx, refund_payment(ctx, payment, "付错金额"), "declined")
    ctx.session.execute(update(Payment).where(Payment.id == payment).values(refunded_fen=2_000))
    assert stuck(ctx, order) == ((1, 3_000), 1, (True, 3_000))
    assert needing_refund(ctx) == [], "one list is enough"


def test_a_day_without_an_answer_is_slow(ctx, order):
    ask(ctx, order, amount_fen=100)
    late = ctx.now - timedelta(days=1)
    assert refund_counts(ctx)["slow"] == (0, 0)
    ctx.session.execute(update(Refund.__table__).values(requested_at=late))
    assert refund_counts(ctx)["slow"] == (1, 100)
    ctx.session.execute(update(Refund.__table__).values(sent_at=ctx.now, state="sent"))
    assert refund_counts(ctx)["slow"] == (0, 0)


def test_money_to_send_back_is_what_nobody_has_sent(ctx, order):
    payment = unwanted(ctx, order)
    assert [(row["left_fen"], row["why"]) for row in needing_refund(ctx)] == [
        (5_000, "amount_mismatch")
    ]
    assert refunds_due(ctx) == (1, 5_000)
    refund = refund_payment(ctx, payment, "付错金额")
    assert (needing_refund(ctx), refunds_due(ctx)) == ([], (0, 0))
    end(ctx, refund, "declined")
    assert (needing_refund(ctx), refunds_due(ctx)) == ([], (0, 0))
    assert refund_counts(ctx)["stuck"] == (1, 5_000)


def test_money_of_another_currency_waits_until_it_is_explained(ctx, order):
    payment = unwanted(ctx, order, fen=0)
    assert needing_refund(ctx) == []
    open_difference(ctx, "amount_mismatch", "cs_usd", day_of=ctx.now, payment_id=payment)
    assert [row["left_fen"] for row in needing_refund(ctx)] == [0]
    ctx.session.execute(update(Difference.__table__).values(state="explained"))
    assert needing_refund(ctx) == []


def test_the_desk_counts_everything_that_waits(ctx, order):
    assert finance_counts(ctx) == dict.fromkeys(
        (
            *("due", "stuck", "slow", "overdue", "disputes"),
            *("receipts", "proposed", "matches", "differences"),
        ),
        (0, 0),
    )
    disputed(ctx, order)
    open_difference(ctx, "missing", "x", day_of=ctx.now, theirs_fen=-70, ours_fen=-100)
    unwanted(ctx, order)
    counts = finance_counts(ctx)
    assert (counts["disputes"], counts["differences"], counts["due"]) == (
        (1, 14_400),
        (1, 30),
        (1, 5_000),
    )


def test_disputes_are_listed_by_state(ctx, order):
    disputed(ctx, order)
    [found] = disputes_on_desk(ctx)
    assert disputes_of(ctx, order) == [found]
    assert (found["reason"], found["amount_fen"]) == ("product_not_received", 14_400)
    assert disputes_on_desk(ctx, state=DisputeState.WON) == []
    assert disputes_on_desk(ctx, before=found["id"]) == []


def test_evidence_in_full_for_finance_and_on_record(ctx, order):
    found = dispute_with_evidence(acting(ctx, "fiona"), disputed(ctx, order))
    assert found["buyer"] | {"placed_at": None, "paid_at": None, "number": ""} == {
        "number": "",
        "placed_at": None,
        "paid_at": None,
        "total_fen": 22_360,
        "adult_confirmed": False,
        "name": "林晓",
        "email": None,
        "recipient": "林晓",
        "phone": "+8615400000001",
        "division": "上海市杨浦区",
        "detail": "邯郸路 220 号",
    }
    assert [(line["name"], line["goods_fen"]) for line in found["lines"]] == [
        ("高山绿茶 一级", 14_400)
    ]
    assert [(one["sku_code"], one["no_reason_return"]) for one in found["sold"]] == [
        ("P01-1", "needs_confirm"),
        ("P06-1", "needs_confirm"),
    ]
    assert [event["event"] for event in found["events"]][:2] == ["place", "start"]
    [entry] = audit_log(ctx, action="personal_data.read")
    assert (entry["subject"], entry["subject_id"]) == ("dispute", "dp_1")


def test_evidence_names_nobody_to_who_only_follows(ctx, order):
    found = dispute_with_evidence(acting(ctx, "olga"), disputed(ctx, order))
    assert found["masked"] is True
    assert not {"林晓", "邯郸路 220 号", "+8615400000001"} & {*map(str, found["buyer"].values())}
    assert audit_log(ctx, action="personal_data.read") == []
    with pytest.raises(NotFound):
        dispute_with_evidence(acting(ctx, "olga"), new_id())
