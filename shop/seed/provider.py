"""Where the orders of the demonstration's past were paid."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class Provider(Protocol):
    """Where the orders of the past were paid: the sandbox's books, see `Past` there."""

    def charge(self, order_number: str, attempt_id: UUID, amount_fen: int, at: datetime) -> Any:
        """Note a payment; what it is called there (`session`, `intent`, `charge`)."""
        ...

    def refund(self, intent: str, refund_id: UUID, amount_fen: int, at: datetime) -> str:
        """Note a refund; what it is called there."""
        ...
