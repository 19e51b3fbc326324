"""An attempt to pay, as a table."""

from __future__ import annotations

from models.payments import Payment, PaymentState
from shop.machine import Machine

P = PaymentState

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
