"""Writing the aid record: append only, in the transaction of the cause, names beside codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from models.aid import AidEntry, AidEntryKind
from shop.aid.attribution import Circumstances, circumstances
from shop.aid.rules import LineFacts, decide
from shop.aid.values import ExternalSale, Goods, Sale, SaleLine
from shop.bulk import inserting
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Conflict, Invalid
from shop.ids import new_id

ENTRIES = AidEntry.__table__

SALES = (AidEntryKind.SALE, AidEntryKind.REATTRIBUTED_IN)
"""Entries whose dimensions a refund of their line follows; the last one written is in force."""

DESCRIBED = tuple(one.name for one in fields(Goods) if one.name != "origin_division")
"""What of the goods an entry holds."""

ORDER_LINE_CAUSE = text("order_line_id IS NOT NULL")
EXTERNAL_CAUSE = text("kind IN ('import')")
"""The predicates of the two unique indexes that make recording safe to repeat."""

WRITE_SALE = (
    inserting(ENTRIES, "reason", "xid")
    .on_conflict_do_nothing(
        index_elements=["kind", "cause_id", "order_line_id"], index_where=ORDER_LINE_CAUSE
    )
    .returning(ENTRIES.c.id)
)


def record_sale(ctx: Ctx, sale: Sale, lines: Sequence[SaleLine]) -> int:
    """Add the lines of a paid order to the aid record; the number of entries written.

    Two statements, whatever the number of lines. A line that this cause has recorded before is
    left alone and not counted.
    """
    if not lines:
        return 0
    frozen = circumstances(
        ctx,
        at=sale.at,
        platform_id=sale.platform_id,
        channel_id=sale.channel_id,
        storefront_id=sale.storefront_id,
        campaign_id=sale.campaign_id,
        unit_id=sale.unit_id,
    )
    rows = []
    for line in lines:
        goods = Goods.from_snapshot(line.snapshot)
        rows.append(
            {
                **_common(ctx, AidEntryKind.SALE, sale, frozen, goods, line),
                "order_id": sale.order_id,
                "order_number": sale.order_number,
                "order_line_id": line.order_line_id,
                "external_reference": None,
            }
        )
    return len(ctx.session.execute(WRITE_SALE, {ENTRIES.name: rows}).all())


def record_external(ctx: Ctx, sale: ExternalSale) -> UUID:
    """Add one line sold on an outside platform to the aid record; the entry's key.

    Raises:
        Conflict: `already_imported`, the line of that order of that platform is on record.
    """
    frozen = circumstances(
        ctx,
        at=sale.at,
        platform_id=sale.platform_id,
        channel_id=sale.channel_id,
        storefront_id=None,
        campaign_id=sale.campaign_id,
        unit_id=sale.unit_id,
    )
    written: UUID | None = ctx.session.execute(
        insert(ENTRIES)
        .on_conflict_do_nothing(
            index_elements=["platform_code", "external_reference", "kind"],
            index_where=EXTERNAL_CAUSE,
        )
        .values(
            **_common(ctx, AidEntryKind.IMPORT, sale, frozen, sale.goods, sale),
            order_id=None,
            order_number=sale.external_order_no,
            order_line_id=None,
            external_reference=sale.reference,
        )
        .returning(ENTRIES.c.id)
    ).scalar_one_or_none()
    if written is None:
        raise Conflict(
            f"外部订单 {sale.reference} 已导入过，不能重复统计",
            f"The outside order {sale.reference} has been imported before",
            code="already_imported",
            reference=sale.reference,
        )
    return written


def record_refund(
    ctx: Ctx,
    *,
    order_line_id: UUID,
    cause_id: UUID,
    at: datetime,
    quantity: int,
    goods_fen: int,
    freight_fen: int,
    reason: str,
) -> bool:
    """Take returned money (fen, positive) out of the aid record, in the sale's own dimensions.

    Stock is not touched. True when an entry was written, False when this cause had done so before.

    Raises:
        Invalid: `nothing_to_refund`, no money, or a negative amount.
        Conflict: `refund_exceeds_sale`, more than what is left on record of the line.
    """
    if min(quantity, goods_fen, freight_fen) < 0 or goods_fen + freight_fen == 0:
        raise Invalid("退款金额须大于零", "A refund returns some money", code="nothing_to_refund")
    sale = _locked_sale(ctx, order_line_id)
    if _refunded_by(ctx, order_line_id, cause_id):
        return False
    wanted = {"quantity": quantity, "goods_fen": goods_fen, "freight_fen": freight_fen}
    left = _left(ctx, order_line_id)
    if sale is None or any(wanted[name] > left[name] for name in wanted):
        raise _exceeds(order_line_id, left)
    ctx.session.execute(
        insert(ENTRIES).values(
            {
                **sale,
                **_refund_values(ctx, sale, at, wanted),
                "cause_id": cause_id,
                "reason": reason,
            }
        )
    )
    return True


def _locked_sale(ctx: Ctx, order_line_id: UUID) -> Mapping[Any, Any] | None:
    """The entry whose dimensions are in force for a line, locked; None for one never paid.

    It is the line's turnstile: whoever holds it reads sums that nobody else can change.
    """
    found = ctx.session.execute(
        select(ENTRIES)
        .where(ENTRIES.c.order_line_id == order_line_id, ENTRIES.c.kind.in_(SALES))
        .order_by(ENTRIES.c.id)
        .with_for_update()
    )
    rows = found.mappings().all()
    return rows[-1] if rows else None


def _exceeds(order_line_id: UUID, left: Mapping[str, int]) -> Conflict:
    return Conflict(
        "退款超过该商品的实付金额或数量",
        "The refund is more than what is left of the sale",
        code="refund_exceeds_sale",
        order_line_id=str(order_line_id),
        left=left,
    )


def _common(
    ctx: Ctx,
    kind: AidEntryKind,
    sale: Sale | ExternalSale,
    frozen: Circumstances,
    goods: Goods,
    amounts: SaleLine | ExternalSale,
) -> dict[str, Any]:
    """What every positive entry holds, whoever sold it."""
    day = business_day(sale.at)
    platform = frozen.names["platform_code"] or ""
    decision = decide(
        frozen.rule_set,
        LineFacts(platform, sale.buyer_kind, goods.aid_certified, goods.origin_division),
    )
    described = {name: getattr(goods, name) for name in DESCRIBED}
    return {
        "id": new_id(),
        "kind": kind,
        "at": sale.at,
        "day": day,
        "sale_at": sale.at,
        "sale_day": day,
        **frozen.names,
        "buyer_kind": sale.buyer_kind,
        "buyer_key": sale.buyer_key,
        "purpose": sale.purpose,
        "aid_class": decision.aid_class,
        "rule_set_code": decision.rule_set_code,
        "rule_reason": decision.reason,
        **described,
        "quantity": amounts.quantity,
        "weight_g": amounts.weight_g,
        "goods_fen": amounts.goods_fen,
        "freight_fen": amounts.freight_fen,
        "cause_id": sale.cause_id,
        "actor_id": ctx.actor.user_id,
        "reason": "",
        "recorded_at": ctx.now,
    }


def _refund_values(
    ctx: Ctx, sale: Mapping[Any, Any], at: datetime, wanted: Mapping[str, int]
) -> dict[str, Any]:
    """What of a refund's entry is its own; weight goes with the quantity, whole grams."""
    units = sale["quantity"]
    weight_g = sale["weight_g"] * wanted["quantity"] // units if units else 0
    return {
        "id": new_id(),
        "kind": AidEntryKind.REFUND,
        "at": at,
        "day": business_day(at),
        **{name: -amount for name, amount in wanted.items()},
        "weight_g": -weight_g,
        "actor_id": ctx.actor.user_id,
        "recorded_at": ctx.now,
    }


def _refunded_by(ctx: Ctx, order_line_id: UUID, cause_id: UUID) -> bool:
    return (
        ctx.session.execute(
            select(ENTRIES.c.id).where(
                ENTRIES.c.kind == AidEntryKind.REFUND,
                ENTRIES.c.cause_id == cause_id,
                ENTRIES.c.order_line_id == order_line_id,
            )
        ).first()
        is not None
    )


def _left(ctx: Ctx, order_line_id: UUID) -> dict[str, int]:
    """What is left on record of a line; a sum of bigints is numeric, so it is made whole again."""
    names = ("quantity", "goods_fen", "freight_fen")
    row = (
        ctx.session.execute(
            select(
                *(func.coalesce(func.sum(ENTRIES.c[name]), 0).label(name) for name in names)
            ).where(ENTRIES.c.order_line_id == order_line_id)
        )
        .mappings()
        .one()
    )
    return {name: int(row[name]) for name in names}
