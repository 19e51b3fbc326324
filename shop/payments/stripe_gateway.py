"""Stripe behind the shop's own words: hosted Checkout Sessions in CNY.

The only module that imports stripe, and it does so inside functions: the import takes half a
second and 28 MB, which every command and every process that takes no payment would pay for
nothing.

Calls go through the SDK's `raw_request` rather than its services. Both send the same request;
the services also turn the answer, expanded objects and all, into a tree of classes of which
we would read ten fields. Per call that is the larger half of the CPU time (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import orjson

from shop.errors import Declined, ShopError
from shop.payments import stripe_reading as reading
from shop.payments.gateway import (
    Aftermath,
    BadEvent,
    BadSignature,
    BalanceLine,
    CheckoutOpened,
    CheckoutRequest,
    CheckoutStatus,
    GatewayEvent,
    GatewayRejected,
    GatewayUnavailable,
    RefundRequest,
    RefundStatus,
)
from shop.payments.stripe_lists import newest_first, oldest_first

if TYPE_CHECKING:
    import stripe
    from stripe import params as asked
    from stripe.params.checkout import (
        SessionCreateParams,
        SessionListParams,
        SessionRetrieveParams,
    )

SESSIONS: Final = "/v1/checkout/sessions"
REFUNDS: Final = "/v1/refunds"
RETRIES: Final = 2
TOLERANCE_SECONDS: Final = 300
CONNECTIONS: Final = 8
"""Kept open at most; more threads than that would wait for the provider anyway."""


class StripeGateway:
    """`PaymentGateway` over the official SDK; safe to share between threads.

    `webhook_secrets`: any of them may have signed an event, so that one can be replaced by the
    next. `api_base` points to the sandbox. `timeout` in seconds, for each of the attempts.
    """

    def __init__(
        self,
        api_key: str,
        webhook_secrets: Sequence[str],
        api_base: str | None = None,
        timeout: float = 10,
    ) -> None:
        self._api_key, self._secrets = api_key, tuple(webhook_secrets)
        self._api_base, self._timeout = api_base, timeout

    def open_checkout(self, request: CheckoutRequest) -> CheckoutOpened:
        """Open a session; the attempt's id is the idempotency key."""
        session = self._call("post", SESSIONS, _session(request), str(request.attempt_id))
        return CheckoutOpened(session["id"], session["url"], reading.moment(session["expires_at"]))

    def fetch_checkout(self, reference: str) -> CheckoutStatus:
        """Read a session with its intent and charge."""
        params: SessionRetrieveParams = {"expand": ["payment_intent.latest_charge"]}
        return reading.checkout(self._call("get", _path(reference), params))

    def close_checkout(self, reference: str) -> CheckoutStatus:
        """Expire a session; one that is not open any more stays as it is."""
        try:
            return reading.checkout(self._call("post", f"{_path(reference)}/expire", {}))
        except GatewayRejected:
            status = self.fetch_checkout(reference)
            if status.state == "open":
                raise
            return status

    def find_checkout(self, intent_reference: str) -> str | None:
        """Look the session of an intent up."""
        params: SessionListParams = {"payment_intent": intent_reference, "limit": 1}
        found = self._call("get", SESSIONS, params)["data"]
        return found[0]["id"] if found else None

    def fetch_aftermath(self, intent_reference: str) -> Aftermath:
        """List the refunds and the disputes of an intent."""
        params: asked.DisputeListParams = {"payment_intent": intent_reference}
        disputes = [reading.dispute(found) for found in self._all("/v1/disputes", params)]
        return Aftermath(tuple(self._refunds(intent_reference)[::-1]), tuple(disputes[::-1]))

    def send_refund(self, request: RefundRequest) -> RefundStatus:
        """Ask for a refund unless it is there already: Stripe forgets keys after a day."""
        for known in self._refunds(request.intent_reference):
            if known.refund_id == request.refund_id:
                if known.amount_fen != request.amount_fen:
                    raise GatewayRejected(provider_code="idempotency_error")
                return known
        return reading.refund(self._call("post", REFUNDS, _refund(request), str(request.refund_id)))

    def balance_lines(self, since: datetime, until: datetime) -> Iterator[BalanceLine]:
        """Read the balance transactions.

        Stripe lists the newest first: of each page only the lines are kept, some 600 bytes each.
        """
        params: asked.BalanceTransactionListParams = {
            "created": {"gte": reading.seconds(since), "lt": reading.seconds(until)},
            "expand": ["data.source"],
        }
        found = [reading.line(one) for one in self._all("/v1/balance_transactions", params)]
        return reversed(found)

    def missed_events(self, since: datetime) -> Iterator[tuple[GatewayEvent, bytes]]:
        """Read the events that our endpoint has not taken."""
        params: asked.EventListParams = {
            "created": {"gte": reading.seconds(since)},
            "delivery_success": False,
        }
        fetch = partial(self._call, "get", "/v1/events")
        for found in oldest_first(fetch, params):
            yield reading.event(found), orjson.dumps(found)

    def parse_event(self, body: bytes, signature: str) -> GatewayEvent:
        """Check the signature against each secret and read the envelope."""
        if not any(self._signed(body, signature, secret) for secret in self._secrets):
            raise BadSignature
        try:
            found = orjson.loads(body)
        except ValueError as error:
            raise BadEvent from error
        return reading.event(found)

    def _refunds(self, intent_reference: str) -> list[RefundStatus]:
        """Every refund of an intent, newest first."""
        params: asked.RefundListParams = {"payment_intent": intent_reference}
        return [reading.refund(found) for found in self._all(REFUNDS, params)]

    def _all(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything in a list."""
        return newest_first(partial(self._call, "get", path), params)

    def _signed(self, body: bytes, signature: str, secret: str) -> bool:
        import stripe  # see the module's docstring

        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeError, TypeError):
            # The SDK itself stumbles over a body that is no UTF-8 and a header that is no ASCII.
            return False
        return True

    def _call(
        self, method: str, path: str, params: Mapping[str, Any], key: str | None = None
    ) -> dict[str, Any]:
        """One request with the SDK's retries; its errors in our words."""
        import stripe  # see the module's docstring

        options = {"idempotency_key": key} if key else {}
        try:
            answer = self._client.raw_request(method, path, **params, **options)
        except stripe.StripeError as error:
            raise _translated(error) from error
        return dict(answer.data)

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe  # see the module's docstring

        return stripe.StripeClient(
            self._api_key,
            base_addresses={"api": self._api_base} if self._api_base else None,
            http_client=_pooled(self._timeout),
            max_network_retries=RETRIES,
        )


def _session(request: CheckoutRequest) -> SessionCreateParams:
    """The request in Stripe's words: one line, because the order's total is what is owed."""
    mine = {"attempt_id": str(request.attempt_id), "order_number": request.order_number}
    chinese = request.language.startswith("zh")
    title = f"订单 {request.order_number}" if chinese else f"Order {request.order_number}"
    params: SessionCreateParams = {
        "mode": "payment",
        "allowed_payment_method_types": ["card", "alipay", "wechat_pay"],
        "payment_method_options": {"wechat_pay": {"client": "web"}},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "cny",
                    "unit_amount": request.amount_fen,
                    "product_data": {"name": title, "description": request.summary or title},
                },
            }
        ],
        "locale": "zh" if chinese else "en",
        "expires_at": int(request.expires_at.timestamp()),
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "client_reference_id": request.order_number,
        "metadata": mine,
        "payment_intent_data": {"description": title, "metadata": mine},
    }
    if request.buyer_email:
        params["customer_email"] = request.buyer_email
    return params


def _refund(request: RefundRequest) -> asked.RefundCreateParams:
    """The request in Stripe's words."""
    return {
        "payment_intent": request.intent_reference,
        "amount": request.amount_fen,
        "metadata": {
            "refund_id": str(request.refund_id),
            "order_number": request.order_number,
        },
    }


def _translated(error: stripe.StripeError) -> ShopError:
    """Which of our errors an error of the SDK is."""
    import stripe  # see the module's docstring

    code = error.code or type(error).__name__
    if isinstance(error, stripe.CardError):
        return Declined(provider_code=code)
    refusals = (
        stripe.InvalidRequestError,
        stripe.IdempotencyError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    )
    if isinstance(error, refusals):
        return GatewayRejected(provider_code=code, provider_message=error.user_message)
    return GatewayUnavailable(provider_code=code)


def _pooled(timeout: float) -> stripe.HTTPClient:
    """The SDK's client base over urllib3: connections kept across threads.

    Measured against the same endpoint, CPU milliseconds a call: RequestsClient 1.5,
    HTTPXClient 0.9, this 0.7; UrllibClient 0.65, but it connects anew for every call.
    """
    import stripe  # see the module's docstring
    import urllib3  # comes with the SDK's requests; only useful together

    class Pooled(stripe.HTTPClient):
        name = "urllib3"

        def __init__(self) -> None:
            super().__init__()
            self._pool = urllib3.PoolManager(
                maxsize=CONNECTIONS,
                block=False,
                retries=False,
                timeout=timeout,
                ca_certs=stripe.ca_bundle_path,
            )

        def request(  # type: ignore[override]
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> tuple[bytes, int, Mapping[str, str]]:
            try:
                answer = self._pool.request(method.upper(), url, body=post_data, headers=headers)
            except urllib3.exceptions.HTTPError as error:
                text = f"{type(error).__name__}: {error}"
                raise stripe.APIConnectionError(text, should_retry=True) from error  # type: ignore[no-untyped-call]
            return answer.data, answer.status, answer.headers

        def close(self) -> None:
            self._pool.clear()

    return Pooled()


def _path(reference: str) -> str:
    return f"{SESSIONS}/{quote(reference, safe='')}"
