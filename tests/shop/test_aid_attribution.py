"""Codes to keys, and the lists that forms offer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from models.organization import Campaign, Channel, SalesPlatform, Storefront, Unit
from shop.aid.queries import (
    attribution_for,
    campaigns,
    channels,
    platforms,
    storefronts,
    units,
)
from shop.context import Ctx
from shop.errors import Invalid
from shop.ids import new_id
from tests.aid_factories import at
from tests.conftest import counted


def key(ctx: Ctx, kind: Any, code: str) -> Any:
    return ctx.session.execute(select(kind.id).where(kind.code == code)).scalar_one()


def test_codes_become_keys(ctx: Ctx) -> None:
    found = attribution_for(ctx, unit="U03", channel="livestream", campaign="K2")
    assert found.unit_id == key(ctx, Unit, "U03")
    assert found.channel_id == key(ctx, Channel, "livestream")
    assert found.campaign_id == key(ctx, Campaign, "K2")
    assert found.platform_id == key(ctx, SalesPlatform, "self_mall")


def test_who_says_nothing_came_directly_to_the_first_storefront(ctx: Ctx) -> None:
    found = attribution_for(ctx)
    first = ctx.session.execute(select(Storefront.id).order_by(Storefront.id).limit(1))
    assert found.channel_id == key(ctx, Channel, "direct")
    assert found.storefront_id == first.scalar_one()
    assert (found.unit_id, found.campaign_id) == (None, None)


def test_every_unknown_code_is_named(ctx: Ctx) -> None:
    with pytest.raises(Invalid) as refused:
        attribution_for(ctx, unit="U99", channel="radio", campaign="K9", storefront="moon")
    assert refused.value.error_code == "unknown_code"
    assert list(refused.value.fields) == ["unit", "channel", "campaign", "storefront"]


def test_a_retired_unit_is_no_longer_chosen(ctx: Ctx) -> None:
    ctx.session.execute(update(Unit).where(Unit.code == "U03").values(active=False))
    with pytest.raises(Invalid, match="unknown_code"):
        attribution_for(ctx, unit="U03")
    assert "U03" not in [unit.code for unit in units(ctx)]


def test_it_costs_one_statement(ctx: Ctx, worker_database: Any) -> None:
    with counted(worker_database) as issued:
        attribution_for(ctx, unit="U03", channel="livestream", campaign="K2")
    assert len(issued) == 1


def test_units_are_a_tree(ctx: Ctx) -> None:
    parent = key(ctx, Unit, "U01")
    for code in ("U01b", "U01a"):
        ctx.session.orm.add(
            Unit(id=new_id(), code=code, name=code, kind="sub_union", parent_id=parent)
        )
    ctx.session.orm.flush()  # the list reads by Core
    found = [(unit.code, unit.parent_code, unit.depth) for unit in units(ctx)]
    assert found[:4] == [("U01", None, 0), ("U01a", "U01", 1), ("U01b", "U01", 1), ("U02", None, 0)]


def test_children_of_a_retired_unit_stand_at_the_top(ctx: Ctx) -> None:
    ctx.session.orm.add(
        Unit(
            id=new_id(),
            code="U01a",
            name="分工会",
            kind="sub_union",
            parent_id=key(ctx, Unit, "U01"),
        )
    )
    ctx.session.orm.flush()  # the list reads by Core
    ctx.session.execute(update(Unit).where(Unit.code == "U01").values(active=False))
    assert [(unit.code, unit.depth) for unit in units(ctx)][:2] == [("U01a", 0), ("U02", 0)]


def test_lists_are_in_the_order_of_codes(ctx: Ctx) -> None:
    assert [row["code"] for row in channels(ctx)] == [
        "alumni_platform",
        "direct",
        "livestream",
        "new_media",
        "official_site",
    ]
    assert [row["code"] for row in platforms(ctx)] == [
        "campus_mall",
        "e_bangfu",
        "offline",
        "p832",
        "self_mall",
    ]
    assert all(row["name"] for row in storefronts(ctx))


@pytest.mark.parametrize(
    ("now", "codes"),
    [("2026-03-03T23:59:59", ["K1"]), ("2026-03-04T00:00:00", []), ("2026-09-01T00:00:00", ["K3"])],
)
def test_campaigns_that_run_now(ctx: Ctx, now: str, codes: list[str]) -> None:
    found = campaigns(replace(ctx, now=at(now)), running=True)
    assert [row["code"] for row in found] == codes
    assert [row["code"] for row in campaigns(ctx)] == ["K1", "K2", "K3"]
