"""Whose basket: a person's, or that of a visitor who holds its token.

A token is a random secret with our own seal on it. Whoever has none is given a new one, at no
cost: nothing is stored until something is put into the basket, and then only the token's hash.
The seal keeps out tokens that somebody made up: a guessable one would be a shared basket.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.cart import Cart
from shop import crypto
from shop.context import Actor
from shop.ids import secret_token

CARTS = Cart.__table__

SEAL_LENGTH = 24
"""Hexadecimal digits, 96 bits: it is tried against us, not at home."""


@dataclass(frozen=True, slots=True)
class CartOwner:
    """Exactly one of the two is set. `token` is the visitor's secret itself."""

    user_id: UUID | None = None
    token: str | None = None

    def owns(self) -> Any:
        """The SQL condition for the owner's row of `cart`."""
        if self.user_id is not None:
            return CARTS.c.user_id == self.user_id
        return CARTS.c.token_hash == self.token_hash

    @property
    def token_hash(self) -> str | None:
        """What is stored of the token."""
        return hashlib.sha256(self.token.encode()).hexdigest() if self.token else None


def owner_of(actor: Actor, token: str | None, secret_key: str) -> CartOwner:
    """Whose basket a request means: the person's once signed in, else the visitor's.

    A visitor without a token, or with one that is not ours, gets a new one.
    """
    if actor.user_id is not None:
        return CartOwner(user_id=actor.user_id)
    if token is not None and is_genuine(token, secret_key):
        return CartOwner(token=token)
    return CartOwner(token=new_token(secret_key))


def new_token(secret_key: str) -> str:
    """A fresh token; nobody else's basket can have it."""
    secret = secret_token()
    return f"{secret}.{_seal(secret, secret_key)}"


def is_genuine(token: str, secret_key: str) -> bool:
    """Whether we gave out this token."""
    secret, _, seal = token.partition(".")
    return hmac.compare_digest(seal.encode(), _seal(secret, secret_key).encode())


def _seal(secret: str, secret_key: str) -> str:
    return crypto.keyed_hash(f"cart token {secret}", secret_key)[:SEAL_LENGTH]
