"""Disputes (拒付), with everything that can be said about the order."""

from __future__ import annotations

from typing import Any

from api.endpoint import Ctx, endpoint
from api.pagination import decode_id, page_of
from api.schemas.refunds import DisputeAnswer, DisputePage, DisputeQuery
from shop.fulfilment.queries import parcels_of
from shop.payments.dispute_queries import dispute_with_evidence, disputes_on_desk
from shop.web import key_of

TAG = "Finance"


@endpoint(
    "GET", "/disputes", permission="disputes.read", tag=TAG, query=DisputeQuery, answer=DisputePage
)
def disputes(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Disputes, newest first."""
    limit = query["limit"]
    before = decode_id(query["cursor"])
    found = disputes_on_desk(ctx, state=query["state"], before=before, limit=limit + 1)
    return page_of(found, limit, "id")


@endpoint(
    "GET", "/disputes/<dispute_id>", permission="disputes.read", tag=TAG, answer=DisputeAnswer
)
def dispute(ctx: Ctx, dispute_id: str) -> dict[str, Any]:
    """One dispute with its evidence; names and addresses in full for finance only."""
    found = dispute_with_evidence(ctx, key_of(dispute_id))
    parcels = parcels_of(ctx, found["order_id"])
    return {**found, "parcels": [parcel for part in parcels.values() for parcel in part]}
