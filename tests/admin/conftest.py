"""The back office as a browser without JavaScript sees it, signed in as a member of the cast."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from models.identity import TokenKind
from models.orders import Order
from models.payments import PaymentMethod
from shop.context import Transactions
from shop.identity.rules import AddressInput
from shop.orders.commands import place_order
from shop.orders.inputs import BuyerInput, PlaceOrder
from shop.payments.receipts import record_receipt
from tests import cast

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
ONCE = re.compile(r'name="once" value="([^"]+)"')
PIECES = re.compile(r'name="(pieces-[0-9a-f-]{36})" value="(\d+)"')
NOTE = re.compile(r'class="note [^"]*" role="(?:alert|status)">.*?<p>(.*?)</p>', re.DOTALL)


@dataclass(eq=False)
class Desk:
    """A browser; `shown` is the last page."""

    client: Any
    shown: Any = None
    token: str = ""

    def get(self, path: str, **more: Any) -> Any:
        return self._show(self.client.get(f"/admin{path}", **more))

    def post(self, path: str, **form: Any) -> Any:
        """Send a form with the session's token, as the pages carry it."""
        sent = {"csrf_token": self.token, **form}
        return self._show(self.client.post(f"/admin{path}", data=sent))

    def follow(self) -> Any:
        return self._show(self.client.get(self.shown.headers["Location"]))

    def _show(self, answer: Any) -> Any:
        self.shown = answer
        if found := TOKEN.search(self.text):
            self.token = found[1]
        return answer

    @property
    def text(self) -> str:
        return str(self.shown.get_data(as_text=True))

    @property
    def plain(self) -> str:
        """What is read on the page: no tags, single spaces."""
        body = self.text.partition("</head>")[2]
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))

    @property
    def once(self) -> str:
        """The one-time key of the form on the page."""
        found = ONCE.search(self.text)
        assert found is not None
        return found[1]

    @property
    def pieces(self) -> dict[str, str]:
        """The fields of the shipping form: everything that is left."""
        return dict(PIECES.findall(self.text))

    @property
    def notes(self) -> list[str]:
        """What the page tells about the last form."""
        return [re.sub(r"<[^>]+>", "", text) for text in NOTE.findall(self.text)]


@pytest.fixture
def desk_of(app: Any) -> Callable[[str], Desk]:
    """`desk_of("bob")`: a browser in which Bob is signed in; "" for nobody."""

    def open_(name: str) -> Desk:
        client = app.test_client()
        if name:
            with client.session_transaction() as session:
                session["sid"] = f"{TokenKind.SESSION}:{cast.secret(name)}"
        return Desk(client)

    return open_


@pytest.fixture
def bob(desk_of: Callable[[str], Desk]) -> Desk:
    return desk_of("bob")


@pytest.fixture
def olga(desk_of: Callable[[str], Desk]) -> Desk:
    return desk_of("olga")


def buy(transactions: Transactions, *lines: tuple[str, int], paid: bool = True, **more: Any) -> str:
    """An order's number; by default 3 of Bob's tea (`-1`) and 2 of Charlie's walnuts (`-2`)."""
    wish = PlaceOrder(
        lines=lines or (("P01-1", 3), ("P06-1", 2)),
        address=AddressInput(**cast.ADDRESS),
        buyer=BuyerInput(name="林晓"),
        note="请放门卫",
        no_return_confirmed=True,
        **more,
    )
    with transactions.begin() as ctx:
        number = place_order(ctx, wish).number
        if paid:
            order = ctx.session.execute(
                select(Order.id, Order.total_fen).where(Order.number == number)
            ).one()
            record_receipt(
                ctx,
                order.id,
                method=PaymentMethod.BANK_TRANSFER,
                amount_fen=order.total_fen,
                received_at=ctx.now,
                reference=number,
            )
    return number


@pytest.fixture
def number(transactions: Transactions) -> str:
    """A paid order of Bob's and Charlie's goods."""
    return buy(transactions)
