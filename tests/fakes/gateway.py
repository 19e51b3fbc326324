"""A payment provider in memory: `PaymentGateway`, and the payer's side of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from shop.payments.gateway import (
    BadEvent,
    BadSignature,
    CheckoutOpened,
    CheckoutRequest,
    CheckoutStatus,
    GatewayEvent,
    GatewayRejected,
)
from tests.fakes.gateway_money import FakeMoney

SIGNATURE = "signed by the fake"
OF_INTENTS = ("payment_intent.", "charge.", "refund.")
"""The kinds of events that tell of an intent."""


@dataclass
class FakeGateway(FakeMoney):
    """`pay`, `decline`, `pend` and `expire` are what happens at the provider meanwhile.

    `broken` makes the next calls fail as an unreachable provider does; `calls` counts them.
    `unheard` are the bodies of events whose delivery has not succeeded.
    """

    requests: dict[UUID, CheckoutRequest] = field(default_factory=dict)
    unheard: list[bytes] = field(default_factory=list)

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
            attempt = event.get("attempt")
            return GatewayEvent(
                event_id=event["id"],
                type=event["type"],
                created=datetime.fromtimestamp(event["created"], UTC),
                livemode=False,
                checkout_reference=event.get("reference"),
                intent_reference=event.get("intent"),
                attempt_id=UUID(attempt) if attempt else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadEvent from error

    def missed_events(self, since: datetime) -> Iterator[tuple[GatewayEvent, bytes]]:
        self._called("missed")
        events = [(self.parse_event(body, SIGNATURE), body) for body in self.unheard]
        return iter([pair for pair in events if pair[0].created >= since.replace(microsecond=0)])

    def event(
        self, reference: str, kind: str = "checkout.session.completed", serial: int = 0
    ) -> bytes:
        """The body of a webhook; sign it with `SIGNATURE`.

        `reference`: of a checkout, or of an intent, a refund or a dispute where `kind` is about
        one. `serial` tells apart events that say the same of the same.
        """
        created = int(self.clock().timestamp())
        number = f"evt_{reference}_{kind}" + (f"_{serial}" if serial else "")
        event = {"id": number, "type": kind, "created": created}
        return json.dumps(event | self._about(reference, kind)).encode()

    def _about(self, reference: str, kind: str) -> dict[str, str | None]:
        """What an event lets one find its subject by."""
        known = self.checkouts.get(reference)
        attempt = str(known.attempt_id) if known and known.attempt_id else None
        if kind.startswith("checkout.session."):
            return {"reference": reference, "attempt": attempt}
        if not kind.startswith(OF_INTENTS):
            return {}
        intent = self.intent_of.get(reference, reference)
        if known:
            intent = known.intent_reference or f"pi_{reference}"
        return {"intent": intent, "attempt": attempt}

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
        if values.get("state") == "paid":
            values["charge_reference"] = f"ch_{reference}"
        self.checkouts[reference] = replace(self.checkouts[reference], **values)
        if values.get("state") == "paid":
            self._charge(reference)

    def _found(self, reference: str) -> CheckoutStatus:
        if reference not in self.checkouts:
            raise GatewayRejected(provider_code="resource_missing")
        return self.checkouts[reference]
