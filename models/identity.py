"""People, what they may do, how they prove who they are, and where they live."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Key, choice


class BuyerKind(StrEnum):
    """Who buys: decides the aid class (domain 1.4)."""

    STAFF = "staff"
    STUDENT = "student"
    ALUMNI = "alumni"
    PUBLIC = "public"
    UNIT_ACCOUNT = "unit_account"


class Role(StrEnum):
    """What a person does here; a buyer needs none."""

    ORGANIZER = "organizer"
    FINANCE = "finance"
    PLATFORM_ADMIN = "platform_admin"
    COOP_MANAGER = "coop_manager"
    UNIT_LIAISON = "unit_liaison"
    UNION_BUYER = "union_buyer"
    CANTEEN_BUYER = "canteen_buyer"
    COUNTY_OFFICER = "county_officer"


class TokenKind(StrEnum):
    """A bearer token of the API, or the session of a browser."""

    API = "api"
    SESSION = "session"


class User(Base):
    """A person with a sign-in. E-mail addresses are kept lower-case."""

    __tablename__ = "user_account"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    password_temporary: Mapped[bool] = mapped_column(default=False, server_default="false")
    buyer_kind: Mapped[BuyerKind] = mapped_column(choice(BuyerKind, "buyer_kind"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    language: Mapped[str] = mapped_column(default="zh")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class RoleGrant(Base):
    """One role of one person, bounded to a cooperative or a unit where the role is."""

    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint(
            "user_id", "role", "cooperative_id", "unit_id", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("(role = 'coop_manager') = (cooperative_id IS NOT NULL)", "scope"),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[Role] = mapped_column(choice(Role, "role"))
    cooperative_id: Mapped[UUID | None] = mapped_column(ForeignKey("cooperative.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    granted_at: Mapped[datetime]


class AccessToken(Base):
    """A secret that stands for a person; only its SHA-256 is kept. Revocable at once."""

    __tablename__ = "access_token"
    __table_args__ = (Index("ix_access_token_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[TokenKind] = mapped_column(choice(TokenKind, "kind"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Address(Base):
    """A delivery address in a person's address book. The phone is encrypted at rest."""

    __tablename__ = "address"
    __table_args__ = (Index("ix_address_user_id", "user_id"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id"))
    recipient: Mapped[str]
    phone_encrypted: Mapped[str]
    phone_hash: Mapped[str]
    division_code: Mapped[str]
    detail: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
