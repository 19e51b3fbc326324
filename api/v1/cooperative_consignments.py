"""What a cooperative has to ship."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api.endpoint import Ctx, endpoint
from api.pagination import decode_id, page_of
from api.schemas.consignments import (
    ConsignmentQuery,
    OwnConsignmentAnswer,
    OwnConsignmentPage,
    OwnParcelAnswer,
    ParcelBody,
)
from shop.errors import Invalid, Words
from shop.fulfilment import queries
from shop.fulfilment.commands import ParcelFacts, ShipParcel, ship_parcel

TAG = "Cooperative manager"


@endpoint(
    "GET",
    "/cooperative/consignments",
    permission="consignments.read",
    tag=TAG,
    query=ConsignmentQuery,
    answer=OwnConsignmentPage,
)
def consignments(ctx: Ctx, query: dict[str, Any]) -> dict[str, Any]:
    """Own consignments, newest first, recipients masked."""
    limit = query["limit"]
    found = queries.consignments_for(ctx, query["state"], decode_id(query["cursor"]), limit + 1)
    return page_of(found, limit, "id")


@endpoint(
    "GET",
    "/cooperative/consignments/<number>",
    permission="consignments.read",
    tag=TAG,
    answer=OwnConsignmentAnswer,
)
def consignment(ctx: Ctx, number: str) -> dict[str, Any]:
    """An own consignment with its parcels; the recipient in full while it is needed to ship."""
    return queries.consignment_for(ctx, number)


@endpoint(
    "POST",
    "/cooperative/consignments/<number>/parcels",
    permission="consignments.ship",
    tag=TAG,
    body=ParcelBody,
    answer=OwnParcelAnswer,
    status=201,
    idempotent=True,
)
def ship(ctx: Ctx, number: str, body: dict[str, Any]) -> ParcelFacts:
    """Hand a parcel to a carrier; without `lines` everything that is left."""
    parcel = ShipParcel(body["carrier"], body["tracking_no"], _wanted(body["lines"]))
    return ship_parcel(ctx, number, parcel)


def _wanted(lines: list[dict[str, Any]] | None) -> tuple[tuple[UUID, int], ...] | None:
    """(line, pieces) of a body.

    Raises:
        Invalid: `lot_unknown`. No lots are kept yet, and one that is named must not get lost.
    """
    if lines is None:
        return None
    if lots := sorted({one["lot"] for one in lines if (one["lot"] or "").strip()}):
        raise Invalid(
            "没有这个批次",
            "There is no such lot",
            code="lot_unknown",
            fields={"lines": [Words(f"没有批次 {lot}", f"No lot {lot}") for lot in lots]},
        )
    return tuple((one["line_id"], one["quantity"]) for one in lines)
