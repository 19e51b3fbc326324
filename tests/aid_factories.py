"""Sales and refunds written straight into the aid record, with made values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.identity import BuyerKind
from models.organization import Purpose, SalesPlatform
from shop.aid.commands import record_external, record_refund, record_sale
from shop.aid.queries import attribution_for
from shop.aid.values import ExternalSale, Goods, Sale, SaleLine
from shop.context import Ctx
from shop.ids import new_id

TEA = Goods(
    product_code="P01",
    product_name="高山绿茶 一级",
    sku_code="P01-1",
    sku_name="罐装100g",
    category_code="tea",
    category_name="茶叶",
    cooperative_code="C01",
    cooperative_name="云雾岭茶叶专业合作社(演示)",
    aid_certified=True,
    origin_division="532928201",
)
WALNUT = replace(
    TEA,
    product_code="P07",
    product_name="原味核桃仁",
    sku_code="P07-2",
    sku_name="500g袋",
    category_code="walnut",
    category_name="核桃",
    cooperative_code="C02",
    cooperative_name="青岭核桃专业合作社(演示)",
    origin_division="532928101",
)
FOREIGN = replace(
    TEA, product_code="X01", sku_code="X01-1", aid_certified=False, origin_division="310110"
)


def at(text: str) -> datetime:
    """A moment of Shanghai: `at("2026-03-31T23:59:30")`."""
    return datetime.fromisoformat(f"{text}+08:00")


def part(goods: Goods = TEA, fen: int = 4800, quantity: int = 1, freight_fen: int = 0) -> SaleLine:
    """One line of a sale."""
    snapshot = {name: getattr(goods, name) for name in Goods.__slots__}
    return SaleLine(new_id(), snapshot, quantity, 130 * quantity, fen, freight_fen)


@dataclass(frozen=True)
class Sold:
    """A recorded sale: its facts, its lines, how many entries were written."""

    sale: Sale
    lines: tuple[SaleLine, ...]
    written: int

    @property
    def line(self) -> SaleLine:
        return self.lines[0]


def sell(
    ctx: Ctx,
    when: str,
    *lines: SaleLine,
    buyer: str = "",
    number: str = "",
    kind: BuyerKind = BuyerKind.STAFF,
    unit: str | None = None,
    channel: str | None = None,
    campaign: str | None = None,
    purpose: Purpose = Purpose.PERSONAL,
) -> Sold:
    """Record a paid order."""
    found = attribution_for(ctx, unit=unit, channel=channel, campaign=campaign)
    sale = Sale(
        order_id=new_id(),
        order_number=number or new_id().hex,
        at=at(when),
        cause_id=new_id(),
        platform_id=found.platform_id,
        storefront_id=found.storefront_id,
        channel_id=found.channel_id,
        campaign_id=found.campaign_id,
        unit_id=found.unit_id,
        buyer_kind=kind,
        buyer_key=buyer or f"user:{new_id()}",
        purpose=purpose,
    )
    parts = lines or (part(),)
    return Sold(sale, parts, record_sale(ctx, sale, parts))


def refund(
    ctx: Ctx,
    line: SaleLine,
    when: str,
    fen: int,
    *,
    quantity: int = 0,
    freight_fen: int = 0,
    cause: UUID | None = None,
) -> bool:
    """Record money returned."""
    return record_refund(
        ctx,
        order_line_id=line.order_line_id,
        cause_id=cause or new_id(),
        at=at(when),
        quantity=quantity,
        goods_fen=fen,
        freight_fen=freight_fen,
        reason="破损",
    )


def outside(ctx: Ctx, when: str, order_no: str, fen: int, **more: Any) -> UUID:
    """Record a sale of the 832 platform by the canteen."""
    platform = ctx.session.execute(
        select(SalesPlatform.id).where(SalesPlatform.code == "p832")
    ).scalar_one()
    found = attribution_for(ctx, unit="U02")
    values = {
        "external_order_no": order_no,
        "at": at(when),
        "cause_id": new_id(),
        "platform_id": platform,
        "channel_id": found.channel_id,
        "unit_id": found.unit_id,
        "buyer_kind": BuyerKind.UNIT_ACCOUNT,
        "buyer_key": "unit:U02",
        "purpose": Purpose.CANTEEN,
        "goods": WALNUT,
        "quantity": 400,
        "weight_g": 200_000,
        "goods_fen": fen,
    }
    return record_external(ctx, ExternalSale(**{**values, **more}))


def year_of_everything(ctx: Ctx) -> None:
    """Two quarters, four buyers, refunds, freight, an import, goods that do not count."""
    first = sell(
        ctx,
        "2026-02-03T10:02:10",
        part(fen=9600, quantity=2, freight_fen=600),
        part(WALNUT, 4990),
        unit="U03",
        channel="official_site",
        buyer="user:a",
    )
    sell(
        ctx,
        "2026-03-31T23:59:30",
        part(WALNUT, 4990),
        unit="U06",
        channel="new_media",
        kind=BuyerKind.STUDENT,
        buyer="user:b",
    )
    late = sell(
        ctx,
        "2026-04-01T00:00:05",
        part(WALNUT, 4990),
        unit="U14",
        buyer="user:a",
        channel="alumni_platform",
        kind=BuyerKind.ALUMNI,
    )
    sell(
        ctx,
        "2026-05-27T20:11:00",
        part(FOREIGN, 3000),
        kind=BuyerKind.PUBLIC,
        buyer="user:c",
        channel="livestream",
    )
    refund(ctx, first.line, "2026-04-09T15:00:00", 4800, quantity=1, freight_fen=100)
    refund(ctx, late.line, "2026-04-10T15:00:00", 4990, quantity=1)
    outside(ctx, "2026-05-18T09:00:00", "832-DEMO-0001", 3_000_000)
