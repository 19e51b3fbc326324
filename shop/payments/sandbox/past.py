"""What happened at the sandbox before it was there: the demonstration's past, in its books.

Orders that the demonstration lived through were paid somewhere. With their charges and refunds in
the sandbox's books they can be refunded, disputed and reconciled like any other.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import orjson

from shop.payments.sandbox.machine import INTENT
from shop.payments.sandbox.parameters import RefundRequest, SessionRequest
from shop.payments.sandbox.server import Sandbox
from shop.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

METHODS = ["card", "alipay", "wechat_pay"]
OPEN_FOR = timedelta(minutes=31)


@dataclass(frozen=True, slots=True)
class Charged:
    """What a payment of the past is called at the provider."""

    session: str
    intent: str
    charge: str


class Past:
    """The books of a sandbox that does not run, opened to write down what was before.

    Leaving the block keeps all of it; raising, nothing.
    """

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._now: datetime | None = None
        self._sandbox = Sandbox(settings, self._clock)
        self._sandbox.outbox.enabled_events = ()  # the mall knows all of it
        self._stack = ExitStack()
        self._writing = False

    def __enter__(self) -> Self:
        self._stack.callback(self._sandbox.books.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def charge(self, order_number: str, attempt_id: UUID, amount_fen: int, at: datetime) -> Charged:
        """An order was paid by card; amount in fen."""
        self._write_at(at)
        mine = {"attempt_id": str(attempt_id), "order_number": order_number}
        machine, ledger = self._sandbox.machine, self._sandbox.ledger
        opened = machine.open(
            SessionRequest(
                amount=amount_fen,
                name=f"订单 {order_number}",
                summary=None,
                methods=METHODS,
                expires_at=int((at + OPEN_FOR).timestamp()),
                success_url="http://127.0.0.1/",
                cancel_url=None,
                locale="zh",
                reference=order_number,
                email=None,
                metadata=mine,
                intent={"description": f"订单 {order_number}", "metadata": mine},
            )
        )
        number: str = orjson.loads(opened)["id"]
        session, _ = machine.act(number, "paid", "card")
        intent: dict[str, Any] = ledger.get(session["payment_intent"], INTENT)
        return Charged(number, intent["id"], intent["latest_charge"])

    def refund(self, intent: str, refund_id: UUID, amount_fen: int, at: datetime) -> str:
        """So much of it went back; the refund's name at the provider."""
        self._write_at(at)
        made = self._sandbox.refunds.make(
            RefundRequest(
                charge=None,
                intent=intent,
                amount=amount_fen,
                reason=None,
                metadata={"refund_id": str(refund_id)},
            )
        )
        number: str = orjson.loads(made)["id"]
        return number

    def _write_at(self, moment: datetime) -> None:
        # Not before there is something to write: nobody else writes from then on.
        if not self._writing:
            self._stack.enter_context(self._sandbox.books.writing())
            self._writing = True
        self._now = moment

    def _clock(self) -> datetime:
        assert self._now is not None, "the past has no present"
        return self._now
