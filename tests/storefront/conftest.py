"""The mall through a browser without script."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from shop.payments.providers import install
from tests import cast
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


class Browser:
    """Flask's client with a form's hidden fields filled in, as a browser would."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.shown: Any = None

    def get(self, path: str, **more: Any) -> Any:
        self.shown = self.client.get(path, **more)
        return self.shown

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page that is shown."""
        found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', self.shown.text)
        return {name: unescape(value) for name, value in found}

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        """Send a form with the token of the page that is shown."""
        token = self.hidden().get("csrf_token", "")
        self.shown = self.client.post(path, data={"csrf_token": token, **(form or {})}, **more)
        return self.shown

    def put_in(self, sku: str = "P01-1", quantity: int = 1) -> Any:
        """Put something into the basket from its product's page."""
        self.get("/cart")
        if "csrf_token" not in self.hidden():
            self.get("/sign-in")
        return self.post("/cart/lines", {"sku": sku, "quantity": quantity})

    def check_out(self, **more: Any) -> Any:
        """Fill in the checkout and send it."""
        self.get("/checkout")
        self.post("/checkout", {**self.hidden(), **FORM, **more, "step": "region"})
        return self.post("/checkout", {**self.hidden(), **FORM, **more})


@pytest.fixture
def visitor(client) -> Browser:
    return Browser(client)


@pytest.fixture
def alice(visitor) -> Browser:
    """Alice's browser, signed in."""
    visitor.get("/sign-in")
    visitor.post("/sign-in", {"email": cast.email("alice"), "password": cast.PASSWORD})
    return visitor


@pytest.fixture
def provider(settings, time) -> FakeGateway:
    fake = FakeGateway(clock=time)
    install(settings, fake)
    return fake
