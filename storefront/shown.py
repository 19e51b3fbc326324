"""Goods and cooperatives as templates show them: in the reader's language, pictures versioned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from shop.catalog.detail_queries import ProductDetail, SkuOffer
from shop.catalog.listing_queries import Facet, ProductItem
from shop.catalog.rules import Hint, SaleState
from shop.clock import SHANGHAI
from shop.divisions import TOWNSHIPS, TOWNSHIPS_EN, origin_name
from shop.formatting import day
from shop.phones import MOBILE, PREFIX
from shop.web import language
from storefront import labels
from storefront.assets import asset, picture, versions
from storefront.sizes import size_name
from storefront.texts import _

Shown = dict[str, Any]

PLAIN_PICTURE = "logo.svg"


def pick(zh: str, en: str | None) -> str:
    """The text in the reader's language; Chinese where there is no English."""
    return (en or zh) if language() == "en" else zh


def phone_text(kept: str) -> str:
    """A number as people here write it: a mobile one of the mainland without +86."""
    here = kept.removeprefix(PREFIX)
    return here if MOBILE.fullmatch(here) else kept


def card(item: ProductItem) -> Shown:
    """A product on a shelf."""
    return {
        "slug": item.slug,
        "name": pick(item.name, item.name_en),
        "cooperative": cooperative_name(item.cooperative),
        "image_url": picture(item.image_url, PLAIN_PICTURE),
        "price_fen": item.price_fen,
        "price_max_fen": item.price_max_fen,
        "availability": str(item.availability),
        "season": "" if item.on_sale else _("不在销售期"),
        "presale": item.on_sale and item.ship_by is not None,
        "aid_certified": item.aid_certified,
        "age_restricted": item.age_restricted,
    }


def cooperative_name(row: Mapping[str, Any]) -> Shown:
    """A cooperative where only its name stands."""
    return {"code": row["code"], "name": pick(row["name"], row.get("name_en"))}


def cooperative(row: Mapping[str, Any]) -> Shown:
    """A cooperative with its people and its picture."""
    return {
        **cooperative_name(row),
        "township": township(row["township_code"]),
        "member_households": row["member_households"],
        "lifted_households": row["lifted_households"],
        "image_url": picture(row.get("image_url"), _cooperative_picture(row["code"])),
        "intro": pick(row.get("intro", ""), row.get("intro_en")),
    }


def category(row: Mapping[str, Any]) -> Shown:
    """A shelf."""
    drawn = f"categories/{row['slug']}.svg"
    return {
        "code": row["code"],
        "slug": row["slug"],
        "name": pick(row["name"], row["name_en"]),
        "image_url": asset(drawn if drawn in versions() else PLAIN_PICTURE),
        "products": row["products"],
    }


def choices(facets: list[Facet]) -> list[tuple[str, str]]:
    """A facet for a select, with how many products each choice leaves."""
    return [(one.code, f"{pick(one.name, one.name_en)} ({one.count})") for one in facets]


def product(detail: ProductDetail, row: Mapping[str, Any]) -> Shown:
    """A product's own page; `row` is its cooperative."""
    return {
        "slug": detail.slug,
        "name": pick(detail.name, detail.name_en),
        "story": [pick(detail.description, detail.description_en)],
        "image_url": picture(detail.image_url, PLAIN_PICTURE),
        "price_fen": detail.price_fen,
        "price_max_fen": detail.price_max_fen,
        "availability": str(detail.availability),
        "season": season(detail),
        "on_sale": detail.on_sale,
        "presale": detail.on_sale and detail.ship_by is not None,
        "ship_by": day(detail.ship_by, language()) if detail.ship_by else "",
        "aid_certified": detail.aid_certified,
        "age_restricted": detail.age_restricted,
        "no_return": detail.no_reason_return == "excluded_perishable",
        "origin": place(detail.origin["division_code"]),
        "storage": pick(detail.storage, detail.storage_en),
        "shelf_life": shelf_life(detail.shelf_life_days),
        "return_text": return_text(detail.no_reason_return),
        "freight": hint(detail.freight),
        "cooperative": cooperative(row),
        "category": {
            "slug": detail.category_slug,
            "name": pick(detail.category_name, detail.category_name_en),
        },
        "skus": [sku(offer) for offer in detail.skus],
        "label": label(detail),
        "documents": documents(detail.certificates),
    }


def sku(offer: SkuOffer) -> Shown:
    """A size to choose."""
    return {
        "code": offer.code,
        "name": size_name(offer.name),
        "price_fen": offer.price_fen,
        "available": offer.available,
        "availability": str(offer.availability),
    }


def season(detail: ProductDetail) -> str:
    """What the sale window means today; empty when there is none."""
    if detail.sale_state is SaleState.NOT_YET and detail.sale_from is not None:
        return _("%(day)s开售，到时候再来看看。", day=day(detail.sale_from, language()))
    if detail.sale_state is SaleState.ENDED:
        return _("今年这一季已经卖完，明年采收时再见。")
    if detail.sale_until is not None:
        return _("当季供应，%(day)s截止。", day=_last_day(detail.sale_until))
    return ""


def _last_day(until: datetime) -> str:
    """The window is half-open: what ends at midnight was on sale the day before."""
    local = until.astimezone(SHANGHAI)
    last = date.fromordinal(local.date().toordinal() - (local.hour == local.minute == 0))
    return day(last, language())


def hint(freight: Hint) -> str:
    """The freight template in a sentence."""
    return pick(freight.zh, freight.en)


def shelf_life(days: int | None) -> str:
    """How long it keeps; alcohol has none."""
    if days is None:
        return ""
    return _("%(n)s 天", n=days)


def return_text(rule: str) -> str:
    """Whether it can be sent back without a reason (domain 4.5)."""
    return {
        "eligible": lambda: _("签收后七日内可无理由退货。"),
        "needs_confirm": lambda: _(
            "未拆封七日内可无理由退货，食品拆封后不适用；"
            "破损、变质、错发、漏发，请在签收后 48 小时内拍照联系我们。"
        ),
        "excluded_perishable": lambda: _(
            "鲜活易腐，不适用七日无理由退货；破损、变质，请在签收后 48 小时内拍照联系我们。"
        ),
    }[rule]()


def label(detail: ProductDetail) -> list[tuple[str, str]]:
    """What the law wants on the pack, as far as the cooperative gave it."""
    given = {**detail.label, **(detail.label_en if language() == "en" else {})}
    percent = given.get("alcohol_percent_vol")
    rows = [
        (_("净含量"), " / ".join(dict.fromkeys(one.net_content for one in detail.skus))),
        (_("配料"), labels.listed(given.get("ingredients") or ())),
        (_("酒精度"), f"{percent}% vol" if percent is not None else ""),
        (_("产品标准号"), given.get("standard_code") or ""),
        (_("食品生产许可证"), given.get("production_licence") or ""),
        (_("生产者"), given.get("producer") or ""),
        (_("产地"), place(detail.origin["division_code"])),
        (_("储存条件"), pick(detail.storage, detail.storage_en)),
        (_("保质期"), shelf_life(detail.shelf_life_days)),
        (_("致敏物质"), labels.allergens(given.get("allergens") or ())),
        (_("警示语"), labels.warning(given.get("warning") or "")),
    ]
    return [(name, value) for name, value in rows if value]


def documents(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Licences and statements: what it is, its number and its last day."""
    names = {
        "business_licence": _("营业执照"),
        "food_production_licence": _("食品生产许可证"),
        "benefit_mechanism_statement": _("联农带农机制说明"),
    }
    return [
        (
            names.get(one["kind"], one["kind"]),
            _(
                "%(number)s，有效期至 %(day)s",
                number=one["number"],
                day=day(date.fromisoformat(one["expires_on"]), language()),
            ),
        )
        for one in found
    ]


def place(code: str) -> str:
    """Where goods or people are from: a township of Yongping in both languages."""
    return origin_name(code, language()) or code


def township(code: str) -> str:
    """The township alone, where the county is known from around it."""
    names = TOWNSHIPS_EN if language() == "en" else TOWNSHIPS
    return names.get(code) or place(code)


def _cooperative_picture(code: str) -> str:
    drawn = f"coop/{code.lower()}.svg"
    return drawn if drawn in versions() else PLAIN_PICTURE
