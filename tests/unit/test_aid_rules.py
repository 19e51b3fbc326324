from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identity import BuyerKind
from models.organization import AidClass
from shop.aid.rules import (
    AidDecision,
    CampaignWindow,
    LineFacts,
    campaign_at,
    decide,
    parse_rule_set,
    rule_set_on,
)
from shop.errors import Invalid

AID2026 = {
    "code": "aid2026",
    "name": "消费帮扶统计口径(2026, 演示)",
    "measure": "aid_amount",
    "effective_from": "2026-01-01",
    "effective_to": None,
    "include_platforms": ["self_mall", "campus_mall", "e_bangfu", "p832", "offline"],
    "product_filter": "aid_certified_or_origin_532928",
    "amount_basis": "goods_paid_net_of_refund",
    "include_freight": False,
    "include_platform_subsidy": False,
    "include_unit_subsidy": True,
    "period_basis": "event",
    "event_time": {"paid": "paid_at", "refund": "refunded_at"},
    "category_map": {
        "unit_account": "direct_purchase",
        "staff": "direct_purchase",
        "student": "direct_purchase",
        "alumni": "help_sell",
        "public": "help_sell",
    },
}
RESERVE = {
    "code": "reserve832_2026",
    "name": "832平台预留份额完成额(2026, 演示)",
    "measure": "reserve832_completed_amount",
    "effective_from": "2026-01-01",
    "effective_to": None,
    "include_platforms": ["p832"],
    "product_filter": "any",
    "amount_basis": "external_completed_amount",
    "include_freight": "as_platform_states",
    "period_basis": "event",
    "event_time": {"completed": "completed_at"},
    "denominator": "unit.canteen_food_budget",
    "quota_percent": 10,
}
RULES = parse_rule_set(AID2026)


def facts(**changes):
    """A certified tea from Yongping, bought by a member of staff in our own mall."""
    plain = {
        "platform_code": "self_mall",
        "buyer_kind": BuyerKind.STAFF,
        "aid_certified": True,
        "origin_division": "532928201",
    }
    return LineFacts(**plain | changes)


def faults(change):
    try:
        parse_rule_set(AID2026 | change)
    except Invalid as refusal:
        return list(refusal.fields)
    return []


@pytest.mark.parametrize(
    ("kind", "aid_class"),
    [
        (BuyerKind.UNIT_ACCOUNT, AidClass.DIRECT_PURCHASE),
        (BuyerKind.STAFF, AidClass.DIRECT_PURCHASE),
        (BuyerKind.STUDENT, AidClass.DIRECT_PURCHASE),
        (BuyerKind.ALUMNI, AidClass.HELP_SELL),
        (BuyerKind.PUBLIC, AidClass.HELP_SELL),
    ],
)
def test_the_kind_of_buyer_decides_the_class(kind, aid_class):
    decision = decide(RULES, facts(buyer_kind=kind))
    assert decision == AidDecision(aid_class, "buyer_kind", "aid2026")
    assert decision.counted is True


@pytest.mark.parametrize("platform", AID2026["include_platforms"])
def test_every_named_platform_counts(platform):
    assert decide(RULES, facts(platform_code=platform)).counted is True


def test_another_platform_does_not_count():
    decision = decide(RULES, facts(platform_code="somewhere"))
    assert decision == AidDecision(None, "platform_not_included", "aid2026")
    assert decision.counted is False


@pytest.mark.parametrize(
    ("product_filter", "certified", "origin", "counted"),
    [
        ("aid_certified_or_origin_532928", True, "532928201", True),
        ("aid_certified_or_origin_532928", True, "110101", True),
        ("aid_certified_or_origin_532928", False, "532928", True),
        ("aid_certified_or_origin_532928", False, "532928204", True),
        ("aid_certified_or_origin_532928", False, "532927", False),
        ("aid_certified_or_origin_532928", False, "", False),
        ("aid_certified", True, "110101", True),
        ("aid_certified", False, "532928201", False),
        ("origin_532928", True, "110101", False),
        ("origin_532928", False, "532928201", True),
        ("any", False, "110101", True),
    ],
)
def test_the_product_filter(product_filter, certified, origin, counted):
    rules = parse_rule_set(AID2026 | {"product_filter": product_filter})
    decision = decide(rules, facts(aid_certified=certified, origin_division=origin))
    assert decision.counted is counted
    assert decision.reason == ("buyer_kind" if counted else "product_not_aid")


def test_without_a_rule_set_the_sale_stands_and_is_not_counted():
    assert decide(None, facts()) == AidDecision(None, "no_rule_set", "")


def test_a_measure_without_a_map_gives_no_class():
    reserve = parse_rule_set(RESERVE)
    assert reserve.quota_percent == 10
    assert decide(reserve, facts(platform_code="p832")).reason == "buyer_kind_unmapped"
    assert decide(reserve, facts()).reason == "platform_not_included"


@given(st.builds(facts, platform_code=st.sampled_from(["self_mall", "x"]),
                 buyer_kind=st.sampled_from(BuyerKind), aid_certified=st.booleans(),
                 origin_division=st.sampled_from(["532928", "532928101", "110101"])))  # fmt: skip
def test_a_line_is_in_one_class_or_has_a_reason(line):
    decision = decide(RULES, line)
    assert decision.counted is (decision.reason == "buyer_kind")
    assert decision.aid_class in {*AidClass, None}


LATER = parse_rule_set(AID2026 | {"code": "aid2027", "effective_from": "2027-01-01"})
ENDED = parse_rule_set(
    AID2026 | {"code": "aid2025", "effective_from": "2025-01-01", "effective_to": "2026-01-01"}
)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2024, 12, 31), None),
        (date(2025, 12, 31), "aid2025"),
        (date(2026, 1, 1), "aid2026"),
        (date(2026, 12, 31), "aid2026"),
        (date(2027, 1, 1), "aid2027"),
    ],
)
def test_the_rule_set_of_a_day(day, code):
    found = rule_set_on([LATER, parse_rule_set(RESERVE), RULES, ENDED], day)
    assert (found and found.code) == code


def test_a_rule_set_ends_before_its_last_date():
    assert rule_set_on([ENDED], date(2025, 12, 31)) is ENDED
    assert rule_set_on([ENDED], date(2026, 1, 1)) is None


def test_each_measure_has_its_own_rule_set():
    rule_sets = [RULES, parse_rule_set(RESERVE)]
    found = rule_set_on(rule_sets, date(2026, 5, 20), "reserve832_completed_amount")
    assert found.code == "reserve832_2026"


SHANGHAI_MIDNIGHT = datetime(2026, 5, 19, 16, tzinfo=UTC)
K1 = CampaignWindow(
    "K1", datetime(2026, 1, 19, 16, tzinfo=UTC), datetime(2026, 3, 3, 16, tzinfo=UTC)
)
K2 = CampaignWindow(
    "K2", SHANGHAI_MIDNIGHT, datetime(2026, 6, 10, 16, tzinfo=UTC), frozenset({"livestream"})
)
KX = CampaignWindow(
    "KX", SHANGHAI_MIDNIGHT - timedelta(days=9), K2.ends_at, frozenset({"new_media"})
)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("paid_at", "code"),
    [
        (K2.starts_at - MOMENT, None),
        (K2.starts_at, "K2"),
        (datetime(2026, 5, 27, 12, 11, tzinfo=UTC), "K2"),
        (K2.ends_at - MOMENT, "K2"),
        (K2.ends_at, None),
        (K1.starts_at, "K1"),
        (K1.ends_at, None),
    ],
)
def test_the_time_of_payment_decides_the_campaign(paid_at, code):
    assert campaign_at([K1, K2], paid_at) == code


@pytest.mark.parametrize(
    ("explicit", "code"), [("K1", "K1"), ("K2", "K2"), ("K9", "K2"), (None, "K2"), ("", "K2")]
)
def test_a_campaign_named_by_the_line_wins_if_it_exists(explicit, code):
    assert campaign_at([K1, K2], K2.starts_at, explicit=explicit) == code


@pytest.mark.parametrize(
    ("channel", "code"),
    [("new_media", "KX"), ("livestream", "K2"), ("official_site", "K2"), (None, "K2")],
)
def test_of_two_campaigns_at_once_the_channel_decides_then_the_later_start(channel, code):
    for campaigns in ([KX, K2], [K2, KX]):
        assert campaign_at(campaigns, K2.starts_at, channel=channel) == code


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"name": None}, "name"),
        ({"measure": "sales"}, "measure"),
        ({"measure": []}, "measure"),
        ({"effective_from": None}, "effective_from"),
        ({"effective_from": "01.01.2026"}, "effective_from"),
        ({"effective_from": 20260101}, "effective_from"),
        ({"effective_to": "2026-01-01"}, "effective_to"),
        ({"include_platforms": []}, "include_platforms"),
        ({"include_platforms": "self_mall"}, "include_platforms"),
        ({"include_platforms": [None]}, "include_platforms"),
        ({"product_filter": None}, "product_filter"),
        ({"product_filter": "origin_53"}, "product_filter"),
        ({"product_filter": "aid_certified_or_origin_532928\n"}, "product_filter"),
        ({"amount_basis": "ordered"}, "amount_basis"),
        ({"include_freight": True}, "include_freight"),
        ({"include_unit_subsidy": False}, "include_unit_subsidy"),
        ({"event_time": {"paid": "created_at"}}, "event_time"),
        ({"period_basis": ["event"]}, "period_basis"),
        ({"category_map": []}, "category_map.staff"),
        ({"category_map": [1]}, "category_map"),
        ({"category_map": AID2026["category_map"] | {"staff": "gift"}}, "category_map.staff"),
        ({"category_map": AID2026["category_map"] | {"staff": []}}, "category_map.staff"),
        ({"category_map": AID2026["category_map"] | {"dean": "help_sell"}}, "category_map.dean"),
        ({"quota_percent": 0}, "quota_percent"),
        ({"quota_percent": True}, "quota_percent"),
    ],
)
def test_a_broken_rule_set_names_the_field(change, field):
    with pytest.raises(Invalid) as refusal:
        parse_rule_set(AID2026 | change)
    assert refusal.value.error_code == "invalid_rule_set"
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("kind", list(BuyerKind))
def test_a_forgotten_kind_of_buyer_is_named(kind):
    category_map = {key: value for key, value in AID2026["category_map"].items() if key != kind}
    with pytest.raises(Invalid) as refusal:
        parse_rule_set(AID2026 | {"category_map": category_map})
    assert list(refusal.value.fields) == [f"category_map.{kind}"]


def test_the_quota_needs_its_percentage():
    with pytest.raises(Invalid) as refusal:
        parse_rule_set(RESERVE | {"quota_percent": None})
    assert list(refusal.value.fields) == ["quota_percent"]


ODD = [None, True, 0, 1.5, "", "x", [], {}, [None], {"x": []}, "2026-01-01", date(2026, 1, 1)]


@pytest.mark.parametrize(("field", "value"), list(product(AID2026, ODD)))
def test_any_value_parses_or_is_refused_by_field(field, value):
    assert all(fault.startswith(("effective", field)) for fault in faults({field: value}))
