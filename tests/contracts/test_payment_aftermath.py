"""What becomes of a payment: one suite over Stripe's adapter (against the sandbox) and the fake."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shop.clock import system_clock
from shop.ids import new_id
from shop.payments.gateway import (
    Aftermath,
    GatewayRejected,
    GatewayUnavailable,
    RefundRequest,
    RefundStatus,
)

NUMBER = "26030112345674"


@pytest.fixture
def paid(till, checkout_request):
    """The status of a checkout for 161.80 that has been paid."""
    reference = till.gateway.open_checkout(checkout_request()).reference
    till.pay(reference)
    return till.gateway.fetch_checkout(reference)


def wish(paid, amount, **values) -> RefundRequest:
    return RefundRequest(
        **{
            "refund_id": new_id(),
            "intent_reference": paid.intent_reference,
            "amount_fen": amount,
            "order_number": NUMBER,
            **values,
        }
    )


def lines_of(till, intent=None):
    """Kind and amount of the balance's lines of the last minute, of one payment or of none."""
    now = system_clock()
    lines = till.gateway.balance_lines(now - timedelta(minutes=1), now + timedelta(minutes=1))
    return [(line.kind, line.amount_fen) for line in lines if line.intent_reference == intent]


def test_paid_is_untouched_and_has_a_charge(paid):
    assert (paid.touched, paid.charge_reference is None) == (False, False)


def test_the_checkout_of_an_intent(till, paid):
    assert till.gateway.find_checkout(paid.intent_reference) == paid.reference
    assert till.gateway.find_checkout("pi_nobody") is None


def test_nothing_came_after(till, paid):
    assert till.gateway.fetch_aftermath(paid.intent_reference) == Aftermath()
    assert till.gateway.fetch_aftermath("pi_nobody") == Aftermath()


def test_refund(till, paid):
    request = wish(paid, 6180)
    refund = till.gateway.send_refund(request)
    assert refund == RefundStatus(
        reference=refund.reference,
        state="succeeded",
        amount_fen=6180,
        currency="CNY",
        created_at=refund.created_at,
        refund_id=request.refund_id,
    )
    assert abs(refund.created_at - system_clock()) < timedelta(seconds=10)
    assert till.gateway.fetch_aftermath(paid.intent_reference) == Aftermath((refund,))
    assert till.gateway.fetch_checkout(paid.reference).touched is True


def test_the_same_refund_again_is_the_same(till, paid):
    request = wish(paid, 6180)
    first = till.gateway.send_refund(request)
    assert till.gateway.send_refund(request) == first
    assert len(till.gateway.fetch_aftermath(paid.intent_reference).refunds) == 1


def test_the_same_refund_in_other_words_is_rejected(till, paid):
    request = wish(paid, 6180)
    first = till.gateway.send_refund(request)
    with pytest.raises(GatewayRejected):
        till.gateway.send_refund(wish(paid, 1, refund_id=request.refund_id))
    assert till.gateway.fetch_aftermath(paid.intent_reference).refunds == (first,)


def test_refunds_up_to_the_last_fen(till, paid):
    made = [till.gateway.send_refund(wish(paid, 8090)) for _ in range(2)]
    with pytest.raises(GatewayRejected):
        till.gateway.send_refund(wish(paid, 1))
    assert till.gateway.fetch_aftermath(paid.intent_reference).refunds == tuple(made)


def test_more_than_is_left_is_rejected_and_stays_so(till, paid):
    request = wish(paid, 16181)
    for _ in range(2):
        with pytest.raises(GatewayRejected):
            till.gateway.send_refund(request)
    assert till.gateway.fetch_aftermath(paid.intent_reference) == Aftermath()


@pytest.mark.parametrize("act", ["decline", "pend"])
def test_nothing_to_refund_before_it_is_paid(till, checkout_request, act):
    reference = till.gateway.open_checkout(checkout_request()).reference
    getattr(till, act)(reference)
    status = till.gateway.fetch_checkout(reference)
    with pytest.raises(GatewayRejected):
        till.gateway.send_refund(wish(status, 100))
    assert till.gateway.fetch_aftermath(status.intent_reference) == Aftermath()


def test_refund_of_an_unknown_intent_is_rejected(till, paid):
    with pytest.raises(GatewayRejected):
        till.gateway.send_refund(wish(paid, 100, intent_reference="pi_nobody"))


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_refund_that_takes_its_time(till, paid, state):
    till.refunds_end("pending")
    refund = till.gateway.send_refund(wish(paid, 16180))
    assert (refund.state, refund.failure_code) == ("pending", None)
    till.settle_refund(refund.reference, state)
    [after] = till.gateway.fetch_aftermath(paid.intent_reference).refunds
    assert after.state == state
    assert (after.failure_code is None) == (state == "succeeded")


def test_failed_refund_gives_its_money_back(till, paid):
    till.refunds_end("pending")
    request = wish(paid, 16180)
    refund = till.gateway.send_refund(request)
    till.settle_refund(refund.reference, "failed")
    assert till.gateway.send_refund(request).state == "failed"
    assert till.gateway.fetch_checkout(paid.reference).touched is False
    assert lines_of(till, paid.intent_reference) == [
        ("charge", 16180),
        ("refund", -16180),
        ("refund_failed", 16180),
    ]
    assert till.gateway.send_refund(wish(paid, 16180)).state == "pending"


def test_refund_made_at_the_desk(till, paid):
    reference = till.refund_at_desk(paid.reference, 1000)
    [refund] = till.gateway.fetch_aftermath(paid.intent_reference).refunds
    assert (refund.reference, refund.refund_id, refund.amount_fen) == (reference, None, 1000)
    with pytest.raises(GatewayRejected):
        till.gateway.send_refund(wish(paid, 15181))


def test_dispute(till, paid):
    till.gateway.send_refund(wish(paid, 180))
    reference = till.dispute(paid.reference)
    [dispute] = till.gateway.fetch_aftermath(paid.intent_reference).disputes
    assert (dispute.reference, dispute.amount_fen, dispute.currency) == (reference, 16000, "CNY")
    assert (dispute.state, dispute.withheld, dispute.reason) == ("open", True, "fraudulent")
    assert dispute.created_at < dispute.evidence_due_at
    assert till.gateway.fetch_checkout(paid.reference).touched is True
    with pytest.raises(GatewayRejected) as refusal:
        till.gateway.send_refund(wish(paid, 1))
    assert refusal.value.extra["provider_code"] == "charge_disputed"


@pytest.mark.parametrize(
    ("outcome", "moves"), [("won", [-6000, 6000]), ("lost", [-6000])], ids=["won", "lost"]
)
def test_dispute_ends(till, paid, outcome, moves):
    till.close_dispute(till.dispute(paid.reference, 6000), outcome)
    [dispute] = till.gateway.fetch_aftermath(paid.intent_reference).disputes
    assert (dispute.state, dispute.withheld) == (outcome, outcome == "lost")
    lines = lines_of(till, paid.intent_reference)
    assert lines == [("charge", 16180), *(("dispute", fen) for fen in moves)]


def test_refund_after_a_dispute_was_won(till, paid):
    till.close_dispute(till.dispute(paid.reference), "won")
    assert till.gateway.send_refund(wish(paid, 16180)).state == "succeeded"


def test_inquiry_leaves_the_money_where_it_is(till, paid):
    till.dispute(paid.reference, withheld=False)
    [dispute] = till.gateway.fetch_aftermath(paid.intent_reference).disputes
    assert (dispute.state, dispute.withheld) == ("open", False)
    assert lines_of(till, paid.intent_reference) == [("charge", 16180)]
    assert till.gateway.send_refund(wish(paid, 1)).state == "succeeded"


def test_balance(till, paid):
    refund = till.gateway.send_refund(wish(paid, 180))
    payout = till.payout(1000)
    now = system_clock()
    lines = [*till.gateway.balance_lines(now - timedelta(minutes=1), now + timedelta(minutes=1))]
    [charge, back] = [line for line in lines if line.intent_reference == paid.intent_reference]
    assert (charge.kind, charge.amount_fen, charge.source) == (
        "charge",
        16180,
        paid.charge_reference,
    )
    assert charge.fee_fen > 0
    assert (back.kind, back.amount_fen, back.source) == ("refund", -180, refund.reference)
    last = lines[-1]
    assert (last.kind, last.amount_fen, last.source) == ("payout", -1000, payout)
    assert last.intent_reference is None
    assert {line.net_fen - line.amount_fen + line.fee_fen for line in lines} == {0}
    assert [line.created_at for line in lines] == sorted(line.created_at for line in lines)
    assert len({line.reference for line in lines}) == len(lines)


def test_balance_of_another_time_is_empty(till, paid):
    hour = timedelta(hours=1)
    later = system_clock() + hour
    assert [*till.gateway.balance_lines(later, later + hour)] == []
    assert [*till.gateway.balance_lines(later - 3 * hour, later - 2 * hour)] == []


def test_missed_event(till, paid):
    till.miss(paid.reference)
    missed = [*till.gateway.missed_events(system_clock() - timedelta(minutes=1))]
    [(event, body)] = [pair for pair in missed if pair[0].checkout_reference == paid.reference]
    assert event.type == "checkout.session.completed"
    assert till.gateway.parse_event(body, till.signature(body)) == event
    assert [one.created for one, _ in missed] == sorted(one.created for one, _ in missed)


def test_no_event_was_missed_in_the_future(till, paid):
    assert [*till.gateway.missed_events(system_clock() + timedelta(hours=1))] == []


@pytest.mark.parametrize(
    "kind", ["payment_intent.succeeded", "charge.succeeded", "charge.refunded", "refund.created"]
)
def test_events_name_the_intent(till, paid, kind):
    till.gateway.send_refund(wish(paid, 1))
    body = till.event(paid.reference, kind)
    event = till.gateway.parse_event(body, till.signature(body))
    assert event.type == kind
    assert (event.checkout_reference, event.intent_reference) == (None, paid.intent_reference)


@pytest.mark.parametrize("kind", ["created", "funds_withdrawn", "funds_reinstated", "closed"])
def test_events_of_a_dispute_name_the_intent(till, paid, kind):
    reference = till.dispute(paid.reference)
    till.close_dispute(reference, "won")
    body = till.event(reference, f"charge.dispute.{kind}")
    event = till.gateway.parse_event(body, till.signature(body))
    assert (event.checkout_reference, event.intent_reference) == (None, paid.intent_reference)


def test_event_of_a_payout_names_nothing(till, paid):
    reference = till.payout(100)
    body = till.event(reference, "payout.paid")
    event = till.gateway.parse_event(body, till.signature(body))
    assert (event.type, event.checkout_reference, event.intent_reference) == (
        "payout.paid",
        None,
        None,
    )


def test_fake_that_is_broken_is_unavailable(fake_till):
    now = system_clock()
    for call in (
        lambda: fake_till.gateway.find_checkout("pi_1"),
        lambda: fake_till.gateway.fetch_aftermath("pi_1"),
        lambda: fake_till.gateway.balance_lines(now, now),
        lambda: fake_till.gateway.missed_events(now),
    ):
        fake_till.gateway.broken = 1
        with pytest.raises(GatewayUnavailable):
            call()
