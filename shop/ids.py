"""Keys made in code (UUIDv7, ordered by time) and the numbers that people read aloud."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import NewType
from uuid import UUID

import uuid_utils

UserId = NewType("UserId", UUID)
CooperativeId = NewType("CooperativeId", UUID)
UnitId = NewType("UnitId", UUID)
ProductId = NewType("ProductId", UUID)
SkuId = NewType("SkuId", UUID)
CartId = NewType("CartId", UUID)
OrderId = NewType("OrderId", UUID)
ConsignmentId = NewType("ConsignmentId", UUID)
OrderLineId = NewType("OrderLineId", UUID)
PaymentId = NewType("PaymentId", UUID)

RANDOM_DIGITS = 7
"""10 million numbers a day: a guess hits with 1 in 10,000 at a thousand orders a day."""


def new_id() -> UUID:
    """A new UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def id_in(text: str) -> UUID | None:
    """The key that an address or a form names; None when it is no key, so that nothing has it."""
    try:
        return UUID(text)
    except ValueError:
        return None


def id_floor(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond, for reading a table by time along its key."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))


def check_digit(digits: str) -> str:
    """The Luhn digit: finds every single wrong digit and nearly every swap of neighbours."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004
    return str(-total % 10)


def order_number(day: date) -> str:
    """Date (yymmdd), random digits, check digit: digits only, for a bank transfer's remark."""
    body = f"{day:%y%m%d}" + "".join(secrets.choice("0123456789") for _ in range(RANDOM_DIGITS))
    return body + check_digit(body)


def is_order_number(text: str) -> bool:
    """Whether `text` can be an order number (shape and check digit)."""
    if len(text) != 6 + RANDOM_DIGITS + 1 or not text.isascii() or not text.isdigit():
        return False
    return check_digit(text[:-1]) == text[-1]


def secret_token() -> str:
    """A bearer secret with 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


MAX_CLOCK_OVERLAP = timedelta(seconds=15)
"""Longest time a writing transaction may stay open: id-ordered reads look back this far."""
