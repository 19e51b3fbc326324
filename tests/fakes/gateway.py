"""A payment provider in memory: `PaymentGateway`, and the payer's side of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from shop.clock import Clock, system_clock
from shop.payments.gateway import (
    BadEvent,
    BadSignature,
    CheckoutOpened,
    CheckoutRequest,
    CheckoutStatus,
    GatewayEvent,
    GatewayRejected,
    GatewayUnavailable,
)

SIGNATURE = "signed by the fake"


@dataclass
class FakeGateway:
    """`pay`, `decline`, `pend` and `expire` are what happens at the provider meanwhile.

    `broken` makes the next calls fail as an unreachable provider does; `calls` counts them.
    """

    clock: Clock = system_clock
    broken: int = 0
    calls: list[str] = field(default_factory=list)
    requests: dict[UUID, CheckoutRequest] = field(default_factory=dict)
    checkouts: dict[str, CheckoutStatus] = field(default_factory=dict)

    def open_checkout(self, request: CheckoutRequest) -> CheckoutOpened:
        self._called("open")
        known = self.requests.setdefault(request.attempt_id, request)
        if known != request or request.amount_fen <= 0:
            raise GatewayRejected
        reference = f"cs_fake_{request.attempt_id.hex}"
        status = CheckoutStatus(
            reference=reference,
            state="open",
            amount_fen=request.amount_fen,
            currency="CNY",
            attempt_id=request.attempt_id,
            order_number=request.order_number,
        )
        self.checkouts.setdefault(reference, status)
        return CheckoutOpened(reference, f"https://pay.example/{reference}", request.expires_at)

    def fetch_checkout(self, reference: str) -> CheckoutStatus:
        self._called("fetch")
        return self._found(reference)

    def close_checkout(self, reference: str) -> CheckoutStatus:
        self._called("close")
        if self._found(reference).state == "open":
            self.expire(reference)
        return self._found(reference)

    def parse_event(self, body: bytes, signature: str) -> GatewayEvent:
        if signature != SIGNATURE:
            raise BadSignature
        try:
            event = json.loads(body)
            return GatewayEvent(
                event_id=event["id"],
                type=event["type"],
                created=datetime.fromtimestamp(event["created"], UTC),
                livemode=False,
                checkout_reference=event["reference"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadEvent from error

    def event(self, reference: str, kind: str = "checkout.session.completed") -> bytes:
        """The body of a webhook about a checkout; sign it with `SIGNATURE`."""
        created = int(self.clock().timestamp())
        event = {"id": f"evt_{reference}_{kind}", "type": kind, "created": created}
        return json.dumps(event | {"reference": reference}).encode()

    def pay(self, reference: str) -> None:
        """The payer pays, or money under way arrives."""
        if self._found(reference).state in {"open", "processing"}:
            self._become(reference, state="paid", failure_code=None, paid_at=self.clock())

    def decline(self, reference: str) -> None:
        """The payer is refused; an open page stays open."""
        state = "open" if self._found(reference).state == "open" else "failed"
        if self._found(reference).state in {"open", "processing"}:
            self._become(reference, state=state, failure_code="generic_decline")

    def pend(self, reference: str) -> None:
        """The payer used a slow method."""
        if self._found(reference).state == "open":
            self._become(reference, state="processing")

    def expire(self, reference: str) -> None:
        """The page's time is over."""
        if self._found(reference).state == "open":
            self._become(reference, state="expired")

    def arrive(self, reference: str, amount_fen: int, currency: str = "CNY") -> None:
        """Something else arrives than was asked for."""
        self._become(reference, state="paid", amount_fen=amount_fen, currency=currency)

    def _become(self, reference: str, **values: object) -> None:
        values.setdefault("intent_reference", f"pi_{reference}")
        self.checkouts[reference] = replace(self.checkouts[reference], **values)

    def _found(self, reference: str) -> CheckoutStatus:
        if reference not in self.checkouts:
            raise GatewayRejected(provider_code="resource_missing")
        return self.checkouts[reference]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.broken > 0:
            self.broken -= 1
            raise GatewayUnavailable
