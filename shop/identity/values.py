"""What others are told of a person: values without a password, a token's hash or a raw row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.identity import BuyerKind, Role, TokenKind


@dataclass(frozen=True, slots=True)
class Named:
    """A cooperative or a unit by code and name."""

    code: str
    name: str
    name_en: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """One role, with the cooperative or the unit that it is bounded to."""

    role: Role
    cooperative: Named | None
    unit: Named | None


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A person as he or she knows it.

    `password_temporary`: somebody else made the password, and nothing but changing it is open.
    """

    id: UUID
    email: str
    name: str
    buyer_kind: BuyerKind
    language: str
    password_temporary: bool
    created_at: datetime
    unit: Named | None
    memberships: tuple[Membership, ...]

    @property
    def roles(self) -> list[str]:
        """Every role once, in alphabetical order."""
        return sorted({membership.role.value for membership in self.memberships})


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """An entry of an address book; the phone is E.164, or masked for whom it is not."""

    id: UUID
    recipient: str
    phone: str
    division_code: str
    division_name: str
    detail: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A live sign-in; `current` is the one that asks."""

    id: UUID
    kind: TokenKind
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh sign-in. The secret is told this once and is stored nowhere."""

    secret: str
    token_id: UUID
    expires_at: datetime
    user: UserFacts


@dataclass(frozen=True, slots=True)
class Me:
    """A person with the own address book."""

    user: UserFacts
    addresses: tuple[AddressFacts, ...]

    @property
    def memberships(self) -> tuple[Membership, ...]:
        """The person's roles and where they hold."""
        return self.user.memberships
