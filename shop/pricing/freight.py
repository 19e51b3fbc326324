"""Freight templates (运费模板): first and further steps by province, free from a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from uuid import UUID

from shop.errors import Invalid

ChargeBy = Literal["piece", "weight_g"]

KEYS = frozenset(
    {"code", "name", "charge_by", "default", "rules", "free_conditions", "not_deliverable"}
)
STEP_KEYS = frozenset({"first", "first_fee_fen", "additional", "additional_fee_fen"})
RULE_KEYS = STEP_KEYS | {"provinces"}
PROVINCE_DIGITS = 2
MAX_NUMBER = 100_000_000
"""A million yuan, or a hundred tonnes: no tariff needs more, and sums stay far from overflow."""

MAX_REMEMBERED = 1_000
"""Far more templates than cooperatives write; a process that lives long does not grow by them."""


@dataclass(frozen=True, slots=True)
class Step:
    """`first` units cost `first_fee_fen`; each further `additional`, begun or full, costs more."""

    first: int
    first_fee_fen: int
    additional: int
    additional_fee_fen: int

    def fee_fen(self, amount: int) -> int:
        """Freight for `amount` pieces or grams; the additional part is rounded up."""
        further = max(0, amount - self.first)
        return self.first_fee_fen + -(-further // self.additional) * self.additional_fee_fen


@dataclass(frozen=True, slots=True)
class Rule:
    """A step of its own for some provinces (remote regions, the home province)."""

    provinces: frozenset[str]
    step: Step


@dataclass(frozen=True, slots=True)
class FreeCondition:
    """Free from `min_goods_fen` on; `provinces` None = those that no rule of the template names."""

    min_goods_fen: int
    provinces: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class FreightTemplate:
    """How a cooperative charges for sending. Provinces are two-digit GB/T 2260 codes."""

    code: str
    name: str
    charge_by: ChargeBy
    default: Step
    rules: tuple[Rule, ...] = ()
    free_conditions: tuple[FreeCondition, ...] = ()
    not_deliverable: frozenset[str] = frozenset()

    def step_for(self, province: str) -> Step:
        """The step that a province pays by."""
        return next((rule.step for rule in self.rules if province in rule.provinces), self.default)

    def free_from_fen(self, province: str) -> int | None:
        """The lowest threshold open to a province, or None."""
        named = any(province in rule.provinces for rule in self.rules)
        return min(
            (
                condition.min_goods_fen
                for condition in self.free_conditions
                if (not named if condition.provinces is None else province in condition.provinces)
            ),
            default=None,
        )


def freight_fen(
    template: FreightTemplate, province_code: str, quantity: int, weight_g: int, goods_fen: int
) -> int | None:
    """Freight for one template's goods in one consignment, in fen; None: no delivery there.

    Args:
        template: what the cooperative charges.
        province_code: two digits; a province that may not be sent to wins over a rule naming it.
        quantity: pieces of this template's goods.
        weight_g: their weight in grams.
        goods_fen: what the cooperative's whole consignment costs after discounts. It is held
            against the free threshold, and **the threshold itself counts as reached**: free from
            9,900 fen means that 9,900 is free and 9,899 is not.

    Raises:
        Invalid: `invalid_division` for a code that is not two digits; `quantity_invalid` and
            `weight_missing` for an amount to charge by that is not there. A missing weight is
            never taken for zero.
    """
    _check_province(province_code)
    if province_code in template.not_deliverable:
        return None
    if to_free_fen(template, province_code, goods_fen) == 0:
        return 0
    if quantity < 1:
        raise Invalid("购买数量有误", "There is nothing to send", code="quantity_invalid")
    if template.charge_by == "piece":
        return template.step_for(province_code).fee_fen(quantity)
    if weight_g < 1:
        raise Invalid(
            "商品重量缺失，无法计算运费",
            "The weight to charge by is missing",
            code="weight_missing",
        )
    return template.step_for(province_code).fee_fen(weight_g)


def to_free_fen(template: FreightTemplate, province_code: str, goods_fen: int) -> int | None:
    """How much is missing to free freight: 0 when reached, None where the template gives none."""
    _check_province(province_code)
    threshold = template.free_from_fen(province_code)
    if threshold is None or province_code in template.not_deliverable:
        return None
    return max(0, threshold - goods_fen)


def parse_template(data: Mapping[str, Any]) -> FreightTemplate:
    """Read a template from its stored or submitted form (see `data/demo.yaml` for the shape).

    Raises:
        Invalid: `invalid_freight_template`, with the path of the field at fault in `fields`
            (`rules[0].provinces`). A key that we do not know is refused too: a misspelt
            `free_conditions` must not quietly charge people.
    """
    _refuse_unknown(data, KEYS)
    code, name = data.get("code"), data.get("name", "")
    if not isinstance(code, str) or not code.strip():
        _refuse("code", "不能为空")
    if not isinstance(name, str):
        _refuse("name", "须为文字")
    charge_by = data.get("charge_by")
    if charge_by not in ("piece", "weight_g"):
        _refuse("charge_by", "须为 piece 或 weight_g")
    rules = tuple(
        Rule(_provinces(rule, f"rules[{index}]"), _step(rule, f"rules[{index}]", RULE_KEYS))
        for index, rule in enumerate(_list(data, "rules"))
    )
    _refuse_overlap(rules)
    return FreightTemplate(
        code=code,
        name=name,
        charge_by=charge_by,
        default=_step(data.get("default"), "default"),
        rules=rules,
        free_conditions=tuple(
            _free_condition(condition, f"free_conditions[{index}]")
            for index, condition in enumerate(_list(data, "free_conditions"))
        ),
        not_deliverable=_codes(_list(data, "not_deliverable"), "not_deliverable"),
    )


def parsed_template(template_id: UUID, data: Mapping[str, Any]) -> FreightTemplate:
    """`parse_template` of a stored row, remembered for as long as the row says the same.

    Every quote needs it, and comparing two small documents is much cheaper than reading one.

    Raises:
        Invalid: as `parse_template`.
    """
    known = _PARSED.get(template_id)
    if known is None or known[0] != data:
        if len(_PARSED) >= MAX_REMEMBERED:
            _PARSED.clear()
        known = _PARSED[template_id] = (data, parse_template(data))
    return known[1]


_PARSED: dict[UUID, tuple[Mapping[str, Any], FreightTemplate]] = {}


def _step(data: Any, path: str, known: frozenset[str] = STEP_KEYS) -> Step:
    fields = _mapping(data, path, known)
    return Step(
        first=_number(fields, "first", path, at_least=1),
        first_fee_fen=_number(fields, "first_fee_fen", path),
        additional=_number(fields, "additional", path, at_least=1),
        additional_fee_fen=_number(fields, "additional_fee_fen", path),
    )


def _free_condition(data: Any, path: str) -> FreeCondition:
    fields = _mapping(data, path, frozenset({"min_goods_fen", "provinces"}))
    everywhere_else = fields.get("provinces") == "default"
    return FreeCondition(
        min_goods_fen=_number(fields, "min_goods_fen", path),
        provinces=None if everywhere_else else _provinces(fields, path),
    )


def _provinces(data: Any, path: str) -> frozenset[str]:
    fields = _mapping(data, path)
    codes = fields.get("provinces")
    if not isinstance(codes, (list, tuple)) or not codes:
        _refuse(f"{path}.provinces", "请至少填写一个省级代码")
    return _codes(codes, f"{path}.provinces")


def _codes(codes: Any, path: str) -> frozenset[str]:
    for code in codes:
        if not _is_province(code):
            _refuse(path, "省级代码须为两位数字的文字，如 “65”")
    return frozenset(codes)


def _mapping(data: Any, path: str, known: frozenset[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        _refuse(path, "缺失或格式有误")
    if known is not None:
        _refuse_unknown(data, known, f"{path}.")
    return data


def _refuse_unknown(data: Mapping[str, Any], known: frozenset[str], prefix: str = "") -> None:
    for key in sorted(map(str, data.keys() - known)):
        _refuse(f"{prefix}{key}", "不认识的字段")


def _list(data: Mapping[str, Any], key: str) -> list[Any] | tuple[Any, ...]:
    value = data.get(key, ())
    if not isinstance(value, (list, tuple)):
        _refuse(key, "须为列表")
    return value


def _number(data: Mapping[str, Any], key: str, path: str, *, at_least: int = 0) -> int:
    value = data.get(key)
    if type(value) is not int or not at_least <= value <= MAX_NUMBER:
        _refuse(f"{path}.{key}", f"须为 {at_least} 至 {MAX_NUMBER} 的整数")
    return value


def _refuse_overlap(rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if seen & rule.provinces:
            _refuse(f"rules[{index}].provinces", "同一省份不能出现在两条规则中")
        seen |= rule.provinces


def _is_province(code: object) -> bool:
    return (
        isinstance(code, str) and len(code) == PROVINCE_DIGITS and code.isascii() and code.isdigit()
    )


def _check_province(code: str) -> None:
    if not _is_province(code):
        raise Invalid("省级代码有误", "Not a province code", code="invalid_division")


def _refuse(field: str, why: str) -> NoReturn:
    raise Invalid(
        f"运费模板有误：{field} {why}",
        f"The freight template is not valid: {field}",
        code="invalid_freight_template",
        fields={field: [why]},
    )
