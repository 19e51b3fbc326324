"""What counts as aid, in which of the two indicators, and through which campaign and channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from models.identity import BuyerKind
from models.organization import AidClass
from shop.errors import Invalid

AID_AMOUNT = "aid_amount"
RESERVE_832 = "reserve832_completed_amount"
DIRECT = "direct"
"""The channel of those who came by themselves."""

PRODUCT_FILTER = re.compile(r"any|aid_certified|(aid_certified_or_)?origin_([0-9]{6})")

OBEYED: dict[str, dict[str, Any]] = {
    AID_AMOUNT: {
        "amount_basis": "goods_paid_net_of_refund",
        "include_freight": False,
        "include_platform_subsidy": False,
        "include_unit_subsidy": True,
        "event_time": {"paid": "paid_at", "refund": "refunded_at"},
    },
    RESERVE_832: {
        "amount_basis": "external_completed_amount",
        "include_freight": "as_platform_states",
        "event_time": {"completed": "completed_at"},
        "denominator": "unit.canteen_food_budget",
    },
}
"""What each measure is computed by. A rule set that says otherwise is refused: a setting that is
printed in every report and obeyed nowhere would be worse than none."""

NO_RULE_SET = "no_rule_set"
PLATFORM_NOT_INCLUDED = "platform_not_included"
PRODUCT_NOT_AID = "product_not_aid"
BUYER_KIND_UNMAPPED = "buyer_kind_unmapped"
COUNTED = "buyer_kind"


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which goods count: all, certified ones, those of a county, or either of the last two."""

    everything: bool = False
    certified: bool = False
    origin_county: str | None = None

    def passes(self, *, aid_certified: bool, origin_division: str) -> bool:
        """Whether goods count; the origin may be a township (nine digits) of the county."""
        if self.everything or (self.certified and aid_certified):
            return True
        return self.origin_county is not None and origin_division.startswith(self.origin_county)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One dated definition of what counts (统计口径). Effective on days in [from, to)."""

    code: str
    name: str
    measure: str
    effective_from: date
    effective_to: date | None
    include_platforms: frozenset[str]
    product_filter: ProductFilter
    category_map: Mapping[BuyerKind, AidClass]
    period_basis: str = "event"
    quota_percent: int | None = None

    def effective_on(self, day: date) -> bool:
        """Whether it is in force on an Asia/Shanghai day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What a decision needs to know of a line, as it was when it was sold."""

    platform_code: str
    buyer_kind: BuyerKind
    aid_certified: bool
    origin_division: str


@dataclass(frozen=True, slots=True)
class AidDecision:
    """The class of a line, None when it is not counted; why; and by which rule set."""

    aid_class: AidClass | None
    reason: str
    rule_set_code: str = ""

    @property
    def counted(self) -> bool:
        """Whether the line is in the aid total."""
        return self.aid_class is not None


@dataclass(frozen=True, slots=True)
class CampaignWindow:
    """A campaign's period, half-open, and the channels it is promoted through."""

    code: str
    starts_at: datetime
    ends_at: datetime
    channels: frozenset[str] = frozenset()


def decide(rule_set: RuleSet | None, facts: LineFacts) -> AidDecision:
    """The aid class of a line by a rule set; with a reason either way, for the data sheet (R23)."""
    if rule_set is None:
        return AidDecision(None, NO_RULE_SET)
    if facts.platform_code not in rule_set.include_platforms:
        return AidDecision(None, PLATFORM_NOT_INCLUDED, rule_set.code)
    if not rule_set.product_filter.passes(
        aid_certified=facts.aid_certified, origin_division=facts.origin_division
    ):
        return AidDecision(None, PRODUCT_NOT_AID, rule_set.code)
    aid_class = rule_set.category_map.get(facts.buyer_kind)
    return AidDecision(aid_class, COUNTED if aid_class else BUYER_KIND_UNMAPPED, rule_set.code)


def rule_set_on(
    rule_sets: Sequence[RuleSet], day: date, measure: str = AID_AMOUNT
) -> RuleSet | None:
    """The rule set in force on an Asia/Shanghai day; of several, the one that came last."""
    return max(
        (rules for rules in rule_sets if rules.measure == measure and rules.effective_on(day)),
        key=lambda rules: (rules.effective_from, rules.code),
        default=None,
    )


def campaign_at(
    campaigns: Sequence[CampaignWindow],
    paid_at: datetime,
    *,
    explicit: str | None = None,
    channel: str | None = None,
) -> str | None:
    """The campaign that a payment belongs to, or None.

    A code that the line carries wins, in its period or not, if there is such a campaign. Otherwise
    the time of payment decides, start included, end excluded; where several run at once, first
    the ones promoted through the buyer's channel, then the one that began last.
    """
    if explicit is not None and any(campaign.code == explicit for campaign in campaigns):
        return explicit
    running = [
        campaign for campaign in campaigns if campaign.starts_at <= paid_at < campaign.ends_at
    ]
    best = max(
        running,
        key=lambda campaign: (channel in campaign.channels, campaign.starts_at, campaign.code),
        default=None,
    )
    return best.code if best else None


def parse_rule_set(data: Mapping[str, Any]) -> RuleSet:
    """Read a rule set from its stored or submitted form (see `data/demo.yaml` for the shape).

    Raises:
        Invalid: `invalid_rule_set`, with the field at fault in `fields`; also for a setting that
            the reports would not obey (`OBEYED`).
    """
    measure = data.get("measure")
    if not isinstance(measure, str) or measure not in OBEYED:
        _refuse("measure", f"须为 {'、'.join(OBEYED)}")
    for field, value in OBEYED[measure].items():
        if data.get(field, value) != value:
            _refuse(field, f"目前仅支持 {value}")
    period_basis = data.get("period_basis", "event")
    if period_basis not in ("event", "cohort"):
        _refuse("period_basis", "须为 event 或 cohort")
    starts, ends = _day(data, "effective_from"), _day(data, "effective_to", optional=True)
    if starts is None or (ends is not None and ends <= starts):
        _refuse("effective_to", "须晚于生效日期")
    return RuleSet(
        code=_text(data, "code"),
        name=_text(data, "name"),
        measure=measure,
        effective_from=starts,
        effective_to=ends,
        include_platforms=_platforms(data),
        product_filter=_product_filter(data),
        category_map=_category_map(data, complete=measure == AID_AMOUNT),
        period_basis=period_basis,
        quota_percent=_quota(data, required=measure == RESERVE_832),
    )


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    if not isinstance(value, str) or not value.strip():
        _refuse(field, "不能为空")
    return value


def _day(data: Mapping[str, Any], field: str, *, optional: bool = False) -> date | None:
    value = data.get(field)
    if value is None and optional:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        _refuse(field, "须为日期，如 2026-01-01")


def _platforms(data: Mapping[str, Any]) -> frozenset[str]:
    codes = data.get("include_platforms")
    if not isinstance(codes, (list, tuple)) or not codes:
        _refuse("include_platforms", "请至少填写一个平台")
    if not all(isinstance(code, str) and code for code in codes):
        _refuse("include_platforms", "须为平台代码")
    return frozenset(codes)


def _product_filter(data: Mapping[str, Any]) -> ProductFilter:
    text = data.get("product_filter")
    match = PRODUCT_FILTER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        _refuse("product_filter", "须为 any、aid_certified、origin_县代码或其组合")
    return ProductFilter(
        everything=match.group() == "any",
        certified=match.group().startswith("aid_certified"),
        origin_county=match.group(2),
    )


def _category_map(data: Mapping[str, Any], *, complete: bool) -> Mapping[BuyerKind, AidClass]:
    """Every kind of buyer must be placed: a forgotten one would drop out of the total unseen."""
    given = data.get("category_map") or {}
    if not isinstance(given, Mapping):
        _refuse("category_map", "格式有误")
    for kind in sorted(map(str, given.keys() - set(BuyerKind))):
        _refuse(f"category_map.{kind}", "没有这种购买者类型")
    for kind in BuyerKind if complete or given else ():
        if given.get(kind) not in tuple(AidClass):
            _refuse(f"category_map.{kind}", "须为 direct_purchase 或 help_sell")
    return {BuyerKind(kind): AidClass(aid_class) for kind, aid_class in given.items()}


def _quota(data: Mapping[str, Any], *, required: bool) -> int | None:
    value = data.get("quota_percent")
    if value is None and not required:
        return None
    if type(value) is not int or not 1 <= value <= 100:  # noqa: PLR2004 - it is a percentage
        _refuse("quota_percent", "须为 1 至 100 的整数")
    return value


def _refuse(field: str, why: str) -> NoReturn:
    raise Invalid(
        f"统计口径有误：{field} {why}",
        f"The rule set is not valid: {field}",
        code="invalid_rule_set",
        fields={field: [why]},
    )
