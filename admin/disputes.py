"""Disputes, and the page of evidence that a bank is sent."""

from __future__ import annotations

from typing import Any

from flask import request

from admin import refund_words, words
from admin.forms.fields import cut, id_of
from admin.page import pages, show
from models.refunds import DisputeState
from shop.context import Ctx
from shop.divisions import origin_name
from shop.fulfilment.queries import parcels_of
from shop.payments.dispute_queries import dispute_with_evidence, disputes_on_desk
from shop.web import key_of

PAGE = 24


@pages.page("/disputes", permission="disputes.read")
def disputes(ctx: Ctx) -> str:
    """Disputes, newest first; those that wait for an answer unless told otherwise."""
    state = next((one for one in DisputeState if one == request.args.get("state")), None)
    before = id_of(request.args.get("before"))
    found = disputes_on_desk(ctx, state=state, before=before, limit=PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "disputes.html",
        family="payments",
        rows=rows,
        more=more,
        state=state,
        now=ctx.now,
        named=refund_words,
    )


@pages.page("/disputes/<dispute_id>", permission="disputes.read")
def dispute(ctx: Ctx, dispute_id: str) -> str:
    """One dispute with everything that can be said about its order."""
    return show("dispute.html", family="payments", **_evidence(ctx, dispute_id))


@pages.page("/disputes/<dispute_id>/print", permission="disputes.read")
def dispute_sheet(ctx: Ctx, dispute_id: str) -> str:
    """The same for printing."""
    return show("dispute_sheet.html", family="payments", **_evidence(ctx, dispute_id))


def _evidence(ctx: Ctx, dispute_id: str) -> dict[str, Any]:
    found = dispute_with_evidence(ctx, key_of(dispute_id))
    return {
        "dispute": found,
        "parcels": parcels_of(ctx, found["order_id"]),
        "names": {line["line_id"]: line for line in found["sold"]},
        "events": words.EVENTS,
        "methods": words.PAYMENT_METHODS,
        "origin": origin_name,
        "named": refund_words,
        "at": ctx.now,
    }
