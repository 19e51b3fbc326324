"""What happens to money after it was paid, in memory: refunds, disputes and the balance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from shop.clock import Clock, system_clock
from shop.payments.gateway import (
    Aftermath,
    BalanceKind,
    BalanceLine,
    CheckoutStatus,
    DisputeStatus,
    GatewayRejected,
    GatewayUnavailable,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
)

FEE_PER_MILLE = 8
DUE_IN = timedelta(days=9)


def fee_of(amount_fen: int) -> int:
    """The fake's fee: 0.8 % to the nearest fen."""
    return (amount_fen * FEE_PER_MILLE + 500) // 1000


@dataclass
class FakeMoney:
    """Refunds, disputes, payouts and the lines they leave in the balance.

    `refund_outcome` is what becomes of the next refunds. `dispute_fee_fen` is kept when a dispute
    takes its money, and not given back. `refused` refunds stay refused, as a key remembers.
    """

    clock: Clock = system_clock
    broken: int = 0
    calls: list[str] = field(default_factory=list)
    checkouts: dict[str, CheckoutStatus] = field(default_factory=dict)
    refund_outcome: RefundOutcome = "succeeded"
    dispute_fee_fen: int = 0
    refunds: dict[str, RefundStatus] = field(default_factory=dict)
    refund_requests: dict[UUID, RefundRequest] = field(default_factory=dict)
    refused: set[UUID] = field(default_factory=set)
    disputes: dict[str, DisputeStatus] = field(default_factory=dict)
    lines: list[BalanceLine] = field(default_factory=list)
    intent_of: dict[str, str] = field(default_factory=dict)
    """The intent behind each refund and dispute."""
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def find_checkout(self, intent_reference: str) -> str | None:
        self._called("find")
        return self._checkout_of(intent_reference)

    def fetch_aftermath(self, intent_reference: str) -> Aftermath:
        self._called("aftermath")
        mine = [name for name, intent in self.intent_of.items() if intent == intent_reference]
        return Aftermath(
            tuple(self.refunds[name] for name in mine if name in self.refunds),
            tuple(self.disputes[name] for name in mine if name in self.disputes),
        )

    def send_refund(self, request: RefundRequest) -> RefundStatus:
        self._called("refund")
        with self._one_at_a_time:
            known = self.refund_requests.setdefault(request.refund_id, request)
            if known != request or request.refund_id in self.refused:
                raise GatewayRejected
            for refund in self.refunds.values():
                if refund.refund_id == request.refund_id:
                    return refund
            try:
                checkout = self._refundable(request)
            except GatewayRejected:
                self.refused.add(request.refund_id)
                raise
            return self._refund(checkout, request.amount_fen, request.refund_id)

    def balance_lines(self, since: datetime, until: datetime) -> Iterator[BalanceLine]:
        self._called("lines")
        return iter([line for line in self.lines if since <= line.created_at < until])

    def settle_refund(
        self, reference: str, state: RefundOutcome, failure_code: str = "expired_or_canceled_card"
    ) -> None:
        """A pending refund ends, or one that had succeeded comes back; a failed one stays so."""
        refund = self.refunds[reference]
        if refund.state in {"failed", state}:
            return
        failed = state == "failed"
        self.refunds[reference] = replace(
            refund, state=state, failure_code=failure_code if failed else None
        )
        if failed:
            intent = self.intent_of[reference]
            self._line("refund_failed", refund.amount_fen, reference, intent, refund.currency)
        self._touch(self._checkout_of(self.intent_of[reference]) or "")

    def refund_at_desk(self, checkout_reference: str, amount_fen: int) -> str:
        """Somebody refunds in the provider's dashboard; returns the refund's reference."""
        with self._one_at_a_time:
            checkout = self.checkouts[checkout_reference]
            if amount_fen > self.left_of(checkout):
                raise GatewayRejected
            return self._refund(checkout, amount_fen, None).reference

    def dispute(
        self,
        checkout_reference: str,
        amount_fen: int | None = None,
        reason: str = "fraudulent",
        *,
        withheld: bool = True,
    ) -> str:
        """The payer objects to what is left of the charge, or to a part; returns the reference."""
        checkout, now = self.checkouts[checkout_reference], self.clock()
        assert checkout.intent_reference is not None
        dispute = DisputeStatus(
            reference=f"dp_fake_{len(self.disputes) + 1}",
            state="open",
            amount_fen=self.left_of(checkout) if amount_fen is None else amount_fen,
            currency=checkout.currency,
            reason=reason,
            withheld=False,
            created_at=now,
            evidence_due_at=now + DUE_IN,
        )
        self.disputes[dispute.reference] = dispute
        self.intent_of[dispute.reference] = checkout.intent_reference
        if withheld:
            self._withhold(dispute.reference)
        self._touch(checkout_reference)
        return dispute.reference

    def close_dispute(self, reference: str, outcome: str) -> None:
        """The dispute ends `won` or `lost`; won money comes back, a lost inquiry takes it."""
        dispute = self.disputes[reference]
        if dispute.state != "open":
            return
        if outcome == "lost" and not dispute.withheld:
            self._withhold(reference)
        if outcome == "won" and dispute.withheld:
            intent = self.intent_of[reference]
            self._line("dispute", dispute.amount_fen, reference, intent, dispute.currency)
        self.disputes[reference] = replace(dispute, state=outcome, withheld=outcome == "lost")

    def payout(self, amount_fen: int) -> str:
        """The provider pays out to our bank; returns the payout's reference."""
        reference = f"po_fake_{len(self.lines) + 1}"
        self._line("payout", -amount_fen, reference, None)
        return reference

    def left_of(self, checkout: CheckoutStatus) -> int:
        """What can still be refunded of a paid checkout, in fen."""
        gone = sum(
            refund.amount_fen
            for name, refund in self.refunds.items()
            if self.intent_of[name] == checkout.intent_reference and refund.state != "failed"
        )
        return checkout.amount_fen - gone if checkout.state == "paid" else 0

    def _charge(self, reference: str) -> None:
        """Note the arrival of a checkout's money, once."""
        paid = self.checkouts[reference]
        charge = f"ch_{reference}"
        if all(line.source != charge for line in self.lines):
            fee = fee_of(paid.amount_fen)
            intent = paid.intent_reference
            self._line("charge", paid.amount_fen, charge, intent, paid.currency, fee)

    def _refundable(self, request: RefundRequest) -> CheckoutStatus:
        """The checkout that a refund may be taken from."""
        reference = self._checkout_of(request.intent_reference)
        if reference is None or self.checkouts[reference].state != "paid":
            raise GatewayRejected
        checkout = self.checkouts[reference]
        if not 0 < request.amount_fen <= self.left_of(checkout):
            raise GatewayRejected
        if any(
            self.intent_of[name] == request.intent_reference and dispute.withheld
            for name, dispute in self.disputes.items()
        ):
            raise GatewayRejected(provider_code="charge_disputed")
        return checkout

    def _refund(self, checkout: CheckoutStatus, amount: int, number: UUID | None) -> RefundStatus:
        assert checkout.intent_reference is not None
        reference = f"re_fake_{len(self.refunds) + 1}"
        self.refunds[reference] = RefundStatus(
            reference=reference,
            state="pending",
            amount_fen=amount,
            currency=checkout.currency,
            created_at=self.clock(),
            refund_id=number,
        )
        self.intent_of[reference] = checkout.intent_reference
        self._line("refund", -amount, reference, checkout.intent_reference, checkout.currency)
        self._touch(checkout.reference)
        self.settle_refund(reference, self.refund_outcome)
        return self.refunds[reference]

    def _withhold(self, reference: str) -> None:
        dispute = self.disputes[reference] = replace(self.disputes[reference], withheld=True)
        self._line(
            "dispute",
            -dispute.amount_fen,
            reference,
            self.intent_of[reference],
            dispute.currency,
            self.dispute_fee_fen,
        )

    def _touch(self, reference: str) -> None:
        checkout = self.checkouts[reference]
        disputed = any(self.intent_of[one] == checkout.intent_reference for one in self.disputes)
        touched = disputed or self.left_of(checkout) < checkout.amount_fen
        self.checkouts[reference] = replace(checkout, touched=touched)

    def _line(
        self,
        kind: BalanceKind,
        amount: int,
        source: str,
        intent: str | None,
        currency: str = "CNY",
        fee: int = 0,
    ) -> None:
        self.lines.append(
            BalanceLine(
                reference=f"txn_fake_{len(self.lines) + 1}",
                kind=kind,
                amount_fen=amount,
                fee_fen=fee,
                net_fen=amount - fee,
                currency=currency,
                created_at=self.clock(),
                source=source,
                intent_reference=intent,
            )
        )

    def _checkout_of(self, intent_reference: str) -> str | None:
        for reference, checkout in self.checkouts.items():
            if checkout.intent_reference == intent_reference:
                return reference
        return None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.broken > 0:
            self.broken -= 1
            raise GatewayUnavailable
