"""The log of staff's doings, read by people: names instead of keys, and questions to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models.catalog import Sku
from models.identity import Role, User
from models.inventory import MovementCause
from models.organization import Unit
from shop import audit
from shop.identity.role_commands import grant_role
from shop.inventory.commands import adjust
from shop.payments.bank_import import enter_line
from shop.payments.bank_review import enter_match
from shop.payments.bank_rules import Line
from shop.reports.audit_names import colleagues
from shop.reports.trail import audit_log
from tests.conftest import NOW, acting
from tests.fulfilment_factories import place


def user_id(ctx, name):
    return ctx.session.execute(select(User.id).where(User.name == name)).scalar_one()


def sku_id(ctx, code):
    return ctx.session.execute(select(Sku.id).where(Sku.code == code)).scalar_one()


def told(ctx, **asked):
    """(action, what its subject is called, else its key)."""
    found = audit_log(ctx, **asked)
    return [(row["action"], row["subject_name"] or row["subject_id"]) for row in found]


@pytest.fixture
def matched(ctx):
    """An order to which Fiona has matched a line of the bank's."""
    number, fiona = place(ctx, ("P01-1", 1)), acting(ctx, "fiona")
    line = Line(0, NOW.date(), 5000, "张大海", "", "货款", None)
    enter_match(fiona, enter_line(fiona, line), number, None, "电话确认")
    return number


def test_lines_and_matches_are_called_by_day_amount_and_order(ctx, matched):
    assert told(ctx, limit=2) == [("bank.match", matched), ("bank.enter", "2026-11-23 ¥50.00")]


def test_people_at_work_are_named_and_buyers_masked(ctx):
    ada = acting(ctx, "ada")
    grant_role(ada, user_id(ctx, "Olga"), Role.FINANCE)
    audit.record(ada, "tokens.revoke", "user", str(user_id(ctx, "Alice")))
    audit.record(ada, "tokens.revoke", "user", str(user_id(ctx, "Uma")))
    assert told(ctx, limit=3) == [
        ("tokens.revoke", "Uma"),
        ("tokens.revoke", "A**"),
        ("role.grant", "Olga"),
    ]


@pytest.mark.parametrize(("language", "place"), [("zh", "经济学院"), ("en", "School of Economics")])
def test_what_a_role_is_bounded_to_has_a_name(ctx, language, place):
    ada = replace(acting(ctx, "ada"), language=language)
    unit = ctx.session.execute(select(Unit.id).where(Unit.code == "U03")).scalar_one()
    grant_role(ada, user_id(ctx, "Olga"), Role.UNIT_LIAISON, unit_id=unit)
    [row] = audit_log(ada, limit=1)
    assert row["names"] == {
        ("user", str(user_id(ctx, "Olga"))): "Olga",
        ("unit_id", str(unit)): place,
    }


def test_a_movement_names_its_sku_in_old_rows_too(ctx):
    bob = acting(ctx, "bob")
    audit.record(bob, "stock.adjust", "sku", str(sku_id(ctx, "P01-1")))
    adjust(bob, sku_id(ctx, "P01-1"), 1, MovementCause.COUNT, "盘点")
    adjust(bob, sku_id(ctx, "P01-2"), 1, MovementCause.COUNT, "盘点")
    assert told(ctx, subject="p01-1") == [("stock.adjust", "P01-1")] * 2


@pytest.mark.parametrize(
    ("language", "name"), [("zh", "高山绿茶 一级"), ("en", "High-mountain green tea")]
)
def test_a_product_is_called_by_its_name_and_asked_for_by_it(ctx, language, name):
    bob = replace(acting(ctx, "bob"), language=language)
    audit.record(bob, "product.withdraw", "product", "high-mountain-green-tea")
    audit.record(bob, "product.withdraw", "product", "gone")
    assert told(bob, limit=2) == [("product.withdraw", "gone"), ("product.withdraw", name)]
    for asked in (name, "high-mountain-green-tea"):
        assert told(bob, subject=asked) == [("product.withdraw", name)]


def test_names_are_no_part_of_the_chain(ctx, matched):
    before = [row["hash"] for row in audit_log(ctx)]
    assert audit.verify(ctx.session) == []
    assert [row["hash"] for row in audit_log(ctx)] == before


def test_an_order_s_number_leads_to_all_that_was_done_with_it(ctx, matched):
    audit.record(acting(ctx, "bob"), "personal_data.read", "consignment", f"{matched}-1")
    audit.record(acting(ctx, "fiona"), "order.extend", "order", matched)
    audit.record(acting(ctx, "fiona"), "order.extend", "order", "26112300000000")
    assert told(ctx, subject=matched) == [
        ("order.extend", matched),
        ("personal_data.read", f"{matched}-1"),
        ("bank.match", matched),
    ]
    assert told(ctx, subject=matched, action="bank.match") == [("bank.match", matched)]
    assert told(ctx, subject="%") == []


def test_a_person_is_asked_for_by_name(ctx):
    for name in ("bob", "charlie"):
        audit.record(acting(ctx, name), "sku.price", "sku", name)
    audit.record(acting(ctx, "ada"), "role.grant", "user", str(user_id(ctx, "Bob")))
    assert told(ctx, actor="Bob") == [("sku.price", "bob")]
    assert told(ctx, subject="Bob") == told(ctx, subject="bob@example.org")
    assert told(ctx, subject="Bob", limit=1) == [("role.grant", "Bob")]
    assert told(ctx, actor="bob") == told(ctx, actor="Nobody") == []


def test_a_day_is_one_of_shanghai(ctx):
    midnight = NOW.replace(hour=0)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1)):
        ctx.now = at
        audit.record(ctx, "sku.price", "sku", at.isoformat())
    assert told(ctx, action="sku.price", day=date(2026, 11, 23)) == [
        ("sku.price", midnight.isoformat())
    ]


def test_who_may_be_asked_for(ctx):
    assert colleagues(ctx) == ["Ada", "Bob", "Charlie", "Fiona", "Olga"]
