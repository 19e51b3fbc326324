"""A sandbox with a clock that we move, and somebody who takes its webhooks."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest

from shop.orders.commands import place_order
from shop.payments.commands import start_payment
from shop.payments.providers import install
from shop.payments.sandbox import shapes
from shop.payments.sandbox.server import Sandbox
from shop.settings import Settings
from tests.fakes.gateway import FakeGateway
from tests.shop.test_orders_place import WISH

SECRET = "whsec_tests"
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = MARCH

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Receiver:
    """Takes webhooks; answers `answers` one by one, then 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int, seconds: float = 5) -> list[str]:
        """The types of the first `count` deliveries."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.taken) >= count, seconds), self.taken
            return [json.loads(body)["type"] for _, body in self.taken]


class Desk:
    """The API and the cashier as a merchant and a payer see them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.web = sandbox.app().test_client()

    def post(self, path, form=None, key=None, token="sk_test_x"):
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return self.web.post(
            f"/v1{path}",
            data=urlencode(form or {}),
            headers=headers,
            content_type="application/x-www-form-urlencoded",
        )

    def get(self, path, **query):
        headers = {"Authorization": "Bearer sk_test_x"}
        return self.web.get(f"/v1{path}", query_string=query, headers=headers)

    def press(self, session, outcome, **form):
        return self.web.post(f"/c/pay/{session}", data={"outcome": outcome, **form})

    def page(self, session, query=""):
        return self.web.get(f"/c/pay/{session}{query}")

    def opened(self, **form) -> str:
        """The id of a new session for 161.80."""
        answer = self.post("/checkout/sessions", session_form(**form))
        assert answer.status_code == 200, answer.json
        return answer.json["id"]

    def paid(self, **form) -> dict:
        """A new session, paid, with its intent expanded."""
        session = self.opened(**form)
        assert self.press(session, "paid").status_code == 303
        return self.get(f"/checkout/sessions/{session}", **{"expand[]": "payment_intent"}).json

    def kinds(self) -> list[str]:
        """The types of all events, oldest first."""
        return [event["type"] for event in reversed(self.get("/events", limit=100).json["data"])]


def session_form(**form) -> dict:
    """The fields of a good request for 161.80; None leaves one out."""
    line = "line_items[0]"
    form = {
        "mode": "payment",
        f"{line}[quantity]": 1,
        f"{line}[price_data][currency]": "cny",
        f"{line}[price_data][unit_amount]": 16180,
        f"{line}[price_data][product_data][name]": "订单 26030112345674",
        "allowed_payment_method_types[0]": "card",
        "allowed_payment_method_types[1]": "alipay",
        "allowed_payment_method_types[2]": "wechat_pay",
        "success_url": "https://mall.example/back?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://mall.example/order",
        "locale": "zh",
        "metadata[order_number]": "26030112345674",
        "payment_intent_data[metadata][order_number]": "26030112345674",
        **form,
    }
    return {name: value for name, value in form.items() if value is not None}


def until(happened, seconds=10) -> None:
    """Wait for something that another thread or process does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    """The provider of this test's installation, in memory."""
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


@pytest.fixture
def placed(transactions):
    """An order of two cooperatives' goods that waits for 139.80."""
    with transactions.begin() as ctx:
        return place_order(ctx, WISH)


@pytest.fixture
def reference(transactions, provider, placed) -> str:
    """Its checkout, open."""
    start_payment(transactions, placed.number, token=placed.access_token)
    return next(iter(provider.checkouts))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def receiver():
    """The mall's webhook endpoint, as it were."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            with receiver.news:
                receiver.taken.append((self.headers["Stripe-Signature"], body))
                receiver.news.notify_all()

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox_settings(tmp_path, shapes_folder) -> Settings:
    for kept in shapes_folder.iterdir():
        (tmp_path / kept.name).write_bytes(kept.read_bytes())
    return Settings(data_dir=tmp_path, port=9, stripe_webhook_secrets=(SECRET,))


@pytest.fixture(scope="session")
def shapes_folder(tmp_path_factory):
    """The SDK's shapes are read once for all tests."""
    folder = tmp_path_factory.mktemp("shapes")
    shapes.load(folder)
    return folder


@pytest.fixture
def sandbox(sandbox_settings, clock):
    """A sandbox without its threads: nothing is delivered, nothing expires by itself."""
    sandbox = Sandbox(sandbox_settings, clock)
    yield sandbox
    sandbox.books.close()


@pytest.fixture
def desk(sandbox) -> Desk:
    return Desk(sandbox)


@pytest.fixture
def live(sandbox_settings, receiver):
    """A sandbox with its threads, at the true time, delivering to `receiver`."""
    sandbox = Sandbox(replace(sandbox_settings, port=receiver.port))
    sandbox.start()
    yield sandbox
    sandbox.stop()
