"""What a cooperative has to ship, and the form that hands a parcel to a carrier."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from admin import words
from admin.forms.fields import cut, id_of
from admin.forms.shipping import PREFIX, label_of, parcel_of, seen_label
from admin.once import once
from admin.page import again, back_to, pages, show
from models.orders import ConsignmentState
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.fulfilment.carriers import CARRIERS
from shop.fulfilment.commands import ship_parcel
from shop.fulfilment.desk import counts_by_state
from shop.fulfilment.label_commands import FOLLOWED, correct_label
from shop.fulfilment.queries import (
    consignment_for,
    consignments_for,
    find_consignments,
    waiting_consignments,
)
from shop.web import key_of

C = ConsignmentState
TABS = (C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED, C.SHIPPED, C.COMPLETED, C.CANCELLED)
SHIPPABLE = frozenset({C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED})
PAGE = 24
LONGEST_NUMBER = 40
"""Of a tracking number, the longest that can be asked for."""

MOST_ON_A_LIST = 100
"""Consignments on one picking list: about what one person packs in a day."""


@pages.page("/consignments", permission="consignments.read")
def consignments(ctx: Ctx) -> ResponseReturnValue:
    """The consignments in one state, or those that a number leads to; one is opened at once."""
    text = "".join(request.args.get("number", "").split())[:LONGEST_NUMBER]
    if not text:
        return _tab(ctx)
    found = find_consignments(ctx, text, id_of(request.args.get("before")), PAGE + 1)
    if len(found) == 1 and "before" not in request.args:
        return redirect(url_for("admin.consignment", number=found[0]["number"]))
    return _list(ctx, found, "before", number=text)


def _tab(ctx: Ctx) -> str:
    """Those to ship stand as they are to be worked off, all others newest first."""
    asked = request.args.get("state")
    state = next((one for one in TABS if one == asked), C.PENDING_SHIPMENT)
    if state in SHIPPABLE:
        after = id_of(request.args.get("after"))
        return _list(ctx, waiting_consignments(ctx, [state], after, PAGE + 1), "after", state=state)
    before = id_of(request.args.get("before"))
    return _list(ctx, consignments_for(ctx, state, before, PAGE + 1), "before", state=state)


def _list(
    ctx: Ctx, found: list[Any], turning: str, *, state: C | None = None, number: str = ""
) -> str:
    rows, more = cut(found, PAGE)
    return show(
        "consignments.html",
        family="consignments",
        rows=rows,
        more=more,
        turning=turning,
        state=state,
        number=number,
        tabs=TABS,
        counts=counts_by_state(ctx),
        states=words.CONSIGNMENT_STATES,
        tones=words.TONES,
    )


@pages.page("/consignments/picking", permission="consignments.read")
def picking(ctx: Ctx) -> str:
    """What waits longest to be packed, for printing: by SKU, then by consignment."""
    rows = waiting_consignments(ctx, SHIPPABLE, limit=MOST_ON_A_LIST)
    counts = counts_by_state(ctx)
    unlisted = sum(counts[state] for state in SHIPPABLE) - len(rows)
    shelf: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        for line in row["lines"]:
            shelf[line["sku"], line["name"], line["sku_name"]] += line["left"]
    total = [(*key, pieces) for key, pieces in sorted(shelf.items()) if pieces]
    return show(
        "picking.html",
        family="consignments",
        rows=rows,
        unlisted=unlisted,
        shelf=total,
        at=ctx.now,
    )


@pages.page("/consignments/<number>", permission="consignments.read")
def consignment(ctx: Ctx, number: str) -> str:
    """One consignment, its parcels, and the form for the next one."""
    return _detail(ctx, number=number)


def _detail(
    ctx: Ctx,
    *,
    number: str,
    parcel_id: str = "",
    form: Any = None,
    error: ShopError | None = None,
) -> str:
    """The page; a refused form stands where it was: at a parcel, or as the one for the next."""
    found = consignment_for(ctx, number)
    left = sum(line["left"] for line in found["lines"])
    return show(
        "consignment.html",
        family="consignments",
        part=found,
        left=left,
        prefix=PREFIX,
        shippable=found["state"] in SHIPPABLE and left > 0,
        correctable=found["state"] in FOLLOWED,
        corrected=parcel_id,
        form=form or {},
        error=error,
        carriers=CARRIERS.values(),
        states=words.CONSIGNMENT_STATES,
        tones=words.TONES,
        names={line["id"]: line for line in found["lines"]},
    )


@pages.page("/consignments/<number>/slip", permission="consignments.read")
def slip(ctx: Ctx, number: str) -> str:
    """The packing slip of one consignment, for printing."""
    return show("slip.html", family="consignments", part=consignment_for(ctx, number), at=ctx.now)


@pages.page(
    "/consignments/<number>/parcels",
    permission="consignments.ship",
    methods=("POST",),
    phases=True,
    retry=again(_detail),
)
def ship(opened: Transactions, number: str) -> Any:
    """Hand a parcel to a carrier."""
    parcel = parcel_of(request.form)
    if once(opened, lambda ctx: _ship(ctx, number, parcel)):
        flash(gettext("已录入发货：%(number)s", number=parcel.tracking_no.upper()), "success")
    else:
        flash(gettext("此表单已提交过，没有重复处理。"), "info")
    return back_to("admin.consignment", number=number)


@pages.page(
    "/consignments/<number>/parcels/<parcel_id>",
    permission="consignments.ship",
    methods=("POST",),
    retry=again(_detail),
)
def correct(ctx: Ctx, number: str, parcel_id: str) -> Any:
    """Put a mistyped label right."""
    label = label_of(request.form)
    seen = seen_label(request.form)
    reason = request.form.get("reason", "")
    correct_label(ctx, number, key_of(parcel_id), *label, reason, seen=seen)
    flash(gettext("已更正为：%(number)s", number=label[1].upper()), "success")
    return back_to("admin.consignment", number=number)


def _ship(ctx: Ctx, number: str, parcel: Any) -> None:
    ship_parcel(ctx, number, parcel)
