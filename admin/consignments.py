"""What a cooperative has to ship, and the form that hands a parcel to a carrier."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import flash, request
from flask_babel import gettext

from admin import words
from admin.forms.fields import cut, id_of
from admin.forms.shipping import PREFIX, parcel_of
from admin.once import once
from admin.page import again, back_to, pages, show
from models.orders import ConsignmentState
from shop.context import Ctx, Transactions
from shop.errors import ShopError
from shop.fulfilment.carriers import CARRIERS
from shop.fulfilment.commands import ship_parcel
from shop.fulfilment.desk import counts_by_state
from shop.fulfilment.queries import consignment_for, consignments_for

C = ConsignmentState
TABS = (C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED, C.SHIPPED, C.COMPLETED, C.CANCELLED)
SHIPPABLE = frozenset({C.PENDING_SHIPMENT, C.PARTIALLY_SHIPPED})
PAGE = 24
MOST_ON_A_LIST = 100
"""Consignments on one picking list: about what one person packs in a day."""


@pages.page("/consignments", permission="consignments.read")
def consignments(ctx: Ctx) -> str:
    """The consignments in one state, newest first."""
    asked = request.args.get("state")
    state = next((one for one in TABS if one == asked), C.PENDING_SHIPMENT)
    found = consignments_for(ctx, state, id_of(request.args.get("before")), PAGE + 1)
    rows, more = cut(found, PAGE)
    return show(
        "consignments.html",
        family="consignments",
        rows=rows,
        more=more,
        state=state,
        tabs=TABS,
        counts=counts_by_state(ctx),
        states=words.CONSIGNMENT_STATES,
        tones=words.TONES,
    )


@pages.page("/consignments/picking", permission="consignments.read")
def picking(ctx: Ctx) -> str:
    """Everything that waits to be packed, for printing: by SKU, then by consignment."""
    rows = [
        row
        for state in (C.PARTIALLY_SHIPPED, C.PENDING_SHIPMENT)
        for row in reversed(consignments_for(ctx, state, limit=MOST_ON_A_LIST))
    ]
    shelf: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        for line in row["lines"]:
            shelf[line["sku"], line["product_name"], line["sku_name"]] += line["left"]
    total = [(*key, pieces) for key, pieces in sorted(shelf.items()) if pieces]
    return show("picking.html", family="consignments", rows=rows, shelf=total, at=ctx.now)


@pages.page("/consignments/<number>", permission="consignments.read")
def consignment(ctx: Ctx, number: str) -> str:
    """One consignment, its parcels, and the form for the next one."""
    return _detail(ctx, number=number)


def _detail(ctx: Ctx, *, number: str, form: Any = None, error: ShopError | None = None) -> str:
    found = consignment_for(ctx, number)
    left = sum(line["left"] for line in found["lines"])
    return show(
        "consignment.html",
        family="consignments",
        part=found,
        left=left,
        prefix=PREFIX,
        shippable=found["state"] in SHIPPABLE and left > 0,
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


def _ship(ctx: Ctx, number: str, parcel: Any) -> None:
    ship_parcel(ctx, number, parcel)
