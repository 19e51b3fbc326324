"""What may go into a parcel, and who may read where it goes: pure functions over values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.orders import ConsignmentState
from shop.errors import Conflict, Invalid, Words
from shop.fulfilment.carriers import CARRIERS

TRACKING_NO = re.compile(r"[A-Za-z0-9-]{4,40}")

MOST_PARCELS = 15
"""Parcels of one order: as many as the payment platforms take when shipping is reported to them.
The last ones are kept for what has still to leave, see `leave_room`."""

NOTHING_TO_SEND = {
    ConsignmentState.PENDING_PAYMENT: (
        "买家还没有付款，先不要发货",
        "The buyer has not paid yet; do not ship it",
    ),
    ConsignmentState.CANCELLED: (
        "此单已取消或已退款，请不要发货",
        "This was cancelled or refunded; do not ship it",
    ),
    ConsignmentState.SHIPPED: ("此单已全部发完，不用再发", "All of it has been shipped already"),
    ConsignmentState.COMPLETED: ("此单已全部发完，不用再发", "All of it has been shipped already"),
}

READABLE_FOR = timedelta(days=30)
"""How long after shipping a cooperative can still read where a parcel went: the usual time in
which a carrier finds a lost one."""


@dataclass(frozen=True, slots=True)
class LineLeft:
    """An order line of a consignment and what of it is not shipped yet."""

    id: UUID
    sku_id: UUID
    left: int


def checked_label(carrier: str, tracking_no: str) -> tuple[str, str]:
    """The carrier's code and the tracking number in capitals, as they are compared.

    Raises:
        Invalid: `invalid_parcel`, an unknown carrier or a number no carrier gives.
    """
    carrier, tracking_no = carrier.strip(), tracking_no.strip()
    faults: dict[str, list[str]] = {}
    if carrier not in CARRIERS:
        faults["carrier"] = [Words("没有这家快递公司", "There is no such carrier")]
    if TRACKING_NO.fullmatch(tracking_no) is None:
        faults["tracking_no"] = [
            Words("快递单号为 4 至 40 位字母、数字或短横线", "4 to 40 letters, digits or hyphens")
        ]
    if faults:
        raise Invalid(
            "快递公司或单号有误",
            "The carrier or the tracking number is not valid",
            code="invalid_parcel",
            fields=faults,
        )
    return carrier, tracking_no.upper()


def check_sendable(state: ConsignmentState) -> None:
    """Let a consignment pass of which something has still to leave.

    Raises:
        Conflict: `consignment_<state>`; says what that means for who has the box in hand.
    """
    if state not in NOTHING_TO_SEND:
        return
    zh, en = NOTHING_TO_SEND[state]
    raise Conflict(zh, en, code=f"consignment_{state}", state=str(state))


def packed(lines: Sequence[LineLeft], wanted: Sequence[tuple[UUID, int]] | None) -> dict[UUID, int]:
    """Pieces by order line: what is wanted, or without a wish everything that is left.

    Raises:
        Invalid: nothing wanted, a quantity below one, a line of another consignment.
        Conflict: `over_shipped`, with what is left of every line at fault in `lines`.
    """
    left = {line.id: line.left for line in lines}
    if wanted is None:
        return {line_id: pieces for line_id, pieces in left.items() if pieces}
    total: dict[UUID, int] = {}
    for line_id, quantity in wanted:
        total[line_id] = total.get(line_id, 0) + quantity
    if not total or any(quantity < 1 for _, quantity in wanted):
        raise Invalid(
            "请填写发货数量",
            "Nothing to ship",
            fields={"lines": [Words("请填写大于零的发货数量", "Say how many, more than none")]},
        )
    if strange := total.keys() - left.keys():
        raise Invalid(
            "发货明细中有不属于本单的商品",
            "A line does not belong to this consignment",
            fields={
                "lines": [Words(f"没有明细 {one}", f"No line {one}") for one in sorted(strange)]
            },
        )
    over = {line_id: left[line_id] for line_id in total if total[line_id] > left[line_id]}
    if over:
        raise Conflict(
            "发货数量超过未发数量",
            "More than is left to ship",
            code="over_shipped",
            lines=[{"line_id": str(line_id), "left": pieces} for line_id, pieces in over.items()],
        )
    return total


def leave_room(parcels: int, others_wait: int) -> None:
    """Let one more parcel leave that does not hold all that is left of its consignment.

    Its own consignment and every other that waits needs at least one more. A parcel that holds all
    that is left is not asked: so nobody's goods are ever stuck, whoever sends in small boxes.

    Args:
        parcels: of the order that have left.
        others_wait: other consignments of the order with something to be sent.

    Raises:
        Conflict: `too_many_parcels`.
    """
    if parcels + 1 + 1 + others_wait > MOST_PARCELS:
        raise Conflict(
            f"每个订单最多 {MOST_PARCELS} 个包裹，请把本单剩余商品装进一个包裹发出",
            f"An order has at most {MOST_PARCELS} parcels: send all that is left here in one",
            code="too_many_parcels",
        )


def by_sku(lines: Sequence[LineLeft], pieces: dict[UUID, int]) -> dict[UUID, int]:
    """Pieces by SKU, for stock: two lines may hold the same SKU."""
    total: dict[UUID, int] = {}
    for line in lines:
        if line.id in pieces:
            total[line.sku_id] = total.get(line.sku_id, 0) + pieces[line.id]
    return total


def may_read_recipient(state: ConsignmentState, shipped_at: datetime | None, now: datetime) -> bool:
    """Whether the cooperative needs name, phone and address: to ship, or to find a parcel."""
    if state in {ConsignmentState.PENDING_SHIPMENT, ConsignmentState.PARTIALLY_SHIPPED}:
        return True
    if state not in {ConsignmentState.SHIPPED, ConsignmentState.COMPLETED}:
        return False
    return shipped_at is not None and now - shipped_at <= READABLE_FOR
