"""Orders and consignments as tables you can read aloud (design, section 6)."""

from __future__ import annotations

from collections.abc import Iterable

from models.orders import Consignment, ConsignmentState, Order, OrderState
from shop.machine import Machine

O = OrderState  # noqa: E741 - the table below is meant to be read, not searched
C = ConsignmentState

ORDER = Machine(
    subject="order",
    table=Order.__table__,
    states=OrderState,
    transitions={
        (O.PENDING_PAYMENT, "pay"): O.PAID,
        (O.PENDING_PAYMENT, "cancel"): O.CANCELLED,
        (O.PENDING_PAYMENT, "expire"): O.CANCELLED,
        # Money came after the timer, and the goods were still there.
        (O.CANCELLED, "reopen"): O.PENDING_PAYMENT,
    },
)

CONSIGNMENT = Machine(
    subject="consignment",
    table=Consignment.__table__,
    states=ConsignmentState,
    transitions={
        (C.PENDING_PAYMENT, "pay"): C.PENDING_SHIPMENT,
        # A unit that may pay after delivery is shipped to at once.
        (C.PENDING_PAYMENT, "ship_on_credit"): C.PENDING_SHIPMENT,
        (C.PENDING_PAYMENT, "cancel"): C.CANCELLED,
        (C.CANCELLED, "reopen"): C.PENDING_PAYMENT,
        # Refunded before anything of it was shipped, or an order on credit called off.
        (C.PENDING_SHIPMENT, "cancel"): C.CANCELLED,
        (C.PENDING_SHIPMENT, "ship_part"): C.PARTIALLY_SHIPPED,
        (C.PENDING_SHIPMENT, "ship_all"): C.SHIPPED,
        (C.PARTIALLY_SHIPPED, "ship_part"): C.PARTIALLY_SHIPPED,
        (C.PARTIALLY_SHIPPED, "ship_all"): C.SHIPPED,
        # What was not shipped has been refunded, so all of it is on its way.
        (C.PARTIALLY_SHIPPED, "withdraw_rest"): C.SHIPPED,
        (C.SHIPPED, "complete"): C.COMPLETED,
    },
)


def reading(
    order: OrderState, consignments: Iterable[ConsignmentState], *, refunded: bool = False
) -> str:
    """What the buyer reads of an order, from its state and its consignments'.

    One of pending_payment 待付款, pending_shipment 待发货, partially_shipped 部分发货,
    shipped 待收货, completed 已完成, cancelled 已取消, and for a paid order of which nothing is
    going to be shipped refunding 退款中 until its money is `refunded` 已退款.
    """
    live = {state for state in consignments if state is not C.CANCELLED}
    if order is OrderState.PENDING_PAYMENT:
        return "pending_payment"
    if order is OrderState.CANCELLED:
        return "cancelled"
    if not live:
        return "refunded" if refunded else "refunding"
    if live == {C.COMPLETED}:
        return "completed"
    if live <= {C.SHIPPED, C.COMPLETED}:
        return "shipped"
    untouched = live <= {C.PENDING_PAYMENT, C.PENDING_SHIPMENT}
    return "pending_shipment" if untouched else "partially_shipped"
