"""Version 1: importing a resource declares its endpoints."""

from api.v1 import (
    auth,
    cart,
    catalog,
    cooperative_consignments,
    cooperative_skus,
    me,
    orders,
    payments,
    reports,
)

__all__ = [
    "auth",
    "cart",
    "catalog",
    "cooperative_consignments",
    "cooperative_skus",
    "me",
    "orders",
    "payments",
    "reports",
]
