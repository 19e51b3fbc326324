"""The carriers that a parcel can be handed to. Codes are those of the usual tracking services."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier's code and its names."""

    code: str
    name: str
    name_en: str

    def in_(self, language: str) -> str:
        """The name in `zh…` or, for anything else, in English."""
        return self.name if language.startswith("zh") else self.name_en


CARRIERS: dict[str, Carrier] = {
    carrier.code: carrier
    for carrier in (
        Carrier("shunfeng", "顺丰速运", "SF Express"),
        Carrier("zhongtong", "中通快递", "ZTO Express"),
        Carrier("yuantong", "圆通速递", "YTO Express"),
        Carrier("shentong", "申通快递", "STO Express"),
        Carrier("yunda", "韵达快递", "Yunda Express"),
        Carrier("ems", "EMS", "EMS"),
        Carrier("jd", "京东物流", "JD Logistics"),
        Carrier("youzhengguonei", "邮政快递包裹", "China Post parcels"),
        Carrier("jtexpress", "极兔速递", "J&T Express"),
        Carrier("debangkuaidi", "德邦快递", "Deppon Express"),
        Carrier("zhongtongkuaiyun", "中通快运", "ZTO Freight"),
        Carrier("annengwuliu", "安能物流", "ANE Logistics"),
        Carrier("kuayue", "跨越速运", "KYE Express"),
        Carrier("jiuyescm", "九曳供应链", "Jiuye cold chain"),
    )
}


def tracking_page(code: str, tracking_no: str) -> str | None:
    """A public page that tells where a parcel is; None for a carrier no longer in the table."""
    if code not in CARRIERS:
        return None
    return f"https://www.kuaidi100.com/chaxun?{urlencode({'com': code, 'nu': tracking_no})}"


def carrier_name(code: str, language: str) -> str:
    """What a parcel's carrier is called; the code itself for one no longer in the table."""
    carrier = CARRIERS.get(code)
    return carrier.in_(language) if carrier else code
