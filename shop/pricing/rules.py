"""What a basket costs, and what stands in the way of ordering it. Pure: values in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from models.money import split
from shop.ids import SkuId
from shop.pricing.freight import FreightTemplate, freight_fen, to_free_fen
from shop.pricing.values import ConsignmentQuote, PricedLine, Problem, Quote

MAX_LINE_QUANTITY = 9_999
"""More of one SKU than any union programme hands out; beyond it somebody slipped on a key."""

LEFT_OUT = frozenset({"quantity_invalid", "not_listed", "out_of_season"})
"""Problems that keep a line out of the sums: there is no price for what cannot be bought."""

TEXTS = {
    "unknown_sku": ("没有找到商品 {sku}", "There is no item {sku}"),
    "not_listed": ("“{zh}”已下架", "{en} is no longer on sale"),
    "out_of_season": ("“{zh}”目前不在销售期内", "{en} is not in season at the moment"),
    "quantity_invalid": (
        "“{zh}”的购买数量须为 1 至 {limit} 的整数",
        "The quantity of {en} must be a whole number from 1 to {limit}",
    ),
    "out_of_stock": ("“{zh}”库存不足，仅剩 {left} 件", "Only {left} of {en} left"),
    "sold_out": ("“{zh}”已售罄", "{en} is sold out"),
    "not_deliverable": (
        "“{zh}”暂不支持配送到该地区",
        "{en} cannot be delivered to this region",
    ),
    "freight_unknown": (
        "“{zh}”的运费暂时无法计算，请联系客服",
        "The freight for {en} cannot be worked out, please contact us",
    ),
}


def quote(
    lines: Sequence[PricedLine], province_code: str | None, unknown: Sequence[str] = ()
) -> Quote:
    """Price a basket: one consignment a cooperative, in the order of their codes.

    Without a province (a cart that has no address yet) no freight is charged and `freight_known`
    is False. Lines in `LEFT_OUT` are in no sum; a line that is short of stock, or that cannot be
    delivered, is: the buyer sees what it would cost, and the problem says why it cannot be had.

    Args:
        lines: what the buyer wants, priced; a SKU may stand in several lines.
        province_code: two digits, or None.
        unknown: SKU codes asked for that do not exist.

    Raises:
        ValueError: a discount is negative or larger than what the line costs.
    """
    problems = [_problem("unknown_sku", sku) for sku in unknown]
    problems += _line_problems(lines)
    kept = [line for line in lines if _line_fault(line) not in LEFT_OUT]
    consignments = []
    for part in _by_cooperative(kept):
        freight = _freight(part, province_code)
        problems += [_problem(freight.faults[i], part[i].sku_code, part[i]) for i in freight.faults]
        consignments.append(_consignment(part, freight))
    return Quote(tuple(consignments), tuple(problems), province_code)


def allocate_discount(
    lines: Sequence[PricedLine], total_discount_fen: int
) -> tuple[PricedLine, ...]:
    """Share an order's discount among its lines in proportion to what each still costs.

    By largest remainder, so the parts make the whole; never more than the goods cost (freight is
    not discounted).

    Raises:
        ValueError: the discount is negative.
    """
    if total_discount_fen < 0:
        raise ValueError("a discount is negative")
    weights = [line.payable_fen for line in lines]
    parts = split(min(total_discount_fen, sum(weights)), weights)
    return tuple(
        replace(line, discount_fen=line.discount_fen + part)
        for line, part in zip(lines, parts, strict=True)
    )


def is_quantity(quantity: object) -> bool:
    """Whether so many can be asked for: a whole number from 1 to `MAX_LINE_QUANTITY`."""
    return type(quantity) is int and 1 <= quantity <= MAX_LINE_QUANTITY


def _line_fault(line: PricedLine) -> str | None:
    if not line.listed:
        return "not_listed"
    if not line.in_season:
        return "out_of_season"
    return None if is_quantity(line.quantity) else "quantity_invalid"


def _line_problems(lines: Sequence[PricedLine]) -> Iterator[Problem]:
    """In line order; a SKU short of stock is named once, however many lines ask for it."""
    wanted: Counter[SkuId] = Counter()
    for line in lines:
        if _line_fault(line) is None:
            wanted[line.sku_id] += line.quantity
    named: set[SkuId] = set()
    for line in lines:
        fault = _line_fault(line)
        if fault is not None:
            yield _problem(fault, line.sku_code, line)
        elif wanted[line.sku_id] > line.available and line.sku_id not in named:
            named.add(line.sku_id)
            yield _problem("out_of_stock", line.sku_code, line)


def _by_cooperative(lines: Iterable[PricedLine]) -> list[list[PricedLine]]:
    parts: dict[str, list[PricedLine]] = {}
    for line in lines:
        parts.setdefault(line.cooperative_code, []).append(line)
    return [parts[code] for code in sorted(parts)]


@dataclass(frozen=True, slots=True)
class _Freight:
    """Freight of one consignment, per line; `faults` names the lines that have none and why."""

    by_line: tuple[int, ...]
    to_free_fen: int | None
    faults: dict[int, str]


def _freight(lines: Sequence[PricedLine], province: str | None) -> _Freight:
    """Each template's goods pay their own freight; the free threshold looks at all of them."""
    by_line = [0] * len(lines)
    if province is None:
        return _Freight(tuple(by_line), None, {})
    goods_fen = sum(line.payable_fen for line in lines)
    faults: dict[int, str] = {}
    missing: list[int | None] = []
    for template, places in _by_template(lines).items():
        members = [lines[place] for place in places]
        fault = _tariff_fault(template, members)
        weight_g = sum(line.total_weight_g for line in members)
        quantity = sum(line.quantity for line in members)
        fee = (
            freight_fen(template, province, quantity, weight_g, goods_fen)
            if template is not None and fault is None
            else None
        )
        if template is None or fee is None:
            faults |= dict.fromkeys(places, fault or "not_deliverable")
        elif fee:
            missing.append(to_free_fen(template, province, goods_fen))
            for place, share in zip(places, _shares(template, members, fee), strict=True):
                by_line[place] = share
    return _Freight(tuple(by_line), _all_free(missing), dict(sorted(faults.items())))


def _by_template(lines: Sequence[PricedLine]) -> dict[FreightTemplate | None, list[int]]:
    groups: dict[FreightTemplate | None, list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault(line.template, []).append(place)
    return groups


def _tariff_fault(template: FreightTemplate | None, lines: Sequence[PricedLine]) -> str | None:
    """A missing tariff or weight must not travel free of charge."""
    if template is None:
        return "freight_unknown"
    by_weight = template.charge_by == "weight_g"
    weightless = by_weight and any((line.weight_g or 0) < 1 for line in lines)
    return "freight_unknown" if weightless else None


def _shares(template: FreightTemplate, lines: Sequence[PricedLine], fee: int) -> list[int]:
    by_piece = template.charge_by == "piece"
    return split(fee, [line.quantity if by_piece else line.total_weight_g for line in lines])


def _all_free(missing: Sequence[int | None]) -> int | None:
    """The amount at which the last of the charging templates waives its freight."""
    known = [amount for amount in missing if amount is not None]
    return max(known) if known and len(known) == len(missing) else None


def _consignment(lines: Sequence[PricedLine], freight: _Freight) -> ConsignmentQuote:
    if any(not 0 <= line.discount_fen <= line.goods_fen for line in lines):
        raise ValueError("a discount is negative or larger than the line")
    first = lines[0]
    return ConsignmentQuote(
        cooperative_id=first.cooperative_id,
        cooperative_code=first.cooperative_code,
        cooperative_name=first.cooperative_name,
        lines=tuple(lines),
        line_freight_fen=freight.by_line,
        goods_fen=sum(line.goods_fen for line in lines),
        discount_fen=sum(line.discount_fen for line in lines),
        freight_fen=sum(freight.by_line),
        to_free_fen=freight.to_free_fen,
    )


def _problem(code: str, sku: str, line: PricedLine | None = None) -> Problem:
    left = max(0, line.available) if line is not None and code == "out_of_stock" else None
    zh, en = TEXTS["sold_out" if left == 0 else code]
    words = {
        "sku": sku,
        "zh": " ".join(filter(None, (line.name, line.spec))) if line else sku,
        "en": (line.name_en or line.name) if line else sku,
        "left": left,
        "limit": MAX_LINE_QUANTITY,
    }
    return Problem(code, sku, zh.format(**words), en.format(**words), left)
