"""What an order is attributed to, and what of it a sale freezes: names, campaign, rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, and_, false, or_, select, true

from models.organization import Campaign, Channel, RuleSetRow, SalesPlatform, Storefront, Unit
from shop.aid.rules import (
    AID_AMOUNT,
    DIRECT,
    CampaignWindow,
    RuleSet,
    campaign_at,
    parse_rule_set,
    rule_set_on,
)
from shop.clock import business_day
from shop.context import Ctx
from shop.errors import Invalid

PLATFORMS = SalesPlatform.__table__
STOREFRONTS = Storefront.__table__
CHANNELS = Channel.__table__
CAMPAIGNS = Campaign.__table__
UNITS = Unit.__table__
RULE_SETS = RuleSetRow.__table__
RULE_SET_COLUMNS = ("code", "name", "measure", "effective_from", "effective_to", "definition")


OWN_PLATFORM = "self_mall"
"""The sales platform that this mall itself is."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The keys that an order keeps: where it was placed, how the buyer came, whose purchase."""

    platform_id: UUID
    storefront_id: UUID
    channel_id: UUID
    campaign_id: UUID | None
    unit_id: UUID | None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The codes and names to freeze into an entry, and the rule set of the day (or none)."""

    names: Mapping[str, str | None]
    rule_set: RuleSet | None


def attribution_for(
    ctx: Ctx,
    *,
    unit: str | None = None,
    channel: str | None = None,
    campaign: str | None = None,
    storefront: str | None = None,
) -> Attribution:
    """The keys behind the codes of an order, by one statement.

    Without a channel the buyer came directly; without a storefront it is the first one.

    Raises:
        Invalid: `unknown_code`, with every field that names nothing we have.
    """
    row = ctx.session.execute(
        select(
            _key(PLATFORMS, OWN_PLATFORM).label("platform"),
            _key(CHANNELS, channel or DIRECT).label("channel"),
            _key(CAMPAIGNS, campaign).label("campaign"),
            _key(UNITS, unit).label("unit"),
            (_key(STOREFRONTS, storefront) if storefront else _first_storefront()).label(
                "storefront"
            ),
        )
    ).one()
    wanted = {"unit": unit, "channel": channel, "campaign": campaign, "storefront": storefront}
    unknown = [name for name, code in wanted.items() if code and getattr(row, name) is None]
    if unknown:
        raise Invalid(
            "所选的单位、渠道、活动或商城不存在",
            "There is no such unit, channel, campaign or storefront",
            code="unknown_code",
            fields={name: [f"没有代码“{wanted[name]}”"] for name in unknown},
        )
    return Attribution(row.platform, row.storefront, row.channel, row.campaign, row.unit)


def circumstances(
    ctx: Ctx,
    *,
    at: datetime,
    platform_id: UUID,
    channel_id: UUID,
    storefront_id: UUID | None,
    campaign_id: UUID | None,
    unit_id: UUID | None,
) -> Circumstances:
    """What a sale at `at` freezes: one statement, by primary keys and two tiny tables.

    Raises:
        LookupError: a key names nothing, a bug (the order's foreign keys forbid it).
    """
    day = business_day(at)
    named = CAMPAIGNS.c.id == campaign_id
    running = and_(CAMPAIGNS.c.starts_at <= at, at < CAMPAIGNS.c.ends_at)
    in_force = and_(
        RULE_SETS.c.measure == AID_AMOUNT,
        RULE_SETS.c.effective_from <= day,
        or_(RULE_SETS.c.effective_to.is_(None), RULE_SETS.c.effective_to > day),
    )
    sources = (
        PLATFORMS.join(CHANNELS, CHANNELS.c.id == channel_id)
        .outerjoin(STOREFRONTS, STOREFRONTS.c.id == storefront_id)
        .outerjoin(UNITS, UNITS.c.id == unit_id)
        .outerjoin(CAMPAIGNS, running if campaign_id is None else named)
        .outerjoin(RULE_SETS, in_force)
    )
    rows = (
        ctx.session.execute(
            _frozen_columns().select_from(sources).where(PLATFORMS.c.id == platform_id)
        )
        .mappings()
        .all()
    )
    if not rows:
        raise LookupError(f"no platform {platform_id} or no channel {channel_id}")
    return Circumstances(
        {**_plain_names(rows[0]), **_campaign_names(rows, at, named=campaign_id is not None)},
        rule_set_on([_rule_set(row) for row in rows if row["code"] is not None], day),
    )


def rule_sets(ctx: Ctx) -> list[RuleSet]:
    """Every dated definition of what counts, the latest first."""
    rows = ctx.session.execute(
        select(RULE_SETS).order_by(RULE_SETS.c.effective_from.desc(), RULE_SETS.c.code)
    ).mappings()
    return [_rule_set(row) for row in rows]


def _frozen_columns() -> Select[Any]:
    named = {"platform": PLATFORMS, "storefront": STOREFRONTS, "channel": CHANNELS, "unit": UNITS}
    return select(
        *(
            table.c[column].label(f"{name}_{column}")
            for name, table in named.items()
            for column in ("code", "name")
        ),
        CAMPAIGNS.c.code.label("campaign_code"),
        CAMPAIGNS.c.name.label("campaign_name"),
        CAMPAIGNS.c.starts_at,
        CAMPAIGNS.c.ends_at,
        CAMPAIGNS.c.channels,
        *(RULE_SETS.c[name] for name in RULE_SET_COLUMNS),
    )


def _plain_names(row: Mapping[Any, Any]) -> dict[str, str | None]:
    prefixes = ("platform_", "storefront_", "channel_", "unit_")
    return {name: value for name, value in row.items() if name.startswith(prefixes)}


def _campaign_names(
    rows: Sequence[Mapping[Any, Any]], at: datetime, *, named: bool
) -> dict[str, str | None]:
    candidates = {row["campaign_code"]: row for row in rows if row["campaign_code"] is not None}
    windows = [
        CampaignWindow(code, row["starts_at"], row["ends_at"], frozenset(row["channels"]))
        for code, row in candidates.items()
    ]
    explicit = next(iter(candidates), None) if named else None
    code = campaign_at(windows, at, explicit=explicit, channel=rows[0]["channel_code"])
    name = candidates[code]["campaign_name"] if code else None
    return {"campaign_code": code, "campaign_name": name}


def _rule_set(row: Mapping[Any, Any]) -> RuleSet:
    return parse_rule_set(
        {
            **row["definition"],
            **{name: row[name] for name in RULE_SET_COLUMNS if name != "definition"},
        }
    )


def _key(table: Table, code: str | None) -> Any:
    """The key behind a code; a retired row is no longer found."""
    live = table.c.active if "active" in table.c else true()
    named = false() if code is None else table.c.code == code
    return select(table.c.id).where(named, live).scalar_subquery()


def _first_storefront() -> Any:
    by_age = STOREFRONTS.c.id
    return select(by_age).where(STOREFRONTS.c.active).order_by(by_age).limit(1).scalar_subquery()
