"""What is stored. Importing the package registers every table on `Base.metadata`."""

from models import (
    aid,
    cart,
    catalog,
    fulfilment,
    identity,
    inventory,
    orders,
    organization,
    payments,
    system,
)
from models.base import Base

__all__ = [
    "Base",
    "aid",
    "cart",
    "catalog",
    "fulfilment",
    "identity",
    "inventory",
    "orders",
    "organization",
    "payments",
    "system",
]
