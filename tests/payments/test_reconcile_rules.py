"""One thing from both sides: what agrees, what is under way, what differs."""

from __future__ import annotations

import pytest

from shop.payments.reconcile_rules import Booking, Finding, Pair, Verdict, booking, judge

CHARGE = {"ref": "ch_1", "their_lines": 1, "theirs_fen": 500, "theirs_day_fen": 500}
OURS = {"our_entries": 1, "ours_fen": 500, "ours_day_fen": 500}


def test_both_sides_alike_is_nothing():
    assert judge(Pair(**CHARGE, **OURS)) == Verdict()


@pytest.mark.parametrize(
    ("pair", "finding", "differs"),
    [
        (Pair(**CHARGE), Finding("missing_at_ours", 500, None), 500),
        (Pair(ref="ch_1", **OURS), Finding("missing_at_theirs", None, 500), -500),
        (
            Pair(**CHARGE, our_entries=1, ours_fen=499, ours_day_fen=499),
            Finding("amount_differs", 500, 499),
            1,
        ),
        (
            Pair(ref="re_1", their_lines=1, theirs_fen=-500, theirs_day_fen=-500),
            Finding("missing_at_ours", -500, None),
            -500,
        ),
    ],
)
def test_what_one_side_lacks(pair, finding, differs):
    assert judge(pair) == Verdict((finding,), differs_fen=differs)


def test_another_currency_is_told_and_no_gap_between_balances():
    pair = Pair(ref="ch_1", their_lines=1, foreign="USD", foreign_fen=700)
    assert judge(pair) == Verdict((Finding("currency", 700, None, "USD"),))


def test_a_refund_the_provider_has_begun_is_under_way():
    pair = Pair(ref="re_1", their_lines=1, theirs_fen=-500, theirs_day_fen=-500, pending=True)
    assert judge(pair) == Verdict(under_way_fen=-500)


def test_a_pending_refund_whose_money_came_back_is_nothing():
    assert judge(Pair(ref="re_1", their_lines=2, theirs_fen=0, pending=True)) == Verdict()


def test_the_other_side_of_midnight_is_elsewhere_and_no_difference():
    theirs_later = Pair(**{**CHARGE, "theirs_day_fen": 0}, **OURS)
    ours_earlier = Pair(**CHARGE, **{**OURS, "ours_day_fen": 0})
    assert judge(theirs_later) == Verdict(elsewhere_fen=-500)
    assert judge(ours_earlier) == Verdict(elsewhere_fen=500)


@pytest.mark.parametrize(
    "pair",
    [
        Pair(**CHARGE),
        Pair(ref="x", **OURS),
        Pair(**CHARGE, our_entries=2, ours_fen=300, ours_day_fen=100),
        Pair(ref="r", their_lines=1, theirs_fen=-500, theirs_day_fen=-500, pending=True),
    ],
)
def test_the_day_is_explained_to_the_fen(pair):
    verdict = judge(pair)
    explained = verdict.differs_fen + verdict.under_way_fen + verdict.elsewhere_fen
    assert pair.theirs_day_fen - pair.ours_day_fen == explained


@pytest.mark.parametrize(
    ("line", "booked"),
    [
        (("charge", 500, 4), Booking(4, 0)),
        (("refund", -500, 0), Booking(0, 0)),
        (("dispute", -500, 1500), Booking(1500, 0)),
        (("payout", -9000, 25), Booking(25, 9000)),
        (("fee", -30, 0), Booking(30, 0)),
        (("other", 70, 0), Booking(0, -70)),
    ],
)
def test_what_a_line_posts(line, booked):
    assert booking(*line) == booked
