"""What is stored. Importing the package registers every table on `Base.metadata`."""

from models import (
    aid,
    bank,
    cart,
    catalog,
    fulfilment,
    identity,
    inventory,
    ledger,
    orders,
    organization,
    payments,
    reconciliation,
    refunds,
    system,
)
from models.base import Base

__all__ = [
    "Base",
    "aid",
    "bank",
    "cart",
    "catalog",
    "fulfilment",
    "identity",
    "inventory",
    "ledger",
    "orders",
    "organization",
    "payments",
    "reconciliation",
    "refunds",
    "system",
]
