"""Version 1: importing a resource declares its endpoints."""

from api.v1 import (
    auth,
    bank_receipts,
    cart,
    catalog,
    cooperative_consignments,
    cooperative_skus,
    disputes,
    ledger,
    me,
    orders,
    payments,
    provider_events,
    reconciliations,
    refunds,
    reports,
)

__all__ = [
    "auth",
    "bank_receipts",
    "cart",
    "catalog",
    "cooperative_consignments",
    "cooperative_skus",
    "disputes",
    "ledger",
    "me",
    "orders",
    "payments",
    "provider_events",
    "reconciliations",
    "refunds",
    "reports",
]
