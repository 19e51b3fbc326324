"""Several rows by one statement: PostgreSQL takes them out of one JSON value.

The driver's `executemany` sends each row as a statement of its own, which for the two or three rows
of an order costs more than all the rest of writing them; and the values of one wide row cost as
much to bind, one by one, as its whole text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import Insert, insert


def inserting(table: Table, *left_out: str) -> Insert:
    """The INSERT of rows that are passed as a list of dicts, under the table's name.

    `left_out` names columns that take their default: of the table's model if it is a plain value,
    else of PostgreSQL. A row that lacks any other column has NULL there. Times, dates, UUIDs and
    the members of an enumeration go as they are.

    >>> ctx.session.execute(inserting(EVENTS), {"order_event": [row, row]})  # doctest: +SKIP
    """
    written = [one for one in table.columns if one.name not in left_out]
    rows = (
        func.json_to_recordset(bindparam(table.name, type_=JSON))
        .table_valued(*(column(one.name, one.type) for one in written))
        .render_derived(name=f"{table.name}_rows", with_types=True)
    )
    taken: Any = select(*(rows.c[one.name] for one in written))
    return insert(table).from_select([one.name for one in written], taken)
