"""Attempts to pay, refunds and disputes, as tables."""

from __future__ import annotations

from models.payments import Payment, PaymentState
from models.refunds import Dispute, DisputeState, Refund, RefundState
from shop.machine import Machine

P = PaymentState
R = RefundState
D = DisputeState

PAYMENT = Machine(
    subject="payment",
    table=Payment.__table__,
    states=PaymentState,
    transitions={
        (P.CREATED, "open"): P.PENDING,
        # Money may arrive for an attempt that we had given up: it is money all the same.
        **{
            (state, "succeed"): P.SUCCEEDED for state in (P.CREATED, P.PENDING, P.FAILED, P.EXPIRED)
        },
        **{
            (state, "arrive_unwanted"): P.NEEDS_REFUND
            for state in (P.CREATED, P.PENDING, P.FAILED, P.EXPIRED)
        },
        (P.CREATED, "fail"): P.FAILED,
        (P.PENDING, "fail"): P.FAILED,
        (P.CREATED, "expire"): P.EXPIRED,
        (P.PENDING, "expire"): P.EXPIRED,
    },
)

LIVE = (P.CREATED, P.PENDING)
"""An attempt that a buyer can still finish; an order has one at most."""

REFUND = Machine(
    subject="refund",
    table=Refund.__table__,
    states=RefundState,
    transitions={
        (R.REQUESTED, "send"): R.SENT,
        (R.REQUESTED, "succeed"): R.SUCCEEDED,
        (R.SENT, "succeed"): R.SUCCEEDED,
        (R.REQUESTED, "fail"): R.FAILED,
        (R.SENT, "fail"): R.FAILED,
        # A bank may hand the money back days after it was said to have arrived.
        (R.SUCCEEDED, "fail"): R.FAILED,
    },
)

DISPUTE = Machine(
    subject="dispute",
    table=Dispute.__table__,
    states=DisputeState,
    transitions={
        (D.OPEN, "win"): D.WON,
        (D.OPEN, "lose"): D.LOST,
    },
)
