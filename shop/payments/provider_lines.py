"""The provider's balance lines: fetched, kept as they came, and posted where only they tell.

Fees, payouts and lines of no kind we know move money that nothing in our books speaks of. Each is
posted in the transaction that stores its line, so once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shop.clock import business_day
from shop.context import Ctx, Transactions
from shop.ids import new_id
from shop.ledger.commands import Cause, post_many
from shop.ledger.rules import Account, Leg, legs
from shop.payments.differences import open_difference
from shop.payments.gateway import BalanceLine
from shop.payments.providers import gateway
from shop.payments.reconcile_rules import UNKNOWN_LINE, booking

SLICE = 500
CURRENCY = "CNY"

COUNT_ANEW = text("ANALYZE provider_transaction")
STORE = text(
    """
    INSERT INTO provider_transaction (id, reference, kind, amount_fen, fee_fen, net_fen, currency,
        source, intent_reference, description, day, at, fetched_at)
    SELECT line.*, :fetched_at FROM unnest(:ids, :references, :kinds, :amounts, :fees, :nets,
        :currencies, :sources, :intents, :descriptions, :days, :moments) AS line
    ON CONFLICT (reference) DO NOTHING
    RETURNING id
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("amounts", "fees", "nets")),
    *(
        bindparam(name, type_=ARRAY(Text))
        for name in ("references", "kinds", "currencies", "sources", "intents", "descriptions")
    ),
    bindparam("days", type_=ARRAY(Date)),
    bindparam("moments", type_=ARRAY(DateTime(timezone=True))),
    bindparam("fetched_at", type_=DateTime(timezone=True)),
)


def fetch(transactions: Transactions, since: datetime, until: datetime) -> int:
    """Store and post the lines created in `[since, until)`; how many were new.

    The provider is asked with nothing open, and the lines are written slice by slice: a fetch that
    breaks off is carried on by the next one.

    Raises:
        GatewayUnavailable: the provider does not answer; try again later.
    """
    transactions.nothing_open()
    lines = iter(gateway(transactions.settings).balance_lines(since, until))
    new = 0
    for some in _sliced(lines):
        with transactions.begin() as ctx:
            new += store(ctx, some)
    if new > SLICE:
        # Compared at once, and nobody has counted them yet: plans made for an empty table would
        # take minutes.
        with transactions.begin() as ctx:
            ctx.session.execute(COUNT_ANEW)
    return new


def _sliced(lines: Iterator[BalanceLine]) -> Iterator[Sequence[BalanceLine]]:
    while some := list(islice(lines, SLICE)):
        yield some


def store(ctx: Ctx, lines: Sequence[BalanceLine]) -> int:
    """Keep the lines that we do not have yet, and post what only they tell; how many were new."""
    by_id = {new_id(): line for line in lines}
    stored = {row.id for row in ctx.session.execute(STORE, _columns(ctx, by_id))}
    new = [(key, line) for key, line in by_id.items() if key in stored]
    ours = [(key, line) for key, line in new if line.currency == CURRENCY]
    posts = [(_cause(key, line), legs_of(line)) for key, line in ours]
    post_many(ctx, [(cause, moved) for cause, moved in posts if moved])
    for _, line in ours:
        if line.kind == "other":
            open_difference(
                ctx,
                UNKNOWN_LINE,
                line.reference,
                day_of=line.created_at,
                theirs_fen=line.amount_fen,
                detail=line.description,
            )
    return len(new)


def legs_of(line: BalanceLine) -> list[Leg]:
    """What a line posts; nothing for a charge, a refund or a dispute without a fee."""
    booked = booking(line.kind, line.amount_fen, line.fee_fen)
    return legs(
        (Account.PROVIDER_FEES, booked.fees_fen),
        (Account.SUSPENSE, booked.suspense_fen),
        (Account.PROVIDER_CLEARING, -booked.fees_fen - booked.suspense_fen),
    )


def _cause(line_id: UUID, line: BalanceLine) -> Cause:
    return Cause(
        subject="provider_transaction",
        subject_id=line_id,
        event=line.kind if line.kind in {"payout", "fee", "other"} else f"{line.kind}_fee",
        at=line.created_at,
        note=line.reference,
    )


def _columns(ctx: Ctx, by_id: dict[UUID, BalanceLine]) -> dict[str, Any]:
    lines = list(by_id.values())
    return {
        "ids": list(by_id),
        "references": [line.reference for line in lines],
        "kinds": [line.kind for line in lines],
        "amounts": [line.amount_fen for line in lines],
        "fees": [line.fee_fen for line in lines],
        "nets": [line.net_fen for line in lines],
        "currencies": [line.currency for line in lines],
        "sources": [line.source for line in lines],
        "intents": [line.intent_reference for line in lines],
        "descriptions": [line.description for line in lines],
        "days": [business_day(line.created_at) for line in lines],
        "moments": [line.created_at for line in lines],
        "fetched_at": ctx.now,
    }
