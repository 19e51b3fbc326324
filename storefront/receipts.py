"""Orders as templates show them to their buyer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from models.orders import ConsignmentState, PaymentTerms
from shop.formatting import minute
from shop.fulfilment.carriers import tracking_page
from shop.web import language
from storefront.assets import picture
from storefront.names import Names
from storefront.shown import PLAIN_PICTURE, pick
from storefront.sizes import size_name
from storefront.texts import _

Row = Mapping[str, Any]
Shown = dict[str, Any]
Parcels = Mapping[UUID, list[dict[str, Any]]]

PROCESSING = "payment_processing"
"""Of an unpaid order: the buyer has paid, and the provider has not decided yet."""

ON_ITS_WAY = frozenset(
    {
        ConsignmentState.PARTIALLY_SHIPPED,
        ConsignmentState.SHIPPED,
        ConsignmentState.COMPLETED,
    }
)


def listed(row: Row) -> Shown:
    """An order in the list of a person's orders."""
    state = _state(row)
    return {
        "number": row["number"],
        "state": state,
        "created_at": written(row["placed_at"]),
        "total_fen": row["total_fen"],
        "pieces": sum(line["quantity"] for line in row["lines"]),
        "lines": [
            {
                "name": pick(line["name"], line["name_en"]),
                "image_url": picture(line["image"], PLAIN_PICTURE),
            }
            for line in row["lines"]
        ],
        "can_pay": state == "pending_payment",
    }


def _state(row: Row) -> str:
    """What the buyer reads; of a payment handed in they read nothing that asks for another."""
    status: str = row["status"]
    return PROCESSING if status == "pending_payment" and row["payment_processing"] else status


def opened(row: Row, parcels: Parcels, now: datetime, cooperatives: Names, units: Names) -> Shown:
    """An order with everything that its page says."""
    state = _state(row)
    unpaid = state == "pending_payment"
    on_credit = row["payment_terms"] is PaymentTerms.PAY_AFTER_DELIVERY
    parts = row["consignments"]
    sums = (
        "goods_fen",
        "discount_fen",
        "freight_fen",
        "total_fen",
        "refunding_fen",
        "refunded_fen",
    )
    return {
        "number": row["number"],
        "state": state,
        "created_at": written(row["placed_at"]),
        "pay_before": written(row["pay_before"]),
        "pay_before_iso": row["pay_before"].isoformat(),
        "on_credit": on_credit,
        "expired": unpaid and row["pay_before"] <= now and not on_credit,
        "can_pay": unpaid and (row["pay_before"] > now or on_credit),
        "can_cancel": unpaid and not any(part["state"] in ON_ITS_WAY for part in parts),
        "can_confirm": any(part["state"] is ConsignmentState.SHIPPED for part in parts),
        "can_repeat": not unpaid and state != PROCESSING,
        "consignments": [
            _part(part, parcels.get(part["id"], []), cooperatives, state) for part in parts
        ],
        "address": {**row["address"], "region": row["address"]["division"]},
        "unit": units.get(row["unit"], row["unit_name"]),
        "note": row["note"],
        "events": [told for told in map(_event, reversed(row["events"])) if told],
        **{name: row[name] for name in sums},
    }


def written(moment: datetime) -> str:
    """A moment in Shanghai, in the reader's language."""
    return minute(moment, language())


def _part(part: Row, parcels: list[dict[str, Any]], names: Names, order: str) -> Shown:
    seller = part["cooperative"]
    lines = {line["line_id"]: _line(line) for line in part["lines"]}
    return {
        "number": part["number"],
        "cooperative": {"code": seller["code"], "name": names.get(seller["code"], seller["name"])},
        "state": _part_state(part, order),
        "lines": list(lines.values()),
        "freight_fen": part["freight_fen"],
        "parcels": [_parcel(parcel, lines) for parcel in parcels],
    }


def _part_state(part: Row, order: str) -> str:
    """A part that was paid and cancelled was refunded: to its buyer it is not coming any more."""
    if order == PROCESSING and part["state"] is ConsignmentState.PENDING_PAYMENT:
        return PROCESSING
    cancelled = part["state"] is ConsignmentState.CANCELLED
    return "withdrawn" if cancelled and part["paid_at"] else str(part["state"])


def _line(line: Row) -> Shown:
    return {
        "slug": line["slug"],
        "name": pick(line["name"], line["name_en"]),
        "sku_name": size_name(line["spec"]),
        "image_url": picture(line["image_url"], PLAIN_PICTURE),
        "price_fen": line["unit_price_fen"],
        "quantity": line["quantity"],
        "gone": _gone(line),
    }


def _gone(line: Row) -> str:
    """What of a line does not come, or has gone back."""
    told = [
        _("%(n)s 件已退款，不再发货", n=line["withdrawn"]) if line["withdrawn"] else "",
        _("%(n)s 件已退货", n=line["returned"]) if line["returned"] else "",
    ]
    return " · ".join(text for text in told if text)


def _parcel(parcel: Row, lines: Mapping[Any, Shown]) -> Shown:
    return {
        "carrier_name": parcel["carrier_name"],
        "tracking_no": parcel["tracking_no"],
        "tracking_url": tracking_page(parcel["carrier"], parcel["tracking_no"]),
        "shipped_at": written(parcel["shipped_at"]),
        "lines": [
            {"name": lines[one["line_id"]]["name"], "quantity": one["quantity"]}
            for one in parcel["lines"]
            if one["line_id"] in lines
        ],
    }


WITH_THE_ORDER = ("consignment", "cancel")
"""An unpaid order's parts are cancelled with it, and the order says so for all of them."""


def _event(event: Row) -> Shown | None:
    """One step of the timeline; what only our books care about is left out."""
    if (event["subject"], event["event"]) == WITH_THE_ORDER and event["why"] != "refund":
        return None
    titles = {
        ("order", "place"): lambda: _("订单已提交"),
        ("order", "pay"): lambda: _("付款成功"),
        ("order", "cancel"): lambda: _("订单已取消"),
        ("order", "expire"): lambda: _("超过付款时间，订单已取消"),
        ("order", "reopen"): lambda: _("付款晚到，订单已恢复"),
        ("payment", "fail"): lambda: _("付款未成功"),
        ("bank_match", "approve"): lambda: _("收到对公转账"),
        ("consignment", "ship_on_credit"): lambda: _("货到后付款，合作社开始备货"),
        ("payment", "arrive_unwanted"): lambda: _("收到一笔款项，待退回"),
        ("consignment", "ship_part"): lambda: _("合作社发出一部分"),
        ("consignment", "ship_all"): lambda: _("合作社已发货"),
        ("consignment", "complete"): lambda: _("已收货"),
        ("consignment", "cancel"): lambda: _("未发的商品已退款，不再发货"),
        ("consignment", "withdraw_rest"): lambda: _("未发的商品已退款，不再发货"),
        ("refund", "request"): lambda: _("退款已提交"),
        ("refund", "succeed"): lambda: _("退款已退回"),
        ("refund", "fail"): lambda: _("退款没有成功，我们会联系您"),
    }
    title = titles.get((event["subject"], event["event"]))
    return {"at": written(event["at"]), "title": title()} if title else None
