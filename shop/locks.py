"""Row locks: late, all at once, in one order, with the connection's lock timeout of 3 s."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from models.inventory import Stock
from shop.session import Session

STOCK = Stock.__table__

_ROWS = select(STOCK.c.sku_id).order_by(STOCK.c.sku_id).with_for_update()
_MANY = _ROWS.where(STOCK.c.sku_id == bindparam("wanted", type_=ARRAY(Uuid)).any_())
_NAMES = ("sku_1", "sku_2", "sku_3", "sku_4")
_FEW = _ROWS.where(STOCK.c.sku_id.in_([bindparam(name, type_=Uuid) for name in _NAMES]))
"""For the usual order. Of an array PostgreSQL expects more than comes, and so would plan anew."""

AUDIT_CHAIN = 7001
"""Advisory lock: one audit row at a time extends the chain."""


BANK_LINES = 7002
"""Advisory lock: one import at a time looks which of its lines are new."""


def lock_stock(session: Session, sku_ids: Iterable[UUID]) -> None:
    """Lock the stock rows, sorted by id so that two orders can never wait for each other.

    One row needs no lock of its own: the guarded UPDATE takes it.

    Raises:
        DBAPIError (translated to TryAgain at the transaction's border): 3 s have passed.
    """
    wanted = sorted(set(sku_ids))
    if len(wanted) > len(_NAMES):
        session.execute(_MANY, {"wanted": wanted}).all()
    elif len(wanted) > 1:
        padded = dict.fromkeys(_NAMES, wanted[0]) | dict(zip(_NAMES, wanted, strict=False))
        session.execute(_FEW, padded).all()


def lock_chain(session: Session, chain: int) -> None:
    """Serialise the writers of a hash chain until the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(:chain)"), {"chain": chain})
