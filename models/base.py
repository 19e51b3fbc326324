"""The declarative base: naming of constraints, and what a Python type is in PostgreSQL."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Enum, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Json = dict[str, Any]
Key = Annotated[UUID, mapped_column(Uuid, primary_key=True)]
"""A UUIDv7 made in code."""


class Base(DeclarativeBase):
    """Every table of the mall."""

    if TYPE_CHECKING:
        # Each of ours is a plain table, so Core's INSERT, UPDATE and DELETE take it.
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name and shape are SQLAlchemy's
        str: Text,
        int: BigInteger,
        UUID: Uuid,
        date: Date,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


def choice(kind: type[StrEnum], name: str) -> Enum:
    """A text column that holds the values of `kind` and, by a CHECK named `name`, nothing else."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )
