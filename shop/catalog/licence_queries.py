"""The sellers' licences, as the law wants them shown: one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.catalog import Cooperative
from shop.catalog.rules import valid_documents
from shop.clock import business_day
from shop.context import Ctx

COOPERATIVES = Cooperative.__table__


def licences(ctx: Ctx) -> list[dict[str, Any]]:
    """Every active cooperative by code: code, name, name_en and the documents valid today."""
    rows = ctx.session.execute(
        select(
            COOPERATIVES.c.code,
            COOPERATIVES.c.name,
            COOPERATIVES.c.name_en,
            COOPERATIVES.c.documents,
        )
        .where(COOPERATIVES.c.active)
        .order_by(COOPERATIVES.c.code)
    ).mappings()
    today = business_day(ctx.now)
    return [{**row, "documents": valid_documents(row["documents"], today)} for row in rows]
