"""The mall through a browser without script."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from shop.app import create_app
from shop.context import Transactions
from shop.db import Database
from shop.orders.own_queries import ORDERS
from shop.payments.providers import install
from tests import cast
from tests.conftest import NOW, _settings
from tests.fakes.gateway import FakeGateway

FORM = {
    "recipient": "林晓",
    "phone": "15400000001",
    "province": "310000",
    "city": "310110",
    "detail": "邯郸路 220 号",
    "buyer_kind": "alumni",
    "adult": "1",
    "no_return": "1",
    "step": "place",
}
"""What a guest enters at checkout."""

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
SITE = "http://127.0.0.1:8000"


class Visitor:
    """Flask's client with the hidden fields of the page filled in, as a browser would."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.shown: Any = None

    def get(self, path: str, **more: Any) -> Any:
        """Ask for a page; on from an address with an order's secret to the one without it."""
        self.shown = self.client.get(path.removeprefix(SITE), **more)
        if self.shown.status_code == 303 and "access_token=" in path:
            self.shown = self.client.get(self.shown.location)
        return self.shown

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page that is shown; the last of each name."""
        return {name: unescape(value) for name, value in HIDDEN.findall(self.shown.text)}

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        """Send a form with the token of the page that is shown."""
        token = self.hidden().get("csrf_token", "")
        self.shown = self.client.post(path, data={"csrf_token": token, **(form or {})}, **more)
        return self.shown

    def put_in(self, sku: str = "P01-1", quantity: int = 1) -> Any:
        """Put something into the basket."""
        self.get("/sign-in" if "Location" not in self.get("/sign-in").headers else "/account")
        return self.post("/cart/lines", {"sku": sku, "quantity": quantity})

    def check_out(self, **more: Any) -> Any:
        """Choose the region, look at the price, send the form."""
        self.get("/checkout")
        self.post("/checkout", {**self.hidden(), **FORM, **more, "step": "region"})
        return self.post("/checkout", {**self.hidden(), **FORM, **more})

    def follow(self) -> Any:
        """Go where the answer sends."""
        assert self.shown.status_code == 303, self.shown.text
        return self.get(self.shown.location)


@pytest.fixture
def visitor(client) -> Visitor:
    return Visitor(client)


@pytest.fixture(scope="session")
def shelves(worker_database: Database) -> Any:
    """The application over the catalogue that no test changes: for pages that only read."""
    return create_app(_settings(worker_database.url), worker_database, lambda: NOW)


@pytest.fixture
def reader(shelves) -> Visitor:
    """A visitor who only looks; costs no database of its own."""
    return Visitor(shelves.test_client())


@pytest.fixture
def alice(visitor) -> Visitor:
    """Alice's browser, signed in."""
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    assert answer.status_code == 303
    return visitor


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake


def orders(transactions: Transactions) -> list[Any]:
    """Every order, oldest first."""
    with transactions.begin() as ctx:
        return list(ctx.session.execute(ORDERS.select().order_by(ORDERS.c.id)).all())


def page_of(provider: FakeGateway) -> tuple[str, str]:
    """(result page, order page) of the newest checkout, as the provider was told them."""
    request = list(provider.requests.values())[-1]
    return request.success_url, request.cancel_url


def pay(provider: FakeGateway) -> None:
    """The payer pays the newest checkout."""
    provider.pay(list(provider.checkouts)[-1])
