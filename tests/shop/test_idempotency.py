"""A key's claim, its answer, and what is given back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from shop import idempotency
from shop.context import Transactions
from shop.idempotency import Answer, Claim

DONE = Answer(201, b'{"number": "1"}', {})


class LostError(Exception):
    """The commit held, but nobody heard of it."""


def claim(transactions: Transactions) -> Claim | Answer:
    return idempotency.claim(transactions.database, "user:1", "k", "print", transactions.clock())


def kept(transactions: Transactions) -> list[int | None]:
    """The answers' statuses of all keys."""
    with transactions.begin() as ctx:
        return list(ctx.session.execute(select(idempotency.KEYS.c.status)).scalars())


def work(transactions: Transactions, mine: Claim, *, done: bool) -> None:
    """The work of a claim, which falls over: after it held, or before."""
    with idempotency.working(transactions.database, mine):
        if done:
            with transactions.begin() as ctx:
                idempotency.finish(ctx, mine, DONE)
        raise LostError


def fallen(transactions: Transactions, *, done: bool) -> None:
    mine = claim(transactions)
    assert isinstance(mine, Claim)
    with pytest.raises(LostError):
        work(transactions, mine, done=done)


def test_work_that_was_done_keeps_its_answer_though_nobody_heard(transactions):
    fallen(transactions, done=True)
    assert kept(transactions) == [201]
    assert claim(transactions) == DONE


def test_work_that_was_not_done_gives_its_key_back(transactions):
    fallen(transactions, done=False)
    assert kept(transactions) == []
    assert isinstance(claim(transactions), Claim)
