"""Statements that come again go straight to the driver.

Most of what a request asks is a statement that a module has built once. On each execution
SQLAlchemy still spends more than the driver and the round trip to PostgreSQL together: it works
out the statement's cache key, a context, the cursor's metadata. So `shop.session` keeps, for every
statement *object* that it meets a second time, the SQL and the conversions that SQLAlchemy
itself makes for it, and hands both to psycopg. A statement built for one occasion never comes
again and goes SQLAlchemy's own way, as does all that is more than text and values: ORM entities,
defaults that a function makes, lists for `IN` that the caller passes.

What the caller sees is the same: rows by name, position and attribute, and the same errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Delete, Dialect, Insert, Select, TextClause, Update
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]

PLAIN = (Select, Insert, Update, Delete, TextClause)


class CountedResult(IteratorResult[Any]):
    """Rows in memory, and how many rows the statement touched."""

    rowcount = -1


class Prepared:
    """One statement with one set of names: its text, and what becomes of values on both ways."""

    def __init__(self, statement: Any, compiled: SQLCompiler, values: Values) -> None:
        """Prepare what SQLAlchemy has compiled; `values` are an example of the caller's."""
        self._statement, self._dialect = statement, compiled.dialect
        state = compiled.construct_expanded_state(_defaults(compiled) | dict(values))
        self.sql = state.statement
        ways = {name: _way_in(bind.type, self._dialect) for name, bind in compiled.binds.items()}
        ways |= state.processors
        self._constants = {
            name: way(value) if (way := ways.get(name)) else value
            for name, value in state.parameters.items()
            if name not in values
        }
        self._ways_in = [(name, way) for name in values if (way := ways.get(name)) is not None]
        self._read: tuple[SimpleResultMetaData, list[tuple[int, Convert]]] | None = None

    def bound(self, values: Values) -> dict[str, Any]:
        """The values as the driver takes them."""
        bound = {**self._constants, **values}
        for name, way in self._ways_in:
            bound[name] = way(bound[name])
        return bound

    def result(self, cursor: psycopg.Cursor[Any]) -> CountedResult:
        """What the statement has brought, all fetched."""
        if self._read is None:
            self._read = self._reading(cursor)
        metadata, ways = self._read
        rows: list[Any] = cursor.fetchall() if metadata.keys else []
        if ways:
            rows = [_converted(row, ways) for row in rows]
        result = CountedResult(metadata, iter(rows))
        result.rowcount = cursor.rowcount
        return result

    def _reading(
        self, cursor: psycopg.Cursor[Any]
    ) -> tuple[SimpleResultMetaData, list[tuple[int, Convert]]]:
        columns = cursor.description or []
        types = [] if isinstance(self._statement, TextClause) else self._statement.exported_columns
        ways = []
        for place, (told, asked) in enumerate(zip(columns, types, strict=False)):
            way = asked.type.dialect_impl(self._dialect).result_processor(
                self._dialect, told.type_code
            )
            if way is not None:
                ways.append((place, way))
        return SimpleResultMetaData([column.name for column in columns]), ways


def _defaults(compiled: SQLCompiler) -> dict[str, Any]:
    """What an INSERT writes into the columns that the caller does not name."""
    written: Sequence[Any] = compiled.insert_prefetch
    return {column.key: column.default.arg for column in written}


def _way_in(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _converted(row: Sequence[Any], ways: Sequence[tuple[int, Convert]]) -> tuple[Any, ...]:
    fields = list(row)
    for place, way in ways:
        fields[place] = way(fields[place])
    return tuple(fields)


class PreparedStatements:
    """The statements of one engine that came again. Safe to use from several threads."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Any, dict[frozenset[str], Prepared | None]]
        self._known = WeakKeyDictionary()

    def get(self, statement: Any, values: Values) -> Prepared | None:
        """The statement for values of these names; None if it goes SQLAlchemy's way."""
        if not isinstance(statement, PLAIN):
            return None
        shapes = self._known.get(statement)
        if shapes is None:
            self._known[statement] = {}
            return None
        names = frozenset(values)
        if names not in shapes:
            shapes[names] = self._prepare(statement, values)
        return shapes[names]

    def _prepare(self, statement: Any, values: Values) -> Prepared | None:
        keys = list(values) if isinstance(statement, Insert | Update) else None
        compiled = statement.compile(dialect=self._dialect, column_keys=keys)
        if not isinstance(compiled, SQLCompiler) or not _only_text_and_values(
            statement, compiled, values
        ):
            return None
        return Prepared(statement, compiled, values)


def _only_text_and_values(statement: Any, compiled: SQLCompiler, values: Values) -> bool:
    changing = {bind.key for bind in compiled.post_compile_params | compiled.literal_execute_params}
    columns = [] if isinstance(statement, TextClause) else list(statement.exported_columns)
    defaults: Sequence[Any] = compiled.insert_prefetch
    # An expression without a label has no name of its own.
    names = {getattr(column, "name", None) for column in columns}
    return (
        changing.isdisjoint(values)
        and not any(bind.callable for bind in compiled.binds.values())
        and not compiled.update_prefetch
        and all(column.default.is_scalar for column in defaults)
        and not statement._propagate_attrs  # noqa: SLF001 - how the ORM marks what is its own
        and None not in names
        and len(names) == len(columns)
    )
