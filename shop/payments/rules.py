"""Small decisions about paying: pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from shop.errors import Invalid, Words

MAX_URL = 500


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where a transfer goes: account holder, account number, bank."""

    name: str
    number: str
    bank: str


def checked_return_url(url: str | None, *, production: bool) -> str | None:
    """The address a provider sends the buyer back to: http(s), no credentials, no surprises.

    Raises:
        Invalid: it is none, or not https in production.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
    except ValueError:
        raise _refusal() from None
    allowed = {"https"} if production else {"http", "https"}
    unsafe = any(character.isspace() or not character.isprintable() for character in url)
    if parts.scheme not in allowed or not host or user is not None or unsafe or len(url) > MAX_URL:
        raise _refusal()
    return url


def _refusal() -> Invalid:
    return Invalid(
        "返回地址无效",
        "The return address is not usable",
        fields={"return_url": [Words("须为 http(s) 地址", "An http(s) address is needed")]},
    )
