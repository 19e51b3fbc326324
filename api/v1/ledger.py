"""The ledger and its proof."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from api.endpoint import Ctx, endpoint
from api.pagination import decode_cursor, page_of, refusal
from api.schemas.ledger import (
    AccountList,
    AccountsQuery,
    EntriesQuery,
    JournalEntryAnswer,
    LedgerPage,
    ProofAnswer,
)
from shop.ledger import queries
from shop.ledger.proof import Proof
from shop.payments import proof as proofs
from shop.web import key_of

TAG = "Finance"
PERMISSION = "ledger.read"


@endpoint(
    "GET",
    "/ledger/accounts",
    permission=PERMISSION,
    tag=TAG,
    query=AccountsQuery,
    answer=AccountList,
)
def accounts(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Every account with its balance."""
    return {"items": queries.accounts(ctx, query["on"]), "next_cursor": None}


@endpoint(
    "GET",
    "/ledger/entries",
    permission=PERMISSION,
    tag=TAG,
    query=EntriesQuery,
    answer=LedgerPage,
)
def entries(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Journal entries with their postings, the newest day first."""
    limit = query["limit"]
    wanted = queries.EntryFilter(
        account=query["account"],
        party=query["party"],
        subject=query["subject"],
        day=query["day"],
        order_number=query["order"],
    )
    found = queries.entries(ctx, wanted, _after(query["cursor"]), limit + 1)
    return page_of(found, limit, "day", "id")


@endpoint(
    "GET",
    "/ledger/entries/<entry_id>",
    permission=PERMISSION,
    tag=TAG,
    answer=JournalEntryAnswer,
)
def entry(ctx: Ctx, entry_id: str) -> dict[str, Any]:
    """One journal entry with its postings."""
    return queries.entry(ctx, key_of(entry_id))


@endpoint("GET", "/ledger/proof", permission=PERMISSION, tag=TAG, answer=ProofAnswer)
def proof(ctx: Ctx) -> Proof:
    """The ledger added up again from zero, beside everything it was made from."""
    return proofs.prove(ctx)


def _after(cursor: str | None) -> tuple[date, UUID] | None:
    key = decode_cursor(cursor)
    if not key:
        return None
    try:
        day, entry_id = key
        return date.fromisoformat(day), UUID(entry_id)
    except ValueError as error:
        raise refusal() from error
