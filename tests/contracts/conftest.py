"""The sandbox on a loopback port, and the two gateways with a payer beside each."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
import urllib3
from werkzeug.serving import WSGIRequestHandler, make_server

from shop.clock import system_clock
from shop.ids import new_id
from shop.payments import stripe_gateway
from shop.payments.gateway import CheckoutRequest, PaymentGateway, checkout_expiry
from shop.payments.sandbox.books import Page
from shop.payments.sandbox.deliveries import signature
from shop.payments.sandbox.forms import decode
from shop.payments.sandbox.server import Sandbox
from shop.payments.stripe_gateway import StripeGateway
from shop.settings import Settings
from tests.contracts.stripe_types import Judge
from tests.fakes.gateway import SIGNATURE, FakeGateway

SECRET = "whsec_contract"


class Judged(stripe.HTTPClient):
    """Under the SDK: judges each request by the SDK's own types, then sends it."""

    name = "judged"

    def __init__(self, inner: stripe.HTTPClient, judge: Judge) -> None:
        super().__init__()
        self.inner, self.judge = inner, judge
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method, url, headers, post_data=None):
        parts = urlsplit(url)
        params = decode(post_data or parts.query)
        self.sent.append((method, parts.path, params))
        assert self.judge.complaints(method, parts.path, params) == []
        return self.inner.request(method, url, headers, post_data)


@dataclass
class Till:
    """A gateway and the payer's side of it."""

    gateway: PaymentGateway
    pay: Any
    decline: Any
    pend: Any
    expire: Any
    event: Any
    signature: Any
    refunds_end: Any
    settle_refund: Any
    refund_at_desk: Any
    dispute: Any
    close_dispute: Any
    payout: Any
    miss: Any
    sent: list[Any] = field(default_factory=list)


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """A sandbox served over HTTP; nobody receives its webhooks."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("sandbox"), stripe_webhook_secrets=(SECRET,)
    )
    sandbox = Sandbox(settings)
    handler = type("KeepAlive", (WSGIRequestHandler,), {"protocol_version": "HTTP/1.1"})
    handler.log_request = lambda *_: None
    server = make_server("127.0.0.1", 0, sandbox.app(), threaded=True, request_handler=handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sandbox.address = f"http://127.0.0.1:{server.server_port}"
    yield sandbox
    server.shutdown()
    server.server_close()


class Outside:
    """What payers, banks and the sandbox's own people do, over HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def press(self, reference, outcome) -> None:
        url = f"{self.sandbox.address}/c/pay/{reference}"
        urllib3.request("POST", url, fields={"outcome": outcome}, redirect=False)

    def control(self, path, **wishes):
        answer = urllib3.request("POST", f"{self.sandbox.address}/_control{path}", json=wishes)
        assert answer.status == 200, answer.data
        return answer.json()

    def expire(self, reference) -> None:
        with self.sandbox.books.writing():
            self.sandbox.machine.expire(reference)

    def event(self, _, kind="checkout.session.completed"):
        bodies, _ = self.sandbox.books.page("event", Page(limit=1, types=[kind]))
        return bodies[0]

    def signature(self, body, moment=None):
        return signature(body, SECRET, int((moment or system_clock()).timestamp()))

    def refunds_end(self, outcome) -> None:
        self.control("", refunds="" if outcome == "succeeded" else outcome)

    def dispute(self, session, amount=None, *, withheld=True):
        wishes = {} if amount is None else {"amount": amount}
        return self.control("/disputes", session=session, inquiry=not withheld, **wishes)["id"]


@pytest.fixture
def stripe_till(sandbox, judge, monkeypatch):
    """`StripeGateway` against the sandbox, each request judged."""
    judged = []

    def pooled(timeout):
        judged.append(Judged(pooled_before(timeout), judge))
        return judged[-1]

    pooled_before = stripe_gateway._pooled
    monkeypatch.setattr(stripe_gateway, "_pooled", pooled)
    outside = Outside(sandbox)
    control = outside.control
    yield Till(
        StripeGateway("sk_test_contract", ["whsec_old", SECRET], api_base=sandbox.address),
        pay=lambda reference: outside.press(reference, "paid"),
        decline=lambda reference: outside.press(reference, "declined"),
        pend=lambda reference: outside.press(reference, "pending"),
        expire=outside.expire,
        event=outside.event,
        signature=outside.signature,
        refunds_end=outside.refunds_end,
        settle_refund=lambda one, state: control(f"/refunds/{one}", status=state),
        refund_at_desk=lambda one, fen: control("/refunds", session=one, amount=fen)["id"],
        dispute=outside.dispute,
        close_dispute=lambda one, outcome: control(f"/disputes/{one}", status=outcome),
        payout=lambda amount: control("/payouts", amount=amount)["id"],
        miss=lambda _: None,  # nobody takes the webhooks of this sandbox: it misses them all
        sent=judged,
    )
    outside.refunds_end("succeeded")


@pytest.fixture
def fake_till() -> Till:
    fake = FakeGateway()
    return Till(
        fake,
        pay=fake.pay,
        decline=fake.decline,
        pend=fake.pend,
        expire=fake.expire,
        event=fake.event,
        signature=lambda _: SIGNATURE,
        refunds_end=lambda outcome: setattr(fake, "refund_outcome", outcome),
        settle_refund=fake.settle_refund,
        refund_at_desk=fake.refund_at_desk,
        dispute=fake.dispute,
        close_dispute=fake.close_dispute,
        payout=fake.payout,
        miss=lambda reference: fake.unheard.append(fake.event(reference)),
    )


@pytest.fixture(params=["stripe", "fake"])
def till(request) -> Till:
    """Each test that asks for it runs over both gateways."""
    return request.getfixturevalue(f"{request.param}_till")


@pytest.fixture
def checkout_request():
    """Makes a request for 161.80; any field may differ."""

    def make(**values) -> CheckoutRequest:
        now = system_clock()
        return CheckoutRequest(
            **{
                "attempt_id": new_id(),
                "order_number": "26030112345674",
                "amount_fen": 16180,
                "summary": "永平核桃 500g 等 3 件",
                "language": "zh",
                "expires_at": checkout_expiry(now + timedelta(minutes=30), now),
                "success_url": "https://mall.example/pay/back?session={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://mall.example/orders/26030112345674",
                **values,
            }
        )

    return make
