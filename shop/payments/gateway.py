"""What the shop asks of a payment provider, in the shop's own words.

An implementation stands beside this file. Money is integer fen, moments are aware, and every
call may be repeated: the attempt's id is the idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from shop.errors import Conflict, Invalid, TryAgain

CheckoutState = Literal["open", "processing", "paid", "failed", "expired"]
RefundOutcome = Literal["pending", "succeeded", "failed"]
DisputeOutcome = Literal["open", "won", "lost"]
BalanceKind = Literal["charge", "refund", "refund_failed", "dispute", "payout", "fee", "other"]
"""`refund_failed` returns a refund's money, `dispute` goes both ways, by its sign."""

LEAST_CHECKOUT = timedelta(minutes=30)
"""Stripe opens no page that ends sooner."""

SHORTEST_CHECKOUT = timedelta(minutes=31)
"""One minute more than the least, because the call comes after the row."""

LONGEST_CHECKOUT = timedelta(hours=23, minutes=59)
"""Stripe takes 24 hours as the most."""


class GatewayUnavailable(TryAgain):
    """The provider cannot be reached, answers late, or answers with a fault of its own."""

    code = "payment_provider_unavailable"
    default_zh = "支付渠道暂时无法连接，请稍后再试"
    default_en = "The payment provider cannot be reached, please try again in a moment"


class GatewayRejected(Conflict):
    """The provider refuses the request as such: our mistake, or a reference it does not know."""

    code = "payment_provider_rejected"
    default_zh = "支付渠道拒绝了此请求，请联系客服"
    default_en = "The payment provider refused the request, please contact us"


class BadSignature(Invalid):
    """The body was not signed by the provider, or too long ago."""

    code = "bad_signature"
    default_zh = "签名无效"
    default_en = "The signature is not valid"


class BadEvent(Invalid):
    """The body is rightly signed and yet no event that we can read."""

    code = "bad_event"
    default_zh = "事件内容无法识别"
    default_en = "The event cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """One attempt to pay one order. Every field belongs to the attempt's row.

    The same attempt must be asked for in the same words each time, or the provider refuses
    the repeated key; so `expires_at` is computed once (`checkout_expiry`) and stored.
    The provider puts its reference in place of `{CHECKOUT_SESSION_ID}` in `success_url`.
    """

    attempt_id: UUID
    order_number: str
    amount_fen: int
    summary: str
    language: str
    expires_at: datetime
    success_url: str
    cancel_url: str
    buyer_email: str | None = None


@dataclass(frozen=True, slots=True)
class CheckoutOpened:
    """Where to send the buyer, and until when the address works."""

    reference: str
    redirect_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStatus:
    """A checkout as the provider shows it now.

    `amount_fen` is what arrived when the state is paid, and what was asked before that.
    `failure_code` tells of the last refusal, also while the checkout is still open.
    `attempt_id` and `order_number` are None when the checkout is not one of ours.
    """

    reference: str
    state: CheckoutState
    amount_fen: int
    currency: str
    attempt_id: UUID | None
    order_number: str | None
    intent_reference: str | None = None
    charge_reference: str | None = None
    failure_code: str | None = None
    paid_at: datetime | None = None
    touched: bool = False
    """The charge has been refunded (in part) or disputed: `fetch_aftermath` tells how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """One refund of one paid checkout. `refund_id` is the idempotency key and goes in metadata."""

    refund_id: UUID
    intent_reference: str
    amount_fen: int
    order_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStatus:
    """A refund as the provider shows it now.

    `refund_id` is None when it was made in the provider's dashboard.
    """

    reference: str
    state: RefundOutcome
    amount_fen: int
    currency: str
    created_at: datetime
    refund_id: UUID | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeStatus:
    """A dispute as the provider shows it now.

    `withheld` says that the provider has taken the money out of our balance: true from the first
    moment of a dispute until it is won, false for a mere inquiry.
    """

    reference: str
    state: DisputeOutcome
    amount_fen: int
    currency: str
    reason: str
    withheld: bool
    created_at: datetime
    evidence_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of a charge after it was paid: every refund and dispute, oldest first."""

    refunds: tuple[RefundStatus, ...] = ()
    disputes: tuple[DisputeStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLine:
    """One line of the provider's own account with us. Fen, signed: out of the balance is negative.

    `net_fen = amount_fen - fee_fen` is what the balance changed by. `source` is the charge,
    refund, dispute or payout the line is about, `intent_reference` the payment behind it.
    """

    reference: str
    kind: BalanceKind
    amount_fen: int
    fee_fen: int
    net_fen: int
    currency: str
    created_at: datetime
    source: str | None = None
    intent_reference: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEvent:
    """The envelope of a webhook: enough to store it and to find what it speaks of.

    Of a checkout it has the reference; of a charge, an intent, a refund or a dispute the intent's;
    `attempt_id` where the metadata carries it.
    """

    event_id: str
    type: str
    created: datetime
    livemode: bool
    checkout_reference: str | None = None
    intent_reference: str | None = None
    attempt_id: UUID | None = None


class PaymentGateway(Protocol):
    """A provider with a hosted checkout page.

    Every method may raise `GatewayUnavailable` (repeat later), `GatewayRejected` (do not) and,
    where a means of payment is at stake, `Declined`.
    """

    def open_checkout(self, request: CheckoutRequest) -> CheckoutOpened:
        """Open a checkout page; the same attempt asked for again yields the same page."""
        ...

    def fetch_checkout(self, reference: str) -> CheckoutStatus:
        """The checkout as it is now."""
        ...

    def close_checkout(self, reference: str) -> CheckoutStatus:
        """Make the page unpayable; one that is already paid, failed or expired stays as it is."""
        ...

    def find_checkout(self, intent_reference: str) -> str | None:
        """The reference of the checkout that an intent belongs to; None when it has none."""
        ...

    def fetch_aftermath(self, intent_reference: str) -> Aftermath:
        """Every refund and dispute of a payment as they are now."""
        ...

    def send_refund(self, request: RefundRequest) -> RefundStatus:
        """Ask for a refund; the same `refund_id` asked for again is the same refund.

        Raises:
            GatewayRejected: it is more than what is left of the charge, or the charge is disputed.
        """
        ...

    def balance_lines(self, since: datetime, until: datetime) -> Iterator[BalanceLine]:
        """The lines created in `[since, until)`, oldest first, fetched page by page."""
        ...

    def missed_events(self, since: datetime) -> Iterator[tuple[GatewayEvent, bytes]]:
        """Events since then whose delivery has not succeeded, oldest first, with their bodies."""
        ...

    def parse_event(self, body: bytes, signature: str) -> GatewayEvent:
        """Read a webhook.

        Raises:
            BadSignature: the provider did not sign this body within the last five minutes.
            BadEvent: signed, but not an event.
        """
        ...


def checkout_expiry(wanted: datetime, now: datetime) -> datetime:
    """`wanted`, brought into what a provider accepts for a checkout opened `now`; whole seconds."""
    expiry = min(max(wanted, now + SHORTEST_CHECKOUT), now + LONGEST_CHECKOUT)
    return expiry.replace(microsecond=0)
