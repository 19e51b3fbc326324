"""What the catalogue says about goods: availability, sale window, freight in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shop.divisions import lookup
from shop.formatting import weight, yuan

LOW_STOCK = 10
"""Pieces: from here down the page says that few are left."""


class Availability(StrEnum):
    """What the shelf tag says."""

    IN_STOCK = "in_stock"
    LOW = "low"
    SOLD_OUT = "sold_out"


class SaleState(StrEnum):
    """Where a moment lies in a product's sale window; `open` without one."""

    OPEN = "open"
    NOT_YET = "not_yet"
    ENDED = "ended"


class Mark(StrEnum):
    """Where a word of the index stands, in the order in which a visitor means it.

    A word is indexed as it is and once more with its mark (`n=茶`), so that the index itself can
    tell a product called so from one that merely mentions it.
    """

    NAME = "n"
    CATEGORY = "c"
    SOURCE = "s"

    def on(self, token: str) -> str:
        """The token with this mark; no plain token has a `=`."""
        return f"{self.value}={token}"

    def query(self, words: str) -> str:
        """The text of a tsquery that asks for the words with this mark; they stand in quotes."""
        return re.sub(r"'([^']+)'", lambda found: f"'{self.on(found[1])}'", words)


@dataclass(frozen=True, slots=True)
class Hint:
    """A sentence in both languages."""

    zh: str
    en: str


def availability(available: int, *, on_sale: bool = True) -> Availability:
    """The shelf tag for so many pieces; what cannot be bought now counts as sold out."""
    if not on_sale or available <= 0:
        return Availability.SOLD_OUT
    return Availability.LOW if available <= LOW_STOCK else Availability.IN_STOCK


def sale_state(now: datetime, sale_from: datetime | None, sale_until: datetime | None) -> SaleState:
    """Whether the sale window, half-open, has begun and not ended."""
    if sale_from is not None and now < sale_from:
        return SaleState.NOT_YET
    if sale_until is not None and now >= sale_until:
        return SaleState.ENDED
    return SaleState.OPEN


def next_turn(now: datetime, *moments: datetime | None) -> datetime | None:
    """The first of these moments that is still to come."""
    return min((one for one in moments if one is not None and one > now), default=None)


def valid_documents(documents: Iterable[Mapping[str, Any]], today: date) -> list[dict[str, Any]]:
    """The licences and statements that have not expired, their last day included."""
    return [dict(one) for one in documents if date.fromisoformat(one["expires_on"]) >= today]


def freight_hint(definition: Mapping[str, Any]) -> Hint:
    """A freight template in a sentence; the price itself is the quote's to say."""
    base = definition["default"]
    free = base["first_fee_fen"] == 0 and base["additional_fee_fen"] == 0
    zh = ["包邮" if free else _steps_zh(definition)]
    en = ["Free" if free else _steps_en(definition)]
    for condition in definition.get("free_conditions", ()):
        zh.append(f"满{yuan(condition['min_goods_fen'])}包邮")
        en.append(f"free from {yuan(condition['min_goods_fen'])}")
    named = [code for rule in definition.get("rules", ()) for code in rule["provinces"]]
    if named:
        zh.append(f"{_names(named)}运费另计")
        en.append("other rates for some provinces")
    if definition.get("not_deliverable"):
        zh.append(f"{_names(definition['not_deliverable'])}暂不配送")
        en.append("not sent to some regions")
    return Hint("；".join(zh), "; ".join(en))


def _steps_zh(definition: Mapping[str, Any]) -> str:
    base = definition["default"]
    first, more = yuan(base["first_fee_fen"]), yuan(base["additional_fee_fen"])
    if definition["charge_by"] == "weight_g":
        return f"首重{weight(base['first'])} {first}，续重每{weight(base['additional'])} {more}"
    return f"首{base['first']}件 {first}，续每{base['additional']}件 {more}"


def _steps_en(definition: Mapping[str, Any]) -> str:
    base, by_weight = definition["default"], definition["charge_by"] == "weight_g"
    first, more = (
        weight(number) if by_weight else f"{number} pc"
        for number in (base["first"], base["additional"])
    )
    return (
        f"{yuan(base['first_fee_fen'])} for the first {first}, "
        f"{yuan(base['additional_fee_fen'])} for each further {more}"
    )


def _names(provinces: Iterable[str]) -> str:
    found = (lookup(code) for code in provinces)
    return "、".join(_short(path.province) for path in found if path is not None)


def _short(province: str) -> str:
    """As people say it: 新疆, 内蒙古, 海南."""
    for ending in ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "特别行政区", "省", "市"):
        province = province.removesuffix(ending)
    return province
