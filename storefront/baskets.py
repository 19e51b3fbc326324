"""Baskets and quotes as templates show them: by cooperative, each with its own freight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from shop.cart.queries import CartItem, CartView
from shop.catalog.for_orders import SkuForPricing
from shop.pricing.quote import Basket
from shop.pricing.values import ConsignmentQuote, PricedLine, Problem, Quote
from shop.web import language
from storefront.assets import picture
from storefront.names import Names
from storefront.shown import PLAIN_PICTURE, pick
from storefront.sizes import size_name
from storefront.texts import _

Shown = dict[str, Any]

UNPRICED = frozenset({"not_deliverable", "freight_unknown"})
"""Problems for which a line's freight is 0 and yet not free."""


@dataclass(frozen=True, slots=True)
class Freight:
    """The freight of a quote as it is shown; `ask` stands where nobody said yet where to."""

    quote: Quote
    ask: str

    def of(self, lines: Sequence[PricedLine], fen: int) -> Shown:
        """The freight of some lines: `freight_fen`, or None with a `freight_note` saying why."""
        note = self._note([line.sku_code for line in lines])
        return {"freight_fen": None if note else fen, "freight_note": note}

    def _note(self, skus: list[str]) -> str:
        if self.quote.province_code is None:
            return self.ask
        if not skus:
            return "—"
        unpriced = {one.sku: one.code for one in self.quote.problems if one.code in UNPRICED}
        codes = {unpriced.get(sku) for sku in skus}
        if codes == {"not_deliverable"}:
            return _("不配送")
        if "not_deliverable" in codes:
            return _("部分商品不配送")
        return _("运费待定") if "freight_unknown" in codes else ""


def cart(view: CartView, region_name: str, faults: Mapping[str, str], names: Names) -> Shown:
    """The basket by cooperative, with its sums; `faults` (SKU -> sentence) of a refused change.

    What was refused has changed nothing: the basket can be ordered as it stands.
    """
    problems = {one.sku: _short(one) for one in view.quote.problems}
    parts = {part.cooperative_code: part for part in view.quote.consignments}
    by_cooperative: dict[str, list[CartItem]] = {}
    for line in view.lines:
        by_cooperative.setdefault(line.item.cooperative_code, []).append(line)
    freight = Freight(view.quote, _("选择省份后计算"))
    groups = [
        _group(lines, parts.get(code), {**problems, **faults}, names, freight)
        for code, lines in sorted(by_cooperative.items())
    ]
    rest = [one for one in view.lines if one.item.code not in problems]
    return {
        "groups": groups,
        "region_name": region_name,
        "count": view.pieces,
        "can_checkout": bool(view.lines) and not view.quote.problems,
        "rest": _rest(rest) if problems and rest else None,
        **sums(view.quote, freight),
    }


def _rest(lines: Sequence[CartItem]) -> Shown:
    """The lines that nothing stands in the way of: where to order them, and what they cost."""
    return {
        "url": checkout_url([f"{one.item.code}:{one.quantity}" for one in lines]),
        "count": sum(one.quantity for one in lines),
        "goods_fen": sum(one.item.price_fen * one.quantity for one in lines),
    }


def _group(
    lines: list[CartItem],
    part: ConsignmentQuote | None,
    problems: Mapping[str, str],
    names: Names,
    freight: Freight,
) -> Shown:
    item = lines[0].item
    return {
        "cooperative": _cooperative(names, item.cooperative_code, item.cooperative_name),
        "lines": [_cart_line(line, problems.get(line.item.code, "")) for line in lines],
        "goods_fen": part.goods_fen if part else 0,
        **freight.of(part.lines if part else (), part.freight_fen if part else 0),
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
        "sku_name": size_name(item.name),
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
    freight = Freight(priced, _("填写地区后计算"))
    return {
        "consignments": [_part(part, basket.skus, names, freight) for part in priced.consignments],
        "problems": sentences(priced.problems),
        **sums(priced, freight),
    }


def _part(
    part: ConsignmentQuote, skus: Mapping[str, SkuForPricing], names: Names, freight: Freight
) -> Shown:
    return {
        "cooperative": _cooperative(names, part.cooperative_code, part.cooperative_name),
        "lines": [_quoted(line, skus[line.sku_code]) for line in part.lines],
        **freight.of(part.lines, part.freight_fen),
    }


def _quoted(line: PricedLine, item: SkuForPricing) -> Shown:
    return {**_named(item), "quantity": line.quantity, "price_fen": line.unit_price_fen}


def checkout_url(buy: Sequence[str], **more: str) -> str:
    """The checkout of these lines (`SKU:quantity`) alone, or of the whole basket for none."""
    arguments = urlencode({"buy": buy, **more}, doseq=True, safe=":")
    return f"/checkout?{arguments}" if arguments else "/checkout"


def sums(priced: Quote, freight: Freight) -> Shown:
    """The sums in fen. While the freight is None, `total_fen` is what the goods alone cost.

    `expected_fen` is what an order placed now is held against.
    """
    lines = [line for part in priced.consignments for line in part.lines]
    known = freight.of(lines, priced.freight_fen)
    without = known["freight_fen"] is None
    return {
        "goods_fen": priced.goods_fen,
        "discount_fen": priced.discount_fen,
        **known,
        "total_fen": priced.total_fen - (priced.freight_fen if without else 0),
        "expected_fen": priced.total_fen,
    }


def sentences(problems: Iterable[Problem]) -> list[str]:
    """What stands in the way, each once."""
    return list(dict.fromkeys(one.message(language()) for one in problems))
