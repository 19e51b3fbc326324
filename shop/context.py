"""Who is acting, when, and in which transaction: the first argument of every command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Executable

from models.identity import BuyerKind, Role
from shop.clock import Clock, system_clock
from shop.db import Database, in_transaction
from shop.errors import TryAgain
from shop.session import Session
from shop.settings import Settings


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `user_id` is empty for a visitor and for the system itself."""

    user_id: UUID | None = None
    name: str = ""
    email: str = ""
    buyer_kind: BuyerKind | None = None
    unit_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    cooperative_ids: frozenset[UUID] = frozenset()
    unit_ids: frozenset[UUID] = frozenset()
    scopes: frozenset[str] = frozenset({"*"})
    system: bool = False
    token_id: UUID | None = None
    password_temporary: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether we know the person."""
        return self.user_id is not None

    def has(self, *roles: Role) -> bool:
        """Whether the actor holds one of `roles`."""
        return not self.roles.isdisjoint(roles)


ANONYMOUS = Actor()
SYSTEM = Actor(name="system", system=True)


@dataclass(slots=True)
class Ctx:
    """One transaction of one actor at one moment. Commands join it and never commit."""

    session: Session
    actor: Actor
    now: datetime
    settings: Settings
    request_id: str = "-"
    language: str = "zh"
    afterwards: list[Executable] | None = None
    """Of a snapshot, which cannot write: what is to be written once it is over."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """Opens short transactions, for the few use cases with a foreign call in between."""

    database: Database
    settings: Settings
    actor: Actor = ANONYMOUS
    clock: Clock = field(default=system_clock)
    request_id: str = "-"
    language: str = "zh"

    @contextmanager
    def begin(self) -> Iterator[Ctx]:
        """One transaction; see `Database.transaction`."""
        with self.database.transaction() as session:
            yield self._ctx(session)

    @contextmanager
    def reading(self) -> Iterator[Ctx]:
        """For who only looks; see `Database.reading`."""
        with self.database.reading() as session:
            yield self._ctx(session)

    @contextmanager
    def snapshot(self) -> Iterator[Ctx]:
        """For who reads several things that have to agree; see `Database.snapshot`.

        What was left in `ctx.afterwards` is then written in a transaction of its own. The answer
        does not depend on that: while the database is busy it is left out.
        """
        later: list[Executable] = []
        with self.database.snapshot() as session:
            ctx = self._ctx(session)
            ctx.afterwards = later
            yield ctx
        if later:
            with suppress(TryAgain), self.database.transaction() as session:
                for statement in later:
                    session.execute(statement)

    def acting(self, actor: Actor) -> Transactions:
        """The same, for another actor."""
        return replace(self, actor=actor)

    @contextmanager
    def alone(self) -> Iterator[Ctx]:
        """For one statement that is a transaction of its own; see `Database.alone`."""
        with self.database.alone() as session:
            yield self._ctx(session)

    def _ctx(self, session: Session) -> Ctx:
        return Ctx(
            session=session,
            actor=self.actor,
            now=self.clock(),
            settings=self.settings,
            request_id=self.request_id,
            language=self.language,
        )

    @staticmethod
    def nothing_open() -> None:
        """Assert that no transaction is open here: call it before every foreign call.

        Raises:
            RuntimeError: one is, a bug: a foreign system would hold our locks.
        """
        if in_transaction():
            raise RuntimeError("a foreign system must not be called inside a transaction")
