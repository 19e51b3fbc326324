"""Writing the aid record: what a sale and a refund freeze, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from models.aid import AidEntry, AidEntryKind
from models.identity import BuyerKind
from models.organization import AidClass, Campaign, RuleSetRow, Unit
from shop.aid.commands import record_sale
from shop.context import Ctx
from shop.errors import Conflict, Invalid
from shop.ids import new_id
from tests.aid_factories import FOREIGN, TEA, WALNUT, at, outside, part, refund, sell
from tests.conftest import counted

ENTRIES = AidEntry.__table__


def entries(ctx: Ctx, kind: AidEntryKind | None = None) -> list[Any]:
    found = ctx.session.execute(select(AidEntry.__table__).order_by(AidEntry.id)).all()
    return [entry for entry in found if kind is None or entry.kind == kind]


def test_a_sale_freezes_codes_and_names(ctx: Ctx) -> None:
    sell(
        ctx,
        "2026-02-03T10:02:10",
        part(fen=9600, quantity=2),
        unit="U03",
        channel="official_site",
        number="26020312345678",
    )
    [entry] = entries(ctx)
    assert (entry.unit_code, entry.unit_name) == ("U03", "经济学院")
    assert (entry.channel_code, entry.channel_name) == ("official_site", "学校官方网站")
    assert (entry.platform_code, entry.order_number) == ("self_mall", "26020312345678")
    assert (entry.product_code, entry.product_name) == (TEA.product_code, TEA.product_name)
    assert (entry.quantity, entry.weight_g, entry.goods_fen) == (2, 260, 9600)
    assert (entry.kind, entry.sale_at) == (AidEntryKind.SALE, at("2026-02-03T10:02:10"))


@pytest.mark.parametrize(
    ("kind", "aid_class"),
    [
        (BuyerKind.STAFF, AidClass.DIRECT_PURCHASE),
        (BuyerKind.STUDENT, AidClass.DIRECT_PURCHASE),
        (BuyerKind.UNIT_ACCOUNT, AidClass.DIRECT_PURCHASE),
        (BuyerKind.ALUMNI, AidClass.HELP_SELL),
        (BuyerKind.PUBLIC, AidClass.HELP_SELL),
    ],
)
def test_the_rule_set_of_the_day_decides_the_class(
    ctx: Ctx, kind: BuyerKind, aid_class: AidClass
) -> None:
    sell(ctx, "2026-02-03T10:00:00", kind=kind)
    [entry] = entries(ctx)
    assert (entry.aid_class, entry.rule_reason) == (aid_class, "buyer_kind")
    assert entry.rule_set_code == "aid2026"


def test_what_is_not_counted_is_recorded_all_the_same(ctx: Ctx) -> None:
    sell(ctx, "2026-02-03T10:00:00", part(FOREIGN, 3000))
    sell(ctx, "2025-12-31T23:59:59")
    foreign, early = entries(ctx)
    assert (foreign.aid_class, foreign.rule_reason) == (None, "product_not_aid")
    assert (early.aid_class, early.rule_reason) == (None, "no_rule_set")
    assert (early.rule_set_code, early.goods_fen) == ("", 4800)


def test_of_two_rule_sets_the_later_one_decides(ctx: Ctx) -> None:
    old = ctx.session.execute(select(RuleSetRow).where(RuleSetRow.code == "aid2026")).scalar_one()
    definition = {**old.definition, "product_filter": "any", "code": "aid2026b"}
    ctx.session.orm.add(
        RuleSetRow(
            id=new_id(),
            code="aid2026b",
            name="新口径",
            measure=old.measure,
            effective_from=at("2026-07-01T00:00:00").date(),
            effective_to=None,
            definition=definition,
        )
    )
    ctx.session.orm.flush()  # the record reads by Core
    sell(ctx, "2026-06-30T23:59:59", part(FOREIGN))
    sell(ctx, "2026-07-01T00:00:00", part(FOREIGN))
    assert [entry.rule_set_code for entry in entries(ctx)] == ["aid2026", "aid2026b"]
    assert [entry.aid_class for entry in entries(ctx)] == [None, AidClass.DIRECT_PURCHASE]


@pytest.mark.parametrize(
    ("when", "day"),
    [("2026-03-31T23:59:30", "2026-03-31"), ("2026-04-01T00:00:05", "2026-04-01")],
)
def test_the_day_is_a_shanghai_day(ctx: Ctx, when: str, day: str) -> None:
    sell(ctx, when)
    assert [str(entry.day) for entry in entries(ctx)] == [day]


@pytest.mark.parametrize(
    ("when", "channel", "campaign", "expected"),
    [
        ("2026-02-03T10:02:10", "official_site", "K1", "K1"),  # S01, named
        ("2026-02-03T10:02:10", "official_site", None, "K1"),
        ("2026-03-30T21:01:00", "alumni_platform", None, None),  # S02
        ("2026-03-31T23:59:30", "new_media", None, None),  # S03
        ("2026-04-01T00:00:05", "alumni_platform", None, None),  # S04
        ("2026-05-27T20:11:00", "livestream", None, "K2"),  # S06
        ("2026-09-21T11:00:00", "official_site", "K3", "K3"),  # S07
        ("2026-05-18T09:00:00", "direct", None, None),  # S08
        ("2026-03-03T23:59:59", "official_site", None, "K1"),
        ("2026-03-04T00:00:00", "official_site", None, None),
        ("2026-12-24T10:00:00", "official_site", "K3", "K3"),  # named beats the period
    ],
)
def test_the_campaign_is_the_named_one_or_that_of_the_payment(
    ctx: Ctx, when: str, channel: str, campaign: str | None, expected: str | None
) -> None:
    sell(ctx, when, channel=channel, campaign=campaign)
    assert [entry.campaign_code for entry in entries(ctx)] == [expected]


def test_of_two_campaigns_the_one_of_the_channel_wins(ctx: Ctx) -> None:
    period = {"starts_at": at("2026-02-01T00:00:00"), "ends_at": at("2026-02-10T00:00:00")}
    ctx.session.orm.add(
        Campaign(
            id=new_id(),
            code="K9",
            name="直播周",
            kind="livestream",
            channels=["livestream"],
            **period,
        )
    )
    ctx.session.orm.flush()  # the record reads by Core
    sell(ctx, "2026-02-03T10:00:00", channel="official_site")
    sell(ctx, "2026-02-03T10:00:00", channel="livestream")
    assert [entry.campaign_code for entry in entries(ctx)] == ["K1", "K9"]
    assert entries(ctx)[1].campaign_name == "直播周"


def test_the_same_cause_is_recorded_once(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00", part(), part(WALNUT, 4990))
    assert sold.written == 2
    assert record_sale(ctx, sold.sale, sold.lines) == 0
    assert len(entries(ctx)) == 2


def test_a_line_that_came_later_is_written_alone(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    assert record_sale(ctx, sold.sale, [*sold.lines, part(WALNUT, 4990)]) == 1
    assert [entry.sku_code for entry in entries(ctx)] == ["P01-1", "P07-2"]


def test_an_order_costs_two_statements_however_many_lines(ctx: Ctx, worker_database: Any) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    with counted(worker_database) as issued:
        record_sale(ctx, sold.sale, [part() for _ in range(40)])
    assert len(issued) == 2


def test_no_lines_no_statement(ctx: Ctx, worker_database: Any) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    with counted(worker_database) as issued:
        assert record_sale(ctx, sold.sale, []) == 0
    assert issued == []


def test_a_refund_copies_the_sale_and_has_its_own_moment(ctx: Ctx) -> None:
    sold = sell(
        ctx, "2026-03-30T21:01:00", part(fen=13600, quantity=2), unit="U13", kind=BuyerKind.ALUMNI
    )
    assert refund(ctx, sold.line, "2026-04-09T15:00:00", 6800, quantity=1)
    sale, back = entries(ctx)
    assert (str(back.day), str(back.sale_day)) == ("2026-04-09", "2026-03-30")
    assert (back.quantity, back.goods_fen, back.weight_g) == (-1, -6800, -130)
    assert (back.unit_name, back.aid_class) == (sale.unit_name, AidClass.HELP_SELL)
    assert (back.rule_set_code, back.order_number) == (sale.rule_set_code, sale.order_number)
    assert (back.reason, back.cause_id == sale.cause_id) == ("破损", False)


def test_a_refund_follows_the_sale_when_its_unit_was_renamed(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00", unit="U03")
    ctx.session.execute(update(Unit).where(Unit.code == "U03").values(name="经济与管理学院"))
    refund(ctx, sold.line, "2026-05-01T10:00:00", 100)
    assert [entry.unit_name for entry in entries(ctx)] == ["经济学院", "经济学院"]


@pytest.mark.parametrize(
    "too_much",
    [{"fen": 4801}, {"fen": 4800, "quantity": 2}, {"fen": 0, "freight_fen": 601}],
)
def test_no_more_is_refunded_than_was_paid(ctx: Ctx, too_much: dict[str, int]) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00", part(freight_fen=600))
    with pytest.raises(Conflict) as refused:
        refund(ctx, sold.line, "2026-02-04T10:00:00", **too_much)
    assert refused.value.error_code == "refund_exceeds_sale"
    assert refused.value.extra["left"] == {"quantity": 1, "goods_fen": 4800, "freight_fen": 600}
    assert len(entries(ctx)) == 1


def test_refunds_of_a_line_add_up(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    refund(ctx, sold.line, "2026-02-04T10:00:00", 4000)
    with pytest.raises(Conflict, match="refund_exceeds_sale"):
        refund(ctx, sold.line, "2026-02-05T10:00:00", 801)
    assert refund(ctx, sold.line, "2026-02-05T10:00:00", 800, quantity=1)
    assert sum(entry.goods_fen for entry in entries(ctx)) == 0


def test_a_refund_told_twice_counts_once(ctx: Ctx) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    cause = new_id()
    assert refund(ctx, sold.line, "2026-02-04T10:00:00", 4800, cause=cause)
    assert not refund(ctx, sold.line, "2026-02-04T10:00:00", 4800, cause=cause)
    assert len(entries(ctx, AidEntryKind.REFUND)) == 1


def test_nothing_is_refunded_of_a_line_that_was_never_paid(ctx: Ctx) -> None:
    with pytest.raises(Conflict, match="refund_exceeds_sale"):
        refund(ctx, part(), "2026-02-04T10:00:00", 1)
    assert entries(ctx) == []


@pytest.mark.parametrize("amounts", [{"fen": 0}, {"fen": -1}, {"fen": 1, "quantity": -1}])
def test_a_refund_returns_some_money(ctx: Ctx, amounts: dict[str, int]) -> None:
    sold = sell(ctx, "2026-02-03T10:00:00")
    with pytest.raises(Invalid, match="nothing_to_refund"):
        refund(ctx, sold.line, "2026-02-04T10:00:00", **amounts)
    assert len(entries(ctx)) == 1


def test_an_outside_order_counts_and_has_no_line_of_ours(ctx: Ctx) -> None:
    outside(ctx, "2026-05-18T09:00:00", "832-DEMO-0001", 3_000_000)
    [entry] = entries(ctx)
    assert (entry.platform_code, entry.external_reference) == ("p832", "832-DEMO-0001#1")
    assert (entry.order_id, entry.order_line_id, entry.storefront_code) == (None, None, None)
    assert (entry.aid_class, entry.kind) == (AidClass.DIRECT_PURCHASE, AidEntryKind.IMPORT)


def test_an_outside_order_is_imported_once(ctx: Ctx) -> None:
    outside(ctx, "2026-05-18T09:00:00", "832-DEMO-0001", 3_000_000)
    with pytest.raises(Conflict) as refused:
        outside(ctx, "2026-05-19T09:00:00", "832-DEMO-0001", 1)
    assert refused.value.error_code == "already_imported"
    outside(ctx, "2026-05-18T09:00:00", "832-DEMO-0001", 500, external_line_no=2)
    assert [entry.goods_fen for entry in entries(ctx)] == [3_000_000, 500]


@pytest.mark.parametrize(
    "change", [update(ENTRIES).values(goods_fen=1), delete(ENTRIES)], ids=["update", "delete"]
)
def test_the_record_never_changes(ctx: Ctx, change: Any) -> None:
    sell(ctx, "2026-02-03T10:00:00")
    with pytest.raises(DBAPIError, match="append only"), ctx.session.begin_nested():
        ctx.session.execute(change)
    assert [entry.goods_fen for entry in entries(ctx)] == [4800]
