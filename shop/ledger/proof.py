"""Proof of the ledger by itself: everything added up again, from zero.

Each check is one statement that compares two sums key by key inside the database: both come from
the same snapshot, so writing may go on meanwhile, and memory stays the same however much there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from shop.context import Ctx

SAMPLES = 5
"""Keys of wrong rows that a check names; the rest is counted."""

COMPARED = """
    WITH compared AS MATERIALIZED ({rows}), wrong AS MATERIALIZED (
        SELECT key, ours, expected FROM compared WHERE ours <> expected
    )
    SELECT
        (SELECT coalesce(sum(ours), 0) FROM compared) AS ours,
        (SELECT coalesce(sum(expected), 0) FROM compared) AS expected,
        (SELECT count(*) FROM compared) AS rows,
        (SELECT count(*) FROM wrong) AS wrong,
        ARRAY(
            SELECT key || ' (' || ours || ' / ' || expected || ')' FROM wrong ORDER BY key
            LIMIT {samples}
        ) AS samples
"""
"""`{rows}` yields (key, ours, expected); numbers in fen."""

CHECKS: Mapping[str, str] = {
    "entries_balanced": """
        SELECT entry.id::text AS key, coalesce(sum(amount_fen), 0) AS ours, 0 AS expected
        FROM journal_entry AS entry LEFT JOIN posting ON entry_id = entry.id
        GROUP BY entry.id""",
    "entries_have_postings": """
        SELECT entry.id::text AS key, 0 AS ours, 1 AS expected
        FROM journal_entry AS entry
        WHERE NOT EXISTS (SELECT FROM posting WHERE entry_id = entry.id)""",
    "ledger_sums_to_zero": """
        SELECT 'all' AS key, coalesce(sum(amount_fen), 0) AS ours, 0 AS expected FROM posting""",
}
"""Name -> rows. What the accounts hold is proved where what moves them is known."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: two sums in fen, over so many rows, of which so many are wrong.

    `samples` are keys of wrong rows with both sides. Sums may agree while rows do not.
    """

    name: str
    ours: int
    expected: int
    rows: int
    wrong: int
    samples: tuple[str, ...] = ()

    @property
    def difference(self) -> int:
        """Ours less what it should be, in fen."""
        return self.ours - self.expected

    @property
    def proved(self) -> bool:
        """Whether every single row agrees."""
        return self.wrong == 0


@dataclass(frozen=True, slots=True)
class Proof:
    """All checks, and over how much: `entries` of the ledger."""

    checks: tuple[Check, ...]
    entries: int

    @property
    def proved(self) -> bool:
        """Whether nothing is wrong anywhere."""
        return all(check.proved for check in self.checks)


def prove(ctx: Ctx, more: Mapping[str, str] | None = None) -> Proof:
    """Add the ledger up again; `more` are checks of contexts that stand above it."""
    # The whole past is read, which on a large ledger takes longer than a page may.
    ctx.session.execute(text("SET LOCAL statement_timeout = '300s'"))
    checks = [_compare(ctx, name, rows) for name, rows in {**CHECKS, **(more or {})}.items()]
    count = ctx.session.execute(text("SELECT count(*) FROM journal_entry")).scalar_one()
    return Proof(tuple(checks), int(count))


def _compare(ctx: Ctx, name: str, rows: str) -> Check:
    row = ctx.session.execute(text(COMPARED.format(rows=rows, samples=SAMPLES))).one()
    return Check(
        name, int(row.ours), int(row.expected), int(row.rows), int(row.wrong), _named(row.samples)
    )


def _named(samples: Sequence[str]) -> tuple[str, ...]:
    return tuple(samples)
