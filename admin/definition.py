"""口径说明: the definition of a report in sentences, as it is printed on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from shop.divisions import origin_name
from shop.reports.definitions import DIMENSIONS, Choice

ORIGIN = "origin_"
CERTIFIED = "aid_certified"


def rule_set_facts(
    rules: Mapping[str, Any], platforms: Mapping[str, str], language: str
) -> list[tuple[str, str]]:
    """What a rule set counts, as (label, text); `platforms` are names by code."""
    comma = "、" if language == "zh" else ", "
    included = rules["include_platforms"] or []
    return [
        (gettext("生效期间"), _in_force(rules)),
        (gettext("计入平台"), comma.join(platforms.get(code, code) for code in included)),
        (gettext("计入商品"), _goods(rules["product_filter"] or "", language)),
        (gettext("金额"), _amount(rules)),
        (gettext("指标归类"), _classes(rules["category_map"] or {}, language, comma)),
    ]


def _in_force(rules: Mapping[str, Any]) -> str:
    start, end = rules["effective_from"], rules["effective_to"]
    if end is None:
        return str(gettext("%(start)s 起", start=start))
    return str(gettext("%(start)s 起，至 %(end)s（不含）", start=start, end=end))


def _goods(product_filter: str, language: str) -> str:
    if product_filter == "any":
        return str(gettext("全部商品"))
    parts = [str(gettext("售出时为已认证帮扶产品"))] if CERTIFIED in product_filter else []
    if ORIGIN in product_filter:
        code = product_filter.rpartition(ORIGIN)[2]
        parts.append(str(gettext("产地为%(place)s", place=origin_name(code, language) or code)))
    return str(gettext("，或")).join(parts)


def _amount(rules: Mapping[str, Any]) -> str:
    freight = gettext("含运费") if rules["include_freight"] else gettext("不含运费")
    platform = (
        gettext("含平台补贴") if rules["include_platform_subsidy"] else gettext("不含平台补贴")
    )
    unit = gettext("含单位补贴") if rules["include_unit_subsidy"] else gettext("不含单位补贴")
    return str(
        gettext(
            "商品支付额减退款额；%(freight)s；%(platform)s；%(unit)s",
            freight=freight,
            platform=platform,
            unit=unit,
        )
    )


def _classes(category_map: Mapping[str, str], language: str, comma: str) -> str:
    kinds, classes = DIMENSIONS["buyer_kind"], DIMENSIONS["aid_class"]
    assert isinstance(kinds, Choice)
    assert isinstance(classes, Choice)
    said = [
        gettext(
            "%(indicator)s：%(kinds)s",
            indicator=title.in_(language),
            kinds=comma.join(
                kinds.values[kind].in_(language)
                for kind, named in category_map.items()
                if named == code
            ),
        )
        for code, title in classes.values.items()
    ]
    return str(gettext("；")).join(said)
