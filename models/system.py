"""What the machine room keeps: the audit chain, claimed keys, the worker's pulse."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json


class AuditEntry(Base):
    """One staff write: who, what, before, after. Each row's hash covers the row before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "subject_id"),)

    sequence: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[Json | None] = mapped_column(JSONB)
    after: Mapped[Json | None] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class IdempotencyKey(Base):
    """A claim on one write: who asked what under which key, and the answer once it is known."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    claim: Mapped[UUID]
    claimed_until: Mapped[datetime]
    created_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class WorkerHeartbeat(Base):
    """When a worker was last alive; readiness looks at it."""

    __tablename__ = "worker_heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
