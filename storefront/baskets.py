"""Baskets and quotes as templates show them: by cooperative, each with its own freight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shop.cart.queries import CartItem, CartView
from shop.catalog.for_orders import SkuForPricing
from shop.pricing.quote import Basket
from shop.pricing.values import ConsignmentQuote, PricedLine, Problem, Quote
from shop.web import language
from storefront.assets import picture
from storefront.names import Names
from storefront.shown import PLAIN_PICTURE, pick
from storefront.texts import _

Shown = dict[str, Any]


def cart(view: CartView, region_name: str, faults: Mapping[str, str], names: Names) -> Shown:
    """The basket by cooperative, with its sums; `faults` (SKU -> sentence) of a refused change."""
    problems = {one.sku: _short(one) for one in view.quote.problems} | dict(faults)
    parts = {part.cooperative_code: part for part in view.quote.consignments}
    by_cooperative: dict[str, list[CartItem]] = {}
    for line in view.lines:
        by_cooperative.setdefault(line.item.cooperative_code, []).append(line)
    known = view.quote.province_code is not None
    groups = [
        _group(lines, parts.get(code), problems, names, known=known)
        for code, lines in sorted(by_cooperative.items())
    ]
    return {
        "groups": groups,
        "region_name": region_name,
        "count": view.pieces,
        "can_checkout": bool(view.lines) and not view.quote.problems and not faults,
        **sums(view.quote),
    }


def _group(
    lines: list[CartItem],
    part: ConsignmentQuote | None,
    problems: Mapping[str, str],
    names: Names,
    *,
    known: bool,
) -> Shown:
    item = lines[0].item
    return {
        "cooperative": _cooperative(names, item.cooperative_code, item.cooperative_name),
        "lines": [_cart_line(line, problems.get(line.item.code, "")) for line in lines],
        "goods_fen": part.goods_fen if part else 0,
        "freight_fen": part.freight_fen if part and known else None,
        "free_gap_fen": part.to_free_fen if part else None,
    }


def _cart_line(line: CartItem, problem: str) -> Shown:
    return {
        **_named(line.item),
        "quantity": line.quantity,
        "available": max(0, line.item.available),
        "price_fen": line.item.price_fen,
        "problem": problem,
    }


def _named(item: SkuForPricing) -> Shown:
    return {
        "sku": item.code,
        "slug": item.slug,
        "name": pick(item.product_name, item.product_name_en),
        "sku_name": item.name,
        "image_url": picture(item.image, PLAIN_PICTURE),
    }


def _short(problem: Problem) -> str:
    """At the line itself the name need not be said again."""
    left = problem.available
    short = {
        "out_of_stock": lambda: (
            _("只剩 %(n)s 件，请改一下数量", n=left) if left else _("已售罄，请先移出")
        ),
        "not_listed": lambda: _("已下架，请先移出"),
        "out_of_season": lambda: _("不在销售期，请先移出"),
        "not_deliverable": lambda: _("不发往这个地区，请移出或换个收货地区"),
    }
    return short[problem.code]() if problem.code in short else problem.message(language())


def _cooperative(names: Names, code: str, name: str) -> Shown:
    return {"code": code, "name": names.get(code, name)}


def quote(basket: Basket, names: Names) -> Shown:
    """What a checkout costs, by cooperative; `problems` are whole sentences."""
    priced = basket.quote
    known = priced.province_code is not None
    return {
        "consignments": [
            _part(part, basket.skus, names, known=known) for part in priced.consignments
        ],
        "problems": sentences(priced.problems),
        **sums(priced),
    }


def _part(
    part: ConsignmentQuote, skus: Mapping[str, SkuForPricing], names: Names, *, known: bool
) -> Shown:
    return {
        "cooperative": _cooperative(names, part.cooperative_code, part.cooperative_name),
        "lines": [_quoted(line, skus[line.sku_code]) for line in part.lines],
        "freight_fen": part.freight_fen if known else None,
    }


def _quoted(line: PricedLine, item: SkuForPricing) -> Shown:
    return {**_named(item), "quantity": line.quantity, "price_fen": line.unit_price_fen}


def sums(priced: Quote) -> Shown:
    """The sums in fen; freight is None as long as nobody said where to."""
    return {
        "goods_fen": priced.goods_fen,
        "discount_fen": priced.discount_fen,
        "freight_fen": priced.freight_fen if priced.province_code else None,
        "total_fen": priced.total_fen,
    }


def sentences(problems: Iterable[Problem]) -> list[str]:
    """What stands in the way, each once."""
    return list(dict.fromkeys(one.message(language()) for one in problems))
